/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/beside.h"

/* The shapes of replies in both protocols, as a real redis-server sends them. */

static void put(larder_sink *s, const struct resp *r)
{
  static const larder_type aggregate[] = { [RESP_ARRAY] = LARDER_ARRAY, [RESP_MAP] = LARDER_MAP,
    [RESP_SET] = LARDER_SET, [RESP_PUSH] = LARDER_PUSH };
  size_t i;

  switch (r->type) {
  case RESP_NIL:
  case RESP_NIL_ARRAY: /* a reader may not tell: shape has to */
    lrd_sink_nil(s);
    return;
  case RESP_STRING:
    lrd_sink_string(s, r->str, r->len);
    return;
  case RESP_STATUS:
    s->type->status(s, r->str, r->len);
    return;
  case RESP_ERROR:
    s->type->error(s, r->str, r->len);
    return;
  case RESP_INTEGER:
    lrd_sink_integer(s, r->integer);
    return;
  case RESP_DOUBLE:
    s->type->real(s, r->real, r->str, r->len);
    return;
  case RESP_BOOLEAN:
    s->type->boolean(s, r->integer != 0);
    return;
  case RESP_BIGNUM:
    s->type->bignum(s, r->str, r->len);
    return;
  case RESP_VERBATIM:
    s->type->verbatim(s, r->str, r->len);
    return;
  case RESP_ARRAY:
  case RESP_MAP:
  case RESP_SET:
  case RESP_PUSH:
    s->type->aggregate(s, aggregate[r->type], r->len, 0);
    for (i = 0; i < r->len; i++)
      put(s, &r->element[i]);
  }
}

static larder_value *tree_of(const struct resp *r)
{
  const larder_verdict ok = { .age_ms = -1 };
  struct lrd_tree t;

  ck_assert_int_eq(lrd_tree_init(&t, &arena, 1), 0);
  put(&t.sink, r);
  lrd_sink_end(&t.sink, &ok);
  return &t.reply->value;
}

/* loose: texts and numbers may differ. */
static void check_same(const char *line, const larder_value *a, const larder_value *b, int loose)
{
  size_t i;

  ck_assert_msg(a->type == b->type, "%s: type %d, not %d", line, a->type, b->type);
  if (a->type >= LARDER_ARRAY) {
    ck_assert_msg(a->len == b->len, "%s: %zu elements, not %zu", line, a->len, b->len);
    for (i = 0; i < a->len; i++)
      check_same(line, &a->element[i], &b->element[i], loose);
  } else if (a->type == LARDER_INTEGER && !loose) {
    ck_assert_msg(a->integer == b->integer, "%s", line);
  } else if (a->type == LARDER_DOUBLE) {
    ck_assert_msg(a->real == b->real, "%s", line);
    ck_assert_msg(a->len == b->len && !memcmp(a->str, b->str, a->len), "%s", line);
  } else if (a->type != LARDER_NIL && a->type != LARDER_INTEGER && !loose) {
    ck_assert_msg(a->len == b->len && !memcmp(a->str, b->str, a->len), "%s", line);
  }
}

/* What the server sends in RESP2, or RESP3. */
static void wire(struct lrd_buffer *b, const struct resp *r)
{
  static const char mark[] = { [RESP_STATUS] = '+', [RESP_ERROR] = '-', [RESP_DOUBLE] = ',',
    [RESP_ARRAY] = '*', [RESP_MAP] = '%', [RESP_SET] = '~', [RESP_PUSH] = '>' };
  char header[64];
  size_t i, len = r->type == RESP_MAP ? r->len / 2 : r->len;

  header[0] = '\0';
  if (r->type == RESP_NIL)
    strcpy(header, "$-1\r\n");
  else if (r->type == RESP_NIL_ARRAY)
    strcpy(header, "*-1\r\n");
  else if (r->type == RESP_INTEGER)
    sprintf(header, ":%lld\r\n", (long long)r->integer);
  else if (r->type == RESP_STRING)
    sprintf(header, "$%zu\r\n", r->len);
  else if (r->type == RESP_VERBATIM)
    sprintf(header, "=%zu\r\ntxt:", r->len + 4);
  else if (r->type >= RESP_ARRAY)
    sprintf(header, "%c%zu\r\n", mark[r->type], len);
  else
    sprintf(header, "%c", mark[r->type]);
  lrd_buffer_append(b, header, strlen(header));
  if (r->str) {
    lrd_buffer_append(b, r->str, r->len);
    lrd_buffer_append(b, "\r\n", 2);
  }
  for (i = 0; r->type >= RESP_ARRAY && i < r->len; i++)
    wire(b, &r->element[i]);
}

