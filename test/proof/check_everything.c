/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything at once: threads that do all that can be done with a store, rarely in the
 * order that one expects (proof/crowd.h); for the sanitizers above all.
 *
 *   check_everything [--seconds N] [--threads N] [--seed S] [--url URL]
 *
 * N seconds on each of some stores: in-process ones, whose engines are examined each
 * time that the threads have left, and one whose redis-server comes and goes.  Each is
 * closed under fire.  Built with --enable-yields the threads are disturbed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory/check.h"
#include "proof/crowd.h"
#include "proof/yield.h"
#include "store/heap.h"
#include "store/store.h"
#include "support/server.h"

struct plan {
  int seconds;
  unsigned threads;
  uint64_t seed;
  const char *url; /* this store only */
};

static void nap(int ms)
{
  struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
  nanosleep(&t, NULL);
}

static void print_outcomes(const struct crowd *crowd)
{
  for (int i = 0; i < LARDER_OUTCOMES; i++)
    if (crowd->outcomes[i])
      printf(" %s %" PRIu64, larder_outcome_name((larder_outcome)i), crowd->outcomes[i]);
  printf("\n");
}

static int is_wrong(const char *url, const struct crowd *crowd, const char *inside)
{
  if (!crowd->wrong[0] && !inside)
    return 0;
  printf("%s: %s%s%s\n", url, crowd->wrong, crowd->wrong[0] && inside ? "; " : "",
         inside ? inside : "");
  return 1;
}

/* In process: rounds of a second, the last one ends with the store. */
static int run_local(const struct plan *plan, const char *url, larder_choice background)
{
  struct crowd crowd = { .local = 1 };
  larder_options options = LARDER_OPTIONS_INIT;
  char error[LARDER_ERROR_SIZE];
  struct heap heap;
  int bad = 0;

  heap_init(&heap);
  options.memory = &heap.memory;
  options.background = background;
  crowd.store = larder_open(url, &options, error, sizeof error);
  if (!crowd.store) {
    printf("%s: %s\n", url, error);
    return 1;
  }
  for (int second = 0; second < plan->seconds && !bad; second++) {
    if (crowd_start(&crowd, plan->threads, plan->seed + (uint64_t)second))
      return 1;
    nap(1000);
    crowd_end(&crowd);
    bad = is_wrong(url, &crowd, lrd_engine_check((struct lrd_engine *)crowd.store->base));
  }
  if (crowd_start(&crowd, plan->threads, plan->seed + (uint64_t)plan->seconds))
    return 1;
  nap(50);
  bad |= crowd_close_under_fire(&crowd) != 0;
  crowd_end(&crowd);
  printf("%s: %" PRIu64 " calls, %" PRIu64 " asynchronous ones, %" PRIu64 " yield points;", url,
         crowd.calls, crowd.started, yield_points());
  print_outcomes(&crowd);
  return bad | is_wrong(url, &crowd, heap.blocks || heap.bytes ? "memory leaks" : NULL);
}

#ifdef LARDER_REDIS
/* The server stands still or dies for 300 ms of each second. */
static void disturb(struct server *server, int seconds)
{
  for (int left = seconds * 1000; left > 0; left -= 1000) {
    nap(700);
    if (left / 1000 % 2)
      server_pause(server);
    else
      server_kill(server);
    nap(300);
    if (server_running(server))
      server_resume(server);
    else
      server_restart(server);
  }
}

static int run_outages(const struct plan *plan)
{
  struct crowd crowd = { 0 };
  struct server *server;
  char error[LARDER_ERROR_SIZE];
  uint64_t left;

  server_require();
  server = server_start(NULL);
  crowd.store = larder_open(server_url(server), NULL, error, sizeof error);
  if (!crowd.store || crowd_start(&crowd, plan->threads, plan->seed)) {
    printf("%s: %s\n", server_url(server), error);
    return 1;
  }
  disturb(server, plan->seconds);
  left = crowd_close_under_fire(&crowd);
  crowd_end(&crowd);
  printf("%s: %" PRIu64 " calls, %" PRIu64 " asynchronous ones, %" PRIu64 " writes left;",
         server_url(server), crowd.calls, crowd.started, left);
  print_outcomes(&crowd);
  server_stop(server);
  return left == UINT64_MAX || is_wrong("with outages", &crowd, NULL);
}
#else
static int run_outages(const struct plan *plan)
{
  (void)plan;
  return 0;
}
#endif

static struct plan read_plan(int argc, char **argv)
{
  const char *seed = getenv("LARDER_SEED");
  struct plan plan = { .seconds = 2, .threads = 8 };

  plan.seed = seed && *seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
  for (int i = 1; i + 1 < argc; i += 2)
    if (!strcmp(argv[i], "--seconds"))
      plan.seconds = atoi(argv[i + 1]);
    else if (!strcmp(argv[i], "--threads"))
      plan.threads = (unsigned)atoi(argv[i + 1]);
    else if (!strcmp(argv[i], "--seed"))
      plan.seed = strtoull(argv[i + 1], NULL, 10);
    else if (!strcmp(argv[i], "--url"))
      plan.url = argv[i + 1];
  return plan;
}

int main(int argc, char **argv)
{
  struct plan plan = read_plan(argc, argv);
  int bad = 0;

  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("LARDER_SEED=%" PRIu64 "\n", plan.seed);
  yield_seed(plan.seed, 20);
  if (plan.url)
    return run_local(&plan, plan.url, LARDER_YES);
  bad |= run_local(&plan, "memory:?shards=16", LARDER_YES);
  bad |= run_local(&plan, "memory:?shards=1", LARDER_NO);
  bad |= run_outages(&plan);
  return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
