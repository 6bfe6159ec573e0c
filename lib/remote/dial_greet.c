/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "remote/dial_part.h"

/* From a connected socket to a link that is READY: TLS, then Redis's own handshake. */

/* --- handshake ------------------------------------------------------------------------- */

/* What the connection's end, or a fault of it, is. */
static void fail_stream(struct lrd_dial *d, int error)
{
  char text[LRD_STREAM_ERROR_SIZE];
  larder_cause cause = lrd_stream_cause(&d->stream);
  lrd_stream_error(&d->stream, error, text);
  struct lrd_fault fault = {.cause = cause};
  fault.outcome = cause == LARDER_CAUSE_AUTH ? LARDER_REFUSED : LARDER_NOT_SENT;
  snprintf(fault.text, sizeof fault.text, "%s", text);
  lrd_dial_fail(d, &fault);
}

/* With the link's lock: writes what is there and says what to poll for; -1: a fault, *error. */
static int pump(struct lrd_dial *d, int *error)
{
  struct lrd_wire *w = &d->link->wire;
  struct lrd_stream *s = &d->link->stream;
  for (;;) {
    size_t len;
    const char *bytes = lrd_wire_out(w, &len);
    ssize_t n = len ? lrd_stream_write(s, bytes, len) : lrd_stream_flush(s);
    if (n == LRD_STREAM_FAULT) {
      *error = errno;
      return -1;
    }
    if (n <= 0)
      return n ? UV_READABLE | UV_WRITABLE : UV_READABLE;
    lrd_wire_handed(w, (size_t)n);
  }
}

static void greeted(struct lrd_dial *d, enum lrd_greeting g)
{
  if (g == LRD_GREETING_DONE) {
    lrd_dial_succeed(d);
  } else if (g == LRD_GREETING_FAILED) {
    struct lrd_fault fault = d->greet.fault;
    lrd_dial_fail(d, &fault);
  } else {
    int error = 0;
    lrd_lock(&d->link->lock);
    int events = pump(d, &error);
    lrd_unlock(&d->link->lock);
    if (events < 0)
      fail_stream(d, error);
    else if (lrd_watch_events(d->watch, events) != 0)
      lrd_dial_fail_text(d, LARDER_CAUSE_CALLER, "the connection can't be polled");
  }
}

static void cut(struct lrd_dial *d, larder_cause cause, const char *text)
{
  lrd_handshake_cut(&d->greet, cause, text);
  struct lrd_fault fault = d->greet.fault;
  lrd_dial_fail(d, &fault);
}

/* The connection ended: what the server had said before is the better reason, and what TLS says
 * about us is none of the handshake's. */
static void end_greeting(struct lrd_dial *d, int at_end, int error)
{
  char text[LRD_STREAM_ERROR_SIZE];
  if (at_end)
    cut(d, LARDER_CAUSE_CUT, "the server closed the connection in the handshake");
  else if (lrd_stream_cause(&d->stream) == LARDER_CAUSE_CUT)
    cut(d, LARDER_CAUSE_CUT, lrd_stream_error(&d->stream, error, text));
  else
    fail_stream(d, error);
}

/* A server that wants TLS answers plain text with a TLS alert. */
static int is_alert(const struct lrd_dial *d, const char *bytes, size_t len)
{
  return !d->stream.tls && len >= 2 && bytes[0] == 0x15 && bytes[1] == 0x03;
}

static void on_greeting(struct lrd_dial *d)
{
  char bytes[LRD_STREAM_READ_SIZE];
  struct lrd_link *l = d->link;
  ssize_t n = lrd_stream_read(&l->stream, bytes, sizeof bytes);
  if (n == LRD_STREAM_AGAIN) {
    greeted(d, LRD_GREETING_MORE);
    return;
  }
  if (n <= 0) {
    end_greeting(d, n == 0, errno);
    return;
  }
  if (is_alert(d, bytes, (size_t)n)) {
    lrd_dial_fail_text(d, LARDER_CAUSE_TLS, "the server speaks TLS at this port: use rediss://");
    return;
  }
  lrd_remote_heard(d->loop->remote, lrd_remote_now(d->loop->remote));
  lrd_lock(&l->lock);
  int dead = lrd_wire_feed(&l->wire, bytes, (size_t)n);
  enum lrd_greeting g = LRD_GREETING_MORE;
  if (!dead && d->greet.ticket.state == LRD_TICKET_DONE) {
    lrd_wire_ended(&l->wire);
    g = lrd_handshake_next(&d->greet);
  }
  lrd_unlock(&l->lock);
  if (dead)
    cut(d, LARDER_CAUSE_PROTOCOL, l->wire.error);
  else
    greeted(d, g);
}

static void begin_greeting(struct lrd_dial *d)
{
  struct lrd_link *l = d->link;
  if (!lrd_handshake_prepare(&d->greet, d->loop->remote->config)) {
    struct lrd_fault fault = d->greet.fault;
    lrd_dial_fail(d, &fault);
    return;
  }
  d->phase = PHASE_GREET;
  lrd_lock(&l->lock);
  l->stream = d->stream;
  enum lrd_greeting g = LRD_GREETING_FAILED;
  if (lrd_wire_init(&l->wire, &d->loop->remote->base.memory, 0) == 0)
    g = lrd_handshake_begin(&d->greet, l);
  else
    d->greet.fault =
      (struct lrd_fault){LARDER_NOT_SENT, LARDER_CAUSE_CALLER, "no memory to connect"};
  lrd_unlock(&l->lock);
  greeted(d, g);
}

/* --- TLS --------------------------------------------------------------------------------- */

static void shake_hands(struct lrd_dial *d)
{
  int n = lrd_tls_handshake(d->stream.tls);
  if (n == 0)
    begin_greeting(d);
  else if (n == LRD_STREAM_FAULT)
    fail_stream(d, errno);
  else if (lrd_watch_events(d->watch, lrd_stream_owes(&d->stream) ? UV_READABLE | UV_WRITABLE
                                                                 : UV_READABLE) != 0)
    lrd_dial_fail_text(d, LARDER_CAUSE_CALLER, "the connection can't be polled");
}

void lrd_dial_greet(struct lrd_dial *d)
{
  struct lrd_remote *r = d->loop->remote;
  if (!r->tls) {
    begin_greeting(d);
    return;
  }
  d->phase = PHASE_TLS;
  d->stream.tls = lrd_tls_new(r->tls, d->stream.fd);
  if (d->stream.tls)
    shake_hands(d);
  else
    lrd_dial_fail_text(d, LARDER_CAUSE_CALLER, "no memory to connect");
}

void lrd_dial_greeting(struct lrd_dial *d)
{
  if (d->phase == PHASE_TLS)
    shake_hands(d);
  else
    on_greeting(d);
}
