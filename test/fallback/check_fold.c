/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fallback/fold.h"
#include "support/check.h"
#include "support/compare.h"
#include "support/resp.h"
#include "support/server.h"
#include "util/clock.h"
#include "util/hash.h"
#include "util/memory.h"

/*
 * The proof of the folding rules: for random writes on a random base value,
 * redis-server itself is asked whether replaying the folded ops gives what
 * the writes one by one give: type, content and expiry.
 */

enum { ARGS = 8, TEXT = 32, ROUNDS = 6000, WRITES = 12 };

struct command {
  int argc;
  char text[ARGS][TEXT];
};

static struct lrd_prng prng;
static uint64_t seed;

static int below(int n)
{
  return (int)lrd_prng_below(&prng, (uint64_t)n);
}

static void put(struct command *c, const char *format, int n)
{
  snprintf(c->text[c->argc++], TEXT, format, n);
}

static struct command begin(const char *name)
{
  struct command c = { 0 };

  put(&c, name, 0);
  put(&c, "k", 0);
  return c;
}

static struct command expiry(void)
{
  struct command c;

  if (below(4) == 0)
    return begin("PERSIST");
  c = begin("PEXPIREAT");
  snprintf(c.text[c.argc++], TEXT, "%lld", 4000000000000LL + below(5));
  return c;
}

static struct command counter_write(void)
{
  struct command c = begin("INCRBY");

  put(&c, "%d", below(100) - 20);
  return c;
}

static struct command append_write(void)
{
  struct command c = begin("APPEND");

  put(&c, "%d,", below(100));
  return c;
}

static struct command hash_write(void)
{
  struct command c;
  int n = 1 + below(2);

  switch (below(3)) {
  case 0:
    c = begin("HSET");
    while (n--) {
      put(&c, "f%d", below(3));
      put(&c, "%d", below(100));
    }
    return c;
  case 1:
    c = begin("HDEL");
    while (n--)
      put(&c, "f%d", below(3));
    return c;
  default:
    c = begin("HINCRBY");
    put(&c, "f%d", below(3));
    put(&c, "%d", below(10) - 5);
    return c;
  }
}

static struct command set_write(void)
{
  struct command c = begin(below(2) ? "SADD" : "SREM");

  for (int n = 1 + below(3); n; n--)
    put(&c, "m%d", below(3));
  return c;
}

static struct command list_write(void)
{
  struct command c = begin(below(2) ? "LPUSH" : "RPUSH");

  for (int n = 1 + below(3); n; n--)
    put(&c, "e%d", below(100));
  return c;
}

static struct command zset_write(void)
{
  struct command c;

  switch (below(8)) {
  case 0:
    c = begin("ZREMRANGEBYSCORE");
    put(&c, "%d", below(5));
    put(&c, "%d", below(10));
    return c;
  case 1:
    c = begin("ZINCRBY");
    put(&c, "0.%d", 1 + below(9));
    put(&c, "m%d", below(3));
    return c;
  case 2:
  case 3:
  case 4:
    c = begin("ZREM");
    put(&c, "m%d", below(3));
    return c;
  default:
    c = begin("ZADD");
    put(&c, "%d", below(10));
    put(&c, "m%d", below(3));
    return c;
  }
}

typedef struct command writer(void);
static writer *const writers[] = { counter_write, append_write, hash_write,
                                   set_write,     list_write,   zset_write };
enum { FAMILIES = sizeof writers / sizeof *writers };

static void apply(struct resp_client *r, const struct command *c, const char *key)
{
  const char *argv[ARGS];
  size_t len[ARGS];

  for (int i = 0; i < c->argc; i++) {
    argv[i] = i == 1 ? key : c->text[i];
    len[i] = strlen(argv[i]);
  }
  resp_append(r, c->argc, argv, len);
}

static void note_write(struct lrd_journal *j, const struct command *c)
{
  larder_bytes argv[ARGS];
  larder_vector v = { .argc = c->argc, .argv = argv };
  larder_intent intent = { .argc = c->argc, .argv = argv };
  struct lrd_note note;

  for (int i = 0; i < c->argc; i++)
    argv[i] = (larder_bytes){ c->text[i], strlen(c->text[i]) };
  v.command = lrd_command_find(argv[0].data, argv[0].len);
  ck_assert_uint_ne(v.command, LRD_NO_COMMAND);
  ck_assert_int_eq(lrd_journal_reserve(j, &note, &v, 1, 0), LARDER_OK);
  intent.note = &note;
  intent.key = argv[1];
  lrd_journal_changed(j, &intent);
  ck_assert_uint_le(note.purse->used, note.purse->size);
  ck_assert_uint_le(note.records->used, note.records->size);
  lrd_journal_release(j, &note);
}

