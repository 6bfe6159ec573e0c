/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/engine.h"

#include "memory/t_engine.h"
#include "memory/t_types.h"

lrd_handler *const lrd_handlers[LRD_COMMANDS] = {
  [LRD_SELECT] = lrd_t_select,

  [LRD_GET] = lrd_t_get,
  [LRD_SET] = lrd_t_set,
  [LRD_GETDEL] = lrd_t_getdel,
  [LRD_GETEX] = lrd_t_getex,
  [LRD_MGET] = lrd_t_mget,
  [LRD_MSET] = lrd_t_mset,
  [LRD_APPEND] = lrd_t_append,
  [LRD_STRLEN] = lrd_t_strlen,
  [LRD_INCR] = lrd_t_incr,
  [LRD_DECR] = lrd_t_decr,
  [LRD_INCRBY] = lrd_t_incrby,
  [LRD_DECRBY] = lrd_t_decrby,

  [LRD_DEL] = lrd_t_del,
  [LRD_UNLINK] = lrd_t_del,
  [LRD_EXISTS] = lrd_t_exists,
  [LRD_TYPE] = lrd_t_type,
  [LRD_RENAME] = lrd_t_rename,
  [LRD_SCAN] = lrd_t_scan,
  [LRD_KEYS] = lrd_t_keys,
  [LRD_EXPIRE] = lrd_t_expire,
  [LRD_PEXPIRE] = lrd_t_pexpire,
  [LRD_PEXPIREAT] = lrd_t_pexpireat,
  [LRD_TTL] = lrd_t_ttl,
  [LRD_PTTL] = lrd_t_pttl,
  [LRD_PERSIST] = lrd_t_persist,
  [LRD_DBSIZE] = lrd_t_dbsize,
  [LRD_FLUSHDB] = lrd_t_flushdb,
  [LRD_FLUSHALL] = lrd_t_flushall,

  [LRD_HSET] = lrd_t_hset,
  [LRD_HGET] = lrd_t_hget,
  [LRD_HDEL] = lrd_t_hdel,
  [LRD_HGETALL] = lrd_t_hgetall,
  [LRD_HLEN] = lrd_t_hlen,
  [LRD_HINCRBY] = lrd_t_hincrby,

  [LRD_SADD] = lrd_t_sadd,
  [LRD_SREM] = lrd_t_srem,
  [LRD_SISMEMBER] = lrd_t_sismember,
  [LRD_SMEMBERS] = lrd_t_smembers,
  [LRD_SCARD] = lrd_t_scard,
  [LRD_SPOP] = lrd_t_spop,

  [LRD_LPUSH] = lrd_t_lpush,
  [LRD_RPUSH] = lrd_t_rpush,
  [LRD_LPOP] = lrd_t_lpop,
  [LRD_RPOP] = lrd_t_rpop,
  [LRD_LLEN] = lrd_t_llen,
  [LRD_LRANGE] = lrd_t_lrange,

  [LRD_ZADD] = lrd_t_zadd,
  [LRD_ZREM] = lrd_t_zrem,
  [LRD_ZSCORE] = lrd_t_zscore,
  [LRD_ZINCRBY] = lrd_t_zincrby,
  [LRD_ZCARD] = lrd_t_zcard,
  [LRD_ZRANK] = lrd_t_zrank,
  [LRD_ZRANGE] = lrd_t_zrange,
  [LRD_ZREMRANGEBYSCORE] = lrd_t_zremrangebyscore,
  [LRD_ZPOPMIN] = lrd_t_zpopmin,

  [LRD_WATCH] = lrd_t_watch,
  [LRD_UNWATCH] = lrd_t_unwatch,
  [LRD_PING] = lrd_t_ping,
  [LRD_ECHO] = lrd_t_echo,
  [LRD_TIME] = lrd_t_time,
  [LRD_CONFIG] = lrd_t_config,
  [LRD_OBJECT] = lrd_t_object,
  [LRD_INFO] = lrd_t_info,

  [LRD_LARDER_FORGET] = lrd_t_forget,
  [LRD_LARDER_REBUILD] = lrd_t_rebuild,
};
