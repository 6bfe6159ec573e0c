/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/wire_part.h"

#include <stdio.h>
#include <string.h>

/* Tickets that end without their replies: given up, or with the connection. */

static void set_failure(struct lrd_ticket *t, larder_cause cause, const char *error)
{
  t->cause = cause;
  snprintf(t->error, sizeof t->error, "%s", error);
}

static size_t digits(size_t n)
{
  size_t d = 1;
  while (n >= 10) {
    n /= 10;
    d++;
  }
  return d;
}

static uint64_t encoded_size(const larder_vector *v)
{
  uint64_t size = 3 + digits((size_t)v->argc);
  for (int i = 0; i < v->argc; i++)
    size += 5 + digits(v->argv[i].len) + v->argv[i].len;
  return size;
}

/* Where the EXEC of an atomic call ends: the server obeys it without the SELECT behind it. */
static uint64_t exec_end(const struct lrd_slot *s)
{
  larder_bytes number = {NULL, digits((size_t)s->ticket->home)}, select = {NULL, 6};
  larder_bytes argv[2] = {select, number};
  larder_vector back = {.argc = 2, .argv = argv};
  return lrd_ticket_wanders(s->ticket) ? s->end - encoded_size(&back) : s->end;
}

/* How many of the slot's vectors begin (whole: end) within the bytes handed over;
 * *end: where the last of them ends. */
static size_t reached(const struct lrd_wire *w, const struct lrd_slot *s, int whole, uint64_t *end)
{
  const struct lrd_ticket *t = s->ticket;
  if (t->atomic) {
    int in = whole ? exec_end(s) <= w->handed : s->begin < w->handed;
    *end = in ? s->end : s->begin;
    return in ? t->count : 0;
  }
  uint64_t at = s->begin;
  size_t i = 0;
  for (; i < s->replies; i++) {
    uint64_t next = at + encoded_size(&t->vector[s->first + i]);
    if (whole ? next > w->handed : at >= w->handed)
      break;
    at = next;
  }
  *end = at;
  return i;
}

/* Takes bytes that were not handed over out of the stream. */
static void cut(struct lrd_wire *w, size_t index, uint64_t from)
{
  struct lrd_slot *s = lrd_wire_slot_at(w, index);
  size_t len = (size_t)(s->end - from);
  if (!len)
    return;
  size_t at = w->out_position + (size_t)(from - w->handed);
  memmove(w->out.data + at, w->out.data + at + len, w->out.len - at - len);
  w->out.len -= len;
  s->end = from;
  for (size_t i = index + 1; i < w->used; i++) {
    lrd_wire_slot_at(w, i)->begin -= len;
    lrd_wire_slot_at(w, i)->end -= len;
  }
}

static void remove_slot(struct lrd_wire *w, size_t index)
{
  for (size_t i = index + 1; i < w->used; i++)
    *lrd_wire_slot_at(w, i - 1) = *lrd_wire_slot_at(w, i);
  w->used--;
}

/* One slot of a ticket that gives up; gives how many of its vectors the server never gets. */
static size_t take_back(struct lrd_wire *w, size_t index)
{
  struct lrd_slot *s = lrd_wire_slot_at(w, index);
  struct lrd_ticket *t = s->ticket;
  uint64_t end;
  size_t all = t->atomic ? t->count : s->replies, sent = reached(w, s, 0, &end);
  cut(w, index, end);
  if (!t->atomic)
    s->replies = sent;
  else if (!sent)
    s->replies = 0;
  if (index == 0)
    lrd_reader_drop(&w->reader);
  s->ticket = NULL;
  if (s->got >= s->replies) {
    if (index == 0 && lrd_reader_pending(&w->reader) && !lrd_reader_at_push(&w->reader))
      lrd_wire_poison(w, "a reply that nobody asked for");
    remove_slot(w, index);
  }
  return all - sent;
}

void lrd_wire_withdraw(struct lrd_wire *w, struct lrd_ticket *t, larder_cause cause,
                       const char *error)
{
  if (t->state != LRD_TICKET_PENDING)
    return;
  lrd_wire_leave_turn(w, t);
  t->committed = t->put;
  for (size_t i = w->used; i-- > 0;)
    if (lrd_wire_slot_at(w, i)->ticket == t)
      t->committed -= take_back(w, i);
  t->state = LRD_TICKET_FAILED;
  set_failure(t, cause, error);
}

/* Ends a ticket whose first vectors have their replies, the first time that it is met. */
static void fail(struct lrd_wire *w, struct lrd_ticket *t, size_t answered, larder_cause cause,
                 const char *error)
{
  if (t->state != LRD_TICKET_PENDING)
    return;
  t->committed = answered;
  set_failure(t, cause, error);
  lrd_wire_end_ticket(w, t, LRD_TICKET_FAILED);
}

int lrd_wire_fail(struct lrd_wire *w, larder_cause cause, const char *error)
{
  int writes = 0;
  w->poisoned = 1;
  lrd_reader_drop(&w->reader);
  for (; w->used; lrd_wire_pop_slot(w)) {
    struct lrd_slot *s = &w->slot[w->head];
    if (s->writes && s->begin < w->handed)
      writes = 1;
    if (!s->ticket)
      continue;
    uint64_t end;
    fail(w, s->ticket, s->first, cause, error);
    s->ticket->committed += reached(w, s, 1, &end);
  }
  for (struct lrd_ticket *t; (t = w->turn) != NULL;) {
    lrd_wire_leave_turn(w, t);
    fail(w, t, t->put, cause, error);
  }
  return writes;
}

struct lrd_ticket *lrd_wire_ended(struct lrd_wire *w)
{
  struct lrd_ticket *first = w->ended;
  w->ended = NULL;
  w->ended_tail = &w->ended;
  return first;
}