static size_t replay(struct lrd_journal *j, struct resp_client *r, const char *key)
{
  struct lrd_record *record = lrd_journal_freeze(j, 0, (larder_bytes){ "k", 1 }, 1);
  struct lrd_emitted *first = NULL, **tail = &first;
  struct lrd_arena arena;
  size_t n = 0;

  ck_assert_ptr_nonnull(record);
  lrd_arena_init(&arena, &lrd_memory_system);
  ck_assert_int_eq(lrd_fold_emit(&arena, record, 0, &tail), 0);
  for (struct lrd_emitted *e = first; e; e = e->next, n++) {
    const char *argv[600];
    size_t len[600];

    for (int i = 0; i < e->vector.argc; i++) {
      argv[i] = i == 1 ? key : e->vector.argv[i].data;
      len[i] = i == 1 ? strlen(key) : e->vector.argv[i].len;
    }
    if (r)
      resp_append(r, e->vector.argc, argv, len);
  }
  lrd_arena_free(&arena);
  lrd_journal_drop(j, record);
  return n;
}

static void read_all(struct resp_client *r, size_t n)
{
  ck_assert_int_eq(resp_flush(r), 0);
  while (n--) {
    struct resp *reply = resp_read(r);

    ck_assert_msg(reply && reply->type != RESP_ERROR, "seed %llu: %s",
                  (unsigned long long)seed, reply ? reply->str : resp_fault(r));
    resp_free(reply);
  }
}

static void same(struct resp_client *r, int round, const char *const *question, int argc,
                 const struct command *writes, int count)
{
  const char *a[5], *b[5];
  struct resp *ra, *rb;
  char *difference;

  for (int i = 0; i < argc; i++) {
    a[i] = i == 1 ? "a" : question[i];
    b[i] = i == 1 ? "b" : question[i];
  }
  ra = resp_call(r, argc, a, NULL);
  rb = resp_call(r, argc, b, NULL);
  ck_assert_ptr_nonnull(ra);
  ck_assert_ptr_nonnull(rb);
  difference = compare(ra, rb, COMPARE_EXACT);
  if (difference) {
    for (int i = 0; i < count; i++) {
      for (int k = 0; k < writes[i].argc; k++)
        fprintf(stderr, "%s ", writes[i].text[k]);
      fprintf(stderr, "\n");
    }
    ck_abort_msg("seed %llu, round %d, %s: %s", (unsigned long long)seed, round, question[0],
                 difference);
  }
  resp_free(ra);
  resp_free(rb);
}

static void one_round(struct resp_client *r, int round)
{
  static const char *const content[FAMILIES][4] = { { "GET", "" },
                                                    { "GET", "" },
                                                    { "HGETALL", "" },
                                                    { "SMEMBERS", "" },
                                                    { "LRANGE", "", "0", "-1" },
                                                    { "ZRANGE", "", "0", "-1" } };
  static const int content_argc[FAMILIES] = { 2, 2, 2, 2, 4, 4 };
  static const char *const type[] = { "TYPE", "" }, *const at[] = { "PEXPIRETIME", "" };
  int family = below(FAMILIES), count = 1 + below(WRITES);
  struct command base[4], writes[WRITES];
  int bases = below(4);
  struct lrd_journal j;
  size_t sent = 0;

  ck_assert_int_eq(lrd_journal_init(&j, &lrd_memory_system, &lrd_clock_system, 1 << 20, 100, 0), 0);
  resp_append(r, 3, (const char *[]){ "DEL", "a", "b" }, NULL);
  for (int i = 0; i < bases; i++) {
    base[i] = i == 2 ? expiry() : writers[family]();
    apply(r, &base[i], "a");
    apply(r, &base[i], "b");
  }
  read_all(r, 1 + 2 * (size_t)bases);
  for (int i = 0; i < count; i++) {
    writes[i] = below(6) == 0 ? expiry() : writers[family]();
    apply(r, &writes[i], "a");
    note_write(&j, &writes[i]);
  }
  sent = replay(&j, r, "b");
  read_all(r, sent + (size_t)count);
  same(r, round, type, 2, writes, count);
  same(r, round, at, 2, writes, count);
  same(r, round, content[family], content_argc[family], writes, count);
  ck_assert_uint_eq(j.bytes, 0);
  ck_assert_uint_eq(j.keys, 0);
  ck_assert_uint_eq(j.writes, 0);
  ck_assert_uint_eq(j.ops, 0);
  lrd_journal_destroy(&j);
}

