/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The synchronous side of a link: its callers. */

void lrd_link_call_init(struct lrd_link_call *c, struct lrd_remote *r, const larder_vector *vector,
                        size_t count, int atomic, int64_t deadline)
{
  memset(c, 0, sizeof *c);
  lrd_ticket_init(&c->ticket, &r->base.memory, vector, count, atomic);
  c->ticket.deadline = deadline;
  c->entered_at = lrd_remote_now(r);
  c->unsent = LARDER_NOT_SENT;
  c->has_park = lrd_park_init(&c->park) == 0;
}

void lrd_link_call_release(struct lrd_link_call *c)
{
  if (c->has_park)
    lrd_park_destroy(&c->park);
  c->has_park = 0;
  lrd_ticket_release(&c->ticket);
}

void lrd_link_call_fail(struct lrd_link_call *c, larder_outcome outcome, larder_cause cause,
                        const char *text)
{
  c->unsent = outcome;
  c->ticket.state = LRD_TICKET_FAILED;
  c->ticket.got = c->ticket.committed = 0;
  c->ticket.cause = cause;
  snprintf(c->ticket.error, sizeof c->ticket.error, "%s", text);
}

/* --- waiting --------------------------------------------------------------------------- */

static void enlist(struct lrd_link *l, struct lrd_link_call *c)
{
  c->previous = l->waiting_last;
  *(l->waiting_last ? &l->waiting_last->next : &l->waiting) = c;
  l->waiting_last = c;
}

/* Until somebody lets it go, or the deadline.  1: it is over, and the lock is not held. */
static int sleep_until(struct lrd_link *l, struct lrd_link_call *c, int64_t deadline)
{
  unsigned look = lrd_park_look(&c->park);
  c->sleeping = 1;
  lrd_link_unlock(l);
  lrd_park_sleep(&c->park, look, lrd_remote_system_time(l->remote, deadline));
  if (lrd_park_is_over(lrd_park_look(&c->park)))
    return 1;
  lrd_lock(&l->lock);
  c->sleeping = 0;
  if (!lrd_park_is_over(lrd_park_look(&c->park)))
    return 0;
  lrd_link_unlock(l);
  return 1;
}

/* Who was let go last is woken first. */
static void swap(struct lrd_wakes *w)
{
  atomic_uint *last = w->word[w->count - 1];
  w->word[w->count - 1] = w->word[0];
  w->word[0] = last;
}

/* Nobody drives: wakes the oldest call that waits for a reply. */
static void pass_on(struct lrd_link *l)
{
  if (l->driven)
    return;
  for (struct lrd_link_call *c = l->waiting; c; c = c->next)
    if (c->sleeping && c->ticket.state == LRD_TICKET_PENDING) {
      lrd_link_let_go(l, c, 0);
      swap(&l->wakes); /* replies may come while the others wake up */
      return;
    }
}

/* --- getting a connection -------------------------------------------------------------- */

static int fail_with(struct lrd_link_call *c, const struct lrd_fault *fault)
{
  lrd_link_call_fail(c, fault->outcome, fault->cause, fault->text);
  return 0;
}

static int fail_late(struct lrd_link *l, struct lrd_link_call *c, int64_t now)
{
  struct lrd_fault fault;
  larder_cause cause = lrd_link_late(l->remote, c->entered_at, now);
  if (lrd_group_is_backing_off(l->remote, l->home_database, INT64_MIN, &fault))
    return fail_with(c, &fault);
  lrd_link_call_fail(c, LARDER_NOT_SENT, cause, "not connected within the deadline");
  return 0;
}

/* Who won't wait is told of the last attempt's failure, if it is not of long ago: since then nobody
 * may have wanted a connection. */
static int failed_lately(struct lrd_remote *r, const struct lrd_link *l, int64_t now,
                         struct lrd_fault *fault)
{
  return lrd_group_is_backing_off(r, l->home_database, now - r->config->connect_timeout, fault);
}

