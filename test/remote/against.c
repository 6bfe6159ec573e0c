/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/against.h"

struct peer *peer;
struct rig rig;

void begin_with(const struct peer_options *options, const struct peer_step *script,
                       size_t steps, void (*change)(struct lrd_config *))
{
  peer = peer_start(options, script, steps);
  struct lrd_config config;
  rig_config(&config, peer_port(peer), peer_path(peer));
  config.connections = 1;
  if (change)
    change(&config);
  rig_open(&rig, &config);
}

void begin(const struct peer_step *script, size_t steps)
{
  begin_with(NULL, script, steps, NULL);
}

void end(void)
{
  char why[256];
  rig_close(&rig);
  int failed = peer_stop(peer, why, sizeof why);
  ck_assert_msg(failed == 0, "%s", why);
}

void short_connect(struct lrd_config *c)
{
  c->connect_timeout = 100 * LRD_NS_PER_MS;
  c->max_retries = 0;
}

void *run_one(void *argument)
{
  struct worker *w = argument;
  w->reply = rig_run_with(&rig, NULL, w->flags, 5000, w->words);
  return NULL;
}
