/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/rig.h"

/* Atomic calls and watches. */

enum { ATOMIC = LARDER_CALL_ATOMIC };

#define EXEC(rig, lines, expected) EXPECT_FLAGS(rig, ATOMIC, lines, expected)

START_TEST(one_reply_for_all)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ 0 });
  EXEC(&rig, "SET a 1\nINCR a\nGET a\nGET b\nSADD s x y\nSCARD s",
       "[+OK :2 $2 nil :2 :2]");
  /* what fails, fails alone, as in Redis */
  EXEC(&rig, "INCR a\nINCR s\nINCR a",
       "[:3 -WRONGTYPE Operation against a key holding the wrong kind of value :4]");
  EXEC(&rig, "SET a 1\nSET b 2\nKEYS c\nDBSIZE\nSCAN 0 MATCH c COUNT 100\nFLUSHALL\nDBSIZE\nGET a",
       "[+OK +OK [] :3 [$0 []] +OK :0 nil]");
  EXEC(&rig, "WATCH a\nUNWATCH\nINFO nothing", "[-ERR WATCH inside MULTI is not allowed +OK $]");
  rig_close(&rig);
}
END_TEST

/* between WATCH and EXEC -> does EXEC go through?  As redis-server 7.0.15. */
static const struct {
  const char *before, *watch, *between;
  int passes;
} watches[] = {
  { "SET k 1", "WATCH k", "", 1 },
  { "SET k 1", "WATCH k", "GET k", 1 },
  { "SET k 1", "WATCH k", "SET k 2", 0 },
  { "SET k 1", "WATCH k", "SET k 1", 0 },
  { "SET k 1", "WATCH k", "SET other 2", 1 },
  { "SET k 1", "WATCH k", "SET k 2 NX", 1 },
  { "SET k 1", "WATCH k", "INCR k", 0 },
  { "SET k 1", "WATCH k", "APPEND k \"\"", 0 },
  { "SET k 1", "WATCH k", "DEL k", 0 },
  { "", "WATCH k", "DEL k", 1 },
  { "", "WATCH k", "SET k 1", 0 },
  { "", "WATCH k", "SET k 1\nDEL k", 0 },
  { "SET k 1", "WATCH k", "EXPIRE k 100", 0 },
  { "SET k 1", "WATCH k", "EXPIRE k 100 XX", 1 },
  { "SET k 1", "WATCH k", "PERSIST k", 1 },
  { "SET k 1 EX 100", "WATCH k", "PERSIST k", 0 },
  { "SET k 1", "WATCH k", "GETEX k", 1 },
  { "SET k 1", "WATCH k", "GETEX k EX 10", 0 },
  { "SET k 1", "WATCH k", "GETEX k PERSIST", 1 },
  { "SET k 1", "WATCH k", "GETDEL k", 0 },
  { "SET k 1", "WATCH k", "RENAME k l", 0 },
  { "SET k 1", "WATCH l", "RENAME k l", 0 },
  { "SET k 1", "WATCH k", "RENAME k k", 1 },
  { "SET k 1", "WATCH k", "MSET a 1 k 2", 0 },
  { "SET k 1", "WATCH k", "FLUSHALL", 0 },
  { "SET k 1", "WATCH k", "FLUSHDB", 0 },
  { "", "WATCH k", "FLUSHALL", 1 },
  { "SET k 1", "WATCH k", "SADD k x", 1 },
  { "SADD k x", "WATCH k", "SADD k x", 1 },
  { "SADD k x", "WATCH k", "SADD k y", 0 },
  { "SADD k x", "WATCH k", "SREM k nothing", 1 },
  { "HSET k f v", "WATCH k", "HSET k f v", 0 },
  { "ZADD k 1 m", "WATCH k", "ZADD k 1 m", 1 },
  { "SET k 1", "WATCH k l m", "SET m 2", 0 },
  { "SET k 1", "WATCH k k", "GET k", 1 },
  { "SET k 1", "WATCH k", "SET k 2\nUNWATCH", 1 },
  { "SET k 1 PX 10", "WATCH k", "sleep", 0 },
  { "SET k 1 PX 10\nsleep", "WATCH k", "", 1 },
  { "SET k 1 PX 10\nsleep", "WATCH k", "GET k", 1 },
  { "SET k 1 PX 10\nsleep", "WATCH k", "FLUSHALL", 1 },
  { "SET k 1 PX 10\nsleep", "WATCH k", "SET k 2", 0 },
};

