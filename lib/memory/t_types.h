/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_T_TYPES_H
#define LRD_MEMORY_T_TYPES_H

#include "memory/engine.h"

/* The handlers of the collection types' commands: one file per type, t_<type>.c. */

lrd_handler lrd_t_hset, lrd_t_hget, lrd_t_hdel, lrd_t_hgetall, lrd_t_hlen, lrd_t_hincrby,
    lrd_t_hmset, lrd_t_hsetnx, lrd_t_hincrbyfloat, lrd_t_hexists, lrd_t_hstrlen, lrd_t_hmget,
    lrd_t_hkeys, lrd_t_hvals, lrd_t_hrandfield, lrd_t_hscan;

lrd_handler lrd_t_sadd, lrd_t_srem, lrd_t_sismember, lrd_t_smembers, lrd_t_scard, lrd_t_spop,
    lrd_t_sscan, lrd_t_sinter, lrd_t_sunion, lrd_t_sdiff, lrd_t_sinterstore, lrd_t_sunionstore,
    lrd_t_sdiffstore, lrd_t_sintercard, lrd_t_smismember, lrd_t_smove, lrd_t_srandmember;

lrd_handler lrd_t_lpush, lrd_t_rpush, lrd_t_lpop, lrd_t_rpop, lrd_t_llen, lrd_t_lrange,
    lrd_t_lindex, lrd_t_lpos, lrd_t_lset, lrd_t_linsert, lrd_t_lrem, lrd_t_ltrim, lrd_t_lpushx,
    lrd_t_rpushx, lrd_t_lmove, lrd_t_rpoplpush, lrd_t_lmpop, lrd_t_blpop, lrd_t_brpop,
    lrd_t_blmove, lrd_t_brpoplpush, lrd_t_blmpop;

lrd_handler lrd_t_zadd, lrd_t_zincrby, lrd_t_zrem, lrd_t_zremrangebyscore, lrd_t_zscore,
    lrd_t_zcard, lrd_t_zrank, lrd_t_zrange, lrd_t_zpopmin, lrd_t_zscan, lrd_t_zpopmax,
    lrd_t_zmpop, lrd_t_bzpopmin, lrd_t_bzpopmax, lrd_t_bzmpop, lrd_t_zrevrange, lrd_t_zrangebyscore, lrd_t_zrevrangebyscore, lrd_t_zrangebylex,
    lrd_t_zrevrangebylex, lrd_t_zcount, lrd_t_zlexcount, lrd_t_zremrangebyrank,
    lrd_t_zremrangebylex, lrd_t_zrevrank, lrd_t_zmscore,
    lrd_t_zinter, lrd_t_zunion, lrd_t_zdiff, lrd_t_zinterstore, lrd_t_zunionstore,
    lrd_t_zdiffstore, lrd_t_zintercard, lrd_t_zrangestore, lrd_t_zrandmember;

lrd_handler lrd_t_sort;

/* --- what they share ------------------------------------------------------- */

/* Makes a key a collection that expires at (-1: never); value NULL: deletes it.  The value is
 * the engine's from here on.  0: no memory, replied. */
int lrd_store(struct lrd_exec *, larder_bytes key, enum lrd_kind, void *value, int64_t expiry);

/* Arguments; 0: replied.  keys: a positive number; last_count: what may follow the key alone, 1
 * if it does not; pop_count: "COUNT n" or nothing from there to the end; card: those of
 * SINTERCARD; random: a number of choices. */
int lrd_argument_keys(struct lrd_exec *, int at, int64_t *n);
int lrd_argument_last_count(struct lrd_exec *, const char *too_many, int64_t *count);
int lrd_argument_pop_count(struct lrd_exec *, int at, int64_t *count);
int lrd_argument_card(struct lrd_exec *, int64_t *keys, int64_t *limit);
int lrd_argument_random(struct lrd_exec *, int64_t *count);

#endif
