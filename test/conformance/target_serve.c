/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/target_own.h"

#include <larder/serve.h>

static void close_listener(struct target *t)
{
  target_close_connections(t);
  larder_listener_close(t->listener);
  larder_close(t->store, 0);
}

struct target *target_serve(const char *name, const char *url, int protocol)
{
  static const char *const address[] = {"tcp://127.0.0.1:0"};
  larder_listen_options options = LARDER_LISTEN_OPTIONS_INIT;
  char error[LARDER_ERROR_SIZE] = "";
  struct target *t = target_new(name, protocol);
  options.address = address;
  options.addresses = 1;
  t->store = target_open(name, url);
  t->listener = larder_listen(t->store, &options, error, sizeof error);
  if (!t->listener)
    target_die("%s: %s", name, error);
  t->port = larder_listener_port(t->listener, 0);
  target_over_connections(t);
  t->close = close_listener;
  return t;
}