static void do_lines(struct rig *rig, const char *lines)
{
  char text[RIG_TEXT], line[128];

  while (*lines) {
    size_t len = strcspn(lines, "\n");

    snprintf(line, sizeof line, "%.*s", (int)len, lines);
    if (!strcmp(line, "sleep"))
      rig_sleep(rig, 20);
    else
      rig_call(rig, 0, line, text);
    lines += len + (lines[len] == '\n');
  }
}

START_TEST(what_touches_a_watched_key)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ 0 });
  do_lines(&rig, watches[_i].before);
  EXPECT(&rig, watches[_i].watch, "+OK");
  do_lines(&rig, watches[_i].between);
  EXEC(&rig, "PING\nSET done 1", watches[_i].passes ? "[+PONG +OK]" : "*-1");
  EXPECT(&rig, "GET done", watches[_i].passes ? "$1" : "nil");
  /* the watches are gone either way */
  do_lines(&rig, "SET k 3");
  EXEC(&rig, "PING", "[+PONG]");
  rig_close(&rig);
}
END_TEST

START_TEST(a_watch_belongs_to_a_database_and_a_session)
{
  struct rig rig;
  larder_hold *mine, *other;
  larder_bytes key = { "k", 1 }, value = { "v", 1 };
  larder_verdict verdict;

  rig_open(&rig, (struct rig_setup){ 0 });
  mine = rig.hold;
  other = lrd_memory_table.hold_open(rig.engine);
  EXPECT(&rig, "WATCH k", "+OK");
  lrd_memory_table.set(rig.engine, 5, key, value, 0, 0, &verdict);
  EXEC(&rig, "PING", "[+PONG]");
  EXPECT(&rig, "WATCH k", "+OK");
  rig.hold = other;
  EXPECT(&rig, "WATCH k\nUNWATCH\nWATCH k\nSET k 1", "+OK | +OK | +OK | +OK");
  EXEC(&rig, "PING", "*-1");
  EXPECT(&rig, "WATCH k", "+OK");
  rig.hold = mine;
  EXEC(&rig, "PING", "*-1");
  lrd_memory_table.hold_close(rig.engine, other);
  EXPECT(&rig, "WATCH k", "+OK");
  lrd_memory_table.set(rig.engine, 0, key, value, 0, 0, &verdict);
  EXEC(&rig, "PING", "*-1");
  rig.hold = NULL;
  EXPECT(&rig, "WATCH k\nUNWATCH", "-ERR WATCH needs a session | +OK");
  rig.hold = mine;
  rig_close(&rig);
}
END_TEST

START_TEST(the_wheel_touches_too)
{
  struct rig rig;

  rig_open(&rig, (struct rig_setup){ 0 });
  EXPECT(&rig, "SET k 1 PX 10\nWATCH k", "+OK | +OK");
  rig_sleep(&rig, 100);
  (void)lrd_memory_table.tick(rig.engine, LRD_NS_PER_MS);
  EXEC(&rig, "PING", "*-1");
  rig_close(&rig);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("atomic");
  TCase *tests = tcase_create("atomic");

  tcase_add_test(tests, one_reply_for_all);
  tcase_add_loop_test(tests, what_touches_a_watched_key, 0, sizeof watches / sizeof *watches);
  tcase_add_test(tests, a_watch_belongs_to_a_database_and_a_session);
  tcase_add_test(tests, the_wheel_touches_too);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
