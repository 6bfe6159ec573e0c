/* SPDX-License-Identifier: BSD-2-Clause */
#include "proof/linear.h"

#include <stdlib.h>

/* The begin or the end of an operation, in a list ordered by time. */
struct event {
  struct operation *operation; /* of a begin; NULL: an end */
  struct event *end;           /* of a begin */
  struct event *next, *before;
  uint64_t mark;               /* the operation's random number */
  int64_t at;
};

struct choice {
  struct event *begin;
  struct state from;
  int way;
};

/* A configuration that was reached. */
struct reached {
  uint64_t taken;
  int used;
  struct state state;
};

struct search {
  const struct model *model;
  struct event head, *event;
  struct choice *choice; /* count of them at most */
  size_t depth, longest;
  struct reached *table;
  size_t capacity, filled;
  uint64_t taken;
};

enum { CAPACITY_MAX = 1 << 22 };

static uint64_t scramble(uint64_t z)
{
  z += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* --- the list of events -------------------------------------------------------- */

static int by_begin(const void *a, const void *b)
{
  const struct operation *x = a, *y = b;
  return (x->begin > y->begin) - (x->begin < y->begin);
}

/* At one time begins come before ends: what touches may overlap. */
static int by_time(const void *a, const void *b)
{
  const struct event *x = *(struct event *const *)a, *y = *(struct event *const *)b;

  if (x->at != y->at)
    return x->at > y->at ? 1 : -1;
  return (x->operation == NULL) - (y->operation == NULL);
}

static int list_events(struct search *s, struct operation *o, size_t count)
{
  struct event **order = malloc((count * 2 + 1) * sizeof(struct event *)), *last = &s->head;

  if (!order)
    return 0;
  for (size_t i = 0; i < count; i++) {
    struct event *begin = &s->event[2 * i], *end = begin + 1;

    *begin = (struct event){ &o[i], end, NULL, NULL, scramble(i), o[i].begin };
    *end = (struct event){ NULL, NULL, NULL, NULL, 0, o[i].end };
    order[2 * i] = begin;
    order[2 * i + 1] = end;
  }
  qsort(order, count * 2, sizeof *order, by_time);
  for (size_t i = 0; i < count * 2; i++) {
    last->next = order[i];
    order[i]->before = last;
    last = order[i];
  }
  free(order);
  return 1;
}

static void unlink_event(struct event *e)
{
  e->before->next = e->next;
  if (e->next)
    e->next->before = e->before;
}

static void relink_event(struct event *e)
{
  e->before->next = e;
  if (e->next)
    e->next->before = e;
}

static void take(struct search *s, struct event *begin)
{
  s->taken += begin->mark;
  unlink_event(begin);
  unlink_event(begin->end);
}

static void put_back(struct search *s, struct event *begin)
{
  s->taken -= begin->mark;
  relink_event(begin->end);
  relink_event(begin);
}

/* --- what was reached ----------------------------------------------------------- */

static int same_state(const struct state *a, const struct state *b)
{
  return a->exists == b->exists && a->is_number == b->is_number && a->expires == b->expires &&
         a->number == b->number && a->text.len == b->text.len &&
         a->text.digest == b->text.digest && a->earliest == b->earliest &&
         a->latest == b->latest;
}

static struct reached *place_of(struct reached *table, size_t capacity, uint64_t taken,
                                const struct state *state)
{
  uint64_t at = scramble(taken ^ scramble(state->text.digest + state->text.len) ^
                         (uint64_t)state->earliest);

  for (;; at++) {
    struct reached *r = &table[at & (capacity - 1)];

    if (!r->used || (r->taken == taken && same_state(&r->state, state)))
      return r;
  }
}

static int make_room(struct search *s)
{
  size_t capacity = s->capacity ? s->capacity * 2 : 4096;
  struct reached *table;

  if (s->filled * 2 < s->capacity)
    return 1;
  if (capacity > CAPACITY_MAX || !(table = calloc(capacity, sizeof *table)))
    return 0;
  for (size_t i = 0; i < s->capacity; i++)
    if (s->table[i].used)
      *place_of(table, capacity, s->table[i].taken, &s->table[i].state) = s->table[i];
  free(s->table);
  s->table = table;
  s->capacity = capacity;
  return 1;
}

/* 1: it is new here. */
static int reach(struct search *s, uint64_t taken, const struct state *state)
{
  struct reached *r = place_of(s->table, s->capacity, taken, state);

  if (r->used)
    return 0;
  r->taken = taken;
  r->used = 1;
  r->state = *state;
  s->filled++;
  return 1;
}

/* --- the search ------------------------------------------------------------------ */

/* Takes the operation in one of its ways from way on; 0: there is none. */
static int try_to_take(struct search *s, struct event *begin, int way, struct state *state)
{
  for (; way < 2; way++) {
    struct state to;

    if (!model_step(s->model, state, begin->operation, way, &to) ||
        !reach(s, s->taken + begin->mark, &to))
      continue;
    s->choice[s->depth].begin = begin;
    s->choice[s->depth].way = way;
    s->choice[s->depth++].from = *state;
    *state = to;
    take(s, begin);
    if (s->depth > s->longest)
      s->longest = s->depth;
    return 1;
  }
  return 0;
}

static enum linear_verdict search(struct search *s)
{
  struct state state = { 0 };
  struct event *e = s->head.next;
  int way = 0;

  while (s->head.next) {
    if (!make_room(s))
      return LINEAR_LOST;
    if (e && e->operation && try_to_take(s, e, way, &state)) {
      e = s->head.next;
      way = 0;
    } else if (e && e->operation) {
      e = e->next;
      way = 0;
    } else {
      struct choice *last;

      if (!s->depth)
        return LINEAR_NO;
      last = &s->choice[--s->depth];
      state = last->from;
      put_back(s, last->begin);
      e = last->begin;
      way = last->way + 1;
    }
  }
  return LINEAR_YES;
}

enum linear_verdict linear_check(const struct model *model, struct operation *o, size_t count,
                                 size_t *stuck)
{
  struct search s = { .model = model };
  enum linear_verdict verdict = LINEAR_LOST;

  qsort(o, count, sizeof *o, by_begin);
  s.event = calloc(count * 2 + 1, sizeof *s.event);
  s.choice = calloc(count + 1, sizeof *s.choice);
  if (s.event && s.choice && list_events(&s, o, count))
    verdict = search(&s);
  *stuck = s.longest;
  free(s.event);
  free(s.choice);
  free(s.table);
  return verdict;
}
