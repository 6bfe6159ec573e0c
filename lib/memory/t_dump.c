/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/rdb.h"
#include "memory/shard.h"
#include "memory/t_engine.h"
#include "memory/t_types.h"

/* DUMP and RESTORE: values that travel between engines and Redis servers. */

void lrd_t_dump(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  struct lrd_buffer b;

  if (!lrd_read(x, x->argv[1], LRD_NONE, &entry))
    return;
  if (!entry) {
    lrd_sink_nil(x->sink);
    return;
  }
  lrd_buffer_init(&b, lrd_memory_of(x->engine), 0);
  lrd_rdb_save(&b, &x->engine->parameters, entry);
  if (b.failed)
    lrd_no_memory(x);
  else
    lrd_sink_string(x->sink, b.data, b.len);
  lrd_buffer_free(&b);
}

/* --- RESTORE --------------------------------------------------------------------------- */

struct restore {
  int replace, absolute;
  int idle, frequency; /* given: at most one of them; neither is kept */
};

/* A number that is asked for like this, within bounds. */
static int parse_use(struct lrd_exec *x, int i, int64_t most, const char *wrong)
{
  int64_t n;

  if (!lrd_argument_integer(x, i, &n))
    return 0;
  if (n >= 0 && n <= most)
    return 1;
  lrd_error(x, wrong);
  return 0;
}

static int parse(struct lrd_exec *x, struct restore *r)
{
  *r = (struct restore){ 0, 0, 0, 0 };
  for (int i = 4; i < x->argc; i++) {
    int more = i + 1 < x->argc;

    if (lrd_is_word(&x->argv[i], "REPLACE")) {
      r->replace = 1;
    } else if (lrd_is_word(&x->argv[i], "ABSTTL")) {
      r->absolute = 1;
    } else if (more && !r->frequency && lrd_is_word(&x->argv[i], "IDLETIME")) {
      r->idle = 1;
      if (!parse_use(x, ++i, INT64_MAX, "ERR Invalid IDLETIME value, must be >= 0"))
        return 0;
    } else if (more && !r->idle && lrd_is_word(&x->argv[i], "FREQ")) {
      r->frequency = 1;
      if (!parse_use(x, ++i, 255, "ERR Invalid FREQ value, must be >= 0 and <= 255"))
        return 0;
    } else {
      lrd_error(x, lrd_text_syntax);
      return 0;
    }
  }
  return 1;
}

/* When the key expires: -1 never.  As Redis adds, wrapped around. */
static int parse_expiry(struct lrd_exec *x, const struct restore *r, int64_t *at)
{
  int64_t ttl;

  if (!lrd_argument_integer(x, 2, &ttl))
    return 0;
  if (ttl < 0) {
    lrd_error(x, "ERR Invalid TTL value, must be >= 0");
    return 0;
  }
  *at = ttl ? (r->absolute ? ttl : (int64_t)((uint64_t)ttl + (uint64_t)lrd_now(x))) : -1;
  return 1;
}

/* 0: replied. */
static int load(struct lrd_exec *x, struct lrd_loaded *l)
{
  enum lrd_load state = LRD_LOAD_BAD;

  if (!lrd_rdb_is(x->argv[3])) {
    lrd_error(x, "ERR DUMP payload version or checksum are wrong");
    return 0;
  }
  state = lrd_rdb_load(l, lrd_memory_of(x->engine), lrd_hash_key_of(x->engine), x->argv[3]);
  if (state == LRD_LOAD_OK)
    return 1;
  lrd_arena_free(&l->arena);
  if (state == LRD_LOAD_BAD)
    lrd_error(x, "ERR Bad data format");
  else
    lrd_no_memory(x);
  return 0;
}

static int keep(struct lrd_exec *x, struct lrd_loaded *l, int64_t at)
{
  if (l->kind != LRD_STRING)
    return lrd_store(x, x->argv[1], l->kind, l->value, at);
  if (!lrd_put(x, x->argv[1], l->text, at))
    return 0;
  lrd_changed_set(x, x->argv[1], l->text, at);
  return 1;
}

static void discard(struct lrd_exec *x, struct lrd_loaded *l)
{
  if (l->value)
    lrd_kind_type(l->kind)->destroy(lrd_memory_of(x->engine), l->value);
}

void lrd_t_restore(struct lrd_exec *x)
{
  struct lrd_entry *there = NULL;
  struct lrd_loaded l;
  struct restore r;
  int64_t at;
  int done;

  if (!parse(x, &r) || (!r.replace && !lrd_read(x, x->argv[1], LRD_NONE, &there)))
    return;
  if (there) {
    lrd_error(x, "BUSYKEY Target key name already exists.");
    return;
  }
  if (!parse_expiry(x, &r, &at) || !load(x, &l))
    return;
  if (at != -1 && at <= lrd_now(x)) { /* it has expired on its way */
    discard(x, &l);
    done = !r.replace || lrd_delete(x, x->argv[1]) >= 0;
  } else {
    done = keep(x, &l, at);
  }
  lrd_arena_free(&l.arena);
  if (done)
    lrd_sink_ok(x->sink);
}
