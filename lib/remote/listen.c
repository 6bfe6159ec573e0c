/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "remote/loop.h"
#include "util/hook.h"
#include "util/memory.h"

static const int64_t first_pause = 50 * LRD_NS_PER_MS, longest_pause = 2000 * LRD_NS_PER_MS;
static const int64_t young = 10000 * LRD_NS_PER_MS; /* a connection that ends before that */
static const int64_t linger = 1000 * LRD_NS_PER_MS; /* with nothing to listen to */

/* --- its metrics, which another thread may reset ---------------------------------------- */

static void count_put(struct lrd_listen *ls)
{
  struct lrd_link *l = ls->link;
  if (ls->feed.commands == ls->counted)
    return;
  lrd_lock(&l->lock);
  lrd_metrics_put(&l->metrics, ls->feed.commands - ls->counted, ls->feed.asked);
  lrd_metrics_write(&l->metrics);
  lrd_unlock(&l->lock);
  ls->counted = ls->feed.commands;
}

static void count_wrote(struct lrd_listen *ls, size_t bytes)
{
  struct lrd_link *l = ls->link;
  lrd_lock(&l->lock);
  lrd_metrics_wrote(&l->metrics, bytes);
  lrd_unlock(&l->lock);
}

static void count_read(struct lrd_listen *ls, size_t bytes)
{
  struct lrd_link *l = ls->link;
  lrd_lock(&l->lock);
  lrd_metrics_read(&l->metrics, bytes, ls->feed.asked);
  lrd_unlock(&l->lock);
}

static void count_owed(struct lrd_listen *ls, size_t before)
{
  struct lrd_link *l = ls->link;
  if (ls->feed.asked == before)
    return;
  lrd_lock(&l->lock);
  lrd_metrics_owe(&l->metrics, ls->feed.asked);
  lrd_unlock(&l->lock);
}

/* --- losing it ------------------------------------------------------------------------- */

static void tell(struct lrd_listen *ls, larder_level level, const char *name, size_t count,
                 const char *text)
{
  struct lrd_remote *r = ls->loop->remote;
  char number[24];
  snprintf(number, sizeof number, "%zu", count);
  const char *pairs[] = {"address", r->config->address, "count", number, "text", text, NULL};
  lrd_event(r->base.hook, level, name, pairs, "%s: %s: %s", r->config->address, number, text);
}

/* Equal jitter; the first time at once. */
static int64_t pause_of(struct lrd_listen *ls)
{
  unsigned n = ls->failures;
  if (!n)
    return 0;
  int64_t step = n > 6 ? longest_pause : first_pause << (n - 1);
  return step / 2 + (int64_t)lrd_prng_below(&ls->loop->prng, (uint64_t)(step / 2) + 1);
}

/* Closes the connection; *lost: names that were ready. */
static void part(struct lrd_listen *ls, larder_cause cause, const char *text, size_t *lost)
{
  struct lrd_link *l = ls->link;
  lrd_watch_close(l->work.watch);
  l->work.watch = NULL;
  ls->up = 0;
  ls->leave_at = 0;
  *lost = lrd_feed_down(&ls->feed, text);
  lrd_lock(&l->lock);
  lrd_link_close(l, cause, text);
  lrd_unlock(&l->lock);
}

static void lose(struct lrd_listen *ls, larder_cause cause, const char *text)
{
  int64_t now = lrd_remote_now(ls->loop->remote);
  size_t lost;
  part(ls, cause, text, &lost);
  if (now - ls->up_at >= young)
    ls->failures = 0;
  ls->retry_at = now + pause_of(ls);
  ls->failures++;
  if (lost > ls->lost)
    ls->lost = lost;
  if (lost)
    tell(ls, LARDER_WARNING, "subscriptions-lost", lost, text);
  else
    lrd_remote_tell(ls->loop->remote, LARDER_WARNING, "disconnect", text);
}

static void lose_by_feed(struct lrd_listen *ls)
{
  char text[sizeof ls->feed.error];
  memcpy(text, ls->feed.error, sizeof text);
  lose(ls, ls->feed.cause, text);
}

/* --- wanting it ------------------------------------------------------------------------ */

