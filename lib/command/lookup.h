/* SPDX-License-Identifier: BSD-2-Clause */
/* Made by lookup.awk from list.h: do not edit. */

enum { LOOKUP_GROUPS = 64, LOOKUP_SLOTS = 128 };

static const unsigned short lookup_shift[LOOKUP_GROUPS] = {
  0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 1, 0, 0,
  0, 2, 0, 1, 0, 0, 2, 1, 2, 0, 0, 0, 0, 0, 0, 0,
  0, 2, 1, 2, 1, 0, 0, 0, 0, 2, 0, 2, 0, 0, 0, 4,
  5, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 3, 0, 8,
};

static const unsigned short lookup_slot[LOOKUP_SLOTS] = {
  [2] = LRD_WATCH,
  [5] = LRD_MGET,
  [6] = LRD_HELLO,
  [7] = LRD_TIME,
  [11] = LRD_KEYS,
  [13] = LRD_MULTI,
  [14] = LRD_INCRBY,
  [15] = LRD_HGET,
  [16] = LRD_GET,
  [17] = LRD_PEXPIRE,
  [18] = LRD_SMEMBERS,
  [22] = LRD_ZSCORE,
  [24] = LRD_TYPE,
  [25] = LRD_RPUSH,
  [26] = LRD_EXISTS,
  [27] = LRD_RPOP,
  [28] = LRD_EXEC,
  [33] = LRD_SCARD,
  [34] = LRD_ZADD,
  [37] = LRD_DECR,
  [41] = LRD_LLEN,
  [42] = LRD_GETEX,
  [43] = LRD_AUTH,
  [46] = LRD_ZREMRANGEBYSCORE,
  [50] = LRD_HGETALL,
  [52] = LRD_STRLEN,
  [53] = LRD_GETDEL,
  [54] = LRD_ZRANK,
  [55] = LRD_INFO,
  [56] = LRD_ECHO,
  [57] = LRD_FLUSHALL,
  [58] = LRD_INCR,
  [59] = LRD_HINCRBY,
  [60] = LRD_ZRANGE,
  [61] = LRD_COMMAND,
  [62] = LRD_QUIT,
  [64] = LRD_PING,
  [65] = LRD_SISMEMBER,
  [66] = LRD_DISCARD,
  [68] = LRD_OBJECT,
  [69] = LRD_ZREM,
  [72] = LRD_SADD,
  [73] = LRD_EXPIRE,
  [76] = LRD_CLIENT,
  [77] = LRD_SPOP,
  [78] = LRD_LPUSH,
  [79] = LRD_ZCARD,
  [82] = LRD_ZINCRBY,
  [83] = LRD_DBSIZE,
  [84] = LRD_MSET,
  [85] = LRD_SELECT,
  [86] = LRD_RENAME,
  [87] = LRD_ZPOPMIN,
  [88] = LRD_UNLINK,
  [89] = LRD_PERSIST,
  [90] = LRD_FLUSHDB,
  [91] = LRD_HDEL,
  [92] = LRD_HSET,
  [93] = LRD_DEL,
  [94] = LRD_SET,
  [95] = LRD_LRANGE,
  [99] = LRD_HLEN,
  [105] = LRD_APPEND,
  [106] = LRD_SCAN,
  [108] = LRD_SREM,
  [110] = LRD_DECRBY,
  [113] = LRD_UNWATCH,
  [114] = LRD_LPOP,
  [116] = LRD_TTL,
  [119] = LRD_CONFIG,
  [126] = LRD_PEXPIREAT,
  [127] = LRD_PTTL,
};

/* The only command that can have that name, in either case, or 0. */
static inline unsigned lookup(const unsigned char *s, size_t len)
{
  unsigned hash = (unsigned)len;

  if (len > 16)
    return 0;
  for (size_t i = 0; i < len; i++)
    hash = hash * 33 + (s[i] & 31u);
  return lookup_slot[(hash / LOOKUP_GROUPS + lookup_shift[hash % LOOKUP_GROUPS]) % LOOKUP_SLOTS];
}