/* Written by the RESP sink, the shaped tree is what the server sent. */
static void check_wire(const char *line, const larder_value *value, const struct resp *reply,
                       int protocol)
{
  const larder_verdict ok = { .age_ms = -1 };
  struct lrd_buffer theirs, ours;
  struct lrd_resp r;
  size_t i;

  lrd_buffer_init(&theirs, &lrd_memory_system, 0);
  lrd_buffer_init(&ours, &lrd_memory_system, 0);
  wire(&theirs, reply);
  /* the test's own client does not keep which nil it was in RESP3 */
  lrd_resp_init(&r, &ours, protocol);
  lrd_sink_value(&r.sink, value);
  lrd_sink_end(&r.sink, &ok);
  if (protocol == 3)
    for (i = 0; i + 4 < theirs.len; i++)
      if (!memcmp(theirs.data + i, "$-1\r\n", 5)) {
        memmove(theirs.data + i + 1, theirs.data + i + 3, theirs.len - i - 3);
        theirs.data[i] = '_';
        theirs.len -= 2;
      }
  ck_assert_msg(ours.len == theirs.len && !memcmp(ours.data, theirs.data, ours.len),
                "%s: in RESP%d\n%.*s\nnot\n%.*s", line, protocol, (int)ours.len, ours.data,
                (int)theirs.len, theirs.data);
  lrd_buffer_free(&theirs);
  lrd_buffer_free(&ours);
}

enum { SAME, LOOSE, OWN };

/* SAME: the server gives both protocols the same content.  LOOSE: ids, times.
 * OWN: nothing to compare but the type (the connection ends, or the protocol changes). */
