/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "remote/remote.h"
#include "remote/rig.h"
#include "support/server.h"
#include "util/clock.h"

/* What a GET over a unix socket costs here and in a bare hiredis loop, rounds interleaved. */

enum { ROUNDS = 9, CALLS = 20000 };

static double bare(redisContext *c)
{
  int64_t begun = lrd_monotonic(&lrd_clock_system);
  for (int i = 0; i < CALLS; i++)
    freeReplyObject(redisCommand(c, "GET %s", "key"));
  return (double)(lrd_monotonic(&lrd_clock_system) - begun) / CALLS / 1000;
}

static double ours(struct rig *rig)
{
  char buffer[64];
  size_t length;
  larder_verdict v;
  int64_t begun = lrd_monotonic(&lrd_clock_system);
  for (int i = 0; i < CALLS; i++)
    lrd_remote_table.get(rig->backend, 0, (larder_bytes){"key", 3},
                         lrd_monotonic(&lrd_clock_system) + 250 * LRD_NS_PER_MS, buffer,
                         sizeof buffer, &length, &v);
  if (v.outcome != LARDER_OK)
    abort();
  return (double)(lrd_monotonic(&lrd_clock_system) - begun) / CALLS / 1000;
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(void)
{
  struct server_options options = {.unix_socket = 1};
  struct lrd_config config;
  struct rig rig;
  double hiredis[ROUNDS], larder[ROUNDS];
  server_require();
  struct server *server = server_start(&options);
  rig_config(&config, 0, server_socket(server));
  rig_open(&rig, &config);
  redisContext *c = redisConnectUnix(server_socket(server));
  if (!c || c->err)
    return 1;
  freeReplyObject(redisCommand(c, "SET key 0123456789012345678901234567890123456789"));
  ours(&rig);
  for (int i = 0; i < ROUNDS; i++) {
    hiredis[i] = bare(c);
    larder[i] = ours(&rig);
  }
  qsort(hiredis, ROUNDS, sizeof *hiredis, by_value);
  qsort(larder, ROUNDS, sizeof *larder, by_value);
  printf("GET over a unix socket, us, median of %d rounds of %d: hiredis %.2f, larder %.2f\n", ROUNDS,
         CALLS, hiredis[ROUNDS / 2], larder[ROUNDS / 2]);
  redisFree(c);
  rig_close(&rig);
  server_stop(server);
  return 0;
}
