/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/memory.h"

struct lrd_link *lrd_link_new(struct lrd_remote *r, enum lrd_link_kind kind, int database,
                              unsigned index)
{
  struct lrd_link *l = lrd_allocate_zeroed(&r->base.memory, 1, sizeof *l);
  if (!l)
    return NULL;
  if (lrd_lock_init(&l->lock, LRD_RANK_LINK, index) != 0) {
    lrd_release(&r->base.memory, l, sizeof *l);
    return NULL;
  }
  l->remote = r;
  l->kind = kind;
  l->index = index;
  l->database = l->home_database = database;
  l->stream = LRD_STREAM_NONE;
  l->wake = -1;
  return l;
}

void lrd_link_free(struct lrd_link *l, int forked)
{
  if (!l)
    return;
  const larder_memory *memory = &l->remote->base.memory;
  if (forked)
    lrd_stream_abandon(&l->stream);
  else
    lrd_stream_close(&l->stream);
  if (l->wake >= 0)
    close(l->wake);
  l->wake = -1;
  if (forked && pthread_mutex_trylock(&l->lock.mutex) != 0)
    return;
  lrd_wire_free(&l->wire);
  if (!forked)
    lrd_lock_destroy(&l->lock);
  lrd_release(memory, l, sizeof *l);
}

/* --- with the lock held ---------------------------------------------------------------- */

static void wake(struct lrd_wakes *w)
{
  for (unsigned i = 0; i < w->count; i++)
    lrd_park_wake(w->word[i]);
  w->count = 0;
}

void lrd_link_let_go(struct lrd_link *l, struct lrd_link_call *c, int for_good)
{
  if (!c->sleeping)
    return;
  if (l->wakes.count == LRD_LINK_WAKES)
    wake(&l->wakes);
  c->sleeping = 0;
  l->wakes.word[l->wakes.count++] = lrd_park_release(&c->park, for_good);
}

void lrd_link_unlock(struct lrd_link *l)
{
  struct lrd_wakes wakes;
  wakes.count = l->wakes.count;
  memcpy(wakes.word, l->wakes.word, wakes.count * sizeof *wakes.word);
  l->wakes.count = 0;
  lrd_unlock(&l->lock);
  wake(&wakes);
}

static void wake_all(struct lrd_link *l)
{
  for (struct lrd_link_call *c = l->waiting; c; c = c->next)
    lrd_link_let_go(l, c, 0);
  wake(&l->wakes);
}

void lrd_link_delist(struct lrd_link *l, struct lrd_link_call *c)
{
  *(c->previous ? &c->previous->next : &l->waiting) = c->next;
  *(c->next ? &c->next->previous : &l->waiting_last) = c->previous;
}

/* Tells the owners of calls that have ended. */
static void settle(struct lrd_link *l)
{
  if (l->kind == LRD_LINK_SUBMIT || l->state == LRD_LINK_CONNECTING)
    return; /* the loop collects its own */
  struct lrd_ticket *next;
  for (struct lrd_ticket *t = lrd_wire_ended(&l->wire); t; t = next) {
    next = t->next;
    struct lrd_link_call *c = (struct lrd_link_call *)(void *)t;
    int over = c->sleeping && t->state == LRD_TICKET_DONE;
    if (over)
      lrd_link_delist(l, c);
    lrd_link_let_go(l, c, over);
  }
}

static void poke(struct lrd_link *l)
{
  uint64_t one = 1;
  ssize_t n = write(l->wake, &one, sizeof one);
  (void)n; /* full: it is readable already */
}

static void set_state(struct lrd_link *l, enum lrd_link_state state)
{
  l->state = state;
  atomic_store_explicit(&l->ready, state == LRD_LINK_READY, memory_order_relaxed);
}

void lrd_link_finish(struct lrd_link *l)
{
  if (l->state != LRD_LINK_CLOSING)
    return;
  lrd_stream_close(&l->stream);
  set_state(l, LRD_LINK_DOWN);
  wake_all(l);
}

void lrd_link_close(struct lrd_link *l, larder_cause cause, const char *text)
{
  if (l->state != LRD_LINK_READY)
    return;
  struct lrd_remote *r = l->remote;
  int writes = lrd_wire_fail(&l->wire, cause, text);
  lrd_metrics_closed(&l->metrics, cause);
  lrd_fence_release(&r->fence, writes ? &l->identity : NULL);
  if (atomic_fetch_sub(&r->count.connections, 1) == 1)
    lrd_remote_note_state(r, LARDER_LINK_DOWN);
  snprintf(l->ended, sizeof l->ended, "%s", text);
  lrd_remote_note_error(r, text);
  settle(l);
  wake(&l->wakes);
  if (l->kind == LRD_LINK_SUBMIT) {
    set_state(l, LRD_LINK_CLOSING); /* the loop collects the tickets, then closes */
    return;
  }
  lrd_wire_free(&l->wire);
  set_state(l, LRD_LINK_CLOSING);
  if (l->driven)
    poke(l);
  else
    lrd_link_finish(l);
}

int lrd_link_up(struct lrd_link *l, const struct lrd_identity *identity)
{
  struct lrd_remote *r = l->remote;
  int callers = l->kind < LRD_LINK_SUBMIT;
  if (l->wake < 0 && callers)
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if ((l->wake < 0 && callers) || lrd_fence_reserve(&r->fence) != 0)
    return -1;
  l->identity = *identity;
  l->touched_at = l->progress_at = lrd_remote_now(r);
  l->doubt_at = 0;
  if (callers) /* the loop never waits for one of its own */
    lrd_stream_be_patient(&l->stream);
  atomic_fetch_add_explicit(&r->count.connections, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&r->count.connects, 1, memory_order_relaxed);
  lrd_metrics_up(&l->metrics);
  set_state(l, LRD_LINK_READY);
  wake_all(l);
  return 0;
}

