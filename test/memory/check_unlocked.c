/* SPDX-License-Identifier: BSD-2-Clause */
#include <larder.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory/pool.h"
#include "memory/shard.h"
#include "store/store.h"
#include "support/check.h"

/*
 * Gets without the latch beside everything that changes what they look at: values put in other
 * blocks, changed in place, removed, expired, of other types; the index growing and shrinking,
 * flushed and swapped.  Values say themselves whether they are whole; freed memory is poisoned.
 */

enum { KEYS = 6, READERS = 2, WRITERS = 2, VALUE_MAX = 300, CROWD = 3000 };

/* Writers go on until readers have seen so much, in so many rounds at least. */
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { ROUNDS = 4000, FOUND = 4000 };
#else
enum { ROUNDS = 20000, FOUND = 50000 };
#endif

struct heap {
  larder_memory memory;
  _Atomic size_t bytes;
};

static void *heap_allocate(void *context, size_t size)
{
  void *p = malloc(size);

  if (p)
    atomic_fetch_add(&((struct heap *)context)->bytes, size);
  return p;
}

static void heap_release(void *context, void *block, size_t size)
{
  memset(block, 0x5a, size);
  atomic_fetch_sub(&((struct heap *)context)->bytes, size);
  free(block);
}

static void *heap_resize(void *context, void *block, size_t old_size, size_t size)
{
  void *other = heap_allocate(context, size);

  if (other) {
    memcpy(other, block, old_size < size ? old_size : size);
    heap_release(context, block, old_size);
  }
  return other;
}

struct rig {
  larder *store;
  struct heap heap;
  atomic_int writers, wrong;
  _Atomic uint64_t found;
  uint64_t seed;
};

struct part {
  struct rig *rig;
  struct lrd_prng prng;
};

static int is_enough(struct part *p, int round)
{
  return round >= ROUNDS && atomic_load(&p->rig->found) >= FOUND;
}

/* --- values that tell whether they are whole ---------------------------------------------- */

/* A letter for the key, a letter again and again, and how often: "a:xxxxx5". */
static size_t make_value(char value[VALUE_MAX + 16], unsigned key, char letter, unsigned times)
{
  value[0] = (char)('a' + key);
  value[1] = ':';
  memset(value + 2, letter, times);
  return 2 + times + (size_t)sprintf(value + 2 + times, "%u", times);
}

static int is_whole(const char *value, size_t len, unsigned key)
{
  size_t times = 0;

  if (len < 3 || value[0] != (char)('a' + key) || value[1] != ':')
    return 0;
  while (2 + times < len && value[2 + times] == value[2] && value[2] >= 'p')
    times++;
  return times == strtoul(value + 2 + times, NULL, 10);
}

/* --- writers -------------------------------------------------------------------------------- */

static void run(struct part *p, const char *format, ...)
{
  char line[VALUE_MAX + 100];
  va_list arguments;
  larder_reply *reply;

  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  reply = larder_command(p->rig->store, line);
  if (reply->outcome != LARDER_OK && reply->outcome != LARDER_ABSENT &&
      reply->outcome != LARDER_REFUSED)
    atomic_fetch_add(&p->rig->wrong, 1);
  larder_reply_free(reply);
}

static void crowd_in(struct part *p, int there)
{
  unsigned first = roll(&p->prng, CROWD), n = roll(&p->prng, 200);

  for (unsigned i = first; i < first + n; i++)
    run(p, there ? "SET crowd:%u 1" : "DEL crowd:%u", i);
}

static void write_one(struct part *p)
{
  char value[VALUE_MAX + 16];
  unsigned key = roll(&p->prng, KEYS);
  size_t len = make_value(value, key, (char)('p' + roll(&p->prng, 8)),
                          1 + roll(&p->prng, roll(&p->prng, 3) ? 20 : VALUE_MAX - 1));
  char name = (char)('a' + key);

  switch (roll(&p->prng, 12)) {
  case 0:
    run(p, "DEL %c", name);
    break;
  case 1:
    if (larder_set(p->rig->store, &name, 1, value, len, 1 + roll(&p->prng, 2)) != LARDER_OK)
      atomic_fetch_add(&p->rig->wrong, 1);
    break;
  case 2:
    run(p, "PEXPIRE %c %u", name, 1 + roll(&p->prng, 100000));
    break;
  case 3:
    run(p, "HSET %c field value", name);
    run(p, "DEL %c", name);
    break;
  case 4:
    crowd_in(p, 1);
    break;
  case 5:
    crowd_in(p, 0);
    break;
  case 6:
    if (roll(&p->prng, 20) == 0)
      run(p, "FLUSHALL");
    break;
  case 7:
    run(p, "INCR number");
    break;
  case 8:
    run(p, "SETRANGE %c 0 %c", name, name);
    run(p, "GETDEL %c", name);
    break;
  default:
    if (larder_set(p->rig->store, &name, 1, value, len, 0) != LARDER_OK)
      atomic_fetch_add(&p->rig->wrong, 1);
  }
}

