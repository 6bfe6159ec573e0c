/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <larder/status.h>

#include "command/command.h"
#include "command/detail.h"
#include "command/vector.h"
#include "support/check.h"
#include "util/heap.h"
#include "util/memory.h"

static struct lrd_arena arena;

static void begin(void)
{
  lrd_arena_init(&arena, &lrd_memory_system);
}

static void end(void)
{
  lrd_arena_free(&arena);
}

/* --- lookup -------------------------------------------------------------- */

START_TEST(every_name_is_found)
{
  char upper[32], mixed[32];
  unsigned id, internal = 0;
  size_t len, i;

  for (id = LRD_NO_COMMAND + 1; id < LRD_COMMANDS; id++) {
    const struct lrd_command *c = &lrd_commands[id];
    unsigned expected = c->flags & LRD_INTERNAL ? LRD_NO_COMMAND : id;

    internal += expected != id;
    len = strlen(c->name);
    for (i = 0; i <= len; i++) {
      upper[i] = (char)toupper(c->name[i]);
      mixed[i] = i % 2 ? upper[i] : c->name[i];
      ck_assert_int_eq(tolower(c->name[i]), c->name[i]);
    }
    ck_assert_msg(lrd_command_find(c->name, len) == expected, "%s: run lookup.awk", c->name);
    ck_assert_uint_eq(lrd_command_find(upper, len), expected);
    ck_assert_uint_eq(lrd_command_find(mixed, len), expected);
  }
  ck_assert_uint_eq(internal, 2);
  ck_assert_uint_ge(LRD_COMMANDS, 172);
}
END_TEST

static unsigned find_slowly(const char *name, size_t len)
{
  unsigned id;

  for (id = 1; id < LRD_COMMANDS; id++)
    if (!(lrd_commands[id].flags & LRD_INTERNAL) && strlen(lrd_commands[id].name) == len &&
        !strncasecmp(lrd_commands[id].name, name, len))
      return id;
  return LRD_NO_COMMAND;
}

/* Each name with each byte changed, one cut off, one added. */
START_TEST(near_names_are_not)
{
  char name[40];
  unsigned id;
  size_t len, i;
  int c;

  for (id = 1; id < LRD_COMMANDS; id++) {
    len = strlen(lrd_commands[id].name);
    for (i = 0; i < len; i++)
      for (c = 0; c < 256; c++) {
        strcpy(name, lrd_commands[id].name);
        name[i] = (char)c;
        if (c)
          ck_assert_uint_eq(lrd_command_find(name, len), find_slowly(name, len));
        else
          ck_assert_uint_eq(lrd_command_find(name, len), LRD_NO_COMMAND);
      }
    strcpy(name, lrd_commands[id].name);
    ck_assert_uint_eq(lrd_command_find(name, len - 1), find_slowly(name, len - 1));
    ck_assert_uint_eq(lrd_command_find(name, len + 1), LRD_NO_COMMAND);
    strcat(name, "x");
    ck_assert_uint_eq(lrd_command_find(name, len + 1), find_slowly(name, len + 1));
  }
  ck_assert_uint_eq(lrd_command_find(NULL, 0), LRD_NO_COMMAND);
  ck_assert_uint_eq(lrd_command_find("reste", 5), LRD_NO_COMMAND);
}
END_TEST

START_TEST(rows_are_whole)
{
  unsigned id;

  for (id = 1; id < LRD_COMMANDS; id++) {
    const struct lrd_command *c = &lrd_commands[id];

    ck_assert_msg(c->acl && c->group && c->since && c->syntax && c->summary, "%s", c->name);
    ck_assert_msg(c->summary[0] && c->arity, "%s", c->name);
    ck_assert_msg(c->first ? c->step > 0 : !c->last && !c->step, "%s", c->name);
    ck_assert_msg(!(c->flags & LRD_WRITE) || !(c->flags & LRD_READONLY), "%s", c->name);
  }
}
END_TEST

/* They are looked up by halving. */
START_TEST(details_are_sorted)
{
  const struct lrd_detail *row, *before = NULL;
  size_t n = 0;

  for (; (row = lrd_detail_row(n)) != NULL; n++, before = row) {
    ck_assert_msg(!before || strcmp(before->name, row->name) < 0, "%s stands behind %s",
                  row->name, before ? before->name : "");
    ck_assert_ptr_eq(lrd_detail_find(row->name), row);
  }
  ck_assert_uint_gt(n, 100);
}
END_TEST

