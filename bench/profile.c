/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "memory/index_find.h"
#include "util/memory.h"

/*
 * What profile.sh counts: one kind of call on as many keys as the bars are stated for, the same
 * that `bench` times.  What is done below counted() is counted.  `chains` looks into the index
 * itself, and is the reason why this program is linked with the library's inside.
 */

enum { KEYS = 1000000, STEPS = 100000, SHARDS = 16 };

static const struct {
  const char *name;
  const struct target *target;
  enum op op;
} calls[] = {
  { "get-larder-typed", &target_typed, OP_GET },
  { "get-larder-argv", &target_argv, OP_GET },
  { "set-larder-typed", &target_typed, OP_SET },
  { "incr-larder-argv", &target_argv, OP_INCR },
  { "hset-larder-argv", &target_argv, OP_HSET },
  { "hget-larder-argv", &target_argv, OP_HGET },
#ifdef HAVE_XXHASH
  { "get-uthash-xxh3", &target_xxh3, OP_GET },
  { "get-uthash-xxh3-any", &target_xxh3_any, OP_GET },
  { "set-uthash-xxh3", &target_xxh3, OP_SET },
#endif
};

enum { CALLS = sizeof calls / sizeof calls[0] };

static __attribute__((noinline)) int counted(size_t i, void *opened, const struct load *load)
{
  int failed = calls[i].target->run(opened, calls[i].op, load, 0, load->count);

  __asm__ volatile("" : : : "memory"); /* it returns here, and doesn't jump */
  return failed;
}

static int count(size_t i)
{
  char why[256] = "";
  void *opened = calls[i].target->open(why, sizeof why);
  struct load load;
  int failed;

  if (opened == NULL) {
    fprintf(stderr, "profile: %s\n", why);
    return -1;
  }
  load_shuffled(&load, KEYS, 1);
  failed = calls[i].target->run(opened, kind_filler[op_info[calls[i].op].kind], &load, 0,
                                load.count);
  load_free(&load);
  load_random(&load, STEPS, KEYS, 0, 2);
  failed |= counted(i, opened, &load);
  load_free(&load);
  calls[i].target->close(opened);
  if (failed)
    fprintf(stderr, "profile: a wrong result\n");
  return failed;
}

/* --- chains -------------------------------------------------------------- */

static larder_bytes key_of(const void *step)
{
  return (larder_bytes){ ((const struct step *)step)->key, KEY_LENGTH };
}

/* Items that stand in the first, second, third or a later bucket of their chain. */
static void count_places(const struct lrd_index *ix, size_t *in)
{
  size_t i, depth;

  for (i = 0; i < ix->buckets; i++) {
    const struct lrd_bucket *b = lrd_bucket_at(ix, i);

    for (depth = 0; b != NULL; b = lrd_bucket_next(b), depth += depth < 3) {
      unsigned place;

      for (place = 0; place < lrd_bucket_places(b); place++)
        in[depth] += b->tag[place] != 0;
    }
  }
}

/* All keys in as many indexes as a store has shards, as the engine spreads them. */
static int chains(void)
{
  static struct lrd_index index[SHARDS];
  struct lrd_universal_key key;
  size_t in[4] = { 0 }, i;
  struct load load;
  int failed = lrd_universal_init(&key);

  load_shuffled(&load, KEYS, 1);
  for (i = 0; i < SHARDS; i++)
    lrd_index_init(&index[i], &lrd_memory_system, &key, key_of);
  for (i = 0; i < load.count && !failed; i++) {
    uint64_t hash = lrd_universal_hash(&key, load.step[i].key, KEY_LENGTH);

    failed = lrd_index_insert(&index[hash >> 60], hash, &load.step[i]);
  }
  for (i = 0; i < SHARDS; i++) {
    const char *wrong = lrd_index_check(&index[i]);

    if (wrong != NULL)
      fprintf(stderr, "profile: %s\n", wrong);
    failed |= wrong != NULL;
    count_places(&index[i], in);
    lrd_index_free(&index[i]);
  }
  for (i = 0; i < 4 && !failed; i++)
    printf("%5.1f %%  of the keys are in bucket %zu of their chain%s\n",
           100.0 * (double)in[i] / KEYS, i + 1, i < 3 ? "" : " or a later one");
  load_free(&load);
  return failed;
}

int main(int argc, char **argv)
{
  const char *what = argc == 2 ? argv[1] : "";
  size_t i;

  if (strcmp(what, "chains") == 0)
    return chains() != 0;
  if (strcmp(what, "--list") != 0)
    for (i = 0; i < CALLS; i++)
      if (strcmp(what, calls[i].name) == 0)
        return count(i) != 0;
  for (i = 0; i < CALLS; i++)
    printf("%s\n", calls[i].name);
  return strcmp(what, "--list") != 0;
}
