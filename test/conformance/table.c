/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/table.h"

#include <stdio.h>
#include <string.h>

#include "conformance/line.h"

enum { NAME_SIZE = 320, LINE = 256 };

/* What k may be before a command. */
static const char *const states[] = {
    NULL,           "SET k abc",    "SET k 12",       "RPUSH k a b c 1",
    "SADD k a b c", "SADD k 1 2 3", "HSET k a 1 b x", "ZADD k 1 a 2 b 3 c",
};

/* Every command with every option, on k. */
static const char *const commands[] = {
    "GET k",
    "SET k v",
    "SET k v NX",
    "SET k v XX",
    "SET k v GET",
    "SET k v NX GET",
    "SET k v XX GET",
    "SET k v KEEPTTL",
    "SET k v KEEPTTL GET",
    "SET k v EX 50",
    "SET k v PX 50000 XX",
    "SET k v EXAT 9999999999 NX",
    "SET k v PXAT 1",
    "SET k v EX 0",
    "SET k v PXAT 1 GET",
    "SET k v PXAT 1 NX",
    "GETDEL k",
    "GETEX k",
    "GETEX k EX 50",
    "GETEX k PX 50000",
    "GETEX k EXAT 9999999999",
    "GETEX k PXAT 1",
    "GETEX k PERSIST",
    "MGET k k x",
    "MSET k 1 l 2",
    "APPEND k xyz",
    "APPEND k \"\"",
    "STRLEN k",
    "GETRANGE k 0 1",
    "GETRANGE k -2 -1",
    "SUBSTR k 1 0",
    "SETRANGE k 2 xyz",
    "SETRANGE k 5 \"\"",
    "SETRANGE k 3 x",
    "SETNX k v",
    "SETEX k 50 v",
    "PSETEX k 50000 v",
    "SETEX k 0 v",
    "GETSET k v",
    "MSETNX k 1 l2 2",
    "MSETNX x 1 y 2",
    "INCRBYFLOAT k 1.5",
    "INCRBYFLOAT k -12",
    "INCRBYFLOAT k x",
    "LCS k l",
    "LCS k l LEN",
    "LCS k k IDX WITHMATCHLEN",
    "INCR k",
    "DECR k",
    "INCRBY k 5",
    "DECRBY k 5",
    "DEL k",
    "DEL k k",
    "UNLINK k x",
    "EXISTS k k",
    "TYPE k",
    "RENAME k l",
    "RENAME k k",
    "RENAME l k",
    "EXPIRE k 50",
    "EXPIRE k 0",
    "EXPIRE k -1",
    "EXPIRE k 50 NX",
    "EXPIRE k 50 XX",
    "EXPIRE k 50 GT",
    "EXPIRE k 50 LT",
    "EXPIRE k 5000 GT",
    "EXPIRE k 5000 LT",
    "EXPIRE k 5000 XX GT",
    "EXPIRE k 5000 XX LT",
    "EXPIRE k -1 GT",
    "EXPIRE k -1 LT",
    "EXPIRE k -1 NX",
    "EXPIRE k -1 XX",
    "PEXPIRE k 50000",
    "PEXPIRE k 50000 XX",
    "PEXPIREAT k 9999999999999",
    "PEXPIREAT k 1",
    "PEXPIREAT k 1 NX",
    "PEXPIREAT k 9999999999999 GT",
    "TTL k",
    "PTTL k",
    "PERSIST k",
    "SCAN 0 COUNT 100",
    "SCAN 0 TYPE hash COUNT 100",
    "KEYS *",
    "DBSIZE",
    "HSET k a v",
    "HSET k new v",
    "HSET k a 1 c 2",
    "HGET k a",
    "HGET k c",
    "HDEL k a",
    "HDEL k a b",
    "HDEL k x",
    "HGETALL k",
    "HLEN k",
    "HINCRBY k a 3",
    "HINCRBY k b 3",
    "HINCRBY k n 3",
    "HMSET k a 1 z 2",
    "HMSET k a",
    "HSETNX k a v",
    "HSETNX k z v",
    "HEXISTS k a",
    "HEXISTS k z",
    "HSTRLEN k a",
    "HSTRLEN k z",
    "HMGET k a z b",
    "HKEYS k",
    "HVALS k",
    "HINCRBYFLOAT k a 1.5",
    "HINCRBYFLOAT k b 1",
    "HINCRBYFLOAT k z -0.1",
    "HRANDFIELD k",
    "HRANDFIELD k 1",
    "HRANDFIELD k 5",
    "HRANDFIELD k -4",
    "HRANDFIELD k -4 WITHVALUES",
    "HRANDFIELD k 5 WITHVALUES",
    "HRANDFIELD k 5 WHAT",
    "HSCAN k 0",
    "HSCAN k 0 MATCH a COUNT 5",
    "HSCAN k x",
    "HSCAN k 0 COUNT 0",
    "HSCAN k 0 MATCH",
    "HSCAN k 0 TYPE hash",
    "SSCAN k 0",
    "ZSCAN k 0",
    "SADD k a",
    "SADD k 1",
    "SADD k z",
    "SADD k 99",
    "SREM k a",
    "SREM k 1 2 3",
    "SREM k a b c",
    "SREM k x",
    "SISMEMBER k a",
    "SISMEMBER k 1",
    "SMEMBERS k",
    "SCARD k",
    "SPOP k 9",
    "SPOP k 0",
    "LPUSH k x",
    "RPUSH k x y",
    "LPOP k",
    "RPOP k",
    "LPOP k 2",
    "RPOP k 9",
    "LPOP k 0",
    "LLEN k",
    "LRANGE k 0 -1",
    "LRANGE k 1 2",
    "LINDEX k 0",
    "LINDEX k -1",
    "LINDEX k 9",
    "LSET k 0 z",
    "LSET k -9 z",
    "LINSERT k BEFORE b z",
    "LINSERT k AFTER zz z",
    "LREM k 0 a",
    "LREM k -1 c",
    "LTRIM k 1 2",
    "LTRIM k 5 9",
    "LPOS k b",
    "LPOS k b COUNT 0 RANK -1",
    "LPUSHX k z",
    "RPUSHX k y z",
    "LMOVE k q LEFT RIGHT",
    "LMOVE k k LEFT RIGHT",
    "LMOVE l k LEFT RIGHT",
    "RPOPLPUSH k k",
    "RPOPLPUSH k q",
    "LMPOP 2 x k LEFT COUNT 2",
    "SINTER k k",
    "SUNION k x",
    "SDIFF k x",
    "SDIFF x k",
    "SINTERSTORE k k",
    "SUNIONSTORE l k",
    "SDIFFSTORE k x k",
    "SINTERCARD 1 k LIMIT 1",
    "SMISMEMBER k a 1 z",
    "SMOVE k q a",
    "SMOVE k k 1",
    "SMOVE q k a",
    "SRANDMEMBER k",
    "SRANDMEMBER k 9",
    "SRANDMEMBER k -4",
    "EXPIREAT k 9999999999",
    "EXPIREAT k 1",
    "EXPIREAT k 9999999999 NX",
    "EXPIRETIME k",
    "TOUCH k x k",
    "RENAMENX k l",
    "RENAMENX k q",
    "RENAMENX k k",
    "COPY k l",
    "COPY k q",
    "COPY k k",
    "COPY k l REPLACE",
    "COPY l k REPLACE",
    "COPY k k DB 1",
    "MOVE k 1",
    "MOVE k 0",
    "GEOADD k 13.3 38.1 a",
    "GEOADD k XX CH 13.3 38.1 a",
    "GEODIST k a b",
    "GEOHASH k a x",
    "GEOPOS k a x",
    "GEORADIUS k 0 0 99999 km WITHDIST ASC",
    "GEORADIUS k 0 0 99999 km STORE l",
    "GEORADIUSBYMEMBER k a 1 km WITHHASH",
    "GEOSEARCH k FROMMEMBER a BYBOX 9 9 km WITHCOORD",
    "GEOSEARCHSTORE k k FROMMEMBER a BYRADIUS 9 km",
    "DUMP q",
    "RESTORE k 0 junk",
    "RESTORE k 50 \"\\x00\\xc0\\x0c\\n\\x00<*\\xf8Q\\\\\\x04\\xbc\\xd5\" REPLACE",
    "PFADD k a b",
    "PFCOUNT k",
    "PFCOUNT k l",
    "PFMERGE k l",
    "PFMERGE q k",
    "SETBIT k 9 1",
    "GETBIT k 9",
    "BITCOUNT k",
    "BITCOUNT k 0 1 BIT",
    "BITPOS k 1",
    "BITPOS k 0 1 2 BIT",
    "BITOP AND k l",
    "BITOP OR l k l",
    "BITOP NOT q k",
    "BITFIELD k GET u8 0",
    "BITFIELD k SET i8 5 -3 OVERFLOW FAIL INCRBY u2 0 3",
    "BITFIELD_RO k GET i8 5",
    "SORT k LIMIT 0 9 ALPHA",
    "SORT k STORE l",
    "SORT l ALPHA STORE k",
    "SORT_RO k ALPHA DESC",
    "SORT k ALPHA GET # GET # DESC STORE q",
    "ZREVRANGE k 0 -1 WITHSCORES",
    "ZRANGEBYSCORE k 1 2 WITHSCORES",
    "ZREVRANGEBYSCORE k 9 0 LIMIT 1 1",
    "ZRANGEBYLEX k - +",
    "ZREVRANGEBYLEX k + -",
    "ZCOUNT k 1 2",
    "ZLEXCOUNT k - +",
    "ZREMRANGEBYRANK k 0 0",
    "ZREMRANGEBYRANK k 0 -1",
    "ZREMRANGEBYLEX k - +",
    "ZREVRANK k a",
    "ZMSCORE k a x",
    "ZPOPMAX k",
    "ZPOPMAX k 2",
    "ZMPOP 2 x k MAX COUNT 2",
    "ZUNION 2 k k WITHSCORES",
    "ZINTER 2 k k WEIGHTS 2 3 AGGREGATE MAX WITHSCORES",
    "ZDIFF 2 k x WITHSCORES",
    "ZUNIONSTORE k 1 k WEIGHTS 2",
    "ZINTERSTORE q 2 k x",
    "ZDIFFSTORE l 1 k",
    "ZINTERCARD 1 k LIMIT 1",
    "ZRANGESTORE q k 0 1",
    "ZRANGESTORE k k 1 2 BYSCORE",
    "ZRANDMEMBER k",
    "ZRANDMEMBER k 9 WITHSCORES",
    "ZRANDMEMBER k -4",
    "ZADD k 5 a",
    "ZADD k 5 n",
    "ZADD k NX 5 a",
    "ZADD k XX 5 n",
    "ZADD k GT 0 a",
    "ZADD k LT 0 a",
    "ZADD k CH 5 a 5 n",
    "ZADD k INCR 5 a",
    "ZADD k XX INCR 5 n",
    "ZREM k a",
    "ZREM k a b c",
    "ZSCORE k a",
    "ZSCORE k n",
    "ZINCRBY k 2.5 a",
    "ZINCRBY k 2.5 n",
    "ZCARD k",
    "ZRANK k b",
    "ZRANK k n",
    "ZRANGE k 0 -1",
    "ZRANGE k 0 -1 WITHSCORES",
    "ZRANGE k 1 2 BYSCORE",
    "ZRANGE k (1 +inf BYSCORE LIMIT 0 1",
    "ZRANGE k - + BYLEX",
    "ZRANGE k 0 -1 REV",
    "ZREMRANGEBYSCORE k 1 2",
    "ZREMRANGEBYSCORE k -inf +inf",
    "ZPOPMIN k",
    "ZPOPMIN k 2",
    "ZPOPMIN k 9",
    "ZPOPMIN k 0",
};