START_TEST(flags_of_our_own)
{
  static const struct {
    unsigned flag;
    const char *names;
  } expected[] = {
    { LRD_SESSION, "MULTI EXEC DISCARD WATCH UNWATCH SELECT QUIT RESET HELLO AUTH CLIENT "
      "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE" },
    { LRD_FRONT, "MULTI EXEC DISCARD SELECT QUIT RESET HELLO AUTH CLIENT COMMAND "
      "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE" },
    { LRD_KEYSPACE, "SCAN KEYS RANDOMKEY DBSIZE FLUSHDB FLUSHALL SWAPDB" },
  };
  char got[400];
  unsigned id;
  size_t i, n;
  const char *p;

  for (i = 0; i < 3; i++) {
    n = 0;
    for (id = 1; id < LRD_COMMANDS; id++)
      if (lrd_commands[id].flags & expected[i].flag) {
        n += (size_t)sprintf(got + n, "%s%s", n ? " " : "", lrd_commands[id].name);
      }
    for (p = got; *p; p++)
      got[p - got] = (char)toupper(*p);
    ck_assert_str_eq(got, expected[i].names);
  }
}
END_TEST

/* --- checking ------------------------------------------------------------ */

static void check_says(const char *line, larder_outcome outcome, const char *text)
{
  larder_vector v = vector_of(&arena, line);
  char error[512] = "";

  ck_assert_int_eq(lrd_command_check(&v, error, sizeof error), outcome);
  ck_assert_str_eq(error, text);
}

START_TEST(checks_name_and_arity)
{
  larder_vector none = { .argc = 0 };
  char error[20];

  check_says("gEt key", LARDER_OK, "");
  check_says("get", LARDER_BAD_ARGUMENT, "ERR wrong number of arguments for 'get' command");
  check_says("GET a b", LARDER_BAD_ARGUMENT, "ERR wrong number of arguments for 'get' command");
  check_says("mset a", LARDER_BAD_ARGUMENT, "ERR wrong number of arguments for 'mset' command");
  check_says("nope a", LARDER_BAD_ARGUMENT,
             "ERR unknown command 'nope', with args beginning with: 'a' ");
  check_says("LARDER.FORGET a", LARDER_BAD_ARGUMENT,
             "ERR unknown command 'LARDER.FORGET', with args beginning with: 'a' ");
  check_says("larder.rebuild a", LARDER_BAD_ARGUMENT,
             "ERR unknown command 'larder.rebuild', with args beginning with: 'a' ");
  check_says("client setname", LARDER_BAD_ARGUMENT,
             "ERR wrong number of arguments for 'client|setname' command");
  check_says("client kill x", LARDER_BAD_ARGUMENT,
             "ERR unknown subcommand 'kill'. Try CLIENT HELP.");
  check_says("client id", LARDER_OK, "");
  check_says("command", LARDER_OK, "");
  check_says("command count", LARDER_OK, "");
  check_says("config get a b", LARDER_OK, "");
  check_says("\"a\\r\\nb\" \"c\\nd\"", LARDER_BAD_ARGUMENT,
             "ERR unknown command 'a  b', with args beginning with: 'c d' ");
  ck_assert_int_eq(lrd_command_check(&none, error, sizeof error), LARDER_BAD_ARGUMENT);
  none.command = 5;
  ck_assert_int_eq(lrd_command_check(&none, NULL, 0), LARDER_BAD_ARGUMENT);
  ck_assert_uint_eq(none.command, LRD_NO_COMMAND);
}
END_TEST

START_TEST(error_never_overflows)
{
  larder_vector v = vector_of(&arena, "nope 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' b c d e f g h");
  char error[600];
  size_t size;

  for (size = 0; size < 200; size++) {
    memset(error, 'X', sizeof error);
    ck_assert_int_eq(lrd_command_check(&v, error, size), LARDER_BAD_ARGUMENT);
    ck_assert_int_eq(error[size], 'X');
    if (size)
      ck_assert_uint_lt(strlen(error), size);
  }
}
END_TEST

