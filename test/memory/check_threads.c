/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory/rig.h"

/* Many threads on one engine.  Workers record, the main thread judges. */

enum { THREADS = 8, ACCOUNTS = 10, START = 100 };

struct crowd {
  struct rig rig;
  _Atomic int stop;
  _Atomic long wrong, done;
  unsigned rounds;
};

struct worker {
  struct crowd *crowd;
  unsigned number;
  struct lrd_prng prng;
  larder_hold *hold;
};

/* Runs one line or several; the first reply's integer (or element's), INT64_MIN
 * if it is none; *outcome of the last reply. */
static int64_t run(struct worker *w, unsigned flags, larder_outcome *outcome, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));

static int64_t run(struct worker *w, unsigned flags, larder_outcome *outcome, const char *format,
                   ...)
{
  char text[512], error[200];
  struct lrd_arena arena;
  struct lrd_tree tree;
  larder_vector v[8];
  larder_backend *engine = w->crowd->rig.engine;
  va_list arguments;
  size_t count = 0;
  int64_t result = INT64_MIN;
  const larder_value *value;

  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  lrd_arena_init(&arena, &lrd_memory_system);
  for (char *line = text; line && count < 8; count++) {
    char *next = strchr(line, '\n');
    larder_bytes *argv;
    int argc;

    if (lrd_argv_split(&arena, line, next ? (size_t)(next - line) : strlen(line), &argc, &argv))
      w->crowd->wrong++;
    v[count] = (larder_vector){ .argc = argc, .argv = argv };
    if (lrd_command_check(&v[count], error, sizeof error))
      w->crowd->wrong++;
    line = next ? next + 1 : NULL;
  }
  if (lrd_tree_init(&tree, &arena, count))
    w->crowd->wrong++;
  engine->table->execute(engine,
                         &(larder_call){ .vector = v, .count = count, .flags = flags,
                                         .hold = w->hold },
                         &tree.sink);
  value = &tree.reply[0].value;
  *outcome = tree.reply[tree.replies - 1].verdict.outcome;
  if (value->type == LARDER_ARRAY && value->len)
    value = &value->element[0];
  if (value->type == LARDER_INTEGER)
    result = value->integer;
  else if (value->type == LARDER_STRING)
    result = strtoll(value->str, NULL, 10);
  lrd_arena_free(&arena);
  return result;
}

static void crowd_run(struct crowd *c, void *(*work)(void *), unsigned threads)
{
  pthread_t thread[THREADS];
  struct worker worker[THREADS];
  unsigned i;

  for (i = 0; i < threads; i++) {
    worker[i] = (struct worker){ .crowd = c, .number = i };
    seed_prng(&worker[i].prng, "thread");
    worker[i].hold = lrd_memory_table.hold_open(c->rig.engine);
    ck_assert_int_eq(pthread_create(&thread[i], NULL, work, &worker[i]), 0);
  }
  for (i = 0; i < threads; i++) {
    ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
    lrd_memory_table.hold_close(c->rig.engine, worker[i].hold);
  }
  ck_assert_int_eq(c->wrong, 0);
}

static void crowd_open(struct crowd *c, unsigned rounds)
{
  c->stop = 0;
  c->wrong = c->done = 0;
  c->rounds = rounds;
  rig_open(&c->rig, (struct rig_setup){ .shards = 4, .background = 1, .system_memory = 1,
                                        .system_clock = 1 });
}

/* --- sums ------------------------------------------------------------------------- */

static void *count_up(void *context)
{
  struct worker *w = context;
  larder_outcome outcome;

  for (unsigned i = 0; i < w->crowd->rounds; i++) {
    run(w, 0, &outcome, "INCR all");
    w->crowd->wrong += outcome != LARDER_OK;
    run(w, 0, &outcome, "INCR k%u\nINCRBY sum %u", i % 50, i % 3);
    w->crowd->wrong += outcome != LARDER_OK;
  }
  return NULL;
}

