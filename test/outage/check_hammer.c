/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Eight threads on one store, with expiry, transactions and asynchronous calls,
 * and a close while they are at it: for ThreadSanitizer above all.  Once on the
 * in-process store, once on one with a fallback whose redis-server comes and goes.
 *
 *   check_hammer [--seconds N] [--seed S]
 */
#include <inttypes.h>
#include <larder.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/server.h"

enum { THREADS = 8, KEYS = 40, GATE_MS = 20000 };

struct shared {
  larder *store;
  atomic_int stop;    /* the store has been closing for a while */
  atomic_int active;  /* threads that may still begin calls */
  atomic_int at_gate; /* the gate's completion is being delivered */
  atomic_ullong done; /* completions of asynchronous calls */
};

struct worker {
  struct shared *shared;
  pthread_t thread;
  uint64_t dice;
  uint64_t calls, started, closed, wrong;
  uint64_t outcomes[LARDER_OUTCOMES];
};

static void nap(int ms)
{
  struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&t, NULL);
}

static unsigned roll(struct worker *w, unsigned n)
{
  w->dice = w->dice * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)((w->dice >> 33) % n);
}

static const char *const patterns[] = {"GET s%d",
                                       "SET s%d v%d",
                                       "SET s%d %d PX 5",
                                       "SET s%d v%d EX 100",
                                       "INCR n%d",
                                       "DECRBY n%d %d",
                                       "APPEND s%d x%d",
                                       "GETEX s%d PX %d",
                                       "DEL s%d h%d",
                                       "RENAME s%d s%d",
                                       "EXPIRE h%d %d",
                                       "PEXPIRE S%d %d",
                                       "PERSIST h%d",
                                       "TTL z%d",
                                       "HSET h%d f%d v",
                                       "HDEL h%d f%d",
                                       "HGETALL h%d",
                                       "HINCRBY h%d c%d 1",
                                       "SADD S%d m%d",
                                       "SREM S%d m%d",
                                       "SMEMBERS S%d",
                                       "SPOP S%d",
                                       "RPUSH l%d e%d",
                                       "LPUSH l%d e%d",
                                       "LPOP l%d",
                                       "RPOP l%d %d",
                                       "LRANGE l%d 0 %d",
                                       "ZADD z%d %d m",
                                       "ZADD z%d 1 m%d",
                                       "ZINCRBY z%d %d m",
                                       "ZRANGE z%d 0 -1 WITHSCORES",
                                       "ZPOPMIN z%d %d",
                                       "ZREMRANGEBYSCORE z%d 0 %d",
                                       "EXISTS s%d l%d",
                                       "TYPE z%d",
                                       "SCAN 0 COUNT %d",
                                       "DBSIZE",
                                       "KEYS s%d*",
                                       "MGET s%d s%d",
                                       "MSET s%d a s%d b",
                                       "UNLINK l%d l%d"};

static const char *pattern(struct worker *w)
{
  return patterns[roll(w, sizeof patterns / sizeof *patterns)];
}

static void took(struct worker *w, larder_reply *r)
{
  w->calls++;
  w->outcomes[r->outcome]++;
  w->closed += r->outcome == LARDER_CLOSED;
  w->wrong += r->outcome == LARDER_BAD_ARGUMENT;
  larder_reply_free(r);
}

static void completed(void *context, larder_reply *reply)
{
  struct shared *s = context;
  atomic_fetch_add(&s->done, 1);
  larder_reply_free(reply);
}

static void transact(struct worker *w)
{
  larder_session *session = larder_session_open(w->shared->store);
  if (!session)
    return;
  int a = (int)roll(w, KEYS), b = (int)roll(w, KEYS);
  if (roll(w, 2))
    took(w, larder_session_command(session, "WATCH n%d l%d", a, b));
  took(w, larder_session_command(session, "MULTI"));
  took(w, larder_session_command(session, "INCR n%d", a));
  took(w, larder_session_command(session, "RPUSH l%d t", b));
  took(w, larder_session_command(session, roll(w, 8) ? "EXEC" : "DISCARD"));
  larder_session_close(session);
}

static void batch(struct worker *w)
{
  larder_batch *b = larder_batch_new(w->shared->store);
  if (!b)
    return;
  for (unsigned n = 1 + roll(w, 8); n; n--)
    larder_batch_command(b, pattern(w), (int)roll(w, KEYS), (int)roll(w, KEYS));
  larder_batch_run(b, (int)roll(w, 2), 0);
  larder_batch_free(b);
  w->calls++;
}

static void typed(struct worker *w)
{
  char key[16], value[32];
  size_t length;
  int n = snprintf(key, sizeof key, "s%u", roll(w, KEYS));
  if (roll(w, 2))
    larder_get(w->shared->store, key, (size_t)n, value, sizeof value, &length);
  else
    larder_set(w->shared->store, key, (size_t)n, "typed", 5,
               roll(w, 3) ? 0 : 1 + (int64_t)roll(w, 20));
  w->calls++;
}