static const char *const numbers[] = {
    "0",
    "1",
    "-1",
    "2",
    "-0",
    "+1",
    "01",
    "00",
    "-01",
    "\" 1\"",
    "\"1 \"",
    "\"\"",
    "-",
    "+",
    "abc",
    "1a",
    "1.0",
    "1.5",
    "1e3",
    "0x10",
    "inf",
    "+inf",
    "-inf",
    "nan",
    "infinity",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "99999999999999999999999999",
    "4294967296",
    "2147483648",
    "-2147483649",
    "1e308",
    "1e309",
    "-1e309",
    "1e-320",
    ".5",
    "5.",
    ".",
    "1e",
    "\"1\\x00\"",
    "\"\\n1\"",
    "0.1",
    "1e21",
    "3.14159265358979323846",
    "(1",
    "[1",
};

/* Every numeric argument; %s is the number. */
static const char *const numeric[] = {
    "INCRBY n %s",
    "DECRBY n %s",
    "INCRBYFLOAT n %s",
    "INCRBYFLOAT missing %s",
    "HINCRBYFLOAT h n %s",
    "HINCRBYFLOAT missing n %s",
    "GETRANGE s %s -1",
    "GETRANGE s 0 %s",
    "SETRANGE s %s \"\"",
    "SETEX k %s v",
    "PSETEX missing %s v",
    "LCS s n IDX MINMATCHLEN %s",
    "HSCAN h %s",
    "HSCAN h 0 COUNT %s",
    "SET k v EX %s",
    "SET k v PX %s",
    "SET k v EXAT %s",
    "SET k v PXAT %s",
    "GETEX s EX %s",
    "GETEX s PXAT %s",
    "EXPIRE s %s",
    "PEXPIRE s %s",
    "PEXPIREAT s %s",
    "EXPIRE s %s LT",
    "SCAN 0 COUNT %s",
    "SELECT %s",
    "RESTORE k %s \"\\x00\\xc0\\x0c\\n\\x00<*\\xf8Q\\\\\\x04\\xbc\\xd5\" ABSTTL",
    "GEOADD z %s 1 m",
    "GEOADD z 1 %s m",
    "GEORADIUS z %s 1 1 km",
    "GEORADIUS z 1 1 %s km",
    "GEOSEARCH z FROMLONLAT 1 1 BYBOX 1 %s km",
    "GEOSEARCH z FROMLONLAT 1 1 BYRADIUS 1 km COUNT %s",
    "GETBIT s %s",
    "SETBIT missing 1 %s",
    "BITCOUNT s %s -1",
    "BITCOUNT s 0 %s BIT",
    "BITPOS s %s",
    "BITPOS s 0 %s",
    "BITPOS s 1 0 %s",
    "BITFIELD s GET u8 %s",
    "BITFIELD s SET i8 0 %s",
    "BITFIELD s OVERFLOW SAT INCRBY u7 1 %s",
    "SORT l ALPHA LIMIT %s 2",
    "SORT l ALPHA LIMIT 1 %s",
    "MOVE s %s",
    "COPY s t DB %s",
    "HINCRBY h n %s",
    "SPOP missing %s",
    "LPOP l %s",
    "RPOP l %s",
    "LPOP missing %s",
    "LRANGE l %s -1",
    "LRANGE l 0 %s",
    "LINDEX l %s",
    "LSET l %s v",
    "LREM l %s a",
    "LTRIM l %s -1",
    "LTRIM l 0 %s",
    "LPOS l a RANK %s",
    "LPOS l a COUNT %s",
    "LPOS l a MAXLEN %s",
    "LMPOP %s l LEFT",
    "LMPOP 1 l LEFT COUNT %s",
    "SINTERCARD %s missing",
    "SINTERCARD 1 missing LIMIT %s",
    "EXPIREAT s %s",
    "ZREVRANGE z %s -1",
    "ZRANGEBYSCORE z %s +inf",
    "ZREVRANGEBYSCORE z %s -inf WITHSCORES",
    "ZRANGEBYSCORE z -inf +inf LIMIT %s 2",
    "ZCOUNT z -inf (%s",
    "ZLEXCOUNT z %s +",
    "ZREMRANGEBYRANK z %s -1",
    "ZREMRANGEBYLEX z - %s",
    "ZPOPMAX z %s",
    "ZMPOP 1 z MIN COUNT %s",
    "ZUNION 1 z WEIGHTS %s WITHSCORES",
    "ZUNION %s z",
    "ZUNIONSTORE d %s z",
    "ZINTERCARD 1 z LIMIT %s",
    "ZRANGESTORE d z %s -1",
    "ZADD z %s m",
    "ZADD z INCR %s a",
    "ZINCRBY z %s a",
    "ZRANGE z %s -1",
    "ZRANGE z 0 %s",
    "ZRANGE z %s +inf BYSCORE",
    "ZRANGE z -inf %s BYSCORE WITHSCORES",
    "ZRANGE z (%s +inf BYSCORE",
    "ZRANGE z -inf +inf BYSCORE LIMIT %s 2",
    "ZRANGE z -inf +inf BYSCORE LIMIT 1 %s",
    "ZREMRANGEBYSCORE z %s +inf",
    "ZREMRANGEBYSCORE z -inf (%s",
    "ZRANGE z %s + BYLEX",
    "ZPOPMIN z %s",
    "ZPOPMIN missing %s",
    "SET n %s",
    "HSET h n %s",
    "HELLO %s",
};

