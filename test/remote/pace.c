/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "remote/remote.h"
#include "remote/rig.h"
#include "support/server.h"
#include "util/clock.h"

/*
 * What a GET over a unix socket costs here and in bare hiredis loops (a connection a
 * thread), rounds interleaved; then asynchronous SETs.  Prints medians.
 */

enum { ROUNDS = 7, CALLS = 16000, THREADS = 8 };

struct runner {
  pthread_t thread;
  struct rig *rig;
  redisContext *context;
  int number, calls;
};

static double us_since(int64_t begun, int calls)
{
  return (double)(lrd_monotonic(&lrd_clock_system) - begun) / calls / 1000;
}

static void *run(void *argument)
{
  struct runner *r = argument;
  char buffer[64], key[16];
  size_t length;
  larder_verdict v;
  int len = snprintf(key, sizeof key, "key%d", r->number);
  for (int i = 0; i < r->calls; i++) {
    if (r->context) {
      freeReplyObject(redisCommand(r->context, "GET %s", key));
      continue;
    }
    lrd_remote_table.get(r->rig->backend, 0, (larder_bytes){key, (size_t)len},
                         lrd_monotonic(&lrd_clock_system) + 1000 * LRD_NS_PER_MS, buffer,
                         sizeof buffer, &length, &v);
    if (v.outcome != LARDER_OK)
      abort();
  }
  return NULL;
}

/* Microseconds a call, over all threads together. */
static double measure(struct runner *runner, int threads)
{
  int64_t begun = lrd_monotonic(&lrd_clock_system);
  for (int i = 0; i < threads; i++) {
    runner[i].calls = CALLS / threads;
    if (threads == 1)
      run(&runner[i]);
    else
      pthread_create(&runner[i].thread, NULL, run, &runner[i]);
  }
  for (int i = 0; threads > 1 && i < threads; i++)
    pthread_join(runner[i].thread, NULL);
  return us_since(begun, CALLS);
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void compare(struct runner *bare, struct runner *ours, int threads)
{
  double hiredis[ROUNDS], larder[ROUNDS];
  measure(ours, threads);
  for (int i = 0; i < ROUNDS; i++) {
    hiredis[i] = measure(bare, threads);
    larder[i] = measure(ours, threads);
  }
  qsort(hiredis, ROUNDS, sizeof *hiredis, by_value);
  qsort(larder, ROUNDS, sizeof *larder, by_value);
  printf("GET, %d thread%s: hiredis %.2f us, larder %.2f us, ratio %.2f\n", threads,
         threads > 1 ? "s" : "", hiredis[ROUNDS / 2], larder[ROUNDS / 2],
         larder[ROUNDS / 2] / hiredis[ROUNDS / 2]);
}

static void submit(struct rig *rig)
{
  static struct rig_submission s[CALLS];
  int64_t begun = lrd_monotonic(&lrd_clock_system);
  for (int i = 0; i < CALLS; i++)
    rig_submit(rig, &s[i], 0, 10000, "SET a 1");
  for (int i = 0; i < CALLS; i++)
    if (rig_wait(&s[i], 10000) != 0)
      abort();
  printf("SET, submitted: larder %.2f us\n", us_since(begun, CALLS));
}

int main(void)
{
  struct server_options options = {.unix_socket = 1};
  struct lrd_config config;
  struct rig rig;
  struct runner bare[THREADS], ours[THREADS];
  server_require();
  struct server *server = server_start(&options);
  rig_config(&config, 0, server_socket(server));
  rig_open(&rig, &config);
  for (int i = 0; i < THREADS; i++) {
    bare[i] = (struct runner){.number = i, .context = redisConnectUnix(server_socket(server))};
    ours[i] = (struct runner){.number = i, .rig = &rig};
    if (!bare[i].context || bare[i].context->err)
      return 1;
    freeReplyObject(redisCommand(bare[i].context, "SET key%d 01234567890123456789012345678901", i));
  }
  compare(bare, ours, 1);
  compare(bare, ours, THREADS);
  submit(&rig);
  for (int i = 0; i < THREADS; i++)
    redisFree(bare[i].context);
  rig_close(&rig);
  server_stop(server);
  return 0;
}