/* --- class --------------------------------------------------------------- */

START_TEST(class_follows_the_arguments)
{
  static const struct {
    const char *line;
    enum lrd_class class;
  } expected[] = {
    { "SET k v", LRD_CLASS_OVERWRITE },
    { "SET k v EX 10", LRD_CLASS_OVERWRITE },
    { "SET k v KEEPTTL", LRD_CLASS_OVERWRITE },
    { "SET k v nx", LRD_CLASS_CONDITIONAL },
    { "SET k v PX 10 XX", LRD_CLASS_CONDITIONAL },
    { "SET k v get", LRD_CLASS_CONSUME },
    { "SET k v GET NX", LRD_CLASS_CONDITIONAL },
    { "SET k v KEEPTTL XX", LRD_CLASS_CONDITIONAL },
    { "SET k v EX NX", LRD_CLASS_OVERWRITE }, /* a bad number, not an option */
    { "SET NX GET", LRD_CLASS_OVERWRITE },
    { "SET k NX", LRD_CLASS_OVERWRITE },
    { "SET k XX EX 1", LRD_CLASS_OVERWRITE },
    { "GETEX k", LRD_CLASS_READ },
    { "GETEX k PERSIST", LRD_CLASS_CONSUME },
    { "GETEX k EX 5", LRD_CLASS_CONSUME },
    { "ZADD k 1 m", LRD_CLASS_OVERWRITE },
    { "ZADD k CH 1 m", LRD_CLASS_OVERWRITE },
    { "ZADD k 1 NX 2 INCR", LRD_CLASS_OVERWRITE },
    { "ZADD NX 1 m 2 n", LRD_CLASS_OVERWRITE },
    { "ZADD k NX 1 m", LRD_CLASS_CONDITIONAL },
    { "ZADD k ch gt 1 m", LRD_CLASS_CONDITIONAL },
    { "ZADD k INCR 1 m", LRD_CLASS_ACCUMULATE },
    { "ZADD k INCR LT 1 m", LRD_CLASS_CONDITIONAL },
    { "EXPIRE k 1", LRD_CLASS_OVERWRITE },
    { "EXPIRE k 1 NX", LRD_CLASS_CONDITIONAL },
    { "PEXPIRE k 1 GT", LRD_CLASS_CONDITIONAL },
    { "PEXPIREAT k 1 LT", LRD_CLASS_CONDITIONAL },
    { "DEL k", LRD_CLASS_OVERWRITE },
    { "UNLINK k", LRD_CLASS_OVERWRITE },
    { "HSET k f v", LRD_CLASS_OVERWRITE },
    { "HDEL k f", LRD_CLASS_OVERWRITE },
    { "SREM k m", LRD_CLASS_OVERWRITE },
    { "ZREM k m", LRD_CLASS_OVERWRITE },
    { "PERSIST k", LRD_CLASS_OVERWRITE },
    { "MSET k v", LRD_CLASS_OVERWRITE },
    { "RENAME k l", LRD_CLASS_OVERWRITE },
    { "ZREMRANGEBYSCORE k 1 2", LRD_CLASS_OVERWRITE },
    { "INCR k", LRD_CLASS_ACCUMULATE },
    { "DECRBY k 2", LRD_CLASS_ACCUMULATE },
    { "APPEND k v", LRD_CLASS_ACCUMULATE },
    { "SADD k m", LRD_CLASS_ACCUMULATE },
    { "HINCRBY k f 1", LRD_CLASS_ACCUMULATE },
    { "ZINCRBY k 1 m", LRD_CLASS_ACCUMULATE },
    { "LPUSH k v", LRD_CLASS_ACCUMULATE },
    { "RPUSH k v", LRD_CLASS_ACCUMULATE },
    { "LPOP k", LRD_CLASS_CONSUME },
    { "RPOP k 2", LRD_CLASS_CONSUME },
    { "SPOP k", LRD_CLASS_CONSUME },
    { "ZPOPMIN k", LRD_CLASS_CONSUME },
    { "GETDEL k", LRD_CLASS_CONSUME },
    { "WATCH k", LRD_CLASS_CONDITIONAL },
    { "UNWATCH", LRD_CLASS_CONNECTION },
    { "PING", LRD_CLASS_CONNECTION },
    { "TIME", LRD_CLASS_CONNECTION },
    { "FLUSHALL", LRD_CLASS_ADMIN },
    { "FLUSHDB", LRD_CLASS_ADMIN },
    { "INFO", LRD_CLASS_CONNECTION },
    { "CONFIG GET x", LRD_CLASS_ADMIN },
    { "KEYS *", LRD_CLASS_READ },
    { "SCAN 0", LRD_CLASS_READ },
    { "GET k", LRD_CLASS_READ },
    { "ZRANGE k 0 1", LRD_CLASS_READ },
  };
  larder_vector v;
  size_t i;

  for (i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    v = vector_of(&arena, expected[i].line);
    ck_assert_msg(lrd_command_class(&v) == expected[i].class, "%s: %d", expected[i].line,
                  (int)lrd_command_class(&v));
  }
}
END_TEST

