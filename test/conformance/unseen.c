/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/unseen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/line.h"
#include "support/compare.h"

static const char *const preload[] = {"SET string before",
                                      "SET number 10",
                                      "RPUSH list before",
                                      "SADD set before",
                                      "HSET hash f before n 5",
                                      "ZADD zset 1 before",
                                      "SET gone before",
                                      "SET over before",
                                      "RPUSH popped a b",
                                      "SET name before",
                                      "SET expires before",
                                      "SADD removed a b",
                                      "HSET fields a 1 b 2",
                                      "SET text ab",
                                      NULL};

/* On each of the keys, and on one that nobody has: not to be known. */
static const char *const reads[] = {"GET %s",
                                    "STRLEN %s",
                                    "EXISTS %s",
                                    "TYPE %s",
                                    "TTL %s",
                                    "PTTL %s",
                                    "MGET %s",
                                    "MGET known %s",
                                    "EXISTS known %s",
                                    "HGET %s f",
                                    "HGETALL %s",
                                    "HLEN %s",
                                    "SMEMBERS %s",
                                    "SISMEMBER %s x",
                                    "SCARD %s",
                                    "LLEN %s",
                                    "LRANGE %s 0 -1",
                                    "ZSCORE %s x",
                                    "ZCARD %s",
                                    "ZRANK %s x",
                                    "ZRANGE %s 0 -1",
                                    "ZRANGE %s 0 -1 WITHSCORES",
                                    "ZRANGE %s -inf +inf BYSCORE",
                                    "ZRANGE %s - + BYLEX",
                                    "GETBIT %s 1",
                                    "BITCOUNT %s",
                                    "BITPOS %s 1",
                                    "BITFIELD_RO %s GET u8 0",
                                    "PFCOUNT %s",
                                    "GEOPOS %s x",
                                    "GEODIST %s x y",
                                    "GEOSEARCH %s FROMLONLAT 1 1 BYRADIUS 1 km",
                                    "SORT %s ALPHA",
                                    "SORT sorted BY %s* GET #",
                                    "SORT sorted BY nosort GET %s*",
                                    "DUMP %s"};

static const char *const takes[] = {
    "GETDEL %s",   "LPOP %s",        "RPOP %s",        "LPOP %s 2",       "SPOP %s",
    "SPOP %s 2",   "ZPOPMIN %s",     "SET %s v GET",   "RENAME %s other", "SET %s v NX",
    "SET %s v XX", "ZADD %s NX 1 x", "EXPIRE %s 10 GT",
    "SETBIT %s 1 1", "BITFIELD %s SET u8 0 1", "BITOP OR other %s", "PFADD %s a", "PFMERGE %s",
    "PFMERGE other %s", "COPY %s other REPLACE", "COPY %s other", "MOVE %s 1",
    "SORT %s ALPHA STORE other", "SORT sorted BY %s* STORE other", "GEOADD %s NX 1 1 x",
    "GEORADIUS %s 1 1 1 km STORE other", "GEOSEARCHSTORE other %s FROMLONLAT 1 1 BYBOX 1 1 km",
    "RESTORE %s 0 junk"};

static const char *const over_all[] = {"KEYS *", "SCAN 0", "DBSIZE", "RANDOMKEY"};

static const char *const keys[] = {"string", "list", "set", "hash", "zset", "nobody"};

static struct resp *ask(struct target *t, const char *text)
{
  static struct line l;
  line_parse(&l, text);
  return t->call(t, 0, l.argc, l.argv, l.len);
}

static int wrong(struct target *t, const char *line, const char *expected, const struct resp *got)
{
  char *text = resp_text(got);
  printf("%s: unseen: %s\n  expected %s\n  got      %s, outcome %s, flags %u\n", t->name, line,
         expected, text, larder_outcome_name(t->outcome), t->flags);
  fflush(stdout);
  free(text);
  return 1;
}

static int is_unknown(struct target *t, const char *line, int or_not_sent)
{
  struct resp *r = ask(t, line);
  int right =
      t->outcome == LARDER_UNKNOWN_LOCALLY || (or_not_sent && t->outcome == LARDER_NOT_SENT);
  int bad = !right || r->type != RESP_ERROR
                ? wrong(t, line, or_not_sent ? "NOT_SENT or UNKNOWN_LOCALLY" : "UNKNOWN_LOCALLY", r)
                : 0;
  resp_free(r);
  return bad;
}

