/* SPDX-License-Identifier: BSD-2-Clause */
#include "load.h"
#include "prober.h"
#include "redis.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <larder.h>

#include "bench.h"

/*
 * A million keys whose time comes at the same moment, and a client that reads others
 * meanwhile: how long until half of them and all of them are gone from memory, and
 * the slowest GET since that moment.
 */

enum { PROBES = 10000 };

/* Whom it happens to. */
struct victim {
  const char *name;
  void *store;
  void *reader;
  int (*probe)(void *reader, uint64_t *random);
  double (*count)(void *store); /* keys that take memory */
};

static void sleep_ms(void)
{
  struct timespec ms = { 0, 1000000 };

  nanosleep(&ms, NULL);
}

static void note_timeline(struct bench *bench, const struct victim *victim,
                          const struct probed *probed, double moment)
{
  double offset = (moment - probed->at) / PROBE_BUCKET_NS;
  size_t b;

  for (b = 0; b < PROBE_BUCKETS; b++)
    if (probed->own[b] > 0)
      figure_add(bench, "expire-timeline", victim->name, "us slowest GET",
                 ((double)b - offset) * PROBE_BUCKET_NS / 1e6, probed->own[b] / 1e3);
}

static double slowest_since(const struct probed *probed, const double *bucket, double moment)
{
  double slowest = 0;
  size_t b;

  for (b = 0; b < PROBE_BUCKETS; b++)
    if (probed->at + (double)(b + 1) * PROBE_BUCKET_NS > moment && bucket[b] > slowest)
      slowest = bucket[b];
  return slowest;
}

/* Everything is set: watches it go.  0, -1, or 1: it was set too late. */
static int watch(struct bench *bench, const struct victim *victim, size_t keys, double moment,
                 int first)
{
  struct prober *prober;
  struct probed probed;
  double half = 0, gone = 0, left;

  if (now_ns() > moment)
    return 1;
  while (now_ns() < moment - 2e8)
    sleep_ms();
  prober = prober_start(victim->probe, victim->reader);
  while (gone == 0 && now_ns() < moment + 9e9) {
    left = victim->count(victim->store) - PROBES;
    if (half == 0 && left <= (double)keys / 2)
      half = now_ns() - moment;
    if (left <= 0)
      gone = now_ns() - moment;
    sleep_ms();
  }
  if (prober_stop(prober, &probed) != 0)
    return -1;
  if (gone == 0)
    bench_note(bench, "expire/%s: keys were left after 9 s", victim->name);
  figure_add(bench, "expire", victim->name, "s half gone", 0, half / 1e9);
  figure_add(bench, "expire", victim->name, "s all gone", 0, gone == 0 ? 9 : gone / 1e9);
  figure_add(bench, "expire", victim->name, "ms slowest GET", 0,
             slowest_since(&probed, probed.bucket, moment) / 1e6);
  figure_add(bench, "expire", victim->name, "ms slowest own GET", 0,
             slowest_since(&probed, probed.own, moment) / 1e6);
  figure_add(bench, "expire", victim->name, "ms slowest nothing", 0,
             probed.nothing.slowest / 1e6);
  if (victim->store == victim->reader)
    probed_note(bench, "expire", victim->name, 0, &probed.call);
  if (first)
    note_timeline(bench, victim, &probed, moment);
  return 0;
}

typedef int attempt(struct bench *, const void *context, size_t round, double lead);

/* What comes too late is tried again with twice the time to set the keys, two times. */
static int in_time(struct bench *bench, const char *name, attempt *try, const void *context,
                   size_t round, double lead)
{
  int tries, result = 1;

  for (tries = 0; tries < 3 && result == 1; tries++, lead *= 2)
    result = try(bench, context, round, bench->quick ? lead / 10 : lead);
  if (result == 1)
    bench_note(bench, "expire/%s: the machine was too slow to set all keys in time", name);
  return result < 0 ? -1 : 0;
}

static int typed_probe(void *store, uint64_t *random)
{
  char key[KEY_LENGTH + 1], value[VALUE_LENGTH];
  size_t length;

  key_text(key, 1000000000 + random_below(random, PROBES));
  return larder_get(store, key, KEY_LENGTH, value, sizeof value, &length) == LARDER_OK ? 0 : -1;
}

static double typed_count(void *store)
{
  larder_status status = { .size = sizeof status };

  return larder_get_status(store, &status) == LARDER_OK ? (double)status.keys : 0;
}

/* In random order, as the servers are filled. */
static int fill_larder(larder *store, const struct load *load, double moment)
{
  static const char value[] = "a value of thirty-two bytes.....";
  char key[KEY_LENGTH + 1];
  size_t i;
  int failed = 0;

  for (i = 0; i < PROBES && !failed; i++) {
    key_text(key, 1000000000 + i);
    failed = larder_set(store, key, KEY_LENGTH, value, VALUE_LENGTH, 0) != LARDER_OK;
  }
  for (i = 0; i < load->count && !failed; i++) {
    double left = (moment - now_ns()) / 1e6;

    failed = larder_set(store, load->step[i].key, KEY_LENGTH, value, VALUE_LENGTH,
                        left < 1 ? 1 : (int64_t)left) != LARDER_OK;
  }
  return failed ? -1 : 0;
}