/* The link is DOWN: asks for a connection, or says why this call won't wait for one. */
static int want(struct lrd_link *l, struct lrd_link_call *c, unsigned flags, int64_t now)
{
  struct lrd_remote *r = l->remote;
  struct lrd_fault fault;
  int probe = (flags & LARDER_CALL_PROBE) != 0;
  int again = lrd_group_is_backing_off(r, l->home_database, INT64_MIN, &fault);
  lrd_loop_dial(r->loop, l, probe);
  if (!again || probe)
    return 1;
  if (flags & LARDER_CALL_NOWAIT)
    return failed_lately(r, l, now, &fault) ? fail_with(c, &fault) : 1;
  if (!lrd_group_is_backing_off(r, l->home_database, now, &fault))
    return 1;
  int64_t next = atomic_load(&r->group[l->home_database].next_attempt);
  return fault.outcome == LARDER_REFUSED || next >= c->ticket.deadline ? fail_with(c, &fault) : 1;
}

/* An attempt to connect has failed while this call waited for it. */
static int give_up(struct lrd_link *l, struct lrd_link_call *c, unsigned flags)
{
  return ++c->failed > (unsigned)l->remote->config->max_retries ||
         l->fault.outcome == LARDER_REFUSED || (flags & LARDER_CALL_NOWAIT);
}

/* 1: the link is READY; 0: the call has failed. */
static int wait_ready(struct lrd_link *l, struct lrd_link_call *c, unsigned flags)
{
  struct lrd_remote *r = l->remote;
  unsigned seen = l->attempts;
  for (;;) {
    if (c->cancelled || atomic_load(&r->closing)) {
      lrd_link_call_fail(c, atomic_load(&r->closing) ? LARDER_CLOSED : c->unsent,
                         LARDER_CAUSE_CALLER, "cancelled");
      return 0;
    }
    if (l->state == LRD_LINK_READY)
      return 1;
    if (l->attempts != seen) {
      if (give_up(l, c, flags))
        return fail_with(c, &l->fault);
      seen = l->attempts;
      flags &= ~(unsigned)LARDER_CALL_PROBE;
    }
    int64_t now = lrd_remote_now(r);
    if (now >= c->ticket.deadline)
      return fail_late(l, c, now);
    if (l->state == LRD_LINK_DOWN) {
      if (!want(l, c, flags, now))
        return 0;
    } else if ((flags & LARDER_CALL_NOWAIT) && !(flags & LARDER_CALL_PROBE)) {
      struct lrd_fault fault;
      if (failed_lately(r, l, now, &fault))
        return fail_with(c, &fault);
    }
    sleep_until(l, c, c->ticket.deadline);
  }
}

/* --- sending --------------------------------------------------------------------------- */

/* A link that nobody read for a while: looks what came, late replies or the end,
 * before a command is committed to it.  The end may stand behind late replies, but the lock is
 * held: what goes on coming after LATE_MOST bytes is left to the driver. */
enum { LATE_MOST = 1 << 20 };
static void catch_up(struct lrd_link *l, int64_t now)
{
  char bytes[1024];
  ssize_t n;
  size_t all = 0;
  do {
    n = lrd_stream_read(&l->stream, bytes, sizeof bytes);
    if (lrd_link_received(l, bytes, n, errno, now) != 0)
      return;
    all += n > 0 ? (size_t)n : 0;
  } while (n > 0 && all < LATE_MOST);
}

static void send_out(struct lrd_link *l)
{
  if (l->state == LRD_LINK_READY && lrd_link_flush(l) == 0 && l->driven && lrd_link_has_output(l)) {
    uint64_t one = 1;
    ssize_t n = write(l->wake, &one, sizeof one); /* the driver must poll for writing too */
    (void)n;
  }
}