static int is_known(struct target *t, const char *line, const char *expected, unsigned flags)
{
  struct resp *r = ask(t, line);
  char *text = resp_text(r);
  int served = t->outcome == LARDER_OK || t->outcome == LARDER_ABSENT;
  int bad = 0;
  if (!served || strcmp(text, expected) != 0 || (t->flags & flags) != flags)
    bad = wrong(t, line, expected, r);
  free(text);
  resp_free(r);
  return bad;
}

void unseen_preload(struct resp_client *c)
{
  static struct line l;
  for (int i = 0; preload[i]; i++) {
    line_parse(&l, preload[i]);
    resp_free(resp_call(c, l.argc, l.argv, l.len));
  }
}

static int run_reads(struct target *t)
{
  char line[128];
  int bad = 0;
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
      line_fill(line, sizeof line, reads[i], keys[k]);
      bad += is_unknown(t, line, 0);
    }
    for (size_t i = 0; i < sizeof takes / sizeof *takes; i++) {
      line_fill(line, sizeof line, takes[i], keys[k]);
      bad += is_unknown(t, line, 1);
    }
  }
  for (size_t i = 0; i < sizeof over_all / sizeof *over_all; i++)
    bad += is_unknown(t, over_all[i], 0);
  return bad;
}

/* Additions to keys whose rest is not known: counted as if alone, and marked. */
static int run_additions(struct target *t)
{
  const unsigned both = LARDER_JOURNALED | LARDER_PROVISIONAL;
  int bad = 0;
  bad += is_known(t, "INCRBY number 5", ":5", both) + is_unknown(t, "GET number", 0);
  bad += is_known(t, "INCR number", ":6", both);
  bad += is_known(t, "RPUSH list x y", ":2", both) + is_unknown(t, "LLEN list", 0) +
         is_unknown(t, "LRANGE list 0 -1", 0);
  bad += is_unknown(t, "LPOP list", 1);
  bad += is_known(t, "SADD set x y", ":2", both) + is_unknown(t, "SCARD set", 0) +
         is_unknown(t, "SMEMBERS set", 0);
  bad += is_known(t, "SISMEMBER set x", ":1", 0) + is_unknown(t, "SISMEMBER set before", 0);
  bad += is_unknown(t, "SPOP set", 1);
  bad += is_known(t, "HSET hash g x", ":1", both) + is_known(t, "HGET hash g", "\"x\"", 0) +
         is_unknown(t, "HGET hash f", 0);
  bad += is_known(t, "HINCRBY hash n 2", ":2", both) + is_unknown(t, "HGET hash n", 0) +
         is_unknown(t, "HLEN hash", 0);
  bad += is_known(t, "ZINCRBY zset 2 x", ",2", both) + is_unknown(t, "ZRANGE zset 0 -1", 0) +
         is_unknown(t, "ZCARD zset", 0);
  bad += is_known(t, "ZADD zset 7 y", ":1", both) + is_known(t, "ZSCORE zset y", ",7", 0) +
         is_unknown(t, "ZRANK zset y", 0);
  bad += is_unknown(t, "ZPOPMIN zset", 1);
  bad += is_known(t, "GEOADD zset 13.361389 38.115556 place", ":1", both) +
         is_known(t, "ZSCORE zset place", ",3479099956230698", 0) +
         is_unknown(t, "GEOPOS zset place", 0);
  bad += is_known(t, "APPEND text cd", ":2", both) + is_unknown(t, "GET text", 0) +
         is_unknown(t, "STRLEN text", 0);
  return bad;
}

/* Served and journaled; its count is a guess. */
static int is_served(struct target *t, const char *line)
{
  struct resp *r = ask(t, line);
  int served = t->outcome == LARDER_OK || t->outcome == LARDER_ABSENT;
  int bad = served && (t->flags & LARDER_JOURNALED) ? 0 : wrong(t, line, "served and journaled", r);
  resp_free(r);
  return bad;
}

/* Removals of what was never seen are intents too. */
static int run_removals(struct target *t)
{
  int bad = 0;
  bad += is_served(t, "SREM removed a") + is_unknown(t, "SISMEMBER removed b", 0);
  bad += is_served(t, "HDEL fields a") + is_unknown(t, "HGET fields b", 0);
  bad += is_served(t, "PEXPIREAT expires 9999999999999") + is_unknown(t, "GET expires", 0);
  return bad;
}

