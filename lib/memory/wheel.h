/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_WHEEL_H
#define LRD_MEMORY_WHEEL_H

#include <stddef.h>
#include <stdint.h>

/*
 * A hierarchical timing wheel (Varghese and Lauck, 1987): ten levels of 64 slots
 * over ticks of 16 ms of the wall clock.  Arming, disarming and moving a timer
 * are O(1) and need no memory; a timer is handed down at most once a level.
 * A timer is due when now > at; it is never handed out before, and a clock that
 * was set back only delays it.
 *
 * Not safe for threads: the shard's lock guards it.
 */

enum { LRD_WHEEL_LEVELS = 10, LRD_WHEEL_SLOTS = 64, LRD_WHEEL_TICK_MS = 16 };

/* In its owner.  at: wall ms. */
struct lrd_timer {
  int64_t at;
  struct lrd_timer *next, **link; /* link NULL: not armed */
};

struct lrd_wheel {
  uint64_t now; /* in ticks: everything before was handed out */
  size_t armed;
  uint64_t occupied[LRD_WHEEL_LEVELS]; /* a bit for each slot that may hold something */
  struct lrd_timer *slot[LRD_WHEEL_LEVELS][LRD_WHEEL_SLOTS];
};

void lrd_wheel_init(struct lrd_wheel *, int64_t now_ms);
/* The timer is not armed. */
void lrd_wheel_arm(struct lrd_wheel *, struct lrd_timer *, int64_t at);
/* Armed or not. */
void lrd_wheel_disarm(struct lrd_wheel *, struct lrd_timer *);
/* The timer's memory was moved here. */
void lrd_wheel_moved(struct lrd_timer *);

/* Hands out due timers, disarmed, and does the wheel's own work, budget steps at
 * most; returns how many are left of them: 0 means that there may be more to do.  due may
 * arm and disarm any timer.  soon (or NULL) is shown timers some steps before they are probably
 * handed out, to ask for the memory that due will look at; it changes nothing. */
typedef void lrd_wheel_due(void *context, struct lrd_timer *);
size_t lrd_wheel_advance(struct lrd_wheel *, int64_t now_ms, size_t budget, lrd_wheel_due *due,
                         lrd_wheel_due *soon, void *context);

/* Visits the timers that are overdue at now_ms although the wheel, just advanced to
 * that time, has not handed them out: those of the current tick.  Changes nothing. */
void lrd_wheel_overdue(const struct lrd_wheel *, int64_t now_ms, lrd_wheel_due *visit,
                       void *context);

/* A timer among the first that will be due, as far as a look at some of them tells; NULL: none
 * is armed. */
struct lrd_timer *lrd_wheel_soonest(struct lrd_wheel *);

/* When there is something to do, in wall ms: not later than the first timer; -1: never. */
int64_t lrd_wheel_next(struct lrd_wheel *);

/* For tests: NULL, or what is wrong. */
const char *lrd_wheel_check(const struct lrd_wheel *);

#endif
