/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/check.h"
#include "util/grace.h"
#include "util/hash.h"
#include "util/memory.h"

/* Blocks are filled with POISON when they are freed: no reader may ever see it. */

enum { BLOCK = 64, POISON = 0x5a, HEAD = 16, GOOD = 0x33 };

struct heap {
  larder_memory memory;
  _Atomic size_t bytes;
};

static void *heap_allocate(void *context, size_t size)
{
  struct heap *h = context;
  char *p = malloc(HEAD + size);

  ck_assert_ptr_nonnull(p);
  memcpy(p, &size, sizeof size);
  atomic_fetch_add(&h->bytes, size);
  return p + HEAD;
}

/* Poisoned with atomic stores: a reader that is here too is the test's failure, and not a race. */
static void heap_release(void *context, void *block, size_t size)
{
  struct heap *h = context;
  char *p = block;
  size_t given;

  memcpy(&given, p - HEAD, sizeof given);
  ck_assert_uint_eq(given, size);
  for (size_t i = 0; i < size; i++)
    __atomic_store_n(&p[i], POISON, __ATOMIC_RELAXED);
  atomic_fetch_sub(&h->bytes, size);
  free(p - HEAD);
}

static void *heap_resize(void *context, void *block, size_t old_size, size_t size)
{
  void *other = heap_allocate(context, size);

  memcpy(other, block, old_size < size ? old_size : size);
  heap_release(context, block, old_size);
  return other;
}

static struct heap heap;
static struct lrd_grace *grace;

static void open_grace(void)
{
  heap.memory = (larder_memory){ heap_allocate, heap_resize, heap_release, &heap };
  atomic_init(&heap.bytes, 0);
  grace = aligned_alloc(64, sizeof *grace);
  ck_assert_ptr_nonnull(grace);
  lrd_grace_init(grace, &heap.memory);
}

static void close_grace(void)
{
  lrd_grace_close(grace, 1);
  ck_assert_uint_eq(heap.bytes, 0);
  ck_assert_uint_eq(lrd_grace_bytes(grace), 0);
  free(grace);
}

static char *take(size_t size)
{
  char *p = lrd_allocate(&grace->memory, size);

  memset(p, GOOD, size);
  return p;
}

/* --- another thread that is inside when it is told ------------------------------------- */

struct other {
  pthread_t thread;
  atomic_int wanted, is; /* 0: outside, 1: inside, 2: gone */
};

static void *other_main(void *context)
{
  struct other *o = context;
  struct lrd_reader *reader = NULL;

  while (atomic_load(&o->wanted) < 2) {
    if (atomic_load(&o->wanted) && !reader) {
      reader = lrd_grace_enter(grace);
      ck_assert_ptr_nonnull(reader);
    } else if (!atomic_load(&o->wanted) && reader) {
      lrd_grace_leave(reader);
      reader = NULL;
    }
    atomic_store(&o->is, reader != NULL);
    sched_yield();
  }
  if (reader)
    lrd_grace_leave(reader);
  atomic_store(&o->is, 2);
  return NULL;
}

static void tell(struct other *o, int wanted)
{
  atomic_store(&o->wanted, wanted);
  while (atomic_load(&o->is) != wanted)
    sched_yield();
}

static void start(struct other *o)
{
  atomic_init(&o->wanted, 1);
  atomic_init(&o->is, 0);
  ck_assert_int_eq(pthread_create(&o->thread, NULL, other_main, o), 0);
  tell(o, 1);
}

static void stop(struct other *o)
{
  tell(o, 2);
  pthread_join(o->thread, NULL);
}

/* Without membarrier nobody is a reader, and there is nothing to test. */
static int works(void)
{
  return grace->works;
}

/* --- tests ---------------------------------------------------------------------------------- */