static const struct {
  const char *line;
  int mode;
} shapes[] = {
  { "GET s", SAME }, { "GET none", SAME }, { "GET h", SAME },
  { "SET s v", SAME }, { "SET s v GET", SAME }, { "SET none v GET", SAME }, { "SET s v NX", SAME },
  { "SET s v NX GET", SAME }, { "GETDEL s", SAME }, { "GETDEL none", SAME }, { "GETEX s", SAME },
  { "GETEX none EX 10", SAME }, { "MGET s none h", SAME }, { "MSET a 1 b 2", SAME },
  { "APPEND s x", SAME }, { "STRLEN s", SAME }, { "INCR n", SAME }, { "INCR s", SAME },
  { "DECR n", SAME }, { "INCRBY n 5", SAME }, { "DECRBY n 5", SAME },
  { "DEL s none", SAME }, { "UNLINK s", SAME }, { "EXISTS s s none", SAME }, { "TYPE s", SAME },
  { "TYPE none", SAME }, { "RENAME s t", SAME }, { "RENAME none t", SAME },
  { "SCAN 0 COUNT 100", SAME }, { "SCAN 0 MATCH none", SAME }, { "KEYS s", SAME },
  { "KEYS none", SAME }, { "EXPIRE s 100", SAME }, { "EXPIRE none 100", SAME },
  { "PEXPIRE s 100000 NX", SAME }, { "PEXPIREAT s 99999999999999", SAME }, { "TTL s", SAME },
  { "TTL none", SAME }, { "PTTL s", SAME }, { "PERSIST s", SAME }, { "DBSIZE", SAME },
  { "FLUSHDB", SAME }, { "FLUSHALL", SAME },
  { "HSET h f v g w", SAME }, { "HGET h f", SAME }, { "HGET h none", SAME }, { "HDEL h f", SAME },
  { "HGETALL h", SAME }, { "HGETALL none", SAME }, { "HGETALL s", SAME }, { "HLEN h", SAME },
  { "HINCRBY h n 3", SAME },
  { "SADD m x y", SAME }, { "SREM m a", SAME }, { "SISMEMBER m a", SAME }, { "SMEMBERS m", SAME },
  { "SMEMBERS none", SAME }, { "SMEMBERS s", SAME }, { "SCARD m", SAME }, { "SPOP m", SAME },
  { "SPOP none", SAME }, { "SPOP m 5", SAME }, { "SPOP m 0", SAME }, { "SPOP none 2", SAME },
  { "SPOP m -1", SAME },
  { "LPUSH l x", SAME }, { "RPUSH l x", SAME }, { "LPOP l", SAME }, { "RPOP l", SAME },
  { "LPOP none", SAME }, { "RPOP none", SAME }, { "LPOP l 2", SAME }, { "RPOP l 2", SAME },
  { "LPOP l 0", SAME }, { "LPOP none 2", SAME }, { "RPOP none 2", SAME }, { "LPOP none 0", SAME },
  { "LPOP s 2", SAME }, { "LLEN l", SAME }, { "LRANGE l 0 -1", SAME }, { "LRANGE none 0 -1", SAME },
  { "ZADD z 5 m", SAME }, { "ZADD z CH 5 a", SAME }, { "ZADD z INCR 1.1 a", SAME },
  { "ZADD z NX INCR 1 a", SAME }, { "ZADD z XX INCR 1 none", SAME }, { "ZADD z 1 INCR", SAME },
  { "ZADD z INCR inf a", SAME }, { "ZREM z a", SAME }, { "ZSCORE z a", SAME },
  { "ZSCORE z i", SAME }, { "ZSCORE z j", SAME }, { "ZSCORE z none", SAME },
  { "ZSCORE none a", SAME }, { "ZSCORE s a", SAME }, { "ZINCRBY z 1e300 a", SAME },
  { "ZINCRBY z 0.1 b", SAME }, { "ZCARD z", SAME }, { "ZRANK z a", SAME }, { "ZRANK z none", SAME },
  { "ZRANGE z 0 -1", SAME }, { "ZRANGE z 0 -1 WITHSCORES", SAME },
  { "ZRANGE none 0 -1 WITHSCORES", SAME }, { "ZRANGE z 1 3 BYSCORE LIMIT 0 1 withscores", SAME },
  { "ZRANGE z 0 -1 REV WITHSCORES", SAME }, { "ZRANGE z - + BYLEX", SAME },
  { "ZRANGE s 0 -1 WITHSCORES", SAME }, { "ZREMRANGEBYSCORE z 0 1", SAME }, { "ZPOPMIN z", SAME },
  { "ZPOPMIN none", SAME }, { "ZPOPMIN z 1", SAME }, { "ZPOPMIN z 3", SAME },
  { "ZPOPMIN z 0", SAME }, { "ZPOPMIN none 2", SAME },
  { "GETRANGE s 1 2", SAME }, { "SUBSTR s 0 -1", SAME }, { "SETRANGE s 1 x", SAME },
  { "GETSET s v", SAME }, { "GETSET none v", SAME }, { "INCRBYFLOAT n 1.5", SAME },
  { "LCS s s", SAME }, { "LCS s s LEN", SAME }, { "LCS s s IDX WITHMATCHLEN", SAME },
  { "SETNX s v", SAME }, { "SETEX s 100 v", SAME }, { "PSETEX s 100000 v", SAME },
  { "MSETNX a 1 s 2", SAME }, { "COPY s t", SAME }, { "DUMP none", SAME },
  { "RESTORE s 0 junk", SAME }, { "EXPIREAT s 99999999999", SAME }, { "EXPIRETIME s", SAME },
  { "PEXPIRETIME none", SAME }, { "MOVE s 1", SAME }, { "RANDOMKEY", LOOSE },
  { "SWAPDB 0 0", SAME }, { "SWAPDB 0 99", SAME },
  { "RENAMENX s t", SAME }, { "SORT l ALPHA GET # GET none", SAME },
  { "SORT l ALPHA STORE t", SAME }, { "SORT_RO l ALPHA", SAME }, { "TOUCH s none", SAME },
  { "HEXISTS h f", SAME }, { "HINCRBYFLOAT h f 0.5", SAME }, { "HKEYS h", SAME },
  { "HVALS h", SAME }, { "HMGET h f none", SAME }, { "HMSET h g 1", SAME },
  { "HRANDFIELD h", SAME }, { "HRANDFIELD none", SAME }, { "HRANDFIELD h 2", SAME },
  { "HRANDFIELD h 2 WITHVALUES", SAME }, { "HRANDFIELD none 2 WITHVALUES", SAME },
  { "HSCAN h 0", SAME }, { "HSETNX h f v", SAME }, { "HSTRLEN h f", SAME }, { "LINDEX l 0", SAME },
  { "LINDEX l 9", SAME }, { "LINSERT l BEFORE b x", SAME }, { "LSET l 0 x", SAME },
  { "LREM l 0 a", SAME }, { "LTRIM l 1 1", SAME }, { "LPOS l b", SAME }, { "LPOS l none", SAME },
  { "LPOS l b COUNT 0", SAME }, { "LPUSHX l x", SAME }, { "RPUSHX none x", SAME },
  { "LMOVE l l LEFT RIGHT", SAME }, { "LMOVE none l LEFT RIGHT", SAME }, { "RPOPLPUSH l l", SAME },
  { "LMPOP 2 none l LEFT COUNT 2", SAME }, { "LMPOP 1 none LEFT", SAME }, { "SDIFF m none", SAME },
  { "SDIFFSTORE t m", SAME }, { "SINTER m m", SAME }, { "SINTERCARD 2 m m", SAME },
  { "SINTERSTORE t m m", SAME }, { "SMISMEMBER m a none", SAME }, { "SMOVE m t a", SAME },
  { "SRANDMEMBER m", SAME }, { "SRANDMEMBER m 2", SAME }, { "SSCAN m 0", SAME },
  { "SUNION m none", SAME }, { "SUNIONSTORE t m", SAME }, { "ZCOUNT z 0 1", SAME },
  { "ZLEXCOUNT z - +", SAME }, { "ZDIFF 1 z", SAME }, { "ZDIFF 2 z none WITHSCORES", SAME },
  { "ZDIFFSTORE t 1 z", SAME }, { "ZINTER 2 z z WITHSCORES", SAME }, { "ZINTERCARD 2 z z", SAME },
  { "ZINTERSTORE t 1 z", SAME }, { "ZUNION 2 z z WEIGHTS 2 3 AGGREGATE MAX WITHSCORES", SAME },
  { "ZUNIONSTORE t 2 z z", SAME }, { "ZMPOP 2 none z MIN COUNT 2", SAME },
  { "ZMPOP 1 none MAX", SAME }, { "ZMSCORE z a none i", SAME }, { "ZPOPMAX z", SAME },
  { "ZPOPMAX z 2", SAME }, { "ZRANDMEMBER none", SAME }, { "ZRANDMEMBER z 0 WITHSCORES", SAME },
  { "ZRANDMEMBER z 99 WITHSCORES", LOOSE }, { "ZRANGEBYLEX z - +", SAME },
  { "ZRANGEBYSCORE z 0 9 WITHSCORES LIMIT 0 2", SAME }, { "ZRANGESTORE t z 0 -1", SAME },
  { "ZREMRANGEBYLEX z - +", SAME }, { "ZREMRANGEBYRANK z 0 1", SAME },
  { "ZREVRANGE z 0 -1 WITHSCORES", SAME }, { "ZREVRANGEBYLEX z + -", SAME },
  { "ZREVRANGEBYSCORE z 9 0 WITHSCORES", SAME }, { "ZREVRANK z a", SAME }, { "ZSCAN z 0", SAME },
  { "BITCOUNT s", SAME }, { "BITFIELD s GET u8 0 OVERFLOW FAIL INCRBY u2 0 9", SAME },
  { "BITFIELD_RO s GET u8 0", SAME }, { "BITOP NOT t s", SAME }, { "BITPOS s 1", SAME },
  { "GETBIT s 1", SAME }, { "SETBIT s 1 1", SAME }, { "GEOADD g 1 1 x", SAME },
  { "GEODIST g a b", SAME }, { "GEODIST g a none", SAME }, { "GEOHASH g a none", SAME },
  { "GEOPOS g a none", SAME }, { "GEORADIUS g 15 37 200 km WITHCOORD WITHDIST WITHHASH", SAME },
  { "GEORADIUS g 15 37 200 km WITHDIST", SAME }, { "GEORADIUS g 15 37 200 km STORE t", SAME },
  { "GEORADIUS_RO g 15 37 200 km", SAME }, { "GEORADIUSBYMEMBER g a 200 km WITHCOORD", SAME },
  { "GEORADIUSBYMEMBER_RO g a 200 km", SAME },
  { "GEOSEARCH g FROMMEMBER a BYBOX 400 400 km WITHCOORD", SAME },
  { "GEOSEARCHSTORE t g FROMMEMBER a BYBOX 400 400 km", SAME }, { "PFADD p a", SAME },
  { "PFCOUNT none", SAME }, { "PFMERGE p none", SAME },
  { "EXEC", SAME }, { "DISCARD", SAME }, { "WATCH s", SAME }, { "UNWATCH", SAME },
  { "PING", SAME }, { "PING x", SAME }, { "ECHO x", SAME }, { "SELECT 0", SAME },
  { "SELECT 99", SAME }, { "AUTH x", SAME }, { "HELLO", LOOSE }, { "CLIENT SETNAME x", SAME },
  { "CLIENT GETNAME", SAME }, { "CLIENT ID", LOOSE }, { "COMMAND COUNT", SAME },
  { "COMMAND LIST FILTERBY PATTERN z*", SAME }, { "COMMAND INFO get none zadd set client", SAME },
  { "COMMAND INFO", SAME }, { "COMMAND", SAME }, { "CONFIG GET maxmem*", SAME },
  { "CONFIG GET none", SAME }, { "CONFIG SET maxmemory 0", SAME }, { "CONFIG SET none 0", SAME },
  { "CONFIG HELP", LOOSE }, { "OBJECT HELP", SAME }, { "OBJECT FREQ s", SAME },
  { "OBJECT IDLETIME s", SAME }, { "OBJECT REFCOUNT none", SAME }, { "INFO server", LOOSE },
  { "INFO none", LOOSE }, { "TIME", LOOSE },
  { "XADD x 9-9 f v", SAME }, { "XADD none NOMKSTREAM 1-1 f v", SAME }, { "XLEN x", SAME },
  { "XRANGE x - +", SAME }, { "XRANGE x - + COUNT 0", SAME }, { "XREVRANGE x + - COUNT 1", SAME },
  { "XDEL x 1-1", SAME }, { "XTRIM x MAXLEN 1", SAME }, { "XSETID x 9-9", SAME },
  { "XREAD STREAMS x 0", SAME }, { "XREAD STREAMS x y 0 0", SAME }, { "XREAD STREAMS x $", SAME },
  { "XREADGROUP GROUP g c STREAMS x >", SAME }, { "XREADGROUP GROUP g c STREAMS y >", SAME },
  { "XGROUP CREATE x h 0", SAME }, { "XGROUP HELP", SAME }, { "XACK x g 1-1", SAME },
  { "XPENDING x g", SAME }, { "XPENDING y g", SAME }, { "XCLAIM x g c 0 1-1 FORCE", SAME },
  { "XAUTOCLAIM x g c 0 0", SAME }, { "XINFO STREAM x", SAME }, { "XINFO STREAM y", SAME },
  { "XINFO STREAM x FULL", LOOSE }, { "XINFO GROUPS x", SAME }, { "XINFO CONSUMERS x g", LOOSE },
  { "XINFO HELP", SAME },
  { "BLPOP l 0", SAME }, { "BLPOP none l 0", SAME }, { "BLPOP none 0.01", SAME },
  { "BRPOP l 0", SAME }, { "BRPOP none 0.01", SAME }, { "BLMOVE l t LEFT RIGHT 0", SAME },
  { "BLMOVE none t LEFT RIGHT 0.01", SAME }, { "BRPOPLPUSH l t 0", SAME },
  { "BRPOPLPUSH none t 0.01", SAME }, { "BLMPOP 0 2 none l LEFT COUNT 2", SAME },
  { "BLMPOP 0.01 1 none LEFT", SAME }, { "BZPOPMIN z 0", SAME }, { "BZPOPMIN none 0.01", SAME },
  { "BZPOPMAX z 0", SAME }, { "BZPOPMAX none 0.01", SAME },
  { "BZMPOP 0 2 none z MIN COUNT 2", SAME }, { "BZMPOP 0.01 1 none MAX", SAME },
  { "PUBLISH c m", SAME }, { "SPUBLISH c m", SAME }, { "PUBSUB CHANNELS", SAME },
  { "PUBSUB NUMSUB a b", SAME }, { "PUBSUB NUMPAT", SAME }, { "PUBSUB HELP", SAME },
  { "MULTI", SAME }, { "RESET", SAME }, { "QUIT", OWN },
};