static void dial(struct lrd_listen *ls)
{
  struct lrd_remote *r = ls->loop->remote;
  ls->retry_at = 0;
  if (!ls->link)
    ls->link = lrd_link_new(r, LRD_LINK_LISTEN, r->config->database, 1001);
  if (ls->link)
    lrd_loop_dial(ls->loop, ls->link, 0);
  else
    ls->retry_at = lrd_remote_now(r) + longest_pause;
}

/* Writes what it can: 0, or -1: the connection was lost. */
static int flush(struct lrd_listen *ls)
{
  struct lrd_link *l = ls->link;
  struct lrd_stream *s = &l->stream;
  count_put(ls);
  for (;;) {
    size_t len;
    const char *bytes = lrd_feed_out(&ls->feed, &len);
    ssize_t n = len ? lrd_stream_write(s, bytes, len) : lrd_stream_flush(s);
    if (n > 0) {
      lrd_feed_handed(&ls->feed, (size_t)n);
      count_wrote(ls, (size_t)n);
      continue;
    }
    if (n == LRD_STREAM_FAULT) {
      char text[LRD_STREAM_ERROR_SIZE];
      lose(ls, LARDER_CAUSE_CUT, lrd_stream_error(s, errno, text));
      return -1;
    }
    if (ls->writing == (n != 0))
      return 0;
    ls->writing = n != 0;
    if (lrd_watch_events(l->work.watch, n ? UV_READABLE | UV_WRITABLE : UV_READABLE) == 0)
      return 0;
    lose(ls, LARDER_CAUSE_CALLER, "the connection can't be polled");
    return -1;
  }
}

/* All that was lost is back when nothing is on its way any more. */
static void tell_if_back(struct lrd_listen *ls)
{
  if (!ls->lost || !lrd_feed_idle(&ls->feed))
    return;
  ls->lost = 0;
  tell(ls, LARDER_INFO, "subscriptions-back", ls->feed.confirmed, "subscribed again");
}

/* Sends what is wanted and not yet sent, until the window is full or the socket. */
static void serve(struct lrd_listen *ls)
{
  struct lrd_feed *f = &ls->feed;
  size_t asked;
  do {
    asked = f->asked;
    if (lrd_feed_fill(f, lrd_remote_now(ls->loop->remote)) != 0) {
      lose_by_feed(ls);
      return;
    }
    if (flush(ls) != 0)
      return;
  } while (f->asked != asked);
  tell_if_back(ls);
  if (!lrd_feed_idle(f) || lrd_hub_wanted(f->hub))
    ls->leave_at = 0;
  else if (!ls->leave_at)
    ls->leave_at = lrd_remote_now(ls->loop->remote) + linger;
}

static void on_ready(void *owner, int events)
{
  struct lrd_listen *ls = owner;
  char bytes[LRD_STREAM_READ_SIZE];
  int quiet = lrd_feed_idle(&ls->feed) && !ls->writing;
  struct lrd_stream *stream = &ls->link->stream;
  if (events & UV_READABLE) {
    ssize_t n = lrd_stream_read(stream, bytes, sizeof bytes);
    if (n == 0 || n == LRD_STREAM_FAULT) {
      char text[LRD_STREAM_ERROR_SIZE];
      lose(ls, LARDER_CAUSE_CUT,
           n ? lrd_stream_error(stream, errno, text)
             : "the server closed the connection");
      return;
    }
    if (n > 0) {
      int64_t now = lrd_remote_now(ls->loop->remote);
      lrd_remote_heard(ls->loop->remote, now);
      size_t owed = ls->feed.asked;
      count_read(ls, (size_t)n); /* before anybody hears of it */
      if (lrd_feed_take(&ls->feed, bytes, (size_t)n, now) != 0) {
        lose_by_feed(ls);
        return;
      }
      count_owed(ls, owed);
    }
  }
  if (!quiet)
    serve(ls);
}

/* --- from the loop --------------------------------------------------------------------- */

void lrd_listen_changes(struct lrd_loop *loop)
{
  struct lrd_listen *ls = loop->remote->listen;
  if (!ls || !atomic_exchange(&ls->changed, 0))
    return;
  if (ls->up)
    serve(ls);
  else if (!ls->retry_at && lrd_hub_wanted(ls->feed.hub))
    dial(ls);
}