START_TEST(test_folded_is_unfolded)
{
  struct server *server = server_start(NULL);
  struct resp_client *r = server_connect(server, 3);

  for (int round = 0; round < ROUNDS; round++)
    one_round(r, round);
  resp_close(r);
  server_stop(server);
}
END_TEST

/* However often the same things are touched, the journal stays short. */
START_TEST(test_folding_is_short)
{
  for (int family = 0; family < FAMILIES; family++) {
    struct lrd_journal j;
    size_t n;

    if (writers[family] != counter_write && writers[family] != hash_write &&
        writers[family] != set_write)
      continue; /* appends, pushes and float increments are kept one by one */
    ck_assert_int_eq(
      lrd_journal_init(&j, &lrd_memory_system, &lrd_clock_system, 1 << 24, 100, 0), 0);
    for (int i = 0; i < 5000; i++) {
      struct command c = writers[family]();

      note_write(&j, &c);
    }
    n = replay(&j, NULL, "b");
    /* Toggling the very member that holds a generation up costs an op now and then. */
    ck_assert_msg(n < 2500, "seed %llu, family %d: %zu commands", (unsigned long long)seed,
                  family, n);
    lrd_journal_destroy(&j);
  }
}
END_TEST

/* A sequence of writes and what it must become. */
static void becomes(const char *const *writes, const char *expected)
{
  struct lrd_journal j;
  struct lrd_emitted *first = NULL, **tail = &first;
  struct lrd_record *record;
  struct lrd_arena arena;
  char got[512] = "";

  ck_assert_int_eq(lrd_journal_init(&j, &lrd_memory_system, &lrd_clock_system, 1 << 20, 100, 0), 0);
  for (; *writes; writes++) {
    struct command c = { 0 };
    char line[128], *save = NULL;

    snprintf(line, sizeof line, "%s", *writes);
    for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save))
      snprintf(c.text[c.argc++], TEXT, "%s", w);
    note_write(&j, &c);
  }
  record = lrd_journal_freeze(&j, 0, (larder_bytes){ "k", 1 }, 1);
  lrd_arena_init(&arena, &lrd_memory_system);
  ck_assert_int_eq(lrd_fold_emit(&arena, record, 0, &tail), 0);
  for (struct lrd_emitted *e = first; e; e = e->next) {
    if (*got)
      strcat(got, "; ");
    for (int i = 0; i < e->vector.argc; i++) {
      strncat(got, i ? " " : "", 2);
      strncat(got, e->vector.argv[i].data, e->vector.argv[i].len);
    }
  }
  ck_assert_str_eq(got, expected);
  lrd_arena_free(&arena);
  lrd_journal_drop(&j, record);
  lrd_journal_destroy(&j);
}

#define BECOMES(expected, ...) becomes((const char *const[]){ __VA_ARGS__, NULL }, expected)

START_TEST(test_rules)
{
  BECOMES("INCRBY k 6", "INCRBY k 1", "INCRBY k 2", "INCRBY k 3");
  BECOMES("INCRBY k 2; PEXPIREAT k 4000000000001", "INCRBY k 1", "PEXPIREAT k 4000000000000",
          "INCRBY k 1", "PEXPIREAT k 4000000000001");
  BECOMES("INCRBY k 9223372036854775807; INCRBY k 1", "INCRBY k 9223372036854775807",
          "INCRBY k 1");
  BECOMES("HSET k f 3", "HSET k f 1", "HINCRBY k f 2");
  BECOMES("SADD k a b", "SADD k a", "SADD k b", "SADD k a");
  BECOMES("SREM k a", "SADD k a", "SREM k a");
  BECOMES("SREM k a", "SREM k a", "SADD k a", "SREM k a", "SADD k a", "SREM k a");
  BECOMES("SREM k a; SADD k a", "SREM k a", "SADD k a");
  BECOMES("SADD k a; SREM k b", "SADD k a", "SADD k b", "SREM k b");
  BECOMES("ZADD k 1 m 2 n", "ZADD k CH 1 m 2 n");
  BECOMES("ZINCRBY k 1 m", "ZADD k CH INCR 1 m");
  BECOMES("LPUSH k a b; RPUSH k c", "LPUSH k a", "LPUSH k b", "RPUSH k c");
  BECOMES("PEXPIREAT k 4000000000001; SADD k a", "PEXPIREAT k 4000000000000",
          "PEXPIREAT k 4000000000001", "SADD k a");
  BECOMES("ZADD k 2 m; ZREMRANGEBYSCORE k 0 1; ZADD k 3 m", "ZADD k 1 m", "ZADD k 2 m",
          "ZREMRANGEBYSCORE k 0 1", "ZADD k 3 m");
}
END_TEST