START_TEST(no_increment_is_lost)
{
  static struct crowd c;
  char line[32], expected[32];
  enum { ROUNDS = 3000 };

  crowd_open(&c, ROUNDS);
  crowd_run(&c, count_up, THREADS);
  snprintf(expected, sizeof expected, "$%d", THREADS * ROUNDS);
  EXPECT(&c.rig, "GET all", expected);
  EXPECT(&c.rig, "GET sum", expected);
  snprintf(expected, sizeof expected, "$%d", THREADS * ROUNDS / 50);
  for (unsigned i = 0; i < 50; i++) {
    snprintf(line, sizeof line, "GET k%u", i);
    EXPECT(&c.rig, line, expected);
  }
  rig_close(&c.rig);
}
END_TEST

/* --- a bank ------------------------------------------------------------------------- */

/* Names all accounts, or one list of them and a pattern: the total is the same. */
static size_t ask_all(char *text, size_t size, int by_pattern)
{
  size_t len;

  if (by_pattern)
    return (size_t)snprintf(text, size, "SORT accounts BY nosort GET account*");
  len = (size_t)snprintf(text, size, "MGET");
  for (unsigned i = 0; i < ACCOUNTS; i++)
    len += (size_t)snprintf(text + len, size - len, " account%u", i);
  return len;
}

static void check_total(struct worker *w, int by_pattern)
{
  char text[512], error[200];
  struct lrd_arena arena;
  struct lrd_tree tree;
  larder_vector v = { 0 };
  larder_bytes *argv;
  larder_backend *engine = w->crowd->rig.engine;
  int64_t total = 0;
  size_t len = ask_all(text, sizeof text, by_pattern);

  lrd_arena_init(&arena, &lrd_memory_system);
  if (lrd_argv_split(&arena, text, len, &v.argc, &argv) || lrd_tree_init(&tree, &arena, 1))
    w->crowd->wrong++;
  v.argv = argv;
  if (lrd_command_check(&v, error, sizeof error))
    w->crowd->wrong++;
  engine->table->execute(engine, &(larder_call){ .vector = &v, .count = 1 }, &tree.sink);
  for (size_t i = 0; i < tree.reply[0].value.len; i++)
    total += strtoll(tree.reply[0].value.element[i].str, NULL, 10);
  w->crowd->wrong += total != ACCOUNTS * START;
  lrd_arena_free(&arena);
}

static void *transfer(void *context)
{
  struct worker *w = context;
  larder_outcome outcome;

  for (unsigned i = 0; i < w->crowd->rounds; i++) {
    unsigned from = roll(&w->prng, ACCOUNTS), to = roll(&w->prng, ACCOUNTS);
    unsigned amount = roll(&w->prng, 20);

    if (w->number % 2) {
      run(w, LARDER_CALL_ATOMIC, &outcome, "DECRBY account%u %u\nINCRBY account%u %u", from,
          amount, to, amount);
    } else {
      /* check and set: only what is there is taken */
      int64_t have;

      run(w, 0, &outcome, "WATCH account%u", from);
      have = run(w, 0, &outcome, "GET account%u", from);
      if (have < (int64_t)amount || from == to) {
        run(w, 0, &outcome, "UNWATCH");
        continue;
      }
      (void)run(w, LARDER_CALL_ATOMIC, &outcome, "SET account%u %lld\nINCRBY account%u %u", from,
                 (long long)have - amount, to, amount);
    }
    w->crowd->wrong += outcome != LARDER_OK;
    w->crowd->done++;
    if (i % 3 == 0)
      check_total(w, i % 2);
  }
  return NULL;
}

START_TEST(money_is_neither_made_nor_lost)
{
  static struct crowd c;
  char line[64], reply[16];
  struct worker w = { .crowd = &c };

  crowd_open(&c, 1500);
  for (unsigned i = 0; i < ACCOUNTS; i++) {
    snprintf(line, sizeof line, "SET account%u %d", i, START);
    EXPECT(&c.rig, line, "+OK");
    snprintf(line, sizeof line, "RPUSH accounts %u", i);
    snprintf(reply, sizeof reply, ":%u", i + 1);
    EXPECT(&c.rig, line, reply);
  }
  crowd_run(&c, transfer, THREADS);
  check_total(&w, 0);
  check_total(&w, 1);
  ck_assert_int_eq(c.wrong, 0);
  ck_assert_int_gt(c.done, 1000);
  rig_close(&c.rig);
}
END_TEST

