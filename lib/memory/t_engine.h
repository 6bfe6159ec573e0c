/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_T_ENGINE_H
#define LRD_MEMORY_T_ENGINE_H

#include "memory/engine.h"

/* The handlers of what is not about a collection: t_<group>.c. */

lrd_handler lrd_t_get, lrd_t_set, lrd_t_getdel, lrd_t_getex, lrd_t_mget, lrd_t_mset, lrd_t_append,
    lrd_t_strlen, lrd_t_incr, lrd_t_decr, lrd_t_incrby, lrd_t_decrby;

lrd_handler lrd_t_getrange, lrd_t_setrange, lrd_t_setnx, lrd_t_setex, lrd_t_psetex, lrd_t_getset,
    lrd_t_msetnx, lrd_t_incrbyfloat, lrd_t_lcs;

lrd_handler lrd_t_del, lrd_t_exists, lrd_t_type, lrd_t_rename;

lrd_handler lrd_t_renamenx, lrd_t_expireat, lrd_t_expiretime, lrd_t_pexpiretime;

lrd_handler lrd_t_expire, lrd_t_pexpire, lrd_t_pexpireat, lrd_t_ttl, lrd_t_pttl, lrd_t_persist;

lrd_handler lrd_t_dump, lrd_t_restore;

lrd_handler lrd_t_copy, lrd_t_move, lrd_t_swapdb, lrd_t_randomkey;

lrd_handler lrd_t_scan, lrd_t_keys, lrd_t_dbsize, lrd_t_flushdb, lrd_t_flushall;

lrd_handler lrd_t_watch, lrd_t_unwatch;

lrd_handler lrd_t_select, lrd_t_ping, lrd_t_echo, lrd_t_time, lrd_t_info;

lrd_handler lrd_t_config, lrd_t_object;

lrd_handler lrd_t_publish, lrd_t_spublish, lrd_t_pubsub;

lrd_handler lrd_t_forget, lrd_t_rebuild;

/* t_info.c: CONFIG RESETSTAT. */
void lrd_info_reset(struct lrd_exec *);

/* --- what they share -------------------------------------------------------- */

/* "EX 10", "PXAT ...": a positive time as absolute wall ms.  0: replied. */
enum lrd_time_unit { LRD_SECONDS, LRD_MILLISECONDS };
int lrd_argument_expiry(struct lrd_exec *, int i, enum lrd_time_unit, int absolute, int64_t *at);
/* A cursor of the SCAN family.  0: replied. */
int lrd_argument_cursor(struct lrd_exec *, larder_bytes text, uint64_t *cursor);
void lrd_expiry_error(struct lrd_exec *);

/* HELP: lines as Redis replies them; ended by NULL. */
void lrd_reply_lines(struct lrd_exec *, const char *const *lines);

/* A string's bytes, or nil. */
void lrd_reply_string(struct lrd_exec *, const struct lrd_entry *);
/* Makes a key's string a text of at least that many bytes, with zeros behind its own;
 * entry NULL: the key is known not to exist.  Where it is; NULL: no memory, replied. */
char *lrd_string_extend(struct lrd_exec *, larder_bytes key, struct lrd_entry *entry, size_t len);

/* A string that stays a text even if it is a number, as one that was changed in place: in no
 * index yet (NULL: no memory), or as the key's value, COMPLETE (NULL: no memory, replied). */
struct lrd_at;
struct lrd_entry *lrd_stage_text(struct lrd_exec *, const struct lrd_at *, larder_bytes text,
                                 int64_t at);
struct lrd_entry *lrd_put_text(struct lrd_exec *, larder_bytes key, larder_bytes text,
                               int64_t at);

/* Intents. */
void lrd_changed_set(struct lrd_exec *, larder_bytes key, larder_bytes value, int64_t at);
void lrd_changed_del(struct lrd_exec *, larder_bytes key);
void lrd_changed_expiry(struct lrd_exec *, larder_bytes key, int64_t at);

/* Moves an entry, which argv[1] names, to another key or database; what is there goes.  0: no
 * memory, replied. */
int lrd_move(struct lrd_exec *, struct lrd_entry *, int database, larder_bytes to);

/* Deletes a key, known or not.  -1: no memory, replied; 0: it was known not to
 * exist; 1: it existed, or may have (then the reply is provisional). */
int lrd_delete(struct lrd_exec *, larder_bytes key);

#endif
