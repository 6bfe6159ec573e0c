/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"

void lrd_expiry_error(struct lrd_exec *x)
{
  lrd_errorf(x, "ERR invalid expire time in '%s' command", lrd_commands[x->vector->command].name);
}

int lrd_argument_expiry(struct lrd_exec *x, int i, enum lrd_time_unit unit, int absolute,
                        int64_t *at)
{
  int64_t value;

  if (!lrd_argument_integer(x, i, &value))
    return 0;
  if (value <= 0 || (unit == LRD_SECONDS && __builtin_mul_overflow(value, 1000, &value)) ||
      (!absolute && __builtin_add_overflow(value, lrd_now(x), &value))) {
    lrd_expiry_error(x);
    return 0;
  }
  *at = value;
  return 1;
}

void lrd_changed_expiry(struct lrd_exec *x, larder_bytes key, int64_t at)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes set[3] = { { "PEXPIREAT", 9 }, key, { number, 0 } };
  larder_bytes clear[2] = { { "PERSIST", 7 }, key };

  if (at >= 0)
    set[2].len = lrd_print_integer(number, at);
  lrd_changed(x, key, at >= 0 ? 3 : 2, at >= 0 ? set : clear);
}

/* --- setting ----------------------------------------------------------------------- */

enum { NX = 1, XX = 2, GT = 4, LT = 8 };

static int parse_conditions(struct lrd_exec *x, unsigned *conditions)
{
  static const char words[4][3] = { "NX", "XX", "GT", "LT" };
  unsigned given = 0;

  for (int i = 3; i < x->argc; i++) {
    unsigned w = 0;

    while (w < 4 && !lrd_is_word(&x->argv[i], words[w]))
      w++;
    if (w == 4) {
      lrd_errorf(x, "ERR Unsupported option %.*s",
                 (int)(x->argv[i].len < 200 ? x->argv[i].len : 200), x->argv[i].data);
      return 0;
    }
    given |= 1u << w;
  }
  if (given & NX && given & (XX | GT | LT)) {
    lrd_error(x, "ERR NX and XX, GT or LT options at the same time are not compatible");
    return 0;
  }
  if (given & GT && given & LT) {
    lrd_error(x, "ERR GT and LT options at the same time are not compatible");
    return 0;
  }
  *conditions = given;
  return 1;
}

/* Negative times are in order: what expires in the past is deleted. */
static int parse_when(struct lrd_exec *x, enum lrd_time_unit unit, int absolute, int64_t *when)
{
  int64_t value;

  if (!lrd_argument_integer(x, 2, &value))
    return 0;
  if ((unit == LRD_SECONDS && __builtin_mul_overflow(value, 1000, &value)) ||
      (!absolute && __builtin_add_overflow(value, lrd_now(x), &value))) {
    lrd_expiry_error(x);
    return 0;
  }
  *when = value;
  return 1;
}

static int conditions_hold(unsigned conditions, int64_t old, int64_t when)
{
  return !((conditions & NX && old >= 0) || (conditions & XX && old < 0) ||
           (conditions & GT && (old < 0 || when <= old)) ||
           (conditions & LT && old >= 0 && when >= old));
}

/* 0: no memory, replied. */
static int set_expiry(struct lrd_exec *x, struct lrd_entry *entry, int64_t when)
{
  larder_bytes key = x->argv[1];
  struct lrd_at at = lrd_at(x, key);

  if (when <= lrd_now(x))
    return lrd_delete(x, key) >= 0;
  /* An unseen key may be absent, and then it does not expire: the intent is all. */
  if (entry && lrd_keyspace_expire(x->engine, &at, &entry, when, lrd_now(x))) {
    lrd_no_memory(x);
    return 0;
  }
  lrd_changed_expiry(x, key, when);
  return 1;
}

static void expire(struct lrd_exec *x, enum lrd_time_unit unit, int absolute)
{
  struct lrd_entry *entry;
  unsigned conditions;
  int64_t when;

  if (!parse_conditions(x, &conditions) || !parse_when(x, unit, absolute, &when))
    return;
  if (conditions ? !lrd_read(x, x->argv[1], LRD_NONE, &entry)
                 : !lrd_write(x, x->argv[1], LRD_NONE, &entry))
    return;
  if (lrd_is_whole(x, entry) &&
      (!entry || !conditions_hold(conditions, lrd_entry_expiry(entry), when))) {
    lrd_sink_integer(x->sink, 0);
    return;
  }
  if (set_expiry(x, entry, when))
    lrd_sink_integer(x->sink, 1);
}

void lrd_t_expire(struct lrd_exec *x)
{
  expire(x, LRD_SECONDS, 0);
}

void lrd_t_pexpire(struct lrd_exec *x)
{
  expire(x, LRD_MILLISECONDS, 0);
}

void lrd_t_pexpireat(struct lrd_exec *x)
{
  expire(x, LRD_MILLISECONDS, 1);
}

void lrd_t_expireat(struct lrd_exec *x)
{
  expire(x, LRD_SECONDS, 1);
}

void lrd_t_persist(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  struct lrd_at at;

  if (!lrd_write(x, x->argv[1], LRD_NONE, &entry))
    return;
  if (lrd_is_whole(x, entry) && (!entry || lrd_entry_expiry(entry) < 0)) {
    lrd_sink_integer(x->sink, 0);
    return;
  }
  at = lrd_at(x, x->argv[1]);
  if (entry)
    (void)lrd_keyspace_expire(x->engine, &at, &entry, -1, lrd_now(x));
  lrd_changed_expiry(x, x->argv[1], -1);
  lrd_sink_integer(x->sink, 1);
}

/* --- asking ------------------------------------------------------------------------- */

static void remaining(struct lrd_exec *x, enum lrd_time_unit unit)
{
  struct lrd_entry *entry;
  int64_t left;

  if (!lrd_read(x, x->argv[1], LRD_NONE, &entry))
    return;
  if (!entry || lrd_entry_expiry(entry) < 0) {
    lrd_sink_integer(x->sink, entry ? -1 : -2);
    return;
  }
  left = lrd_entry_expiry(entry) - lrd_now(x);
  if (unit == LRD_SECONDS)
    left = left / 1000 + (left % 1000 >= 500);
  lrd_sink_integer(x->sink, left);
}

void lrd_t_ttl(struct lrd_exec *x)
{
  remaining(x, LRD_SECONDS);
}

void lrd_t_pttl(struct lrd_exec *x)
{
  remaining(x, LRD_MILLISECONDS);
}

static void expiry_time(struct lrd_exec *x, enum lrd_time_unit unit)
{
  struct lrd_entry *entry;
  int64_t at;

  if (!lrd_read(x, x->argv[1], LRD_NONE, &entry))
    return;
  at = entry ? lrd_entry_expiry(entry) : -2;
  if (at > 0 && unit == LRD_SECONDS)
    at = at / 1000 + (at % 1000 >= 500);
  lrd_sink_integer(x->sink, at);
}

void lrd_t_expiretime(struct lrd_exec *x)
{
  expiry_time(x, LRD_SECONDS);
}

void lrd_t_pexpiretime(struct lrd_exec *x)
{
  expiry_time(x, LRD_MILLISECONDS);
}