/* --- absence ------------------------------------------------------------- */

static int absent(const char *line, larder_value value)
{
  larder_vector v = vector_of(&arena, line);

  return lrd_command_absent(&v, &value);
}

static larder_value number(int64_t n)
{
  larder_value v = { .type = LARDER_INTEGER };

  v.integer = n;
  return v;
}

START_TEST(absence_by_command)
{
  const larder_value nil = { .type = LARDER_NIL };
  const larder_value empty = { .type = LARDER_SET, .len = 0 };
  const larder_value none = { .type = LARDER_STATUS, .len = 4, .str = "none" };
  const larder_value list = { .type = LARDER_STATUS, .len = 4, .str = "list" };
  const larder_value error = { .type = LARDER_ERROR, .len = 4, .str = "none" };

  ck_assert(absent("GET k", nil) && absent("GETDEL k", nil) && absent("GETEX k", nil));
  ck_assert(absent("HGET k f", nil) && absent("ZSCORE k m", nil) && absent("ZRANK k m", nil));
  ck_assert(absent("LPOP k", nil) && absent("RPOP k", nil) && absent("SPOP k", nil));
  ck_assert(!absent("SET k v GET", nil) && !absent("SET k v NX", nil));
  ck_assert(!absent("ZADD k NX INCR 1 m", nil));
  ck_assert(absent("TTL k", number(-2)) && absent("PTTL k", number(-2)));
  ck_assert(!absent("TTL k", number(-1)) && !absent("TTL k", number(0)));
  ck_assert(absent("TYPE k", none) && !absent("TYPE k", list) && !absent("TYPE k", error));
  ck_assert(absent("SMEMBERS k", empty) && absent("HGETALL k", empty));
  ck_assert(!absent("LRANGE k 0 1", empty) && !absent("SPOP k 2", empty));
  ck_assert(absent("LLEN k", number(0)) && absent("SCARD k", number(0)));
  ck_assert(absent("HLEN k", number(0)) && absent("ZCARD k", number(0)));
  ck_assert(absent("EXISTS k", number(0)) && !absent("EXISTS k", number(1)));
  ck_assert(absent("SISMEMBER k m", number(0)));
  ck_assert(absent("EXPIRE k 1", number(0)) && absent("PEXPIREAT k 1", number(0)));
  ck_assert(!absent("EXPIRE k 1 NX", number(0)) && !absent("EXPIRE k 1", number(1)));
  ck_assert(!absent("DEL k", number(0)) && !absent("STRLEN k", number(0)));
  ck_assert(!absent("PERSIST k", number(0)) && !absent("DBSIZE", number(0)));
  ck_assert(!absent("GET k", error) && !absent("LLEN k", error));
}
END_TEST

/* --- shape (against a real server: check_redis.c) -------------------------- */

