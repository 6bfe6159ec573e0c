/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include <larder.h>

/*
 * GET at a given number of keys, in two ways.  One after another: the processor works on
 * several at once.  Isolated: each key is the value of the one before, so nothing can begin
 * before the last has ended; beside it a chase of pointers through as much memory as the store
 * has taken, a cache line each: what one dependent load costs there.  It has huge pages, as a
 * store of that size has; the same in malloc's memory, without them, stands beside it.
 */

struct node {
  struct node *next;
  char rest[56];
};

struct place {
  const char *get, *isolated; /* names of the figures; get may be NULL */
  double x;
  size_t keys;
  larder *store;
  void *table; /* uthash, for comparison; or NULL */
  struct node *node, *malloced;
  size_t nodes;
};

/* A cycle through all numbers below count, in random order. */
static uint32_t *make_cycle(size_t count, uint64_t seed)
{
  uint32_t *order = bench_memory(count, sizeof *order);
  size_t i;

  for (i = 0; i < count; i++)
    order[i] = (uint32_t)i;
  for (i = count; i > 1; i--) {
    size_t other = random_below(&seed, i);
    uint32_t number = order[i - 1];

    order[i - 1] = order[other];
    order[other] = number;
  }
  return order;
}

/* Set in an order that has nothing to do with the cycle: else what is read one after the other
 * would lie side by side. */
static int fill_store(struct place *p, uint64_t seed)
{
  uint32_t *cycle = make_cycle(p->keys, seed), *order = make_cycle(p->keys, ~seed);
  uint32_t *next = bench_memory(p->keys, sizeof *next);
  char key[KEY_LENGTH + 1], value[VALUE_LENGTH + 1] = "";
  size_t i;
  int failed = 0;

  for (i = 0; i < p->keys; i++)
    next[cycle[i]] = cycle[(i + 1) % p->keys];
  for (i = 0; i < p->keys && !failed; i++) {
    key_text(key, order[i]);
    key_text(value, next[order[i]]);
    failed = larder_set(p->store, key, KEY_LENGTH, value, VALUE_LENGTH, 0) != LARDER_OK;
  }
  free(next);
  free(order);
  free(cycle);
  return failed ? -1 : 0;
}

static void fill_nodes(struct place *p, uint64_t seed)
{
  larder_status status = { .size = sizeof status };
  uint32_t *order;
  size_t i;

  p->nodes = p->keys;
  if (larder_get_status(p->store, &status) == LARDER_OK)
    p->nodes = status.memory / sizeof *p->node + 1;
  p->node = bench_huge_memory(p->nodes, sizeof *p->node);
  p->malloced = bench_memory(p->nodes, sizeof *p->malloced);
  order = make_cycle(p->nodes, seed);
  for (i = 0; i < p->nodes; i++) {
    uint32_t next = order[(i + 1) % p->nodes];

    p->node[order[i]].next = &p->node[next];
    p->malloced[order[i]].next = &p->malloced[next];
  }
  free(order);
}

static double chase(const struct node *node, size_t count)
{
  double begin = now_ns();
  size_t i;

  for (i = 0; i < count; i++)
    node = node->next;
  __asm__ volatile("" : : "r"(node));
  return (now_ns() - begin) / (double)count;
}

static void measure_chases(struct bench *bench, const struct place *p, uint64_t seed)
{
  size_t first = random_below(&seed, p->nodes);

  figure_add(bench, p->isolated, "chase", "ns", p->x, chase(&p->node[first], bench->operations));
  figure_add(bench, p->isolated, "chase-malloc", "ns", p->x,
             chase(&p->malloced[first], bench->operations));
}

/* -1: a wrong result. */
static double follow(const struct place *p, size_t count, uint64_t seed)
{
  char at[2][VALUE_LENGTH + 1];
  size_t i, length;
  double begin;
  int failed = 0;

  key_text(at[0], random_below(&seed, p->keys));
  begin = now_ns();
  for (i = 0; i < count; i++)
    failed |= larder_get(p->store, at[i & 1], KEY_LENGTH, at[~i & 1], VALUE_LENGTH, &length) !=
              LARDER_OK;
  return failed ? -1 : (now_ns() - begin) / (double)count;
}

static int time_gets(struct bench *bench, const struct place *p, const struct target *target,
                     void *opened, const struct load *load)
{
  double begin = now_ns(), end;
  int failed = target->run(opened, OP_GET, load, 0, load->count);

  end = now_ns();
  figure_add(bench, p->get, target->name, "ns", p->x, (end - begin) / (double)load->count);
  return failed;
}

static int measure_gets(struct bench *bench, const struct place *p, size_t round)
{
  struct load load;
  int failed = 0;

  load_random(&load, bench->operations, p->keys, 0, bench->round_seed[round]);
  if (round % 2 == 0)
    failed = time_gets(bench, p, &target_typed, p->store, &load);
#ifdef HAVE_XXHASH
  if (p->table != NULL)
    failed |= time_gets(bench, p, &target_xxh3, p->table, &load);
#endif
  if (round % 2 == 1)
    failed |= time_gets(bench, p, &target_typed, p->store, &load);
  load_free(&load);
  return failed;
}

static int measure_rounds(struct bench *bench, const struct place *p)
{
  size_t round, rounds = bench_rounds(bench, p->get == NULL);
  int failed = 0;

  for (round = 0; round < rounds && !failed; round++) {
    uint64_t seed = bench->round_seed[round];
    double ns;

    bench_progress(bench, "round %zu of %zu  %s, %zu keys", round + 1, rounds, p->isolated,
                   p->keys);
    measure_chases(bench, p, seed);
    ns = follow(p, bench->operations, seed);
    failed = ns < 0;
    figure_add(bench, p->isolated, "larder-typed", "ns", p->x, ns);
    if (p->get != NULL && !failed)
      failed = measure_gets(bench, p, round);
  }
  return failed;
}

static int measure_place(struct bench *bench, struct place *p)
{
  char why[64];
  int failed;

  p->store = larder_open("memory:", NULL, NULL, 0);
  failed = p->store == NULL || fill_store(p, bench->seed) != 0;
  if (!failed) {
    fill_nodes(p, bench->seed);
#ifdef HAVE_XXHASH
    if (p->get != NULL && (p->table = target_xxh3.open(why, sizeof why)) != NULL)
      failed = target_fill(&target_xxh3, p->table, KIND_STRINGS, p->keys, bench->seed);
#else
    (void)why;
#endif
  }
  if (!failed)
    failed = measure_rounds(bench, p);
#ifdef HAVE_XXHASH
  if (p->table != NULL)
    target_xxh3.close(p->table);
#endif
  larder_close(p->store, 0);
  free(p->node);
  free(p->malloced);
  if (failed)
    fprintf(stderr, "bench: %s: a wrong result\n", p->isolated);
  return failed;
}

int run_isolated(struct bench *bench)
{
  size_t keys, most = bench->quick ? 10000 : bench->full ? 10000000 : 3000000;
  int failed = 0, step;

  if (bench_wants(bench, "isolated", "larder-typed")) {
    struct place p = { .isolated = "isolated", .keys = bench->keys };
    failed = measure_place(bench, &p);
  }
  if (!bench_wants(bench, "keys-get", "larder-typed"))
    return failed;
  for (keys = 1000, step = 0; keys <= most && !failed; keys = keys * (step++ % 2 ? 10 : 9) / 3) {
    struct place p = { .get = "keys-get", .isolated = "keys-isolated", .keys = keys,
                       .x = (double)keys };
    failed = measure_place(bench, &p);
  }
  return failed;
}
