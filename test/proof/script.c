/* SPDX-License-Identifier: BSD-2-Clause */
#include "proof/script.h"

#include <string.h>

static const struct {
  const char *key, *command[2];
} world[] = {
  { "str", { "SET str hello" } },
  { "int", { "SET int 41" } },
  { "float", { "SET float 1.5" } },
  { "long", { "SET long LONG" } },
  { "grown", { "SET grown 5", "APPEND grown 0" } },
  { "exp", { "SET exp v PX 100000" } },
  { "intexp", { "SET intexp 41 PX 100000" } },
  { "list", { "RPUSH list a b c a" } },
  { "numbers", { "RPUSH numbers 3 1 2" } },
  { "biglist", { "RPUSH biglist {element-#-LONG} <60>" } },
  { "set", { "SADD set a b c" } },
  { "set2", { "SADD set2 b c d" } },
  { "ints", { "SADD ints 1 2 3" } },
  { "edgeints", { "SADD edgeints {#} <512>" } },
  { "edgeset", { "SADD edgeset {m#} <128>" } },
  { "bigset", { "SADD bigset {member-#} <300>" } },
  { "hash", { "HSET hash f v n 1 r 1.5" } },
  { "edgehash", { "HSET edgehash {f# v} <128>" } },
  { "bighash", { "HSET bighash {field-# value} <300>" } },
  { "zset", { "ZADD zset 1 a 2 b 3 c" } },
  { "zset2", { "ZADD zset2 2 b 3 c 4 d" } },
  { "edgezset", { "ZADD edgezset {# m#} <128>" } },
  { "bigzset", { "ZADD bigzset {# member-#} <300>" } },
  { "lexset", { "ZADD lexset 0 a 0 b 0 c" } },
  { "setexp", { "SADD setexp a b", "PEXPIRE setexp 100000" } },
  { "stream", { "XADD stream 1-1 f v", "XADD stream 2-1 f w" } },
  { "bigstream", { "XADD bigstream 1-1 f LONG", "XADD bigstream 2-1 f LONG" } },
  { "grouped", { "XADD grouped 1-1 f v", "XGROUP CREATE grouped g 0" } },
  { "hll", { "PFADD hll a b c" } },
  { "hll2", { "PFADD hll2 c d" } },
  { "bits", { "SETBIT bits 100 1" } },
  { "geo", { "GEOADD geo 13.36 38.11 palermo 15.08 37.50 catania" } },
};

size_t script_world(const char *key, const char *commands[2])
{
  for (size_t i = 0; i < sizeof world / sizeof *world; i++)
    if (!strcmp(world[i].key, key)) {
      commands[0] = world[i].command[0];
      commands[1] = world[i].command[1];
      return commands[1] ? 2 : 1;
    }
  return 0;
}