/* Counts of elements up to where a sparse counter becomes a dense one. */
static void run_counters(struct run *run, const char *only)
{
  enum { STEPS = 60, EACH = 25 };
  static char step[STEPS][EACH * 8 + 16];
  const char *lines[3 * STEPS + 4];
  int n = 0;
  for (int i = 0; i < STEPS; i++) {
    int len = snprintf(step[i], sizeof step[i], "PFADD %s", i % 3 ? "h" : "g");
    for (int j = 0; j < EACH; j++)
      len += snprintf(step[i] + len, sizeof step[i] - (size_t)len, " e%d", i * 20 + j);
    lines[n++] = step[i];
    lines[n++] = i % 2 ? "GET h" : "PFCOUNT h";
    lines[n++] = i % 7 ? "STRLEN g" : "PFCOUNT g h";
  }
  lines[n++] = "PFMERGE g h";
  lines[n++] = "GET g";
  lines[n++] = "PFCOUNT g";
  lines[n++] = NULL;
  if (!only || strstr("hyperloglog: many", only)) {
    const struct sequence sequence = {"hyperloglog: many", lines};
    run_sequence(run, &sequence);
  }
}

static int is_left_out(const struct run *run, const char *name)
{
  for (const char *const *word = run->except; word && *word; word++)
    if (strstr(name, *word))
      return 1;
  return 0;
}