static int expire_larder(struct bench *bench, const void *context, size_t round, double lead)
{
  larder *store = larder_open("memory:", NULL, NULL, 0);
  struct load load;
  struct victim victim = { "larder", store, store, typed_probe, typed_count };
  double moment;
  int result = -1;

  (void)context;
  load_shuffled(&load, bench->keys, bench->round_seed[round]);
  moment = now_ns() + lead;
  if (store != NULL && fill_larder(store, &load, moment) == 0)
    result = watch(bench, &victim, bench->keys, moment, round == 0);
  load_free(&load);
  larder_close(store, 0);
  return result;
}

#ifdef LARDER_REDIS

static int redis_probe(void *redis, uint64_t *random)
{
  char key[KEY_LENGTH + 1];
  struct command command;

  key_text(key, 1000000000 + random_below(random, PROBES));
  command_begin(&command, "GET", REPLY_STRING, VALUE_LENGTH);
  command_word(&command, key, KEY_LENGTH);
  return redis_send(redis, &command) != 0 || redis_receive(redis, &command) != 0 ? -1 : 0;
}

static double redis_count(void *redis)
{
  return (double)redis_size(redis);
}

static char moment_text[24]; /* of the wall clock, in ms; for fill_expiring */

static void fill_expiring(struct command *c, const struct load *load, size_t i)
{
  op_info[OP_SET].fill(c, load, i);
  command_word(c, "PXAT", 4);
  command_word(c, moment_text, strlen(moment_text));
}

static int fill_redis(struct redis *redis, size_t keys, double lead)
{
  struct load load;
  struct timespec wall;
  size_t i;
  int failed;

  clock_gettime(CLOCK_REALTIME, &wall);
  snprintf(moment_text, sizeof moment_text, "%lld",
           (long long)wall.tv_sec * 1000 + wall.tv_nsec / 1000000 + (long long)(lead / 1e6));
  load_shuffled(&load, keys > PROBES ? keys : PROBES, 1);
  failed = redis_fill(redis, fill_expiring, &load, 0, keys);
  for (i = 0; i < PROBES; i++)
    key_text(load.step[i].key, 1000000000 + i);
  if (!failed)
    failed = redis_fill(redis, op_info[OP_SET].fill, &load, 0, PROBES);
  load_free(&load);
  return failed;
}

static int expire_server(struct bench *bench, const void *context, size_t round, double lead)
{
  const struct redis_kind *kind = context;
  char why[256];
  struct redis *redis = redis_open(kind, why, sizeof why), *reader;
  struct victim victim = { kind->name, redis, NULL, redis_probe, redis_count };
  double moment;
  int result = -1;

  if (redis == NULL) {
    bench_note(bench, "%s: %s", kind->name, why);
    return 0;
  }
  reader = redis_again(redis);
  victim.reader = reader;
  moment = now_ns() + lead;
  if (reader != NULL && fill_redis(redis, bench->keys, lead) == 0)
    result = watch(bench, &victim, bench->keys, moment, round == 0);
  if (reader != NULL)
    redis_close(reader);
  redis_close(redis);
  return result;
}

static int expire_servers(struct bench *bench, const int *wanted, size_t round)
{
  size_t i;
  int failed = 0;

  for (i = 0; redis_kinds[i].name != NULL && !failed; i++)
    if (wanted[i])
      failed = in_time(bench, redis_kinds[i].name, expire_server, &redis_kinds[i], round, 5e9);
  return failed;
}
#endif

int run_expire(struct bench *bench)
{
  int larder_wanted = bench_wants(bench, "expire", "larder"), failed = 0;
  size_t round;
#ifdef LARDER_REDIS
  int wanted[8] = { 0 };
  size_t i;

  for (i = 0; redis_kinds[i].name != NULL; i++)
    wanted[i] = bench_wants(bench, "expire", redis_kinds[i].name);
#endif
  for (round = 0; round < bench->rounds && !failed; round++) {
    if (larder_wanted) {
      bench_progress(bench, "round %zu of %zu  expire/larder", round + 1, bench->rounds);
      failed = in_time(bench, "larder", expire_larder, NULL, round, 3e9);
    }
#ifdef LARDER_REDIS
    bench_progress(bench, "round %zu of %zu  expire", round + 1, bench->rounds);
    if (!failed && round < bench_rounds(bench, 0))
      failed = expire_servers(bench, wanted, round);
#endif
  }
  if (failed)
    fprintf(stderr, "bench: expire: a wrong result\n");
  return failed;
}