/* 1: the call is in the wire, or has failed; 0: the link went down before. */
static int put(struct lrd_link *l, struct lrd_link_call *c)
{
  struct lrd_remote *r = l->remote;
  int64_t now = lrd_remote_now(r);
  if (!l->driven && now - l->touched_at > LRD_NS_PER_MS) {
    catch_up(l, now);
    now = lrd_remote_now(r);
  }
  if (l->state == LRD_LINK_READY && now > lrd_link_stuck_at(l))
    lrd_link_close(l, LARDER_CAUSE_SILENT, "the server makes no progress");
  if (l->state != LRD_LINK_READY)
    return 0;
  if (now >= c->ticket.deadline) {
    lrd_link_call_fail(c, LARDER_NOT_SENT, LARDER_CAUSE_SLOW,
                       "the deadline passed before it was sent");
    return 1;
  }
  if (c->ticket.atomic && l->no_multi[0]) {
    lrd_link_call_fail(c, LARDER_REFUSED, LARDER_CAUSE_AUTH, l->no_multi);
    return 1;
  }
  c->ticket.sent_at = now;
  c->ticket.home = l->database;
  if (lrd_wire_enter(&l->wire, &c->ticket) != 0) {
    lrd_link_call_fail(c, LARDER_NO_MEMORY, LARDER_CAUSE_CALLER, "no memory for the command");
    return 1;
  }
  if (!l->wire.used)
    l->progress_at = now;
  l->touched_at = now;
  lrd_link_turn(l, now);
  lrd_metrics_put(&l->metrics, c->ticket.count, l->wire.used);
  send_out(l);
  return 1;
}

/* --- driving --------------------------------------------------------------------------- */

static void wait_io(struct lrd_remote *r, struct pollfd p[2], int64_t deadline)
{
  int64_t left = deadline - lrd_remote_now(r);
  if (left < 0)
    left = 0;
  struct timespec limit = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
  if (ppoll(p, 2, &limit, NULL) < 0)
    p[0].revents = p[1].revents = 0; /* EINTR: round again */
}

static void drain(int fd)
{
  uint64_t n;
  ssize_t ignored = read(fd, &n, sizeof n);
  (void)ignored;
}

/* Waits for the descriptors and reads; outside the lock. */
static ssize_t receive(struct lrd_remote *r, struct lrd_stream *stream, struct pollfd p[2],
                       int64_t deadline, char bytes[static LRD_STREAM_READ_SIZE])
{
  ssize_t n = LRD_STREAM_AGAIN;
  wait_io(r, p, deadline);
  if (p[0].revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL))
    n = lrd_stream_read(stream, bytes, LRD_STREAM_READ_SIZE);
  int error = errno;
  if (p[1].revents)
    drain(p[1].fd);
  errno = error;
  return n;
}

/* May the driver sit in recv() once?  Only a while before its deadline. */
static int may_sit(const struct lrd_link *l, int64_t now, int64_t deadline)
{
  return l->stream.patient && !lrd_link_has_output(l) &&
         deadline - now > 3 * LRD_STREAM_PATIENCE_MS * LRD_NS_PER_MS;
}

/* One round of I/O, outside the lock.  *now: about now; afterwards, exactly. */
static void drive_once(struct lrd_link *l, struct lrd_link_call *c, int first, int64_t *now)
{
  struct lrd_remote *r = l->remote;
  char bytes[LRD_STREAM_READ_SIZE];
  short events = lrd_link_has_output(l) ? POLLIN | POLLOUT : POLLIN;
  struct pollfd p[2] = {{.fd = l->stream.fd, .events = events},
                        {.fd = l->wake, .events = POLLIN}};
  int64_t stuck_at = lrd_link_stuck_at(l);
  int64_t deadline = stuck_at < c->ticket.deadline ? stuck_at : c->ticket.deadline;
  int sit = first && may_sit(l, *now, deadline);
  struct lrd_stream stream = l->stream;
  lrd_link_unlock(l);
  ssize_t n = sit ? lrd_stream_receive(&stream, bytes, sizeof bytes)
                  : receive(r, &stream, p, deadline, bytes);
  int error = errno;
  *now = lrd_remote_now(r);
  lrd_lock(&l->lock);
  if (l->state != LRD_LINK_READY || lrd_link_received(l, bytes, n, error, *now) != 0)
    return;
  if (*now > lrd_link_stuck_at(l))
    lrd_link_close(l, LARDER_CAUSE_SILENT, "the server makes no progress");
  else
    lrd_link_flush(l);
}