static void prepare(struct resp_client *c)
{
  static const char *const lines[] = { "FLUSHALL", "SET s text", "SET n 5", "RPUSH l a b c",
    "SADD m a", "HSET h f 1", "ZADD z 1 a 2.5 b 3 c 1e20 d inf i -inf j 0.1 k",
    "GEOADD g 13.361389 38.115556 a 15.087269 37.502669 b", "XADD x 1-1 a 1", "XADD x 2-1 b 2",
    "XGROUP CREATE x g 0", "XREADGROUP GROUP g c COUNT 1 STREAMS x >", "XGROUP CREATE y g 0 MKSTREAM" };
  size_t i;

  for (i = 0; i < sizeof lines / sizeof lines[0]; i++)
    resp_free(call_line(c, lines[i]));
}

static void check_shape(const char *line, int mode)
{
  larder_vector v = vector_of(&arena, line);
  struct resp *in2, *in3;
  larder_value *value, *expected;

  ck_assert_msg(v.command, "%s", line);
  prepare(client[2]);
  in2 = call_vector(client[2], &v);
  prepare(client[3]);
  in3 = call_vector(client[3], &v);
  value = tree_of(in2);
  expected = tree_of(in3);
  ck_assert_int_eq(lrd_command_shape(&v, value, &arena), 0);
  check_same(line, value, expected, mode != SAME);
  if (mode != OWN)
    check_wire(line, value, in2, 2);
  if (mode == SAME)
    check_wire(line, value, in3, 3);
  /* what came as RESP3 gets the same hints, and a second time changes nothing */
  ck_assert_int_eq(lrd_command_shape(&v, expected, &arena), 0);
  ck_assert_int_eq(lrd_command_shape(&v, value, &arena), 0);
  if (mode == SAME) {
    check_wire(line, expected, in2, 2);
    check_wire(line, value, in2, 2);
  }
  resp_free(in2);
  resp_free(in3);
}