static void *writer(void *context)
{
  struct part *p = context;

  for (int i = 0; !is_enough(p, i); i++)
    write_one(p);
  atomic_fetch_sub(&p->rig->writers, 1);
  return NULL;
}

/* --- readers -------------------------------------------------------------------------------- */

static void read_one(struct part *p)
{
  unsigned key = roll(&p->prng, KEYS);
  char name = (char)('a' + key), value[VALUE_MAX + 17];
  size_t len;
  larder_outcome outcome =
    larder_get(p->rig->store, &name, 1, value, VALUE_MAX + 16, &len);

  if (outcome == LARDER_OK && len <= VALUE_MAX + 16) {
    value[len] = '\0';
    /* SETRANGE of nothing makes a value of the name alone */
    if (!is_whole(value, len, key) && strlen(value) != 1)
      atomic_fetch_add(&p->rig->wrong, 1);
    atomic_fetch_add(&p->rig->found, 1);
  } else if (outcome == LARDER_OK || (outcome != LARDER_ABSENT && outcome != LARDER_REFUSED)) {
    atomic_fetch_add(&p->rig->wrong, 1);
  }
}

/* Of a key that was there all the time, and of one that never was. */
static void read_fixed(struct part *p)
{
  char value[8];
  size_t len;

  if (larder_get(p->rig->store, "fixed", 5, value, sizeof value, &len) == LARDER_OK &&
      (len != 5 || memcmp(value, "value", 5) != 0))
    atomic_fetch_add(&p->rig->wrong, 1);
  if (larder_get(p->rig->store, "never", 5, value, sizeof value, &len) != LARDER_ABSENT || len)
    atomic_fetch_add(&p->rig->wrong, 1);
}

static void *reader(void *context)
{
  struct part *p = context;

  while (atomic_load(&p->rig->writers)) {
    read_one(p);
    read_fixed(p);
  }
  return NULL;
}

/* --- the tests -------------------------------------------------------------------------------- */

static struct rig rig;

static void open_rig(void)
{
  struct lrd_prng prng;
  larder_options options = LARDER_OPTIONS_INIT;
  char why[200];

  seed_prng(&prng, "check_unlocked");
  rig.seed = lrd_prng_next(&prng);
  rig.heap.memory = (larder_memory){ heap_allocate, heap_resize, heap_release, &rig.heap };
  options.memory = &rig.heap.memory;
  rig.store = larder_open("memory:?shards=2", &options, why, sizeof why);
  ck_assert_msg(rig.store != NULL, "%s", why);
  ck_assert_int_eq(larder_set(rig.store, "fixed", 5, "value", 5, 0), LARDER_OK);
}

static void close_rig(void)
{
  larder_close(rig.store, 0);
  ck_assert_uint_eq(rig.heap.bytes, 0);
}

static const struct lrd_grace *grace_of(larder *store)
{
  return ((struct lrd_engine *)store->base)->grace;
}

/* Runs so many writers, and readers until they have ended; nothing may be wrong. */
static void together(int writers, void *(*write)(void *), void *(*read)(void *))
{
  struct part part[READERS + WRITERS];
  pthread_t thread[READERS + WRITERS];
  int n = READERS + writers;

  atomic_store(&rig.writers, writers);
  for (int i = 0; i < n; i++) {
    part[i] = (struct part){ .rig = &rig };
    lrd_prng_seed(&part[i].prng, rig.seed + (uint64_t)i);
    ck_assert_int_eq(pthread_create(&thread[i], NULL, i < READERS ? read : write, &part[i]), 0);
  }
  for (int i = 0; i < n; i++)
    pthread_join(thread[i], NULL);
  ck_assert_int_eq(rig.wrong, 0);
  if (grace_of(rig.store)->works)
    ck_assert_uint_gt(lrd_grace_counted(grace_of(rig.store), LARDER_OK), 0);
}

START_TEST(every_value_is_whole)
{
  together(WRITERS, writer, reader);
}
END_TEST

/* What one thread has read no thread reads an older value after. */
static void *count_up(void *context)
{
  struct part *p = context;

  for (int i = 0; !is_enough(p, i); i++)
    run(p, "INCR number");
  atomic_fetch_sub(&p->rig->writers, 1);
  return NULL;
}

static void *never_back(void *context)
{
  struct part *p = context;
  long last = 0, now;
  char value[24];
  size_t len;

  while (atomic_load(&p->rig->writers)) {
    larder_outcome outcome = larder_get(p->rig->store, "number", 6, value, 23, &len);

    if (outcome == LARDER_ABSENT && !last)
      continue;
    value[len < 23 ? len : 23] = '\0';
    now = strtol(value, NULL, 10);
    if (outcome != LARDER_OK || now < last)
      atomic_fetch_add(&p->rig->wrong, 1);
    atomic_fetch_add(&p->rig->found, 1);
    last = now;
  }
  return NULL;
}

START_TEST(time_does_not_go_back)
{
  together(1, count_up, never_back);
}
END_TEST

/* --- one large value, changed in place again and again */

enum { LARGE = 4000 };

