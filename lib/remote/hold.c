/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/hold.h"

#include <stdio.h>
#include <string.h>

#include "command/command.h"

static const char lost_text[] = "the connection that watched the keys was lost";

/* --- the pool -------------------------------------------------------------------------- */

/* How well a free link suits: the higher the better, 0: not at all. */
static int merit(const struct lrd_link *l, int database)
{
  if (l->taken)
    return 0;
  if (!atomic_load_explicit(&l->ready, memory_order_relaxed))
    return 1;
  return l->database == database ? 3 : 2;
}

static struct lrd_link *take(struct lrd_remote *r, int database)
{
  struct lrd_link *best = NULL;
  int best_merit = 0, empty = -1;
  lrd_lock(&r->lock);
  for (int i = 0; i < LRD_PINNED; i++) {
    if (!r->pinned[i]) {
      empty = empty < 0 ? i : empty;
      continue;
    }
    int m = merit(r->pinned[i], database);
    if (m > best_merit) {
      best_merit = m;
      best = r->pinned[i];
    }
  }
  if (!best && empty >= 0)
    best = r->pinned[empty] =
      lrd_link_new(r, LRD_LINK_PINNED, database, 2000 + (unsigned)empty);
  if (best)
    best->taken = 1;
  lrd_unlock(&r->lock);
  return best;
}

static void give_back(struct lrd_remote *r, larder_hold *h, int in_doubt)
{
  if (!h->link)
    return;
  if (in_doubt)
    lrd_link_drop(h->link, "a transaction was given up");
  lrd_lock(&r->lock);
  h->link->taken = 0;
  lrd_unlock(&r->lock);
  h->link = NULL;
}

void lrd_hold_end(struct lrd_remote *r, larder_hold *h)
{
  give_back(r, h, 1);
  h->lost = 0;
}

/* --- commands of our own on a pinned link ---------------------------------------------- */

static int is_done(const struct lrd_link_call *c)
{
  return c->ticket.state == LRD_TICKET_DONE;
}

static int select_database(struct lrd_remote *r, struct lrd_link *l, const larder_call *call)
{
  if (l->database == call->database)
    return 0;
  char number[12];
  int len = snprintf(number, sizeof number, "%d", call->database);
  larder_bytes argv[2] = {{"SELECT", 6}, {number, (size_t)len}};
  larder_vector vector = {.argc = 2, .argv = argv};
  struct lrd_link_call c;
  lrd_link_call_init(&c, r, &vector, 1, 0, call->deadline);
  lrd_link_run(l, &c, LRD_LINK_NO_RETRY);
  int ok = is_done(&c) && c.ticket.value[0].type == LARDER_STATUS;
  lrd_link_call_release(&c);
  if (!ok)
    return -1;
  lrd_lock(&l->lock);
  l->database = l->home_database = call->database;
  lrd_unlock(&l->lock);
  return 0;
}

/* As the handshake does it for a new connection. */
static int fence(struct lrd_remote *r, struct lrd_link *l, const larder_call *call)
{
  struct lrd_kill kill = {.count = 0};
  int failed = 0;
  while (!failed && lrd_kill_list(&kill, &r->fence, l->identity.run_id)) {
    struct lrd_link_call c;
    lrd_link_call_init(&c, r, kill.vector, kill.count, 0, call->deadline);
    lrd_link_run(l, &c, LRD_LINK_NO_RETRY);
    failed = !is_done(&c);
    if (!failed && lrd_kill_result(&kill, &r->fence, c.ticket.value) != 0) {
      lrd_lock(&r->notes);
      r->can_fence = 0;
      lrd_unlock(&r->notes);
    }
    lrd_link_call_release(&c);
  }
  return failed ? -1 : 0;
}

/* Takes a link for the hold; if it is READY already: with this database, and fenced. */
static int acquire(struct lrd_remote *r, larder_hold *h, const larder_call *call)
{
  h->link = take(r, call->database);
  if (!h->link)
    return -1;
  struct lrd_link *l = h->link;
  lrd_lock(&l->lock);
  int ready = l->state == LRD_LINK_READY;
  lrd_unlock(&l->lock);
  if (ready && (fence(r, l, call) != 0 || select_database(r, l, call) != 0))
    lrd_link_drop(l, "a connection could not be taken over");
  lrd_lock(&l->lock);
  l->database = l->home_database = call->database;
  lrd_unlock(&l->lock);
  return 0;
}

/* --- the calls ------------------------------------------------------------------------- */

static void succeed(struct lrd_link_call *c)
{
  c->ticket.state = LRD_TICKET_DONE;
  c->ticket.value = &c->ticket.one;
  c->ticket.one = (larder_value){.type = LARDER_STATUS, .len = 2, .str = "OK"};
  c->ticket.got = 1;
}