/* --- everything at once ----------------------------------------------------------------- */

static void *hammer(void *context)
{
  static const char *const lines[] = {
    "SET k%u v PX 3",  "SET k%u value",  "GET k%u",         "INCR k%u",     "DEL k%u k1 k2",
    "SADD s%u a b",    "SMEMBERS s%u",   "MSET k%u 1 k9 2", "APPEND k%u x", "EXPIRE s%u 0",
    "PEXPIRE k%u 2",   "RENAME k%u k3",  "SCAN %u COUNT 5", "KEYS k%u*",    "MGET k%u k1 k2 k3",
    "ZADD z%u 1 a",    "HSET h%u f v",   "RPUSH l%u a",     "LPOP l%u",     "GETEX k%u PX 1",
    "WATCH k%u",       "UNWATCH\nINFO\nDBSIZE\nECHO %u",    "WATCH k%u k5", "FLUSHALL\nPING %u",
  };
  struct worker *w = context;
  larder_backend *engine = w->crowd->rig.engine;
  larder_backend_status status;
  larder_verdict verdict;
  larder_outcome outcome;
  char buffer[16];
  size_t length;

  for (unsigned i = 0; i < w->crowd->rounds; i++) {
    unsigned which = roll(&w->prng, i % 100 ? 23 : 24), number = roll(&w->prng, 20);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    run(w, roll(&w->prng, 4) ? 0 : LARDER_CALL_ATOMIC, &outcome, lines[which], number);
#pragma GCC diagnostic pop
    w->crowd->wrong += outcome != LARDER_OK && outcome != LARDER_REFUSED;
    engine->table->get(engine, 0, (larder_bytes){ "k1", 2 }, 0, buffer, sizeof buffer, &length,
                       &verdict);
    engine->table->set(engine, 0, (larder_bytes){ "k2", 2 }, (larder_bytes){ "v", 1 }, 1, 0,
                       &verdict);
    if (i % 64 == 0) {
      engine->table->status(engine, &status);
      (void)engine->table->tick(engine, 1000);
    }
  }
  return NULL;
}

START_TEST(everything_at_once)
{
  static struct crowd c;

  crowd_open(&c, 3000);
  crowd_run(&c, hammer, THREADS);
  rig_close(&c.rig);
}
END_TEST

/* --- fork ------------------------------------------------------------------------------- */

/* ThreadSanitizer's own threads don't survive a fork beside others. */
#if defined(__SANITIZE_THREAD__)
#define MAY_FORK 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MAY_FORK 0
#endif
#endif
#ifndef MAY_FORK
#define MAY_FORK 1
#endif

static void *busy(void *context)
{
  struct worker *w = context;
  larder_outcome outcome;

  while (!w->crowd->stop)
    run(w, 0, &outcome, "SET k%u value PX %u", roll(&w->prng, 500), 1 + roll(&w->prng, 50));
  return NULL;
}

