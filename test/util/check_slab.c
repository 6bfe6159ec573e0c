/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "support/sanitizer.h"
#include "util/memory.h"
#include "util/seed.h"
#include "util/slab.h"

/* A source that counts, and fails when it is told to. */
struct source {
  struct lrd_page_source source; /* give this away */
  atomic_long extents, most;     /* mapped; so many may be at a time, -1: any number */
  atomic_long maps, unmaps;      /* calls by threads that do not tend */
  atomic_long touched, filled, asked;
};

/* Of this thread: it is inside lrd_slab_tend. */
static _Thread_local int tending;

static void *source_map(void *context, int huge)
{
  struct source *s = context;

  if (atomic_load(&s->most) >= 0 && atomic_load(&s->extents) >= atomic_load(&s->most))
    return NULL;
  atomic_fetch_add(&s->extents, 1);
  atomic_fetch_add(&s->maps, !tending);
  return lrd_page_source_system.map(lrd_page_source_system.context, huge);
}

static void source_touch(void *context, void *extent)
{
  struct source *s = context;

  ck_assert(tending);
  atomic_fetch_add(&s->touched, 1);
  lrd_page_source_system.touch(lrd_page_source_system.context, extent);
}

static int source_fill(void *context, void *extent)
{
  struct source *s = context;

  ck_assert(tending);
  atomic_fetch_add(&s->filled, 1);
  return lrd_page_source_system.fill(lrd_page_source_system.context, extent);
}

static void source_unmap(void *context, void *extent)
{
  struct source *s = context;

  atomic_fetch_sub(&s->extents, 1);
  atomic_fetch_add(&s->unmaps, !tending);
  lrd_page_source_system.unmap(lrd_page_source_system.context, extent);
}

static void source_init(struct source *s)
{
  memset(s, 0, sizeof *s);
  s->source = (struct lrd_page_source){ source_map, source_touch, source_fill,
                                        source_unmap, s };
  atomic_init(&s->most, -1);
}

static void source_ask(void *context)
{
  struct source *s = context;

  atomic_fetch_add(&s->asked, 1);
}

static void tend(struct lrd_slab *s)
{
  tending = 1;
  while (lrd_slab_tend(s))
    ;
  tending = 0;
}

/* A block knows what it is filled with. */
struct block {
  unsigned char *start;
  size_t size;
  unsigned char fill;
};

static void fill(struct block *b, unsigned number)
{
  b->fill = (unsigned char)number;
  memset(b->start, b->fill, b->size);
}

static void is_filled(const struct block *b, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (b->start[i] != b->fill)
      ck_abort_msg("byte %zu of a block of %zu was overwritten", i, b->size);
}

static int is_pooled(size_t size)
{
  return size <= 2560 || (size > 4096 - 256 && size <= 4096) ||
         (size > 16384 && size <= 16384 + 64);
}

/* Many small ones, some of the sizes near a border, a few large ones. */
static size_t any_size(struct lrd_prng *prng)
{
  static const size_t near[] = { 64, 128, 2560, 3840, 4096, 16384, 16448, 20000 };
  size_t at;

  switch (lrd_prng_below(prng, 8)) {
  case 0:
    at = near[lrd_prng_below(prng, sizeof near / sizeof *near)];
    return at - 3 + lrd_prng_below(prng, 6);
  case 1:
    return 1 + lrd_prng_below(prng, 5000);
  default:
    return 1 + lrd_prng_below(prng, 300);
  }
}

static void take(const larder_memory *m, struct block *b, size_t size, unsigned number)
{
  b->size = size;
  b->start = lrd_allocate(m, size);
  if (b->start)
    fill(b, number);
}

static void give(const larder_memory *m, struct block *b)
{
  is_filled(b, b->size);
  lrd_release(m, b->start, b->size);
  b->start = NULL;
}