static void run_one(struct run *run, const char *name, const char *const *lines, const char *only)
{
  const struct sequence sequence = {name, lines};
  if ((!only || strstr(name, only)) && !is_left_out(run, name))
    run_sequence(run, &sequence);
}

/* One of a product of many: perhaps it is another target's. */
static void run_some(struct run *run, const char *name, const char *const *lines, const char *only)
{
  if (only || !run->of || run->product++ % run->of == run->turn % run->of)
    run_one(run, name, lines, only);
}

static void run_table(struct run *run, const struct sequence *table, const char *only)
{
  for (; table->name; table++)
    run_one(run, table->name, table->line, only);
}

static void run_commands(struct run *run, const char *only)
{
  char name[NAME_SIZE];
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    for (size_t j = 0; j < sizeof states / sizeof *states; j++)
      for (int expires = 0; expires <= (states[j] != NULL); expires++) {
        const char *lines[8];
        int n = 0;
        lines[n++] = "SET l value";
        if (states[j])
          lines[n++] = states[j];
        if (expires)
          lines[n++] = "EXPIRE k 1000";
        lines[n++] = commands[i];
        lines[n++] = "PTTL k";
        lines[n++] = "TYPE k";
        lines[n++] = NULL;
        snprintf(name, sizeof name, "product: %s, then %s%s", states[j] ? states[j] : "nothing",
                 commands[i], expires ? ", with expiry" : "");
        run_some(run, name, lines, only);
      }
}