START_TEST(alone_frees_at_once)
{
  char *p = take(BLOCK);

  lrd_release(&grace->memory, p, BLOCK);
  ck_assert_uint_eq(heap.bytes, 0);
  p = take(BLOCK);
  if (works()) {
    struct lrd_reader *reader = lrd_grace_enter(grace);

    ck_assert_ptr_nonnull(reader);
    ck_assert_ptr_eq(lrd_grace_enter(grace), reader);
    lrd_grace_count(reader, 1);
    lrd_grace_leave(reader);
    ck_assert_uint_eq(lrd_grace_counted(grace, 1), 1);
    ck_assert_uint_eq(lrd_grace_counted(grace, 0), 0);
  }
  lrd_release(&grace->memory, p, BLOCK);
  ck_assert_uint_eq(heap.bytes, 0);
}
END_TEST

START_TEST(waits_for_who_is_inside)
{
  struct other o;
  char *p;

  if (!works())
    return;
  p = take(BLOCK);
  start(&o);
  lrd_release(&grace->memory, p, BLOCK);
  for (int i = 0; i < 10; i++)
    lrd_grace_collect(grace);
  ck_assert_uint_eq(heap.bytes, BLOCK);
  ck_assert_uint_eq(lrd_grace_bytes(grace), BLOCK);
  ck_assert_int_eq(p[BLOCK - 1], GOOD);
  tell(&o, 0);
  lrd_grace_collect(grace);
  ck_assert_uint_eq(heap.bytes, 0);
  ck_assert_uint_eq(lrd_grace_bytes(grace), 0);
  stop(&o);
}
END_TEST

START_TEST(a_reader_that_comes_later_does_not_hold_it_for_ever)
{
  struct other o;
  char *p;

  if (!works())
    return;
  start(&o);
  p = take(BLOCK);
  lrd_release(&grace->memory, p, BLOCK);
  for (int i = 0; i < 3; i++) {
    tell(&o, 0);
    tell(&o, 1);
    lrd_grace_collect(grace);
  }
  ck_assert_uint_eq(heap.bytes, 0);
  stop(&o);
}
END_TEST

START_TEST(resizing_leaves_the_old_block)
{
  struct other o;
  char *p, *q;

  if (!works())
    return;
  start(&o);
  p = take(BLOCK);
  q = lrd_resize(&grace->memory, p, BLOCK, 2 * BLOCK);
  ck_assert_ptr_ne(p, q);
  ck_assert_int_eq(q[BLOCK - 1], GOOD);
  ck_assert_int_eq(p[BLOCK - 1], GOOD);
  ck_assert_uint_eq(heap.bytes, 3 * BLOCK);
  stop(&o);
  lrd_release(&grace->memory, q, 2 * BLOCK);
  lrd_grace_collect(grace);
  ck_assert_uint_eq(heap.bytes, 0);
}
END_TEST

static void *leave_soon(void *context)
{
  nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
  atomic_store(&((struct other *)context)->wanted, 0);
  return NULL;
}

START_TEST(what_waits_is_bounded)
{
  enum { LARGE = 1 << 20 };
  struct other o;
  pthread_t thread;
  int i;

  if (!works())
    return;
  start(&o);
  for (i = 0; i < LRD_GRACE_MOST / LARGE; i++)
    lrd_release(&grace->memory, take(LARGE), LARGE);
  ck_assert_uint_eq(heap.bytes, LRD_GRACE_MOST);
  ck_assert_int_eq(pthread_create(&thread, NULL, leave_soon, &o), 0);
  lrd_release(&grace->memory, take(LARGE), LARGE);
  ck_assert_int_eq(atomic_load(&o.wanted), 0);
  ck_assert_uint_le(heap.bytes, LRD_GRACE_MOST);
  pthread_join(thread, NULL);
  stop(&o);
}
END_TEST

START_TEST(waiting_sees_each_reader_out)
{
  struct other o;
  pthread_t thread;

  if (!works())
    return;
  lrd_grace_wait(grace);
  start(&o);
  ck_assert_int_eq(pthread_create(&thread, NULL, leave_soon, &o), 0);
  lrd_grace_wait(grace);
  ck_assert_int_eq(atomic_load(&o.wanted), 0);
  pthread_join(thread, NULL);
  stop(&o);
}
END_TEST

/* --- everybody at once ------------------------------------------------------------------------ */