START_TEST(shape_survives_no_memory)
{
  larder_vector v = vector_of(&arena, "ZRANGE k 0 -1 WITHSCORES");
  larder_value flat[] = { { .type = LARDER_STRING, .len = 1, .str = "m" },
                          { .type = LARDER_STRING, .len = 1, .str = "2" } };
  larder_value value = { .type = LARDER_ARRAY, .len = 2 };
  struct lrd_arena none;
  struct heap h;

  value.element = flat;
  heap_init(&h, 1);
  lrd_arena_init(&none, &h.memory);
  ck_assert_int_eq(lrd_command_shape(&v, &value, &none), -1);
  ck_assert_uint_eq(value.len, 2); /* as it was */
  ck_assert_int_eq(flat[1].type, LARDER_STRING);
  ck_assert_int_eq(lrd_command_shape(&v, &value, &arena), 0);
  ck_assert_uint_eq(value.len, 1);
  ck_assert(value.element[0].element[1].real == 2);
  /* what is not as it should be stays as it is */
  value = (larder_value){ .type = LARDER_ARRAY, .len = 1 };
  value.element = flat;
  ck_assert_int_eq(lrd_command_shape(&v, &value, &arena), 0);
  ck_assert_uint_eq(value.len, 1);
  v = vector_of(&arena, "HGETALL k");
  ck_assert_int_eq(lrd_command_shape(&v, &value, &arena), 0);
  ck_assert_int_eq(value.type, LARDER_ARRAY);
}
END_TEST

/* --- causes -------------------------------------------------------------- */

START_TEST(causes_of_errors)
{
  static const struct {
    const char *text;
    larder_cause cause;
  } expected[] = {
    { "WRONGTYPE Operation against a key holding the wrong kind of value", LARDER_CAUSE_CALLER },
    { "ERR syntax error", LARDER_CAUSE_CALLER },
    { "", LARDER_CAUSE_CALLER },
    { "ERR", LARDER_CAUSE_CALLER },
    { "NOAUTH Authentication required.", LARDER_CAUSE_AUTH },
    { "WRONGPASS invalid username-password pair or user is disabled.", LARDER_CAUSE_AUTH },
    { "NOPERM this user has no permissions to run the 'get' command", LARDER_CAUSE_AUTH },
    { "ERR invalid password", LARDER_CAUSE_AUTH },
    { "ERR Client sent AUTH, but no password is set", LARDER_CAUSE_AUTH },
    { "ERR AUTH <password> called without any password configured for the default user. Are you "
      "sure your configuration is correct?", LARDER_CAUSE_AUTH },
    { "LOADING Redis is loading the dataset in memory", LARDER_CAUSE_SERVER },
    { "LOADING", LARDER_CAUSE_SERVER },
    { "MASTERDOWN Link with MASTER is down", LARDER_CAUSE_SERVER },
    { "CLUSTERDOWN The cluster is down", LARDER_CAUSE_SERVER },
    { "TRYAGAIN Multiple keys request during rehashing of slot", LARDER_CAUSE_SERVER },
    { "BUSY Redis is busy running a script.", LARDER_CAUSE_SERVER },
    { "BUSYGROUP Consumer Group name already exists", LARDER_CAUSE_CALLER },
    { "BUSYKEY Target key name already exists.", LARDER_CAUSE_CALLER },
    { "DENIED Redis is running in protected mode", LARDER_CAUSE_SERVER },
    { "ERR max number of clients reached", LARDER_CAUSE_SERVER },
    { "ERR max number of clients + cluster connections reached", LARDER_CAUSE_SERVER },
    { "ERR max number of clientsele", LARDER_CAUSE_CALLER },
    { "ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.", LARDER_CAUSE_QUOTA },
    { "ERR max daily request limit exceeded", LARDER_CAUSE_QUOTA },
    { "ERR max requests limit exceeded. Limit: 500000, Usage: 500000.", LARDER_CAUSE_QUOTA },
    { "ERR max concurrent connections exceeded", LARDER_CAUSE_QUOTA },
    { "ERR max requests limit exceeds", LARDER_CAUSE_CALLER },
    { "ERR max , limit exceeded", LARDER_CAUSE_CALLER },
    { "ERR max ", LARDER_CAUSE_CALLER },
    { "ERR max request size exceeded. Limit: 10485760 bytes", LARDER_CAUSE_CALLER },
    { "ERR max single record size exceeded", LARDER_CAUSE_CALLER },
    { "ERR max key size exceeded. Limit: 32768 bytes, Actual: 32769 bytes", LARDER_CAUSE_CALLER },
    { "ERR DB capacity quota exceeded. Threshold: 268435456 bytes", LARDER_CAUSE_CAPACITY },
    { "OOM command not allowed when used memory > 'maxmemory'.", LARDER_CAUSE_CAPACITY },
    { "MISCONF Redis is configured to save RDB snapshots", LARDER_CAUSE_CAPACITY },
    { "READONLY You can't write against a read only replica.", LARDER_CAUSE_CAPACITY },
    { "NOREPLICAS Not enough good replicas to write.", LARDER_CAUSE_CAPACITY },
    { "EXECABORT Transaction discarded because of previous errors.", LARDER_CAUSE_CALLER },
    { "EXECABORT Transaction discarded because of: OOM command not allowed",
      LARDER_CAUSE_CAPACITY },
    { "EXECABORT Transaction discarded because of: ERR max requests limit exceeded.",
      LARDER_CAUSE_QUOTA },
    { "UNAVAILABLE no Redis", LARDER_CAUSE_SERVER },
    { "NOTSENT", LARDER_CAUSE_SERVER },
    { "UNKNOWN the reply was lost", LARDER_CAUSE_SERVER },
    { "UNBLOCKED force unblock from blocking operation, instance state changed (master -> "
      "replica?)", LARDER_CAUSE_CAPACITY },
    { "UNBLOCKED client unblocked via CLIENT UNBLOCK", LARDER_CAUSE_CALLER },
    { "MOVED 3999 127.0.0.1:6381", LARDER_CAUSE_CALLER },
    { "ASK 3999 127.0.0.1:6381", LARDER_CAUSE_CALLER },
    { "CROSSSLOT Keys in request don't hash to the same slot", LARDER_CAUSE_CALLER },
    { "NOSCRIPT No matching script. Please use EVAL.", LARDER_CAUSE_CALLER },
    { "NOPROTO unsupported protocol version", LARDER_CAUSE_CALLER },
    { "LOADINGS", LARDER_CAUSE_CALLER },
    { "oom x", LARDER_CAUSE_CALLER },
  };
  size_t i;

  for (i = 0; i < sizeof expected / sizeof expected[0]; i++)
    ck_assert_msg(lrd_error_cause(expected[i].text, strlen(expected[i].text)) == expected[i].cause,
                  "%s", expected[i].text);
  ck_assert_int_eq(lrd_error_cause("OOMX", 3), LARDER_CAUSE_CAPACITY);
}
END_TEST