/* 0: there was no memory, and the block is as it was. */
static int change(const larder_memory *m, struct block *b, size_t size)
{
  unsigned char *moved = lrd_resize(m, b->start, b->size, size);
  size_t kept = size < b->size ? size : b->size;

  if (!moved) {
    is_filled(b, b->size);
    return 0;
  }
  b->start = moved;
  is_filled(b, kept);
  b->size = size;
  fill(b, b->fill);
  return 1;
}

static size_t check_slab(const struct lrd_slab *s)
{
  size_t blocks = 0;
  const char *wrong = lrd_slab_check(s, &blocks);

  ck_assert_msg(!wrong, "%s", wrong);
  return blocks;
}

enum { BLOCKS = 4000 };

static void one_step(const larder_memory *m, struct lrd_prng *prng, struct block *b,
                     size_t *pooled, size_t *failed)
{
  size_t size = any_size(prng);

  if (!b->start) {
    take(m, b, size, (unsigned)lrd_prng_below(prng, 256));
    if (b->start)
      *pooled += (size_t)is_pooled(size);
    else
      (*failed)++;
  } else if (lrd_prng_below(prng, 4)) {
    *pooled -= (size_t)is_pooled(b->size);
    give(m, b);
  } else {
    size_t before = (size_t)is_pooled(b->size);

    if (change(m, b, size))
      *pooled += (size_t)is_pooled(size) - before;
    else
      (*failed)++;
  }
}

/* Steps at random, the validator after each `every`th; then all goes back. */
static size_t model(long most, size_t steps, size_t every)
{
  static struct block block[BLOCKS];
  struct lrd_prng prng;
  struct source source;
  struct lrd_slab *s;
  larder_memory m;
  size_t pooled = 0, failed = 0;

  seed_prng(&prng, "model");
  source_init(&source);
  atomic_store(&source.most, most);
  s = lrd_slab_open(&source.source);
  m = lrd_slab_memory(s);
  ck_assert_int_eq(atomic_load(&source.extents), 0);
  for (size_t i = 0; i < steps; i++) {
    one_step(&m, &prng, &block[lrd_prng_below(&prng, BLOCKS)], &pooled, &failed);
    if (i % every == 0)
      ck_assert_uint_eq(check_slab(s), pooled);
  }
  for (size_t i = 0; i < BLOCKS; i++)
    if (block[i].start)
      give(&m, &block[i]);
  ck_assert_uint_eq(check_slab(s), 0);
  ck_assert_uint_eq(lrd_slab_bytes(s).active, 0);
  ck_assert_int_le(atomic_load(&source.extents), 1);
  lrd_slab_close(s);
  ck_assert_int_eq(atomic_load(&source.extents), 0);
  return failed;
}

START_TEST(random_steps)
{
  ck_assert_uint_eq(model(-1, 300000, 300), 0);
}
END_TEST

START_TEST(checked_after_each_step)
{
  ck_assert_uint_eq(model(-1, 4000, 1), 0);
}
END_TEST

START_TEST(the_system_has_no_more)
{
  ck_assert_uint_gt(model(1, 100000, 100), 0);
  ck_assert_uint_gt(model(0, 1000, 10), 100);
}
END_TEST

static size_t alignment_of(size_t size)
{
  size_t step = 8, align;

  if (size > 16384)
    step = 64;
  else
    while (size > step * 32)
      step *= 2;
  size = (size + step - 1) / step * step;
  align = size & (~size + 1);
  return align < 64 ? align : 64;
}

START_TEST(alignment_and_order)
{
  struct lrd_slab *s = lrd_slab_open(NULL);
  larder_memory m = lrd_slab_memory(s);
  struct block b[3];

  for (size_t size = 1; size <= 16448; size = size == 4096 ? 16385 : size + 1) {
    if (!is_pooled(size))
      continue;
    for (unsigned i = 0; i < 3; i++) {
      take(&m, &b[i], size, i);
      ck_assert_uint_eq((uintptr_t)b[i].start % alignment_of(size), 0);
    }
    for (unsigned i = 0; i < 3; i++)
      give(&m, &b[i]);
    ck_assert_uint_eq(check_slab(s), 0);
  }
  lrd_slab_close(s);
}
END_TEST