enum { SLOTS = 4, READERS = 3, WRITERS = 2, ROUNDS = 20000 };

struct shared {
  _Atomic(char *) slot[SLOTS];
  _Atomic unsigned writers;
  _Atomic uint64_t reads, poisoned;
  uint64_t seed;
};

static void *read_slots(void *context)
{
  struct shared *s = context;
  uint64_t n = 0;

  for (; atomic_load(&s->writers); n++) {
    struct lrd_reader *reader = lrd_grace_enter(grace);
    const char *p = atomic_load_explicit(&s->slot[n % SLOTS], memory_order_acquire);

    if (!reader)
      break;
    for (int i = 0; i < 8; i++)
      if (__atomic_load_n(&p[BLOCK - 1 - i], __ATOMIC_RELAXED) != GOOD)
        atomic_fetch_add(&s->poisoned, 1);
    lrd_grace_leave(reader);
  }
  atomic_fetch_add(&s->reads, n);
  return NULL;
}

static void *write_slots(void *context)
{
  struct shared *s = context;
  struct lrd_prng prng;

  lrd_prng_seed(&prng, atomic_fetch_add(&s->writers, 0) + s->seed);
  for (int i = 0; i < ROUNDS; i++) {
    char *old = atomic_exchange(&s->slot[lrd_prng_below(&prng, SLOTS)], take(BLOCK));

    lrd_release(&grace->memory, old, BLOCK);
    if (i % 1000 == 0)
      lrd_grace_collect(grace);
  }
  atomic_fetch_sub(&s->writers, 1);
  return NULL;
}

START_TEST(no_reader_sees_freed_memory)
{
  struct shared s = { .writers = WRITERS };
  pthread_t thread[READERS + WRITERS];

  for (int i = 0; i < SLOTS; i++)
    atomic_init(&s.slot[i], take(BLOCK));
  for (int i = 0; i < READERS + WRITERS; i++)
    ck_assert_int_eq(
      pthread_create(&thread[i], NULL, i < READERS ? read_slots : write_slots, &s), 0);
  for (int i = 0; i < READERS + WRITERS; i++)
    pthread_join(thread[i], NULL);
  ck_assert_uint_eq(s.poisoned, 0);
  if (works())
    ck_assert_uint_gt(s.reads, 0);
  for (int i = 0; i < SLOTS; i++)
    lrd_release(&grace->memory, s.slot[i], BLOCK);
  ck_assert_uint_le(lrd_grace_bytes(grace), LRD_GRACE_STRIPES * LRD_GRACE_MOST);
  lrd_grace_collect(grace);
  ck_assert_uint_eq(heap.bytes, 0);
}
END_TEST

static void *come_and_go(void *context)
{
  struct lrd_reader *reader = lrd_grace_enter(grace);

  if (reader)
    lrd_grace_leave(reader);
  return (void)context, NULL;
}

/* Threads that end leave their cells to those that come later, or come to have none. */
START_TEST(threads_without_end)
{
  for (int i = 0; i < 300; i++) {
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, come_and_go, NULL), 0);
    pthread_join(thread, NULL);
    lrd_release(&grace->memory, take(BLOCK), BLOCK);
  }
  lrd_grace_collect(grace);
  ck_assert_uint_eq(heap.bytes, 0);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("grace");
  TCase *t = tcase_create("grace");

  tcase_add_checked_fixture(t, open_grace, close_grace);
  tcase_set_timeout(t, 60);
  tcase_add_test(t, alone_frees_at_once);
  tcase_add_test(t, waits_for_who_is_inside);
  tcase_add_test(t, a_reader_that_comes_later_does_not_hold_it_for_ever);
  tcase_add_test(t, resizing_leaves_the_old_block);
  tcase_add_test(t, what_waits_is_bounded);
  tcase_add_test(t, waiting_sees_each_reader_out);
  tcase_add_test(t, no_reader_sees_freed_memory);
  tcase_add_test(t, threads_without_end);
  suite_add_tcase(s, t);
  return run_suite(s);
}
