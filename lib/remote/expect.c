/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/expect.h"

#include "command/command.h"

/* What RESP2 and RESP3 tell apart and a command does not mix up. */
enum {
  NIL = 1 << 0,
  TEXT = 1 << 1,   /* bulk strings, doubles */
  STATUS = 1 << 2,
  INTEGER = 1 << 3,
  LIST = 1 << 4    /* arrays, maps, sets */
};

static const unsigned char replies[LRD_COMMANDS] = {
  [LRD_GET] = TEXT | NIL,
  [LRD_SET] = STATUS | TEXT | NIL,
  [LRD_GETDEL] = TEXT | NIL,
  [LRD_GETEX] = TEXT | NIL,
  [LRD_MGET] = LIST,
  [LRD_MSET] = STATUS,
  [LRD_APPEND] = INTEGER,
  [LRD_STRLEN] = INTEGER,
  [LRD_INCR] = INTEGER,
  [LRD_DECR] = INTEGER,
  [LRD_INCRBY] = INTEGER,
  [LRD_DECRBY] = INTEGER,
  [LRD_DEL] = INTEGER,
  [LRD_UNLINK] = INTEGER,
  [LRD_EXISTS] = INTEGER,
  [LRD_TYPE] = STATUS,
  [LRD_RENAME] = STATUS,
  [LRD_SCAN] = LIST,
  [LRD_KEYS] = LIST,
  [LRD_EXPIRE] = INTEGER,
  [LRD_PEXPIRE] = INTEGER,
  [LRD_PEXPIREAT] = INTEGER,
  [LRD_TTL] = INTEGER,
  [LRD_PTTL] = INTEGER,
  [LRD_PERSIST] = INTEGER,
  [LRD_DBSIZE] = INTEGER,
  [LRD_FLUSHDB] = STATUS,
  [LRD_FLUSHALL] = STATUS,
  [LRD_HSET] = INTEGER,
  [LRD_HGET] = TEXT | NIL,
  [LRD_HDEL] = INTEGER,
  [LRD_HGETALL] = LIST,
  [LRD_HLEN] = INTEGER,
  [LRD_HINCRBY] = INTEGER,
  [LRD_SADD] = INTEGER,
  [LRD_SREM] = INTEGER,
  [LRD_SISMEMBER] = INTEGER,
  [LRD_SMEMBERS] = LIST,
  [LRD_SCARD] = INTEGER,
  [LRD_SPOP] = TEXT | NIL | LIST,
  [LRD_LPUSH] = INTEGER,
  [LRD_RPUSH] = INTEGER,
  [LRD_LPOP] = TEXT | NIL | LIST,
  [LRD_RPOP] = TEXT | NIL | LIST,
  [LRD_LLEN] = INTEGER,
  [LRD_LRANGE] = LIST,
  [LRD_ZADD] = INTEGER | TEXT | NIL,
  [LRD_ZREM] = INTEGER,
  [LRD_ZSCORE] = TEXT | NIL,
  [LRD_ZINCRBY] = TEXT,
  [LRD_ZCARD] = INTEGER,
  [LRD_ZRANK] = INTEGER | NIL | LIST,
  [LRD_ZRANGE] = LIST,
  [LRD_ZREMRANGEBYSCORE] = INTEGER,
  [LRD_ZPOPMIN] = LIST,
  [LRD_WATCH] = STATUS,
  [LRD_UNWATCH] = STATUS,
  [LRD_ECHO] = TEXT,
  [LRD_TIME] = LIST,
};

static unsigned kind_of(const larder_value *v)
{
  switch (v->type) {
  case LARDER_NIL:
    return NIL;
  case LARDER_STATUS:
    return STATUS;
  case LARDER_INTEGER:
  case LARDER_BOOLEAN:
    return INTEGER;
  case LARDER_ARRAY:
  case LARDER_MAP:
  case LARDER_SET:
  case LARDER_PUSH:
    return LIST;
  default:
    return TEXT;
  }
}

int lrd_reply_fits(const larder_vector *v, const larder_value *value)
{
  unsigned fits = v->command < LRD_COMMANDS ? replies[v->command] : 0;
  return value->type == LARDER_ERROR || !fits || (kind_of(value) & fits) != 0;
}