/* The child has no other threads; what they were changing is left alone. */
static int close_in_child(struct crowd *c)
{
  pid_t child = fork();
  int status;

  if (!child) {
    (void)lrd_memory_table.close(c->rig.engine, 0, 1);
    _exit(0);
  }
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

START_TEST(a_forked_child_closes)
{
  static struct crowd c;
  pthread_t thread[2];
  struct worker worker[2];
  int closed = 0;

  crowd_open(&c, 0);
  for (unsigned i = 0; i < 2; i++) {
    worker[i] = (struct worker){ .crowd = &c, .number = i };
    seed_prng(&worker[i].prng, "fork");
    ck_assert_int_eq(pthread_create(&thread[i], NULL, busy, &worker[i]), 0);
  }
  for (unsigned i = 0; i < 30; i++)
    closed += close_in_child(&c);
  c.stop = 1;
  for (unsigned i = 0; i < 2; i++)
    pthread_join(thread[i], NULL);
  ck_assert_int_eq(closed, 30);
  ck_assert_int_eq(c.wrong, 0);
  rig_close(&c.rig);
}
END_TEST

enum { MANY = 100000 };

/* Within 10 s: the engine has at least so many extents more than it uses, or at most. */
static int comes_to(struct rig *rig, size_t least, size_t most)
{
  const struct timespec pause = { 0, 10000000 };
  const struct lrd_slab *slab = ((struct lrd_engine *)rig->engine)->slab;

  for (int waited = 0; waited < 1000; waited++) {
    struct lrd_slab_bytes bytes = lrd_slab_bytes(slab);
    size_t more = bytes.resident / LRD_EXTENT_SIZE -
                  (bytes.active + LRD_EXTENT_SIZE - 1) / LRD_EXTENT_SIZE;

    if (more >= least && more <= most)
      return 1;
    nanosleep(&pause, NULL);
  }
  return 0;
}

static void set_many(struct rig *rig)
{
  for (unsigned i = 0; i < MANY; i++) {
    larder_verdict verdict;

    lrd_memory_table.set(rig->engine, 0, (larder_bytes){ (const char *)&i, sizeof i },
                         (larder_bytes){ "a value of thirty-two bytes.....", 32 }, 0, 0, &verdict);
    ck_assert_int_eq(verdict.outcome, LARDER_OK);
  }
}

/* A store that has grown has memory in readiness, without any timer; when it is empty it has
 * none; without the thread it never has, unless ticks come. */
START_TEST(memory_is_mapped_ahead)
{
  int background = _i;
  struct rig rig;

  if (!LRD_SLAB_BY_DEFAULT)
    return;
  rig_open(&rig, (struct rig_setup){ .background = background, .system_memory = 1,
                                     .system_clock = 1 });
  set_many(&rig);
  if (!background)
    ck_assert(comes_to(&rig, 0, 0));
  for (int i = 0; !background && i < 4; i++)
    (void)lrd_memory_table.tick(rig.engine, LRD_NS_PER_MS);
  ck_assert(comes_to(&rig, LRD_EXTENTS_AHEAD, LRD_EXTENTS_AHEAD + 1));
  EXPECT(&rig, "FLUSHALL", "+OK");
  for (int i = 0; !background && i < 10; i++)
    (void)lrd_memory_table.tick(rig.engine, LRD_NS_PER_MS);
  ck_assert(comes_to(&rig, 0, 1));
  rig_close(&rig);
}
END_TEST

static void *get_one(void *context)
{
  struct rig *rig = context;
  larder_verdict verdict;
  char value[8];
  size_t length;

  lrd_memory_table.get(rig->engine, 0, (larder_bytes){ "k", 1 }, 0, value, sizeof value, &length,
                       &verdict);
  return NULL;
}

/* Few blocks that wait for readers to leave would keep many extents of an idle store. */
START_TEST(nothing_waits_for_readers_for_ever)
{
  const struct timespec pause = { 0, 10000000 };
  const struct lrd_grace *grace;
  pthread_t other;
  struct rig rig;
  int waited = 0;

  rig_open(&rig, (struct rig_setup){ .background = 1, .system_memory = 1,
                                     .system_clock = 1 });
  grace = ((struct lrd_engine *)rig.engine)->grace;
  EXPECT(&rig, "SET later x PX 3600000", "+OK"); /* now the thread runs */
  ck_assert_int_eq(pthread_create(&other, NULL, get_one, &rig), 0);
  get_one(&rig);
  pthread_join(other, NULL);
  for (int round = 0; round < 2; round++) {
    EXPECT(&rig, "SET k x", "+OK");
    EXPECT(&rig, "DEL k", ":1");
    for (; lrd_grace_bytes(grace) && waited < 1000; waited++)
      nanosleep(&pause, NULL);
    ck_assert_uint_eq(lrd_grace_bytes(grace), 0);
  }
  rig_close(&rig);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("threads");
  TCase *tests = tcase_create("threads");

  tcase_add_test(tests, no_increment_is_lost);
  tcase_add_test(tests, money_is_neither_made_nor_lost);
  tcase_add_test(tests, everything_at_once);
  tcase_add_loop_test(tests, memory_is_mapped_ahead, 0, 2);
  tcase_add_test(tests, nothing_waits_for_readers_for_ever);
  if (MAY_FORK)
    tcase_add_test(tests, a_forked_child_closes);
  tcase_set_timeout(tests, 120);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
