/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote_store.h"

static int is_connected(larder *store)
{
  larder_reply *reply = larder_command(store, "PING");
  int connected = reply->outcome == LARDER_OK && reply->origin == LARDER_FROM_REDIS;

  larder_reply_free(reply);
  return connected;
}

larder *remote_store(const struct site *site, enum transport transport, const char *fallback,
                     larder_delivery delivery)
{
  larder_options options = LARDER_OPTIONS_INIT;
  char url[256], why[LARDER_ERROR_SIZE];
  larder *store;

  if (transport == TRANSPORT_UNIX)
    snprintf(url, sizeof url, "unix://%s?fallback=%s&required=yes", redis_socket(site->server),
             fallback);
  else
    snprintf(url, sizeof url, "redis://127.0.0.1:%d/0?fallback=%s&required=yes", site->port,
             fallback);
  options.timeout_ms = 30000;
  options.delivery = delivery;
  store = larder_open(url, &options, why, sizeof why);
  if (store == NULL) {
    fprintf(stderr, "bench: %s\n", why);
    return NULL;
  }
  if (is_connected(store))
    return store;
  fprintf(stderr, "bench: %s: no answer to PING\n", url);
  larder_close(store, 0);
  return NULL;
}

int remote_right(const larder_reply *reply, const struct command *command)
{
  const larder_value *value = &reply->value;

  if (reply->outcome == LARDER_OK && reply->origin == LARDER_FROM_REDIS &&
      value->type == (command->reply == REPLY_STATUS ? LARDER_STATUS : LARDER_STRING) &&
      (command->reply == REPLY_STATUS || value->len == command->len))
    return 1;
  fprintf(stderr, "bench: %s of larder: outcome %d, origin %d: %.*s\n", command->argv[0],
          (int)reply->outcome, (int)reply->origin,
          value->type == LARDER_ERROR ? (int)value->len : 0,
          value->type == LARDER_ERROR ? value->str : "");
  return 0;
}