/* Groups: what one atomic step wrote is frozen together. */
START_TEST(test_groups)
{
  static const larder_bytes keys[] = { { "a", 1 }, { "b", 1 }, { "c", 1 }, { "d", 1 } };
  larder_bytes argv[3] = { { "SADD", 4 }, { "a", 1 }, { "m", 1 } };
  larder_vector v = { .command = LRD_SADD, .argc = 3, .argv = argv };
  larder_vector two[2] = { v, v };
  struct lrd_record *records;
  struct lrd_journal j;
  size_t n = 0;

  ck_assert_int_eq(lrd_journal_init(&j, &lrd_memory_system, &lrd_clock_system, 1 << 20, 100, 0), 0);
  for (int i = 0; i < 3; i++) { /* a+b, b+c, then d alone */
    struct lrd_note note;

    ck_assert_int_eq(lrd_journal_reserve(&j, &note, two, 2, i < 2), LARDER_OK);
    for (int k = i; k < (i < 2 ? i + 2 : i + 1); k++) {
      larder_bytes write[3] = { argv[0], keys[i < 2 ? k : 3], argv[2] };
      larder_intent in = { .note = &note, .key = write[1], .argc = 3, .argv = write };

      lrd_journal_changed(&j, &in);
    }
    lrd_journal_release(&j, &note);
  }
  records = lrd_journal_freeze(&j, 0, keys[2], 1);
  for (struct lrd_record *r = records; r; r = r->next, n++)
    ck_assert_int_ne(r->key[0], 'd');
  ck_assert_uint_eq(n, 3);
  ck_assert(lrd_journal_pending(&j, 0, keys[0]));
  ck_assert_uint_eq(lrd_journal_drop(&j, records), 4);
  ck_assert(!lrd_journal_pending(&j, 0, keys[0]));
  ck_assert(lrd_journal_pending(&j, 0, keys[3]));
  ck_assert(!lrd_journal_pending(&j, 1, keys[3]));
  lrd_journal_destroy(&j);
}
END_TEST

/* The bound: a full journal refuses, and takes again when there is room. */
START_TEST(test_bound)
{
  larder_bytes argv[3] = { { "SET", 3 }, { "k", 1 }, { "v", 1 } };
  larder_vector v = { .command = LRD_SET, .argc = 3, .argv = argv };
  struct lrd_note note, more;
  struct lrd_journal j;
  larder_intent in = { .note = &note, .key = argv[1], .complete = 1 };

  ck_assert_int_eq(lrd_journal_init(&j, &lrd_memory_system, &lrd_clock_system, 1 << 20, 1, 0), 0);
  ck_assert_int_eq(lrd_journal_reserve(&j, &note, &v, 1, 0), LARDER_OK);
  lrd_journal_changed(&j, &in);
  ck_assert_int_eq(lrd_journal_reserve(&j, &more, &v, 1, 0), LARDER_REFUSED);
  lrd_journal_release(&j, &note);
  lrd_journal_drop(&j, lrd_journal_freeze(&j, 0, argv[1], 1));
  ck_assert_uint_eq(j.bytes, 0);
  ck_assert_int_eq(lrd_journal_reserve(&j, &more, &v, 1, 0), LARDER_OK);
  lrd_journal_release(&j, &more);
  lrd_journal_destroy(&j);
}
END_TEST

int main(void)
{
  const char *given = getenv("LARDER_SEED");
  Suite *s = suite_create("fold");
  TCase *t = tcase_create("fold");

  server_require();
  seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
  lrd_prng_seed(&prng, seed);
  printf("seed %llu\n", (unsigned long long)seed);
  tcase_set_timeout(t, 120);
  tcase_add_test(t, test_rules);
  tcase_add_test(t, test_groups);
  tcase_add_test(t, test_bound);
  tcase_add_test(t, test_folding_is_short);
  tcase_add_test(t, test_folded_is_unfolded);
  suite_add_tcase(s, t);
  return run_suite(s);
}
