/* SPDX-License-Identifier: BSD-2-Clause */
#include "load.h"

#include <stdlib.h>

#include <larder.h>

#include "bench.h"

/*
 * How often a cache has what is asked for.  Keys are asked for by a Zipf law; what is
 * absent is set, as an application does that loads it from elsewhere.  A first half of the
 * requests fills the cache, the second half counts.  With scans, every so often a run of
 * keys comes by that nobody asks for again; those requests are not counted.
 */

struct scene {
  const char *name;
  double exponent;
  int scans;
};

static const struct scene zipf_scene = { "ratio-zipf", 1.0, 0 };
static const struct scene scan_scene = { "ratio-scan", 0.9, 1 };

static const char *const policies[] = { "allkeys-s3fifo", "allkeys-lru", "allkeys-lfu",
                                        "allkeys-random" };
enum { POLICIES = sizeof policies / sizeof policies[0] };
enum { REQUESTS = 2 }; /* for each of the settings' operations */

/* 1: a hit, 0: a miss, -1: the store refuses. */
static int request(larder *store, uint64_t number)
{
  static const char value[VALUE_LENGTH + 1] = "a value of thirty-two bytes.....";
  char key[KEY_LENGTH + 1], buffer[VALUE_LENGTH];
  size_t length;

  key_text(key, number);
  if (larder_get(store, key, KEY_LENGTH, buffer, sizeof buffer, &length) == LARDER_OK)
    return 1;
  return larder_set(store, key, KEY_LENGTH, value, VALUE_LENGTH, 0) == LARDER_OK ? 0 : -1;
}

/* What a store with so many of these keys takes; 0: failed. */
static uint64_t memory_of(size_t keys)
{
  larder_status status = { .size = sizeof status };
  larder *store = larder_open("memory:", NULL, NULL, 0);
  uint64_t bytes = 0;
  size_t i;
  int failed = store == NULL;

  for (i = 0; i < keys && !failed; i++)
    failed = request(store, i) != 0;
  if (!failed && larder_get_status(store, &status) == LARDER_OK)
    bytes = status.memory;
  larder_close(store, 0);
  return bytes;
}

/* What is asked for: the same for all policies and sizes of a round. */
static uint32_t *make_requests(const struct bench *bench, const struct scene *scene, size_t round)
{
  size_t count = REQUESTS * bench->operations, i;
  uint32_t *number = bench_memory(count, sizeof *number);
  uint64_t seed = bench->round_seed[round];
  struct zipf zipf;

  zipf_start(&zipf, scene->exponent, bench->keys);
  for (i = 0; i < count; i++)
    number[i] = (uint32_t)zipf_scattered(&zipf, &seed);
  return number;
}

/* Hits in percent, or -1: the store refuses. */
static double play(larder *store, const struct scene *scene, const struct bench *bench,
                   size_t cache, const uint32_t *number)
{
  size_t requests = REQUESTS * bench->operations, every = requests / 20, hits = 0, i, s;
  uint64_t scanned = bench->keys;

  for (i = 0; i < requests; i++) {
    int hit = request(store, number[i]);

    if (hit < 0)
      return -1;
    hits += (size_t)(i >= requests / 2 ? hit : 0);
    if (scene->scans && i % every == every - 1)
      for (s = 0; s < 10 * cache; s++)
        if (request(store, scanned++) < 0)
          return -1;
  }
  return 100.0 * (double)hits / (double)(requests - requests / 2);
}

static int measure_policy(struct bench *bench, const struct scene *scene, const char *policy,
                          double percent, double x, const uint32_t *number)
{
  larder_status status = { .size = sizeof status };
  size_t cache = (size_t)((double)bench->keys * percent / 100);
  char url[128], why[LARDER_ERROR_SIZE];
  larder *store;
  double hits;

  snprintf(url, sizeof url, "memory:?maxmemory=%llu&maxmemory_policy=%s",
           (unsigned long long)memory_of(cache), policy);
  store = larder_open(url, NULL, why, sizeof why);
  if (store == NULL) {
    bench_note(bench, "%s/%s: %s", scene->name, policy, why);
    return 0;
  }
  hits = play(store, scene, bench, cache, number);
  if (hits < 0 || larder_get_status(store, &status) != LARDER_OK) {
    bench_note(bench, "%s/%s: the store refuses a SET at its bound", scene->name, policy);
  } else {
    figure_add(bench, scene->name, policy, "% hits", x, hits);
    figure_add(bench, scene->name, policy, "x keys in cache", x,
               (double)status.keys / (double)cache);
  }
  larder_close(store, 0);
  return 0;
}

/* Bars are stated for S3-FIFO with 1 % of the keys, and with scans for sampled LRU too. */
static int is_judged(const struct scene *scene, size_t policy, double percent)
{
  return percent == 1 && (policy == 0 || (scene->scans && policy == 1));
}

static int measure_scene(struct bench *bench, const struct scene *scene, const double *percent,
                         size_t sizes)
{
  int wanted[POLICIES], any = 0, failed = 0;
  size_t round, p, s;

  for (p = 0; p < POLICIES; p++)
    any |= wanted[p] = bench_wants(bench, scene->name, policies[p]);
  for (round = 0; any && round < bench->rounds && !failed; round++) {
    uint32_t *number = make_requests(bench, scene, round);

    for (s = 0; s < sizes && !failed; s++)
      for (p = 0; p < POLICIES && !failed; p++) {
        int all = bench->full || is_judged(scene, p, percent[s]);

        if (!wanted[p] || (round > 0 && !all)) /* what is only drawn hardly differs */
          continue;
        bench_progress(bench, "round %zu of %zu  %s/%s, %g %%", round + 1, bench->rounds,
                       scene->name, policies[p], percent[s]);
        failed = measure_policy(bench, scene, policies[p], percent[s],
                                scene->scans ? 0 : percent[s], number);
      }
    free(number);
  }
  return failed;
}

/* The other sizes are for the plot. */
int run_ratio(struct bench *bench)
{
  static const double sizes[] = { 1, 0.1, 0.3, 3, 10 };
  size_t count = bench->quick || bench->surveying ? 1 : sizeof sizes / sizeof sizes[0];

  return measure_scene(bench, &zipf_scene, sizes, count) |
         measure_scene(bench, &scan_scene, sizes, 1);
}