/* Blocks of one class stand side by side: no header, little of a page is lost. */
START_TEST(density)
{
  enum { N = 100000 };
  static const size_t sizes[] = { 24, 56, 64, 88 };
  static struct block b[N];

  for (unsigned k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    struct lrd_slab *s = lrd_slab_open(NULL);
    larder_memory m = lrd_slab_memory(s);

    for (unsigned i = 0; i < N; i++)
      take(&m, &b[i], sizes[k], i);
    ck_assert_uint_le(lrd_slab_bytes(s).active, N * sizes[k] * 101 / 100 + LRD_PAGE_SIZE);
    ck_assert_uint_le(lrd_slab_bytes(s).resident,
                      N * sizes[k] * 102 / 100 + LRD_EXTENT_SIZE);
    for (unsigned i = 0; i < N; i++)
      give(&m, &b[i]);
    lrd_slab_close(s);
  }
}
END_TEST

START_TEST(little_for_a_few_blocks)
{
  struct lrd_slab *s = lrd_slab_open(NULL);
  larder_memory m = lrd_slab_memory(s);
  struct block b[3];

  ck_assert_uint_eq(lrd_slab_bytes(s).resident, 0);
  for (unsigned i = 0; i < 3; i++)
    take(&m, &b[i], 64, i);
  ck_assert_uint_le(lrd_slab_bytes(s).resident, 28 * 1024);
  for (unsigned i = 0; i < 3; i++)
    give(&m, &b[i]);
  lrd_slab_close(s);
}
END_TEST

/* An emptied page serves another class; emptied extents go back. */
START_TEST(empty_pages_serve_anybody)
{
  enum { N = 200000 };
  static struct block b[N];
  struct source source;
  struct lrd_slab *s;
  larder_memory m;
  long extents;

  source_init(&source);
  s = lrd_slab_open(&source.source);
  m = lrd_slab_memory(s);
  for (unsigned i = 0; i < N; i++)
    take(&m, &b[i], 64, i);
  extents = atomic_load(&source.extents);
  for (unsigned i = 0; i < N; i++)
    give(&m, &b[i]);
  ck_assert_int_eq(atomic_load(&source.extents), 1);
  for (unsigned i = 0; i < N / 2; i++)
    take(&m, &b[i], 128, i);
  ck_assert_int_le(atomic_load(&source.extents), extents);
  ck_assert_uint_eq(check_slab(s), N / 2);
  for (unsigned i = 0; i < N / 2; i++)
    give(&m, &b[i]);
  lrd_slab_close(s);
  ck_assert_int_eq(atomic_load(&source.extents), 0);
}
END_TEST

/* Nine in ten are released at random, then as much is wanted again: nothing is mapped for
 * that, and what is taken and released from then on empties pages. */
START_TEST(holes_are_filled)
{
  enum { N = 200000 };
  static struct block b[N];
  struct lrd_slab *s = lrd_slab_open(NULL);
  larder_memory m = lrd_slab_memory(s);
  struct lrd_prng prng;
  size_t active, blocks = N;

  seed_prng(&prng, "holes");
  for (unsigned i = 0; i < N; i++)
    take(&m, &b[i], 48, i);
  active = lrd_slab_bytes(s).active;
  for (unsigned i = 0; i < N; i++)
    if (lrd_prng_below(&prng, 10)) {
      give(&m, &b[i]);
      blocks--;
    }
  ck_assert_uint_eq(check_slab(s), blocks);
  for (unsigned i = 0; i < N; i++)
    if (!b[i].start)
      take(&m, &b[i], 41 + lrd_prng_below(&prng, 8), i);
  ck_assert_uint_eq(lrd_slab_bytes(s).active, active);
  for (unsigned i = 0; i < N; i++)
    give(&m, &b[i]);
  ck_assert_uint_eq(lrd_slab_bytes(s).active, 0);
  lrd_slab_close(s);
}
END_TEST