START_TEST(shapes_are_the_servers)
{
  unsigned char seen[LRD_COMMANDS] = { 0 };
  unsigned id;
  size_t i;

  for (i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    check_shape(shapes[i].line, shapes[i].mode);
    if (!strcmp(shapes[i].line, "MULTI")) {
      resp_free(call_line(client[2], "DISCARD"));
      resp_free(call_line(client[3], "DISCARD"));
    }
    seen[vector_of(&arena, shapes[i].line).command] = 1;
  }
  /* what subscribes is answered by messages: test/serve/check_pubsub */
  for (id = 1; id < LRD_COMMANDS; id++)
    ck_assert_msg(seen[id] || lrd_commands[id].flags & LRD_INTERNAL ||
                      (lrd_commands[id].flags & LRD_CHANNELS && lrd_commands[id].flags & LRD_SESSION),
                  "no case for %s", lrd_commands[id].name);
}
END_TEST

START_TEST(aborted_exec_is_a_nil_array)
{
  larder_vector v = vector_of(&arena, "EXEC");
  struct resp *reply;
  larder_value *value;

  resp_free(call_line(client[2], "WATCH w"));
  resp_free(call_line(client[3], "SET w 1"));
  resp_free(call_line(client[2], "MULTI"));
  reply = call_vector(client[2], &v);
  value = tree_of(reply);
  ck_assert_int_eq(lrd_command_shape(&v, value, &arena), 0);
  check_wire("EXEC", value, reply, 2);
  ck_assert_int_eq(reply->type, RESP_NIL_ARRAY);
  resp_free(reply);
}
END_TEST