/* --- names --------------------------------------------------------------- */

START_TEST(names_of_enums)
{
  ck_assert_str_eq(larder_outcome_name(LARDER_OK), "OK");
  ck_assert_str_eq(larder_outcome_name(LARDER_UNKNOWN_LOCALLY), "UNKNOWN_LOCALLY");
  ck_assert_str_eq(larder_outcome_name(LARDER_UNSUPPORTED), "UNSUPPORTED");
  ck_assert_str_eq(larder_outcome_name((larder_outcome)12), "?");
  ck_assert_str_eq(larder_outcome_name((larder_outcome)-1), "?");
  ck_assert_str_eq(larder_origin_name(LARDER_FROM_STALE), "stale");
  ck_assert_str_eq(larder_origin_name((larder_origin)5), "?");
  ck_assert_str_eq(larder_state_name(LARDER_STATE_CLOSED), "closed");
  ck_assert_str_eq(larder_state_name((larder_state)6), "?");
}
END_TEST

int main(void)
{
  Suite *s = suite_create("command");
  TCase *t = tcase_create("command");

  tcase_set_timeout(t, 60);
  tcase_add_checked_fixture(t, begin, end);
  tcase_add_test(t, every_name_is_found);
  tcase_add_test(t, near_names_are_not);
  tcase_add_test(t, rows_are_whole);
  tcase_add_test(t, details_are_sorted);
  tcase_add_test(t, flags_of_our_own);
  tcase_add_test(t, checks_name_and_arity);
  tcase_add_test(t, error_never_overflows);
  tcase_add_test(t, class_follows_the_arguments);
  tcase_add_test(t, absence_by_command);
  tcase_add_test(t, shape_survives_no_memory);
  tcase_add_test(t, causes_of_errors);
  tcase_add_test(t, names_of_enums);
  suite_add_tcase(s, t);
  return run_suite(s);
}