/* What is set or deleted whole is known whole. */
static int run_overwrites(struct target *t)
{
  int bad = 0;
  bad += is_served(t, "DEL gone") + is_known(t, "GET gone", "nil", 0);
  bad += is_known(t, "EXISTS gone", ":0", 0) + is_known(t, "TTL gone", ":-2", 0);
  bad += is_known(t, "TYPE gone", "+none", 0) + is_known(t, "LPOP gone", "nil", 0);
  bad += is_known(t, "SET over after", "+OK", LARDER_JOURNALED);
  bad += is_known(t, "GET over", "\"after\"", 0) + is_known(t, "TTL over", ":-1", 0);
  bad += is_known(t, "STRLEN over", ":5", 0) + is_known(t, "GETDEL over", "\"after\"", 0);
  bad += is_served(t, "DEL name") + is_known(t, "RPUSH name a b c", ":3", LARDER_JOURNALED);
  bad += is_known(t, "LPOP name", "\"a\"", 0);
  bad += is_known(t, "LRANGE name 0 -1", "[\"b\", \"c\"]", 0);
  bad += is_known(t, "COPY name copied REPLACE", ":1", LARDER_JOURNALED) +
         is_known(t, "SORT name ALPHA DESC STORE sorted", ":2", LARDER_JOURNALED);
  bad += is_served(t, "DEL bits counted") + is_known(t, "SETBIT bits 1 1", ":0", LARDER_JOURNALED) +
         is_known(t, "PFADD counted a", ":1", LARDER_JOURNALED) +
         is_known(t, "PFCOUNT counted", ":1", 0);
  return bad;
}

int unseen_run(struct target *t)
{
  resp_free(ask(t, "SET known 1"));
  resp_free(ask(t, "DEL sorted"));
  resp_free(ask(t, "RPUSH sorted 2 1"));
  return run_reads(t) + run_additions(t) + run_removals(t) + run_overwrites(t);
}

int unseen_check_replayed(struct resp_client *c)
{
  static const struct {
    const char *line, *expected;
  } want[] = {
      {"GET number", "\"16\""},
      {"LRANGE list 0 -1", "[\"before\", \"x\", \"y\"]"},
      {"SMEMBERS set", "~[\"before\", \"x\", \"y\"]"},
      {"HGETALL hash", "{\"f\": \"before\", \"n\": \"7\", \"g\": \"x\"}"},
      {"ZRANGE zset 0 -1 WITHSCORES", "[[\"before\", ,1], [\"x\", ,2], [\"y\", ,7], "
       "[\"place\", ,3479099956230698]]"},
      {"GET text", "\"abcd\""},
      {"SMEMBERS removed", "~[\"b\"]"},
      {"HGETALL fields", "{\"b\": \"2\"}"},
      {"GET string", "\"before\""},
      {"GET expires", "\"before\""},
      {"GET gone", "nil"},
      {"GET over", "nil"},
      {"LRANGE name 0 -1", "[\"b\", \"c\"]"},
      {"LRANGE copied 0 -1", "[\"b\", \"c\"]"},
      {"LRANGE sorted 0 -1", "[\"c\", \"b\"]"},
      {"BITPOS bits 1", ":1"},
      {"PFCOUNT counted", ":1"},
      {"EXISTS nobody other", ":0"},
      {"LRANGE popped 0 -1", "[\"a\", \"b\"]"},
  };
  static struct line l;
  int bad = 0;
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    line_parse(&l, want[i].line);
    struct resp *r = resp_call(c, l.argc, l.argv, l.len);
    char *text = resp_text(r);
    size_t n = strlen(want[i].expected);
    /* Sets and maps have an order of their own: compare what they consist of. */
    int same = want[i].expected[0] == '~' || want[i].expected[0] == '{'
                   ? strlen(text) == n
                   : strcmp(text, want[i].expected) == 0;
    if (!same) {
      printf("replayed: %s\n  expected %s\n  got      %s\n", want[i].line, want[i].expected, text);
      bad++;
    }
    free(text);
    resp_free(r);
  }
  fflush(stdout);
  return bad;
}