static void status(struct worker *w)
{
  larder_status s = {.size = sizeof s};
  larder_get_status(w->shared->store, &s);
  w->calls++;
}

static void *work(void *context)
{
  struct worker *w = context;
  larder *store = w->shared->store;
  while (!atomic_load(&w->shared->stop)) {
    unsigned r = roll(w, 100);
    if (r < 4)
      transact(w);
    else if (r < 8)
      batch(w);
    else if (r < 16)
      typed(w);
    else if (r < 17)
      status(w);
    else if (r < 22)
      w->started += larder_async_command(store, completed, w->shared, pattern(w),
                                         (int)roll(w, KEYS), (int)roll(w, KEYS)) == LARDER_OK;
    else
      took(w, larder_command(store, pattern(w), (int)roll(w, KEYS), (int)roll(w, KEYS)));
  }
  atomic_fetch_sub(&w->shared->active, 1);
  return NULL;
}

/* close() may not return before every completion was delivered, and nobody may
 * begin a call after it returned: so this completion lasts until all have stopped. */
static void gate(void *context, larder_reply *reply)
{
  struct shared *s = context;
  larder_reply_free(reply);
  atomic_store(&s->at_gate, 1);
  for (int waited = 0; atomic_load(&s->active) && waited < GATE_MS; waited++)
    nap(1);
}

static void *say_stop(void *context)
{
  struct shared *s = context;
  nap(50); /* so long they run into a store that is closing */
  atomic_store(&s->stop, 1);
  return NULL;
}

/* Closes the store while the threads are calling it; how many writes were left. */
static uint64_t close_under_fire(struct shared *s)
{
  pthread_t stopper;
  uint64_t left;
  if (larder_async_command(s->store, gate, s, "GET gate") != LARDER_OK)
    return UINT64_MAX;
  while (!atomic_load(&s->at_gate))
    nap(1);
  if (pthread_create(&stopper, NULL, say_stop, s) != 0)
    return UINT64_MAX;
  left = larder_close(s->store, 2000);
  pthread_join(stopper, NULL);
  return left;
}

/* What goes on beside the threads; NULL server: nothing. */
static void disturb(struct server *server, int seconds)
{
  int left = seconds * 1000;
  while (left > 0) {
    int up = left < 700 ? left : 700;
    nap(up);
    left -= up;
    if (!server || left < 300)
      continue;
    if (left % 2)
      server_pause(server);
    else
      server_kill(server);
    nap(300);
    left -= 300;
    if (server_running(server))
      server_resume(server);
    else
      server_restart(server);
  }
}

static void print_outcomes(const struct worker *workers)
{
  for (int i = 0; i < LARDER_OUTCOMES; i++) {
    uint64_t n = 0;
    for (int k = 0; k < THREADS; k++)
      n += workers[k].outcomes[i];
    if (n)
      printf(" %s %" PRIu64, larder_outcome_name((larder_outcome)i), n);
  }
  printf("\n");
}

/* 1: something is wrong. */
static int hammer(const char *url, struct server *server, int seconds, uint64_t seed)
{
  static struct worker workers[THREADS];
  char error[LARDER_ERROR_SIZE];
  struct shared shared = {.store = larder_open(url, NULL, error, sizeof error)};
  uint64_t calls = 0, started = 0, wrong = 0, closed = 0;
  if (!shared.store) {
    printf("%s: %s\n", url, error);
    return 1;
  }
  memset(workers, 0, sizeof workers);
  atomic_store(&shared.active, THREADS);
  for (int i = 0; i < THREADS; i++) {
    workers[i].shared = &shared;
    workers[i].dice = seed * 977 + (uint64_t)i;
    if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
      return 1;
  }
  disturb(server, seconds);
  uint64_t left = close_under_fire(&shared);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    calls += workers[i].calls;
    started += workers[i].started;
    wrong += workers[i].wrong;
    closed += workers[i].closed;
  }
  uint64_t done = atomic_load(&shared.done);
  printf("%s: %d threads, %d s: %" PRIu64 " calls, %" PRIu64 " asynchronous ones (%" PRIu64
         " completed);",
         url, THREADS, seconds, calls + started, started, done);
  print_outcomes(workers);
  return done != started || wrong != 0 || closed == 0 || left == UINT64_MAX;
}

int main(int argc, char **argv)
{
  int seconds = 2;
  const char *text = getenv("LARDER_SEED");
  uint64_t seed = text && *text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--seconds") == 0)
      seconds = atoi(argv[i + 1]);
    if (strcmp(argv[i], "--seed") == 0)
      seed = strtoull(argv[i + 1], NULL, 10);
  }
  server_require();
  printf("seed %" PRIu64 "\n", seed);
  fflush(stdout);
  int bad = hammer("memory:", NULL, seconds, seed);
  struct server *server = server_start(NULL);
  bad += hammer(server_url(server), server, seconds, seed);
  server_stop(server);
  return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
