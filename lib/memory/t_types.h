/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_T_TYPES_H
#define LRD_MEMORY_T_TYPES_H

#include "memory/engine.h"

/* The handlers of the collection types' commands: one file per type, t_<type>.c. */

lrd_handler lrd_t_hset, lrd_t_hget, lrd_t_hdel, lrd_t_hgetall, lrd_t_hlen, lrd_t_hincrby,
    lrd_t_hmset, lrd_t_hsetnx, lrd_t_hincrbyfloat, lrd_t_hexists, lrd_t_hstrlen, lrd_t_hmget,
    lrd_t_hkeys, lrd_t_hvals, lrd_t_hrandfield, lrd_t_hscan;

lrd_handler lrd_t_sadd, lrd_t_srem, lrd_t_sismember, lrd_t_smembers, lrd_t_scard, lrd_t_spop, lrd_t_sscan;

lrd_handler lrd_t_lpush, lrd_t_rpush, lrd_t_lpop, lrd_t_rpop, lrd_t_llen, lrd_t_lrange;

lrd_handler lrd_t_zadd, lrd_t_zincrby, lrd_t_zrem, lrd_t_zremrangebyscore, lrd_t_zscore,
    lrd_t_zcard, lrd_t_zrank, lrd_t_zrange, lrd_t_zpopmin, lrd_t_zscan;

#endif