/* Not: what can't be quoted inside a word, what dies before one has looked, and a
 * HELLO that changes the form of the replies. */
static void insert(char *out, const char *pattern, const char *number)
{
  int soon = strcmp(number, "1") == 0 || strcmp(number, "2") == 0 || strcmp(number, "+1") == 0;
  int milliseconds =
      strstr(pattern, " PX ") || strstr(pattern, "PSETEX ") || strstr(pattern, "PEXPIRE ");
  if ((strstr(pattern, "(%s") && number[0] == '"') || (soon && milliseconds) ||
      (strstr(pattern, "HELLO") && strcmp(number, "2") == 0)) {
    snprintf(out, LINE, "PING");
    return;
  }
  line_fill(out, LINE, pattern, number);
}

static void run_numbers(struct run *run, const char *only)
{
  char name[NAME_SIZE], line[LINE], again[LINE];
  for (size_t i = 0; i < sizeof numeric / sizeof *numeric; i++)
    for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++) {
      insert(line, numeric[i], numbers[j]);
      snprintf(again, sizeof again, "%s",
               line[0] == 'S' && line[2] == 'T' && line[4] == 'n' ? "INCR n" : "HINCRBY h n 1");
      const char *const lines[] = {"SET n 10",
                                   "SET s v",
                                   "HSET h n 5",
                                   "RPUSH l a b c d",
                                   "ZADD z 1 a 2 b 2.5 c 3 d inf e",
                                   line,
                                   again,
                                   "SELECT 0",
                                   NULL};
      snprintf(name, sizeof name, "number: %s", line);
      run_some(run, name, lines, only);
    }
}

void table_run(struct run *run, const char *only)
{
  const struct sequence *const tables[] = {
      sequences_string, sequences_generic,     sequences_expiry,
      sequences_hash,   sequences_set,         sequences_list,
      sequences_zset,   sequences_transaction, sequences_connection,
      sequences_move,   sequences_sort,        sequences_bitmap, sequences_hll,
      sequences_geo,    sequences_dump, sequences_stream};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    run_table(run, tables[i], only);
  run_counters(run, only);
  run_commands(run, only);
  run_numbers(run, only);
}