static void *fill_again(void *context)
{
  struct part *p = context;
  char value[LARGE];

  for (int i = 0; !is_enough(p, i); i++) {
    memset(value, 'a' + i % 26, LARGE);
    if (larder_set(p->rig->store, "large", 5, value, LARGE, 0) != LARDER_OK)
      atomic_fetch_add(&p->rig->wrong, 1);
  }
  atomic_fetch_sub(&p->rig->writers, 1);
  return NULL;
}

static void *never_mixed(void *context)
{
  struct part *p = context;
  char value[LARGE];
  size_t len;

  while (atomic_load(&p->rig->writers)) {
    if (larder_get(p->rig->store, "large", 5, value, LARGE, &len) == LARDER_ABSENT)
      continue;
    if (len != LARGE || memcmp(value, value + 1, LARGE - 1) != 0)
      atomic_fetch_add(&p->rig->wrong, 1);
    atomic_fetch_add(&p->rig->found, 1);
  }
  return NULL;
}

START_TEST(no_value_is_mixed)
{
  together(1, fill_again, never_mixed);
}
END_TEST

/* Sizes of key, value and buffer; numbers; expiry: the same as with the latch. */
START_TEST(the_same_as_with_the_latch)
{
  char key[128], value[5000], got[5000];
  size_t len;

  for (size_t n = 0; n <= 64; n++) {
    memset(key, (int)('a' + n % 26), n);
    for (size_t size = 0; size < sizeof value; size += size < 70 ? 1 : 977) {
      memset(value, (int)('A' + size % 26), size);
      ck_assert_int_eq(larder_set(rig.store, key, n, value, size, n % 2 ? 100000 : 0), LARDER_OK);
      memset(got, 0, sizeof got);
      ck_assert_int_eq(larder_get(rig.store, key, n, got, sizeof got, &len), LARDER_OK);
      ck_assert_uint_eq(len, size);
      ck_assert_mem_eq(got, value, size);
      ck_assert_int_eq(got[size % sizeof got], 0);
      ck_assert_int_eq(larder_get(rig.store, key, n, got, size / 2, &len), LARDER_OK);
      ck_assert_uint_eq(len, size);
    }
  }
  ck_assert_int_eq(larder_set(rig.store, "n", 1, "-9223372036854775808", 20, 0), LARDER_OK);
  ck_assert_int_eq(larder_get(rig.store, "n", 1, got, 20, &len), LARDER_OK);
  ck_assert_mem_eq(got, "-9223372036854775808", 20);
  ck_assert_int_eq(larder_get(rig.store, "n", 1, NULL, 0, &len), LARDER_OK);
  ck_assert_uint_eq(len, 20);
}
END_TEST

/* --- what may still be followed ------------------------------------------------------------- */

struct guest {
  atomic_int is_inside, may_go;
};

static void *stay_inside(void *context)
{
  struct guest *guest = context;
  struct lrd_reader *reader = lrd_grace_enter(((struct lrd_engine *)rig.store->base)->grace);

  atomic_store(&guest->is_inside, 1);
  while (!atomic_load(&guest->may_go))
    sched_yield();
  if (reader)
    lrd_grace_leave(reader);
  return NULL;
}

static void fill_up_to(unsigned *n, unsigned end)
{
  char key[16];

  for (; *n < end; ++*n)
    ck_assert_int_eq(larder_set(rig.store, key, (size_t)sprintf(key, "k%u", *n), "v", 1, 0),
                     LARDER_OK);
}

/* A reader takes a segment from the array of a table that has another one by then. */
START_TEST(an_array_that_was_given_back_is_what_it_was)
{
  enum { SOME = 8, FIRST = 2 * 256 * 5 * 2, MOST = 100000 };
  const struct lrd_shard *shard = &((struct lrd_engine *)rig.store->base)->shard[0];
  struct lrd_bucket **array, *was[SOME];
  struct guest guest = { 0, 0 };
  unsigned n = 0;
  pthread_t thread;

  if (!grace_of(rig.store)->works)
    return;
  ck_assert_int_eq(pthread_create(&thread, NULL, stay_inside, &guest), 0);
  while (!atomic_load(&guest.is_inside))
    sched_yield();
  fill_up_to(&n, FIRST);
  while (shard->database[0]->index.buckets < 256 * (SOME + 1))
    fill_up_to(&n, n + 1);
  array = shard->database[0]->index.large;
  memcpy(was, array, sizeof was);
  while (shard->database[0]->index.large == array && n < MOST)
    fill_up_to(&n, n + 1);
  ck_assert_ptr_ne(shard->database[0]->index.large, array);
  ck_assert_mem_eq(array, was, sizeof was);
  atomic_store(&guest.may_go, 1);
  pthread_join(thread, NULL);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("unlocked");
  TCase *t = tcase_create("unlocked");

  tcase_add_checked_fixture(t, open_rig, close_rig);
  tcase_set_timeout(t, 120);
  tcase_add_test(t, every_value_is_whole);
  tcase_add_test(t, time_does_not_go_back);
  tcase_add_test(t, no_value_is_mixed);
  tcase_add_test(t, the_same_as_with_the_latch);
  tcase_add_test(t, an_array_that_was_given_back_is_what_it_was);
  suite_add_tcase(s, t);
  return run_suite(s);
}
