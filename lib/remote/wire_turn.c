/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/wire_part.h"

enum { MS = 1000000 };

/* Where the bytes end that were put so far, counted from the connection's first. */
static uint64_t stream_end(const struct lrd_wire *w)
{
  return w->handed + (w->out.len - w->out_position);
}

size_t lrd_wire_flight(const struct lrd_wire *w)
{
  return w->used ? (size_t)(stream_end(w) - w->slot[w->head].begin) : 0;
}

static void push(struct lrd_wire *w, struct lrd_ticket *t)
{
  t->turn_next = NULL;
  *w->turn_tail = t;
  w->turn_tail = &t->turn_next;
  w->turns++;
}

static struct lrd_ticket *pop(struct lrd_wire *w)
{
  struct lrd_ticket *t = w->turn;
  w->turn = t->turn_next;
  if (!w->turn)
    w->turn_tail = &w->turn;
  w->turns--;
  return t;
}

void lrd_wire_leave_turn(struct lrd_wire *w, struct lrd_ticket *t)
{
  for (struct lrd_ticket **at = &w->turn; *at; at = &(*at)->turn_next)
    if (*at == t) {
      *at = t->turn_next;
      if (!*at)
        w->turn_tail = at;
      w->turns--;
      return;
    }
}

/* The window is right when the replies to a piece take little longer than the fastest did: then
 * nothing stands in the server's queue, and the server is busy. */
static void look(struct lrd_wire *w, int64_t now)
{
  if (!w->sample_end || (w->used && w->slot[w->head].begin < w->sample_end))
    return;
  int64_t took = now - w->sample_at;
  w->sample_end = 0;
  if (!w->fastest || took < w->fastest)
    w->fastest = took;
  if (took < 2 * w->fastest + MS && w->window < LRD_WIRE_WINDOW_MOST)
    w->window *= 2;
  else if (took > 4 * w->fastest + 2 * MS && w->window > LRD_WIRE_WINDOW_LEAST)
    w->window /= 2;
}

/* There is no memory for the rest of it. */
static void starve(struct lrd_wire *w, struct lrd_ticket *t)
{
  lrd_wire_withdraw(w, t, LARDER_CAUSE_CALLER, "no memory for the command");
  t->starved = 1;
  lrd_wire_end_ticket(w, t, LRD_TICKET_FAILED);
}

static void put_piece(struct lrd_wire *w, struct lrd_ticket *t, int64_t now)
{
  if (lrd_wire_put(w, t, LRD_WIRE_PIECE) != 0) {
    starve(w, t);
    return;
  }
  if (t->atomic || t->put == t->count)
    return;
  if (!w->sample_end) {
    w->sample_end = stream_end(w);
    w->sample_at = now;
  }
  push(w, t);
}

void lrd_wire_turn(struct lrd_wire *w, int64_t now)
{
  if (!w->turn || w->poisoned)
    return;
  look(w, now);
  for (size_t skipped = 0; skipped < w->turns && lrd_wire_flight(w) < LRD_WIRE_FLIGHT_MOST;) {
    struct lrd_ticket *t = pop(w);
    if (t->flight >= w->window) {
      push(w, t);
      skipped++;
    } else {
      put_piece(w, t, now);
      skipped = 0;
    }
  }
}

int lrd_wire_enter(struct lrd_wire *w, struct lrd_ticket *t)
{
  if (lrd_wire_begin(t) != 0)
    return -1;
  t->state = LRD_TICKET_PENDING;
  push(w, t);
  return 0;
}