const char *const script_lines[] = {
  /* strings */
  "get: str", "get: int", "get: long", "get: none", "get: list", "get: exp",
  "set: none v", "set: str LONG", "set: long v", "set: str v 1000", "set: exp LONG", "set: list v",
  "set: none LONG 1000",
  "GET str", "GET int", "GET long", "GET none", "GET list", "GET exp",
  "SET none v", "SET none LONG", "SET str LONG", "SET long 5", "SET str v EX 10", "SET int 7",
  "SET exp LONG KEEPTTL", "SET list v", "SET bigset v", "SET long v GET", "SET none v GET",
  "SET none v NX", "SET str v NX", "SET str w XX", "SET none w XX", "SET none v PXAT 1800000000000",
  "SET none v EXAT 1", "SET str w NX GET", "SET list v GET",
  "SETNX none v", "SETEX none 10 v", "PSETEX str 10000 LONG",
  "GETSET str LONG", "GETSET none v", "GETDEL long", "GETDEL none", "GETEX long EX 10",
  "GETEX exp PERSIST", "GETEX exp EXAT 1", "GETEX str",
  "MGET str int none list", "MGET long str",
  "MSET str LONG none 1 none2 2 str 3", "MSETNX none 1 none2 2", "MSETNX none 1 str 2",
  "MSET k1 1 k2 2 k3 3 k4 4 k5 5 k6 6 k7 7 k8 8 k9 9 k10 0 k11 1 k12 2 k13 3",
  "APPEND str LONG", "APPEND int 0", "APPEND intexp LONG", "APPEND none LONG", "APPEND str x",
  "STRLEN str", "GETRANGE long 1 200", "SUBSTR str 0 1", "SETRANGE str 400 x", "SETRANGE none 5 x",
  "SETRANGE int 1 0", "INCR int", "INCR none", "INCR grown", "INCR str", "DECR int",
  "INCRBY intexp 5", "DECRBY int 5", "DECRBY none 5", "INCRBYFLOAT float 1.25",
  "INCRBYFLOAT none 0.5", "INCRBYFLOAT intexp 1e5", "LCS str long", "LCS str long LEN",
  "LCS str long IDX WITHMATCHLEN",
  "SETBIT bits 9000 1", "SETBIT none 7 1", "SETBIT str 1 1", "GETBIT bits 100", "BITCOUNT bits",
  "BITCOUNT bits 0 -1 BIT", "BITPOS bits 1", "BITOP AND none bits str", "BITOP NOT bits str",
  "BITOP XOR str bits long", "BITFIELD bits SET u8 0 255 GET u4 8 INCRBY i16 600 1",
  "BITFIELD none OVERFLOW SAT SET u8 0 300", "BITFIELD_RO bits GET u8 0",
  "PFADD hll d e f", "PFADD none a", "PFCOUNT hll", "PFCOUNT hll hll2", "PFMERGE none hll hll2",
  "PFMERGE hll hll2", "PFDEBUG ENCODING hll", "PFSELFTEST",

  /* lists */
  "LPUSH list x", "LPUSH none x LONG", "RPUSH list x y", "RPUSH biglist LONG LONG LONG",
  "RPUSH none a b c", "LPUSH list LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG",
  "LPUSHX list x", "RPUSHX none x", "RPUSHX list LONG", "LPOP list", "LPOP biglist 30",
  "LPOP list 10", "RPOP list", "RPOP biglist 2", "LPOP none", "LLEN list", "LRANGE list 0 -1",
  "LRANGE biglist 5 40", "LINDEX biglist 30", "LSET list 1 LONG", "LSET biglist 30 x",
  "LINSERT list BEFORE b x", "LINSERT biglist AFTER element-30-LONG LONG", "LREM list 0 a",
  "LREM biglist 1 element-30-LONG", "LTRIM list 1 2", "LTRIM biglist 20 40", "LTRIM list 5 1",
  "LPOS list a", "LPOS list a COUNT 0 RANK -1", "RPOPLPUSH list none", "RPOPLPUSH list list",
  "RPOPLPUSH biglist list", "LMOVE list none LEFT RIGHT", "LMOVE biglist list RIGHT LEFT",
  "LMPOP 2 none list LEFT COUNT 2", "BLPOP list 0.01", "BRPOP none list 0.01", "BLPOP none 0.01",
  "BRPOPLPUSH list none 0.01", "BLMOVE list none LEFT LEFT 0.01",
  "BLMPOP 0.01 2 none list RIGHT", "SORT numbers DESC", "SORT numbers LIMIT 0 2 STORE none",
  "SORT list ALPHA GET # GET nosuch_*", "SORT bigset ALPHA", "SORT_RO numbers",

  /* sets */
  "SADD set x", "SADD none x", "SADD none 1 2", "SADD set a", "SADD ints 4 5", "SADD ints x",
  "SADD edgeints 9999", "SADD edgeints x", "SADD edgeset x", "SADD bigset x y z", "SADD set LONG",
  "SREM set a x", "SREM ints 1", "SREM bigset member-3", "SREM set a b c", "SISMEMBER set a",
  "SISMEMBER bigset x", "SMISMEMBER set a x", "SMEMBERS set", "SMEMBERS ints", "SMEMBERS bigset",
  "SCARD set", "~SPOP set", "~SPOP bigset 10", "SPOP set 100", "SPOP bigset 1000", "SPOP none",
  "~SPOP ints 2", "SRANDMEMBER set", "SRANDMEMBER bigset 5", "SRANDMEMBER ints -20",
  "SMOVE set set2 a", "SMOVE set none a", "SMOVE bigset set member-1", "SMOVE ints set 1",
  "SINTER set set2", "SINTER bigset edgeset", "SINTERCARD 2 set set2 LIMIT 1", "SUNION set set2",
  "SUNION ints bigset", "SDIFF set set2", "SINTERSTORE none set set2", "SUNIONSTORE set set2 ints",
  "SUNIONSTORE none bigset edgeints", "SDIFFSTORE str set set2", "SINTERSTORE bigset set none",
  "SSCAN set 0", "SSCAN bigset 0 COUNT 50 MATCH member-1*",

  /* hashes */
  "HSET hash f w", "HSET hash g LONG", "HSET none f v g w", "HSET edgehash x v",
  "HSET bighash x v field-1 LONG y w", "HSET edgehash f1 LONG", "HMSET hash a 1 b 2",
  "HSETNX hash f w", "HSETNX hash x LONG", "HSETNX none x v", "HGET hash f", "HGET bighash field-7",
  "HMGET hash f x n", "HDEL hash f x", "HDEL hash f n r", "HDEL bighash field-1 field-2",
  "HGETALL hash", "HGETALL bighash", "HKEYS hash", "HVALS bighash", "HLEN hash", "HEXISTS hash f",
  "HSTRLEN hash f", "HINCRBY hash n 5", "HINCRBY hash x 5", "HINCRBY none n 5", "HINCRBY hash f 1",
  "HINCRBY bighash x 1", "HINCRBY edgehash x 1", "HINCRBYFLOAT hash r 0.25",
  "HINCRBYFLOAT none r 0.25", "HRANDFIELD hash", "HRANDFIELD hash 2 WITHVALUES",
  "HRANDFIELD bighash -20", "HSCAN hash 0", "HSCAN bighash 0 COUNT 50",

  /* sorted sets */
  "ZADD zset 4 d", "ZADD none 1 a 2 b", "ZADD zset 9 a", "ZADD zset XX CH 9 a 8 x",
  "ZADD zset GT 0 a", "ZADD zset NX 5 a 6 e", "ZADD zset INCR 5 a", "ZADD none INCR 5 a",
  "ZADD edgezset 5.5 x", "ZADD edgezset 5 LONG", "ZADD bigzset 150.5 x 7 y", "ZADD bigzset 900 member-1",
  "ZREM zset a x", "ZREM zset a b c", "ZREM bigzset member-1 member-200", "ZSCORE zset a",
  "ZMSCORE zset a x", "ZINCRBY zset 2 a", "ZINCRBY zset 2 x", "ZINCRBY none 1 a",
  "ZINCRBY bigzset 1000 member-1", "ZINCRBY edgezset 1 x", "ZCARD zset", "ZCOUNT bigzset 10 20",
  "ZLEXCOUNT lexset - +", "ZRANK zset b", "ZRANK bigzset member-50", "ZREVRANK zset b",
  "ZRANGE zset 0 -1", "ZRANGE bigzset 0 -1 REV WITHSCORES", "ZRANGE bigzset 10 50 BYSCORE LIMIT 2 5",
  "ZRANGE lexset [a [b BYLEX", "ZREVRANGE zset 0 -1 WITHSCORES", "ZRANGEBYSCORE bigzset 10 (20",
  "ZREVRANGEBYSCORE zset +inf -inf WITHSCORES", "ZRANGEBYLEX lexset - (c", "ZREVRANGEBYLEX lexset + -",
  "ZRANGESTORE none zset 0 1", "ZRANGESTORE zset bigzset 0 -1", "ZRANGESTORE none bigzset 5 9 BYSCORE",
  "ZREMRANGEBYSCORE zset 1 2", "ZREMRANGEBYSCORE bigzset -inf 250", "ZREMRANGEBYSCORE zset -inf inf",
  "ZREMRANGEBYRANK zset 0 1", "ZREMRANGEBYRANK bigzset 5 290", "ZREMRANGEBYLEX lexset [a [b",
  "ZPOPMIN zset", "ZPOPMIN bigzset 50", "ZPOPMIN zset 10", "ZPOPMAX zset 2", "ZPOPMAX bigzset",
  "BZPOPMIN zset 0.01", "BZPOPMAX none zset 0.01", "ZMPOP 2 none zset MIN COUNT 2",
  "BZMPOP 0.01 1 zset MAX", "ZRANDMEMBER zset", "ZRANDMEMBER bigzset 5 WITHSCORES",
  "ZRANDMEMBER zset -10", "ZSCAN zset 0", "ZSCAN bigzset 0 COUNT 50",
  "ZUNION 2 zset zset2 WITHSCORES", "ZINTER 2 zset zset2 WEIGHTS 2 3", "ZDIFF 2 zset zset2",
  "ZINTERCARD 2 zset zset2", "ZUNIONSTORE none 2 zset set WEIGHTS 1 2 AGGREGATE MAX",
  "ZUNIONSTORE zset 2 zset bigzset", "ZINTERSTORE none 2 zset zset2", "ZINTERSTORE str 2 zset zset2",
  "ZDIFFSTORE none 2 bigzset zset", "ZUNIONSTORE none 1 bigset",

  /* places */
  "GEOADD geo 2.35 48.85 paris", "GEOADD none NX CH 2.35 48.85 paris", "GEODIST geo palermo catania km",
  "GEOHASH geo palermo none", "GEOPOS geo palermo none",
  "GEOSEARCH geo FROMLONLAT 15 37 BYRADIUS 200 km ASC WITHCOORD WITHDIST",
  "GEOSEARCH geo FROMMEMBER palermo BYBOX 400 400 km COUNT 1 ANY",
  "GEOSEARCHSTORE none geo FROMLONLAT 15 37 BYRADIUS 200 km", "GEORADIUS geo 15 37 200 km WITHDIST",
  "GEORADIUS geo 15 37 200 km STORE none", "GEORADIUS_RO geo 15 37 200 km",
  "GEORADIUSBYMEMBER geo palermo 200 km", "GEORADIUSBYMEMBER_RO geo palermo 200 km",

  /* streams */
  "XADD stream 3-1 f v g LONG", "XADD none 1-1 f v", "XADD stream MAXLEN 1 5-5 f v",
  "XADD none NOMKSTREAM 1-1 f v", "XADD bigstream 9-1 a LONG b LONG c LONG", "XLEN stream",
  "XRANGE stream - +", "XREVRANGE stream + - COUNT 1", "XDEL stream 1-1", "XDEL stream 1-1 2-1",
  "XTRIM stream MAXLEN 1", "XTRIM bigstream MINID 2", "XREAD COUNT 1 STREAMS stream 0",
  "XSETID stream 9-9", "XGROUP CREATE stream g 0", "XGROUP CREATE none g $ MKSTREAM",
  "XGROUP CREATECONSUMER grouped g c", "XGROUP DESTROY grouped g", "XGROUP SETID grouped g 0",
  "XGROUP DELCONSUMER grouped g c", "XREADGROUP GROUP g c COUNT 1 STREAMS grouped >",
  "XREADGROUP GROUP g LONG NOACK STREAMS grouped >", "XACK grouped g 1-1", "XPENDING grouped g",
  "XPENDING grouped g - + 10", "XCLAIM grouped g c 0 1-1 FORCE", "XAUTOCLAIM grouped g c 0 0",
  "XINFO STREAM stream", "XINFO STREAM grouped FULL", "XINFO GROUPS grouped",
  "XINFO CONSUMERS grouped g",
  "session: XREADGROUP GROUP g c STREAMS grouped >; XACK grouped g 1-1",

  /* keys */
  "DEL str list none set", "DEL bigset bighash bigzset", "DEL exp setexp", "UNLINK biglist str",
  "EXISTS str none str", "TOUCH str none", "TYPE zset", "RENAME str none", "RENAME long exp",
  "RENAME setexp list", "RENAME exp none", "RENAME none str", "RENAME bigset bigset",
  "RENAMENX str none", "RENAMENX str list", "COPY long none", "COPY str list REPLACE",
  "COPY bigset none", "COPY biglist none", "COPY bighash none", "COPY bigzset none", "COPY set none DB 1",
  "COPY stream none", "COPY setexp none", "COPY zset none", "COPY hash none", "COPY ints none",
  "MOVE str 1", "MOVE setexp 1", "MOVE bigzset 1", "MOVE none 1",
  "EXPIRE str 10", "EXPIRE set 10", "EXPIRE exp 10", "EXPIRE str -1", "EXPIRE exp 10 NX",
  "EXPIRE long 20 XX", "PEXPIRE bigset 1000", "EXPIREAT str 1900000000", "PEXPIREAT str 1900000000000",
  "PEXPIREAT exp 1", "TTL exp", "PTTL str", "EXPIRETIME exp", "PEXPIRETIME exp", "PERSIST exp",
  "PERSIST str", "KEYS *", "SCAN 0 COUNT 100", "SCAN 0 MATCH s* TYPE string", "RANDOMKEY", "DBSIZE",
  "OBJECT ENCODING bigset", "OBJECT REFCOUNT str", "OBJECT IDLETIME str", "OBJECT FREQ str",
  "OBJECT HELP", "DUMP str", "DUMP bighash", "DUMP none", "RESTORE none 0 junk",
  "SWAPDB 0 1", "WAIT 0 10", "MEMORY USAGE bighash", "MEMORY DOCTOR", "MEMORY STATS",
  "FLUSHDB", "FLUSHDB ASYNC", "FLUSHALL", "FLUSHALL SYNC",
  "atomic: FLUSHALL; SET str x; SADD set y", "atomic: SET str x; FLUSHDB ASYNC",

  /* the server and the conversation */
  "PING", "PING LONG", "ECHO LONG", "TIME", "INFO", "INFO memory", "LASTSAVE", "ROLE", "LOLWUT",
  "COMMAND", "COMMAND COUNT", "COMMAND INFO get set", "COMMAND DOCS get", "COMMAND LIST",
  "COMMAND GETKEYS MSET a 1 b 2", "CONFIG GET *", "CONFIG SET maxmemory 0", "CONFIG RESETSTAT",
  "CONFIG REWRITE", "SLOWLOG GET", "SLOWLOG LEN", "SLOWLOG RESET", "LATENCY RESET", "LATENCY LATEST",
  "DEBUG SLEEP 0", "SAVE", "BGSAVE", "BGREWRITEAOF", "ACL WHOAMI", "ACL LIST", "ACL CAT",
  "READONLY", "READWRITE", "ASKING", "PUBLISH channel LONG", "SPUBLISH channel x",
  "PUBSUB CHANNELS", "PUBSUB NUMSUB channel", "EVAL return 0", "EVALSHA 0 0", "EVAL_RO return 0",
  "EVALSHA_RO 0 0", "SCRIPT FLUSH", "FUNCTION LIST", "FCALL f 0", "FCALL_RO f 0", "MONITOR",
  "session: SELECT 1; SET str x", "session: SELECT 99", "session: PING; QUIT", "session: HELLO 3",
  "session: HELLO 3 SETNAME LONG", "session: AUTH default x", "session: AUTH x",
  "session: CLIENT SETNAME LONG; CLIENT GETNAME", "session: CLIENT ID; CLIENT LIST; CLIENT INFO",
  "session: RESET", "session: SUBSCRIBE channel; UNSUBSCRIBE channel",
  "session: PSUBSCRIBE c*; PUNSUBSCRIBE", "session: SSUBSCRIBE channel; SUNSUBSCRIBE channel",
  "session: WATCH str list none str; UNWATCH",

  /* several */
  "batch: GET str; SET none LONG; LPUSH list x; GET none",
  "batch: MSET a 1 b 2; INCR int; SADD edgeints x; HSET edgehash x v; ZADD edgezset 1 x",
  "atomic: GET str; GET int", "atomic: SET none LONG; INCR int; LPUSH list x",
  "atomic: SET str LONG; RENAME str none; EXPIRE none 10; GET none",
  "atomic: SADD edgeints x; HSET edgehash x v; ZADD edgezset 1 x; RPUSH biglist LONG LONG",
  "atomic: DEL bigset; SADD bigset x; SET long 5; APPEND int LONG", "atomic: DEL str; INCR list; SET none v",
  "atomic: ZPOPMIN bigzset 50; LPOP biglist 5; HGETALL bighash",
  "atomic: SREM set a b c; HDEL hash f n r; SMEMBERS bigset",
  "session: MULTI; SET str LONG; HSET none f v; EXEC", "session: MULTI; INCR int; DISCARD",
  "session: WATCH str none; MULTI; SET none LONG; GETDEL str; EXEC",
  "session: MULTI; SELECT 1; SET str LONG; SELECT 0; DEL list; EXEC",
  "session: MULTI; ZADD edgezset 1 x; PEXPIRE exp 5000; INCR intexp; EXEC",
  "async: SET none LONG", "async: GET long", "async: SADD edgeints x", "async: DEL bigset str",
  "async: INCR list",
};

const size_t script_count = sizeof script_lines / sizeof *script_lines;
