/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/wheel.h"

#include <string.h>

enum { BITS = 6 };

/* The first tick that begins after at. */
static uint64_t tick_of(int64_t at)
{
  return at < 0 ? 0 : (uint64_t)at / LRD_WHEEL_TICK_MS + 1;
}

void lrd_wheel_init(struct lrd_wheel *w, int64_t now_ms)
{
  memset(w, 0, sizeof *w);
  w->now = now_ms <= 0 ? 0 : (uint64_t)now_ms / LRD_WHEEL_TICK_MS;
}

/* The level is that of the highest group of bits in which tick and now differ. */
static unsigned slot_of(const struct lrd_wheel *w, uint64_t tick, unsigned *level)
{
  *level = tick != w->now ? (unsigned)(63 - __builtin_clzll(tick ^ w->now)) / BITS : 0;
  return (unsigned)(tick >> (BITS * *level)) % LRD_WHEEL_SLOTS;
}

static void place(struct lrd_wheel *w, struct lrd_timer *t)
{
  uint64_t tick = tick_of(t->at);
  unsigned level, i;

  i = slot_of(w, tick < w->now ? w->now : tick, &level);
  t->link = &w->slot[level][i];
  t->next = *t->link;
  if (t->next)
    t->next->link = &t->next;
  *t->link = t;
  w->occupied[level] |= UINT64_C(1) << i;
}

static void unlink_timer(struct lrd_timer *t)
{
  *t->link = t->next;
  if (t->next)
    t->next->link = t->link;
  t->link = NULL;
  t->next = NULL;
}

void lrd_wheel_arm(struct lrd_wheel *w, struct lrd_timer *t, int64_t at)
{
  t->at = at;
  place(w, t);
  w->armed++;
}

void lrd_wheel_disarm(struct lrd_wheel *w, struct lrd_timer *t)
{
  if (!t->link)
    return;
  unlink_timer(t);
  w->armed--;
}

void lrd_wheel_moved(struct lrd_timer *t)
{
  if (!t->link)
    return;
  *t->link = t;
  if (t->next)
    t->next->link = &t->next;
}

/* The occupied slot that begins first; of those that begin together the one of the
 * highest level, because what is in it may belong into the others.  0: none. */
static int first_slot(struct lrd_wheel *w, unsigned *level, unsigned *index, uint64_t *begin)
{
  int found = 0;

  for (unsigned l = 0; l < LRD_WHEEL_LEVELS; l++)
    while (w->occupied[l]) {
      unsigned i = (unsigned)__builtin_ctzll(w->occupied[l]);
      uint64_t above = BITS * (l + 1) < 64 ? w->now >> (BITS * (l + 1)) << (BITS * (l + 1)) : 0;
      uint64_t at = above | (uint64_t)i << (BITS * l);

      if (!w->slot[l][i]) {
        w->occupied[l] &= ~(UINT64_C(1) << i);
        continue;
      }
      if (!found || at <= *begin) {
        *level = l;
        *index = i;
        *begin = at;
        found = 1;
      }
      break;
    }
  return found;
}

/* How many were shown.  They are of the same slot, so they are due together.  Each is found by the
 * one before only; meanwhile what follows them in memory comes too. */
static size_t show(struct lrd_timer *t, size_t budget, lrd_wheel_due *soon, void *context)
{
  enum { AHEAD = 16, LINE = 64 };
  struct lrd_timer *next[AHEAD];
  size_t shown = 0, most = budget < AHEAD ? budget : AHEAD;

  for (; t && shown < most; t = t->next) {
    __builtin_prefetch((const char *)t + LINE);
    next[shown++] = t;
  }
  for (size_t i = 0; i < shown; i++)
    soon(context, next[i]);
  return shown;
}

size_t lrd_wheel_advance(struct lrd_wheel *w, int64_t now_ms, size_t budget, lrd_wheel_due *due,
                         lrd_wheel_due *soon, void *context)
{
  uint64_t target = now_ms <= 0 ? 0 : (uint64_t)now_ms / LRD_WHEEL_TICK_MS, begin;
  unsigned level, i;

  while (budget) {
    size_t shown = 0;

    if (!first_slot(w, &level, &i, &begin) || begin > target) {
      if (target > w->now)
        w->now = target;
      break;
    }
    if (begin > w->now)
      w->now = begin;
    for (struct lrd_timer *t; budget && (t = w->slot[level][i]); budget--) {
      if (!level && soon && !shown--)
        shown = show(t, budget, soon, context) - 1;
      unlink_timer(t);
      if (level) {
        place(w, t);
        continue;
      }
      w->armed--;
      due(context, t);
    }
  }
  return budget;
}

/* What is overdue belongs to the next tick, or, if the clock was set back, to this one. */
void lrd_wheel_overdue(const struct lrd_wheel *w, int64_t now_ms, lrd_wheel_due *visit,
                       void *context)
{
  for (unsigned next = 0; next < 2; next++) {
    unsigned level, i = slot_of(w, w->now + next, &level);

    for (struct lrd_timer *t = w->slot[level][i]; t; t = t->next)
      if (t->at < now_ms)
        visit(context, t);
  }
}

int64_t lrd_wheel_next(struct lrd_wheel *w)
{
  unsigned level, i;
  uint64_t begin;

  if (!w->armed || !first_slot(w, &level, &i, &begin))
    return -1;
  if (begin > (uint64_t)INT64_MAX / LRD_WHEEL_TICK_MS)
    return INT64_MAX;
  return (int64_t)(begin * LRD_WHEEL_TICK_MS);
}

struct lrd_timer *lrd_wheel_soonest(struct lrd_wheel *w)
{
  enum { LOOK = 16 };
  unsigned level, i, looked = 0;
  uint64_t begin;
  struct lrd_timer *soonest;

  if (!w->armed || !first_slot(w, &level, &i, &begin))
    return NULL;
  soonest = w->slot[level][i];
  for (struct lrd_timer *t = soonest; t && looked < LOOK; t = t->next, looked++)
    if (t->at < soonest->at)
      soonest = t;
  return soonest;
}

/* --- for tests -------------------------------------------------------------- */

/* A timer may lie below the level that now asks for, never in another slot of its own. */
static const char *check_slot(const struct lrd_wheel *w, unsigned level, unsigned i, size_t *armed)
{
  struct lrd_timer *const *link = &w->slot[level][i];

  if (*link && !(w->occupied[level] >> i & 1))
    return "a slot is in use and not marked";
  for (const struct lrd_timer *t; (t = *link); link = &t->next) {
    uint64_t tick = tick_of(t->at);

    if (t->link != (struct lrd_timer **)(uintptr_t)link)
      return "a timer does not know its place";
    if (tick > w->now && (tick >> (BITS * level)) % LRD_WHEEL_SLOTS != i)
      return "a timer is in a slot of another time";
    if (++*armed > w->armed)
      return "more timers than were armed, or a circle";
  }
  return NULL;
}

const char *lrd_wheel_check(const struct lrd_wheel *w)
{
  size_t armed = 0;

  for (unsigned level = 0; level < LRD_WHEEL_LEVELS; level++)
    for (unsigned i = 0; i < LRD_WHEEL_SLOTS; i++) {
      const char *wrong = check_slot(w, level, i, &armed);
      if (wrong)
        return wrong;
    }
  return armed == w->armed ? NULL : "fewer timers than were armed";
}