static void expire(struct lrd_link *l, struct lrd_link_call *c, int64_t now)
{
  lrd_wire_withdraw(&l->wire, &c->ticket, lrd_link_late(l->remote, c->ticket.sent_at, now),
                    c->ticket.put ? "no reply within the deadline"
                                  : "no room on the connection within the deadline");
  if (c->ticket.put)
    lrd_link_doubt(l, c->ticket.sent_at, now);
  else
    lrd_metrics_missed(&l->metrics, l->wire.used);
  if (l->wire.used)
    atomic_store_explicit(&l->ready, 0, memory_order_relaxed); /* others are better off elsewhere */
  lrd_link_turn(l, now);
  send_out(l);
}

static void drive(struct lrd_link *l, struct lrd_link_call *c, int64_t *now)
{
  int first = 1;
  l->driven = 1;
  for (; c->ticket.state == LRD_TICKET_PENDING && *now < c->ticket.deadline; first = 0)
    drive_once(l, c, first, now);
  l->driven = 0;
  lrd_link_finish(l);
}

/* Until the call in the wire has ended.  1: it is over, and the lock is not held. */
static int await(struct lrd_link *l, struct lrd_link_call *c)
{
  int64_t now = c->ticket.sent_at;
  while (c->ticket.state == LRD_TICKET_PENDING) {
    if (!l->driven) {
      drive(l, c, &now);
    } else {
      if (sleep_until(l, c, c->ticket.deadline))
        return 1;
      now = lrd_remote_now(l->remote);
    }
    if (c->ticket.state == LRD_TICKET_PENDING && (now >= c->ticket.deadline || c->cancelled))
      expire(l, c, now);
  }
  if (c->ticket.starved)
    c->unsent = LARDER_NO_MEMORY;
  return 0;
}

/* Nothing of it has left us, because the connection ended: another one may do. */
static int may_retry(struct lrd_link *l, struct lrd_link_call *c, unsigned flags)
{
  struct lrd_ticket *t = &c->ticket;
  if (t->state != LRD_TICKET_FAILED || t->got || t->committed || t->cause != LARDER_CAUSE_CUT)
    return 0;
  if ((flags & LRD_LINK_NO_RETRY) || c->cancelled ||
      ++c->failed > (unsigned)l->remote->config->max_retries)
    return 0;
  t->state = LRD_TICKET_NEW;
  return 1;
}

static void tell_ended(struct lrd_link *l, char text[static 200])
{
  memcpy(text, l->ended, sizeof l->ended);
  l->ended[0] = 0;
}

/* 1: it is over, and the lock is not held. */
static int run(struct lrd_link *l, struct lrd_link_call *c, unsigned flags)
{
  for (;;) {
    if ((flags & LRD_LINK_NO_RETRY) && l->state != LRD_LINK_READY) {
      lrd_link_call_fail(c, LARDER_NOT_SENT, LARDER_CAUSE_CUT, "the connection was lost");
      return 0;
    }
    if (!wait_ready(l, c, flags))
      return 0;
    if (!put(l, c))
      continue;
    if (await(l, c))
      return 1;
    if (!may_retry(l, c, flags))
      return 0;
  }
}

void lrd_link_run(struct lrd_link *l, struct lrd_link_call *c, unsigned flags)
{
  char ended[sizeof l->ended];
  unsigned load = c->ticket.count < 1u << 20 ? (unsigned)c->ticket.count : 1u << 20;
  ended[0] = 0;
  if (!c->has_park) {
    lrd_link_call_fail(c, LARDER_NO_MEMORY, LARDER_CAUSE_CALLER, "no memory to wait with");
    return;
  }
  atomic_fetch_add_explicit(&l->load, load, memory_order_relaxed);
  lrd_lock(&l->lock);
  enlist(l, c);
  if (!run(l, c, flags)) {
    lrd_link_delist(l, c);
    pass_on(l);
    if (l->ended[0])
      tell_ended(l, ended);
    lrd_link_unlock(l);
  }
  atomic_fetch_sub_explicit(&l->load, load, memory_order_relaxed);
  if (ended[0])
    lrd_remote_tell(l->remote, LARDER_WARNING, "disconnect", ended);
}