static void lose(struct lrd_remote *r, larder_hold *h)
{
  give_back(r, h, 1);
  h->lost = 1;
}

static void watch(struct lrd_remote *r, larder_hold *h, const larder_call *call,
                  struct lrd_link_call *c)
{
  unsigned flags = call->flags;
  int first = !h->link;
  if (h->lost) {
    lrd_link_call_fail(c, LARDER_NOT_SENT, LARDER_CAUSE_CUT, lost_text);
    return;
  }
  if (first && acquire(r, h, call) != 0) {
    lrd_link_call_fail(c, LARDER_NOT_SENT, LARDER_CAUSE_CALLER, "too many transactions watch keys");
    h->lost = 1;
    return;
  }
  if (!first)
    flags |= LRD_LINK_NO_RETRY;
  if (!first && select_database(r, h->link, call) != 0) {
    lrd_link_call_fail(c, LARDER_NOT_SENT, LARDER_CAUSE_CUT, lost_text);
    lose(r, h);
    return;
  }
  lrd_link_run(h->link, c, flags);
  if (!is_done(c))
    lose(r, h);
  else if (first && c->ticket.value[0].type == LARDER_ERROR)
    give_back(r, h, 0);
}

static void unwatch(struct lrd_remote *r, larder_hold *h, const larder_call *call,
                    struct lrd_link_call *c)
{
  if (h->link) {
    lrd_link_run(h->link, c, call->flags | LRD_LINK_NO_RETRY);
    give_back(r, h, !is_done(c) || c->ticket.value[0].type == LARDER_ERROR);
  }
  h->lost = 0;
  succeed(c); /* whatever became of the connection, nothing is watched now */
}

/* On the link that watches: EXEC, and what is read or written before it. */
static void run_pinned(struct lrd_remote *r, larder_hold *h, const larder_call *call,
                       struct lrd_link_call *c)
{
  int atomic = (call->flags & LARDER_CALL_ATOMIC) != 0;
  if (select_database(r, h->link, call) == 0)
    lrd_link_run(h->link, c, call->flags | LRD_LINK_NO_RETRY);
  else
    lrd_link_call_fail(c, LARDER_NOT_SENT, LARDER_CAUSE_CUT, lost_text);
  if (atomic)
    give_back(r, h, !is_done(c));
  else if (c->ticket.state == LRD_TICKET_FAILED && c->ticket.cause != LARDER_CAUSE_SLOW)
    lose(r, h);
}

int lrd_hold_run(struct lrd_remote *r, larder_hold *h, const larder_call *call,
                 struct lrd_link_call *c)
{
  unsigned command = call->vector[0].command;
  /* What comes behind WATCH in the same call goes along on its connection. */
  if (command == LRD_WATCH && !(call->flags & LARDER_CALL_ATOMIC)) {
    watch(r, h, call, c);
    return 1;
  }
  if (command == LRD_UNWATCH && call->count == 1) {
    unwatch(r, h, call, c);
    return 1;
  }
  if (h->link) {
    run_pinned(r, h, call, c);
    return 1;
  }
  if (h->lost && (call->flags & LARDER_CALL_ATOMIC)) {
    lrd_link_call_fail(c, LARDER_NOT_SENT, LARDER_CAUSE_CUT, lost_text);
    h->lost = 0;
    return 1;
  }
  return 0;
}

/* --- calls that wait for a key ----------------------------------------------------------- */

int lrd_hold_waits(const larder_call *call)
{
  int waits = 0;
  for (size_t i = 0; i < call->count && !(call->flags & LARDER_CALL_ATOMIC); i++)
    waits |= (lrd_commands[call->vector[i].command].flags & LRD_BLOCKING) &&
             lrd_command_class(&call->vector[i]) == LRD_CLASS_BLOCKING;
  return waits;
}

/* Nobody else's call stands behind it.  In doubt the connection is closed, and the server forgets
 * who waits there. */
void lrd_hold_run_alone(struct lrd_remote *r, const larder_call *call, struct lrd_link_call *c)
{
  larder_hold h = {.link = NULL};
  if (call->flags & LARDER_CALL_NOBLOCK) {
    lrd_link_call_fail(c, LARDER_UNSUPPORTED, LARDER_CAUSE_CALLER,
                       "a call can't wait for a key over this connection");
    return;
  }
  if (acquire(r, &h, call) != 0) {
    lrd_link_call_fail(c, LARDER_NOT_SENT, LARDER_CAUSE_CALLER, "too many calls wait for keys");
    return;
  }
  lrd_link_run(h.link, c, call->flags);
  give_back(r, &h, !is_done(c));
}