void lrd_listen_link_changed(struct lrd_loop *loop, int up)
{
  struct lrd_listen *ls = loop->remote->listen;
  struct lrd_link *l = ls->link;
  if (!up) {
    lrd_hub_gap(ls->feed.hub, l->fault.text);
    if (lrd_hub_wanted(ls->feed.hub)) /* and then after the group's pause */
      ls->retry_at = lrd_remote_now(loop->remote) + first_pause;
    return;
  }
  ls->up = 1;
  ls->up_at = lrd_remote_now(loop->remote);
  if (lrd_feed_up(&ls->feed, ls->up_at) != 0) {
    lose_by_feed(ls);
    return;
  }
  l->work.watch = lrd_watch_new(loop, l->stream.fd, on_ready, ls);
  ls->writing = -1;
  if (l->work.watch)
    serve(ls);
  else
    lose(ls, LARDER_CAUSE_CALLER, "no memory to connect");
}

void lrd_listen_doubt(struct lrd_loop *loop)
{
  struct lrd_listen *ls = loop->remote->listen;
  if (ls && ls->up)
    lrd_feed_doubt(&ls->feed);
}

/* Nobody has wanted anything for a while. */
static void leave(struct lrd_listen *ls)
{
  size_t lost;
  part(ls, LARDER_CAUSE_CALLER, "nothing to listen to", &lost);
  atomic_store(&ls->changed, 1); /* somebody may want something again, just now */
  lrd_listen_changes(ls->loop);
}

static int64_t tick_up(struct lrd_listen *ls, int64_t now)
{
  int64_t next = lrd_feed_tick(&ls->feed, now);
  if (next < 0) {
    lose_by_feed(ls);
    return ls->retry_at;
  }
  size_t len;
  lrd_feed_out(&ls->feed, &len);
  if (len && flush(ls) != 0)
    return ls->retry_at;
  if (!ls->leave_at)
    return next;
  if (now < ls->leave_at)
    return ls->leave_at < next ? ls->leave_at : next;
  leave(ls);
  return INT64_MAX;
}

int64_t lrd_listen_tick(struct lrd_loop *loop, int64_t now)
{
  struct lrd_listen *ls = loop->remote->listen;
  if (!ls)
    return INT64_MAX;
  if (ls->up)
    return tick_up(ls, now);
  if (!ls->retry_at)
    return INT64_MAX;
  if (now < ls->retry_at)
    return ls->retry_at;
  ls->retry_at = 0;
  if (lrd_hub_wanted(ls->feed.hub))
    dial(ls);
  return ls->retry_at ? ls->retry_at : INT64_MAX;
}

void lrd_listen_drop(struct lrd_loop *loop, const char *text)
{
  struct lrd_listen *ls = loop->remote->listen;
  if (ls && ls->up)
    lose(ls, LARDER_CAUSE_CALLER, text);
}

/* --- life ------------------------------------------------------------------------------ */

static void wake(void *context)
{
  struct lrd_listen *ls = context;
  atomic_store(&ls->changed, 1);
  uv_async_send(&ls->loop->async);
}

struct lrd_listen *lrd_listen_new(struct lrd_remote *r, struct lrd_hub *hub)
{
  struct lrd_listen *ls = lrd_allocate_zeroed(&r->base.memory, 1, sizeof *ls);
  if (!ls)
    return NULL;
  ls->source = (struct lrd_hub_source){wake, ls};
  lrd_feed_init(&ls->feed, &r->base.memory, hub,
                r->config->timeout + r->config->connect_timeout);
  return ls;
}

larder_outcome lrd_listen_attach(struct lrd_listen *ls, struct lrd_loop *loop)
{
  ls->loop = loop;
  larder_outcome o = lrd_hub_attach(ls->feed.hub, &ls->source);
  if (o == LARDER_OK && lrd_hub_wanted(ls->feed.hub))
    wake(ls);
  return o;
}

void lrd_listen_detach(struct lrd_listen *ls)
{
  lrd_hub_detach(ls->feed.hub, &ls->source);
}

void lrd_listen_free(struct lrd_listen *ls, int forked)
{
  if (!ls)
    return;
  lrd_link_free(ls->link, forked);
  if (!forked)
    lrd_release(ls->feed.memory, ls, sizeof *ls);
}