/* --- extents in readiness ------------------------------------------------------- */

enum { LOT = 400000 }; /* of 64 bytes: a dozen extents */

static struct block lot[LOT];

/* Takes blocks; tends whenever asked, as a thread would that is always in time. */
static void take_lot(struct lrd_slab *s, struct source *source, unsigned from, unsigned to)
{
  larder_memory m = lrd_slab_memory(s);

  for (unsigned i = from; i < to; i++) {
    take(&m, &lot[i], 64, i);
    if (atomic_exchange(&source->asked, 0))
      tend(s);
  }
}

static void give_lot(struct lrd_slab *s, unsigned from, unsigned to)
{
  larder_memory m = lrd_slab_memory(s);

  for (unsigned i = from; i < to; i++)
    give(&m, &lot[i]);
}

static struct lrd_slab *open_attended(struct source *source)
{
  struct lrd_slab *s;

  source_init(source);
  s = lrd_slab_open(&source->source);
  lrd_slab_attend(s, source_ask, source);
  return s;
}

/* Who takes maps the first two, which are lazy, and no other. */
START_TEST(extents_are_mapped_ahead)
{
  struct source source;
  struct lrd_slab *s = open_attended(&source);
  size_t used;

  take_lot(s, &source, 0, LOT);
  ck_assert_int_eq(atomic_load(&source.maps), LRD_EXTENTS_LAZY);
  ck_assert_int_eq(atomic_load(&source.touched),
                   atomic_load(&source.extents) - LRD_EXTENTS_LAZY);
  ck_assert_int_eq(atomic_load(&source.filled), LRD_EXTENTS_LAZY);
  ck_assert_uint_eq(check_slab(s), LOT);
  /* what is in readiness is seen, and bounded */
  used = (lrd_slab_bytes(s).active + LRD_EXTENT_SIZE - 1) / LRD_EXTENT_SIZE;
  ck_assert_uint_ge(lrd_slab_bytes(s).resident, (used + LRD_EXTENTS_AHEAD - 1) * LRD_EXTENT_SIZE);
  ck_assert_uint_le(lrd_slab_bytes(s).resident, (used + LRD_EXTENTS_AHEAD + 1) * LRD_EXTENT_SIZE);
  give_lot(s, 0, LOT);
  lrd_slab_close(s);
  ck_assert_int_eq(atomic_load(&source.extents), 0);
}
END_TEST

/* A small store has nothing in readiness. */
START_TEST(little_is_not_mapped_ahead)
{
  struct source source;
  struct lrd_slab *s = open_attended(&source);

  tend(s);
  ck_assert_int_eq(atomic_load(&source.extents), 0);
  take_lot(s, &source, 0, 10000);
  tend(s);
  ck_assert_uint_le(lrd_slab_bytes(s).resident, LRD_EXTENT_SIZE / 2);
  ck_assert_int_eq(atomic_load(&source.filled), 0);
  take_lot(s, &source, 10000, 30000);
  tend(s);
  ck_assert_uint_eq(check_slab(s), 30000);
  ck_assert_int_eq(atomic_load(&source.extents), 1);
  ck_assert_int_eq(atomic_load(&source.touched), 0);
  ck_assert_int_eq(atomic_load(&source.filled), 1);
  give_lot(s, 0, 30000);
  lrd_slab_close(s);
}
END_TEST

/* Who gives unmaps nothing while somebody tends; afterwards there is one extent left. */
START_TEST(extents_are_given_back_behind)
{
  struct source source;
  struct lrd_slab *s = open_attended(&source);

  take_lot(s, &source, 0, LOT);
  for (unsigned i = 0; i < LOT; i += 1000) {
    give_lot(s, i, i + 1000);
    if (atomic_exchange(&source.asked, 0))
      tend(s);
    ck_assert_uint_eq(check_slab(s), LOT - i - 1000);
  }
  ck_assert_int_eq(atomic_load(&source.unmaps), 0);
  ck_assert_int_eq(atomic_load(&source.extents), 1);
  ck_assert_uint_le(lrd_slab_bytes(s).resident, LRD_EXTENT_SIZE);
  lrd_slab_close(s);
}
END_TEST