/* The error replies of shape's table say nothing of the server. */
START_TEST(absence_is_the_servers)
{
  static const char *const gone[] = { "GET none", "GETDEL none", "GETEX none", "HGET h none",
    "ZSCORE z none", "ZRANK none x", "LPOP none", "RPOP none 3", "SPOP none", "TTL none",
    "PTTL none", "TYPE none", "SMEMBERS none", "HGETALL none", "LLEN none", "SCARD none",
    "HLEN none", "ZCARD none", "EXISTS none", "SISMEMBER m none", "EXPIRE none 1",
    "PEXPIRE none 1", "PEXPIREAT none 1" };
  static const char *const there[] = { "GET s", "HGET h f", "ZSCORE z a", "ZRANK z a", "LPOP l",
    "SPOP m", "TTL s", "PTTL s", "TYPE s", "SMEMBERS m", "HGETALL h", "LLEN l", "SCARD m",
    "HLEN h", "ZCARD z", "EXISTS s", "SISMEMBER m a", "EXPIRE s 100", "GET l", "HGETALL s" };
  struct resp *reply;
  larder_vector v;
  larder_value *value;
  size_t i, n = sizeof gone / sizeof gone[0];

  for (i = 0; i < n + sizeof there / sizeof there[0]; i++) {
    v = vector_of(&arena, i < n ? gone[i] : there[i - n]);
    prepare(client[2]);
    reply = call_vector(client[2], &v);
    value = tree_of(reply);
    ck_assert_int_eq(lrd_command_shape(&v, value, &arena), 0);
    ck_assert_msg(lrd_command_absent(&v, value) == (i < n), "%s", i < n ? gone[i] : there[i - n]);
    resp_free(reply);
  }
}
END_TEST

int main(void)
{
  Suite *s = suite_create("shape");
  TCase *t = tcase_create("shape");

  server_require();
  tcase_set_timeout(t, 120);
  tcase_add_unchecked_fixture(t, start_server, stop_server);
  tcase_add_checked_fixture(t, connect_clients, close_clients);
  tcase_add_test(t, shapes_are_the_servers);
  tcase_add_test(t, aborted_exec_is_a_nil_array);
  tcase_add_test(t, absence_is_the_servers);
  suite_add_tcase(s, t);
  return run_suite(s);
}