void lrd_link_down(struct lrd_link *l, const struct lrd_fault *fault)
{
  atomic_fetch_add_explicit(&l->remote->count.connect_faults, 1, memory_order_relaxed);
  lrd_metrics_refused(&l->metrics, fault->cause);
  lrd_wire_free(&l->wire);
  lrd_stream_close(&l->stream);
  l->fault = *fault;
  l->attempts++;
  set_state(l, LRD_LINK_DOWN);
  wake_all(l);
}

int lrd_link_has_output(const struct lrd_link *l)
{
  size_t len;
  lrd_wire_out(&l->wire, &len);
  return len || lrd_stream_owes(&l->stream);
}

int lrd_link_flush(struct lrd_link *l)
{
  for (;;) {
    size_t len;
    const char *bytes = lrd_wire_out(&l->wire, &len);
    lrd_metrics_write(&l->metrics);
    ssize_t n = len ? lrd_stream_write(&l->stream, bytes, len) : lrd_stream_flush(&l->stream);
    if (n > 0) {
      lrd_wire_handed(&l->wire, (size_t)n);
      lrd_metrics_wrote(&l->metrics, (size_t)n);
      continue;
    }
    if (n == LRD_STREAM_FAULT) {
      char text[LRD_STREAM_ERROR_SIZE];
      lrd_link_close(l, LARDER_CAUSE_CUT, lrd_stream_error(&l->stream, errno, text));
      return -1;
    }
    return 0;
  }
}

int lrd_link_received(struct lrd_link *l, const char *bytes, ssize_t n, int error, int64_t now)
{
  if (n == LRD_STREAM_AGAIN)
    return 0;
  if (n <= 0) {
    char text[LRD_STREAM_ERROR_SIZE];
    lrd_link_close(l, LARDER_CAUSE_CUT,
                   n == 0 ? "the server closed the connection"
                          : lrd_stream_error(&l->stream, error, text));
    return -1;
  }
  lrd_remote_heard(l->remote, now);
  l->touched_at = now;
  size_t owed = l->wire.used;
  int dead = lrd_wire_feed(&l->wire, bytes, (size_t)n);
  lrd_metrics_read(&l->metrics, (size_t)n, l->wire.used);
  for (const struct lrd_ticket *t = l->wire.ended; t; t = t->next)
    lrd_histogram_record(&l->metrics.latency, now - t->sent_at);
  if (l->wire.used != owed)
    l->progress_at = now;
  if (l->wire.ended || !l->wire.used)
    l->doubt_at = 0;
  lrd_wire_turn(&l->wire, now);
  if (!l->wire.used)
    atomic_store_explicit(&l->ready, 1, memory_order_relaxed);
  settle(l);
  if (!dead && !l->wire.poisoned)
    return 0;
  char text[sizeof l->wire.error];
  memcpy(text, l->wire.error, sizeof text);
  lrd_link_close(l, LARDER_CAUSE_PROTOCOL, text);
  return -1;
}

void lrd_link_turn(struct lrd_link *l, int64_t now)
{
  lrd_wire_turn(&l->wire, now);
  settle(l);
  if (!l->wire.poisoned)
    return;
  char text[sizeof l->wire.error];
  memcpy(text, l->wire.error, sizeof text);
  lrd_link_close(l, LARDER_CAUSE_PROTOCOL, text);
}

int64_t lrd_link_stuck_at(const struct lrd_link *l)
{
  const struct lrd_slot *s = lrd_wire_head(&l->wire);
  if (!s)
    return INT64_MAX;
  int64_t since = s->deadline > l->progress_at ? s->deadline : l->progress_at;
  if (!s->ticket && l->doubt_at && l->doubted_again && l->doubt_at < since)
    since = l->doubt_at;
  int64_t grace = l->remote->config->connect_timeout;
  return since > INT64_MAX - grace ? INT64_MAX : since + grace;
}

void lrd_link_doubt(struct lrd_link *l, int64_t sent_at, int64_t now)
{
  lrd_metrics_missed(&l->metrics, l->wire.used);
  if (!l->wire.used)
    return;
  if (!l->doubt_at) {
    l->doubt_at = now;
    l->doubted_again = 0;
  } else if (sent_at >= l->doubt_at) {
    l->doubted_again = 1;
  }
}

larder_cause lrd_link_late(struct lrd_remote *r, int64_t sent_at, int64_t now)
{
  atomic_fetch_add_explicit(&r->count.deadline_misses, 1, memory_order_relaxed);
  int64_t heard = atomic_load_explicit(&r->heard_at, memory_order_relaxed);
  if (heard >= sent_at || now - sent_at < r->config->timeout / 2)
    return LARDER_CAUSE_SLOW;
  atomic_store_explicit(&r->silent, 1, memory_order_relaxed);
  return LARDER_CAUSE_SILENT;
}

/* --- from other threads ---------------------------------------------------------------- */

void lrd_link_drop(struct lrd_link *l, const char *text)
{
  lrd_lock(&l->lock);
  lrd_link_close(l, LARDER_CAUSE_CALLER, text);
  lrd_unlock(&l->lock);
}

void lrd_link_cancel(struct lrd_link *l, larder_outcome unsent, const char *text)
{
  lrd_lock(&l->lock);
  for (struct lrd_link_call *c = l->waiting; c; c = c->next) {
    c->cancelled = 1;
    c->unsent = unsent;
  }
  lrd_link_close(l, LARDER_CAUSE_CALLER, text);
  wake_all(l);
  lrd_unlock(&l->lock);
}