/* Who should tend does not come: extents come and go as without, and few wait. */
START_TEST(nobody_comes)
{
  struct source source;
  struct lrd_slab *s = open_attended(&source);
  larder_memory m = lrd_slab_memory(s);

  for (unsigned i = 0; i < LOT; i++)
    take(&m, &lot[i], 64, i);
  ck_assert_int_eq(atomic_load(&source.maps), atomic_load(&source.extents));
  ck_assert_int_gt(atomic_load(&source.asked), 0);
  give_lot(s, 0, LOT);
  ck_assert_int_gt(atomic_load(&source.unmaps), 0);
  ck_assert_int_le(atomic_load(&source.extents), 1 + LRD_EXTENTS_WAITING);
  ck_assert_uint_eq(check_slab(s), 0);
  tend(s);
  ck_assert_int_eq(atomic_load(&source.extents), 1);
  ck_assert_uint_eq(check_slab(s), 0);
  lrd_slab_close(s);
}
END_TEST

/* The system has no memory for what is ahead: no harm, and later it goes on. */
START_TEST(nothing_ahead)
{
  struct source source;
  struct lrd_slab *s = open_attended(&source);
  unsigned i = 0;
  larder_memory m = lrd_slab_memory(s);

  atomic_store(&source.most, 5);
  for (; i < LOT; i++) {
    take(&m, &lot[i], 64, i);
    if (!lot[i].start)
      break;
    if (atomic_exchange(&source.asked, 0))
      tend(s);
  }
  ck_assert_uint_gt(i, 100000);
  ck_assert_uint_lt(i, LOT);
  ck_assert_int_eq(atomic_load(&source.extents), 5);
  ck_assert_uint_eq(check_slab(s), i);
  atomic_store(&source.most, -1);
  take_lot(s, &source, i, LOT);
  ck_assert_int_eq(atomic_load(&source.maps), LRD_EXTENTS_LAZY + 1);
  give_lot(s, 0, LOT);
  lrd_slab_close(s);
  ck_assert_int_eq(atomic_load(&source.extents), 0);
}
END_TEST

/* --- threads ------------------------------------------------------------------- */

enum { THREADS = 4, PLACES = 256, ROUNDS = TEST_TIMES(60000, 15000) };

/* Blocks change hands here. */
struct market {
  larder_memory memory;
  _Atomic(struct block *) place[PLACES];
  _Atomic unsigned numbers;
};

static void release_traded(const larder_memory *m, struct block *b)
{
  struct block copy = *b;

  give(m, &copy);
  lrd_release(m, b, sizeof *b);
}

static void *trade(void *context)
{
  struct market *market = context;
  const larder_memory *m = &market->memory;
  struct lrd_prng prng;

  lrd_prng_seed(&prng, 77 + atomic_fetch_add(&market->numbers, 1));
  for (unsigned i = 0; i < ROUNDS; i++) {
    struct block *b = lrd_allocate(m, sizeof *b), *other;

    take(m, b, any_size(&prng), i);
    if (lrd_prng_below(&prng, 4) == 0)
      change(m, b, any_size(&prng));
    other = atomic_exchange(&market->place[lrd_prng_below(&prng, PLACES)], b);
    if (other)
      release_traded(m, other);
  }
  return NULL;
}

struct tender {
  struct lrd_slab *slab;
  _Atomic int stop;
};

static void *keep_tending(void *context)
{
  struct tender *t = context;

  while (!atomic_load(&t->stop))
    tend(t->slab);
  return NULL;
}

/* Two threads tend while blocks come and go by the extent. */
START_TEST(threads_tend)
{
  struct source source;
  struct tender tender = { .slab = open_attended(&source) };
  larder_memory m = lrd_slab_memory(tender.slab);
  pthread_t thread[2];

  for (unsigned i = 0; i < 2; i++)
    ck_assert_int_eq(pthread_create(&thread[i], NULL, keep_tending, &tender), 0);
  for (unsigned round = 0; round < 4; round++) {
    for (unsigned i = 0; i < LOT; i++)
      take(&m, &lot[i], 64, i);
    give_lot(tender.slab, 0, LOT);
  }
  atomic_store(&tender.stop, 1);
  for (unsigned i = 0; i < 2; i++)
    pthread_join(thread[i], NULL);
  tend(tender.slab);
  ck_assert_uint_eq(check_slab(tender.slab), 0);
  ck_assert_int_eq(atomic_load(&source.extents), 1);
  lrd_slab_close(tender.slab);
}
END_TEST

START_TEST(threads_release_what_others_took)
{
  static struct market market;
  struct source source;
  struct lrd_slab *s;
  pthread_t thread[THREADS];

  source_init(&source);
  s = lrd_slab_open(&source.source);
  market.memory = lrd_slab_memory(s);
  for (unsigned i = 0; i < THREADS; i++)
    ck_assert_int_eq(pthread_create(&thread[i], NULL, trade, &market), 0);
  for (unsigned i = 0; i < THREADS; i++)
    pthread_join(thread[i], NULL);
  ck_assert_uint_gt(check_slab(s), 0);
  for (unsigned i = 0; i < PLACES; i++)
    if (market.place[i])
      release_traded(&market.memory, market.place[i]);
  ck_assert_uint_eq(check_slab(s), 0);
  ck_assert_uint_eq(lrd_slab_bytes(s).active, 0);
  ck_assert_int_le(atomic_load(&source.extents), 1);
  lrd_slab_close(s);
  ck_assert_int_eq(atomic_load(&source.extents), 0);
}
END_TEST

/* A child can release and close without any latch. */
START_TEST(forked_child)
{
  struct lrd_slab *s = lrd_slab_open(NULL);
  larder_memory m = lrd_slab_memory(s);
  struct block small, large;
  int status;
  pid_t pid;

  take(&m, &small, 100, 1);
  take(&m, &large, 100000, 2);
  pid = fork();
  ck_assert_int_ge(pid, 0);
  if (!pid) {
    larder_memory child = lrd_slab_forked(s);

    ck_assert_ptr_null(lrd_allocate(&child, 10));
    ck_assert_ptr_null(lrd_resize(&child, small.start, 100, 110));
    give(&child, &small);
    give(&child, &large);
    lrd_slab_close(s);
    _exit(0);
  }
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  ck_assert_int_eq(status, 0);
  give(&m, &small);
  give(&m, &large);
  ck_assert_uint_eq(check_slab(s), 0);
  lrd_slab_close(s);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("slab");
  TCase *t = tcase_create("slab");

  tcase_set_timeout(t, 120);
  tcase_add_test(t, random_steps);
  tcase_add_test(t, checked_after_each_step);
  tcase_add_test(t, the_system_has_no_more);
  tcase_add_test(t, alignment_and_order);
  tcase_add_test(t, density);
  tcase_add_test(t, little_for_a_few_blocks);
  tcase_add_test(t, empty_pages_serve_anybody);
  tcase_add_test(t, holes_are_filled);
  tcase_add_test(t, extents_are_mapped_ahead);
  tcase_add_test(t, little_is_not_mapped_ahead);
  tcase_add_test(t, extents_are_given_back_behind);
  tcase_add_test(t, nobody_comes);
  tcase_add_test(t, nothing_ahead);
  tcase_add_test(t, threads_tend);
  tcase_add_test(t, threads_release_what_others_took);
  tcase_add_test(t, forked_child);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
