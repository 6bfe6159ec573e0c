/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_STREAM_H
#define LRD_REMOTE_STREAM_H

#include <stddef.h>
#include <sys/types.h>

#include <larder/backend.h>

#include "remote/tls.h"

/*
 * The bytes of one connection: a plain socket, or TLS over it.  Never raises
 * SIGPIPE, never blocks (but in lrd_stream_receive).
 *
 * One thread may read while another writes; two may not read, or write, at once
 * (the link sees to that).  Bytes that lrd_stream_write took may still lie in the TLS layer:
 * while lrd_stream_owes says so, the descriptor is to be polled for writing, and flushed.
 */

struct lrd_stream {
  int fd;              /* -1: none */
  struct lrd_tls *tls; /* NULL: plain.  Owned */
  int patient;         /* lrd_stream_receive may wait */
};

#define LRD_STREAM_NONE ((struct lrd_stream){.fd = -1})

enum {
  LRD_STREAM_AGAIN = -1, /* would block */
  LRD_STREAM_FAULT = -2  /* lrd_stream_error says why */
};

/* A buffer of this size takes all that has come: afterwards poll() tells whether there is
 * more.  With a smaller one: read again until fewer bytes come than it holds. */
enum { LRD_STREAM_READ_SIZE = 40 * 1024 };

/* Bytes taken, LRD_STREAM_AGAIN or _FAULT. */
ssize_t lrd_stream_write(struct lrd_stream *, const char *bytes, size_t len);
/* Bytes read, 0 at the end, LRD_STREAM_AGAIN or _FAULT. */
ssize_t lrd_stream_read(struct lrd_stream *, char *bytes, size_t size);
/* Lets lrd_stream_receive wait, if the stream is plain. */
void lrd_stream_be_patient(struct lrd_stream *);
/* As lrd_stream_read, but a patient stream waits LRD_STREAM_PATIENCE_MS (and what the kernel's tick
 * adds) for bytes: one system call where poll() and read would be two. */
enum { LRD_STREAM_PATIENCE_MS = 10 };
ssize_t lrd_stream_receive(struct lrd_stream *, char *bytes, size_t size);
/* Closes the descriptor; never shutdown(), which a forked child would do to its parent. */
void lrd_stream_close(struct lrd_stream *);
/* The same in a forked child: nothing is sent. */
void lrd_stream_abandon(struct lrd_stream *);

/* 1: bytes that were taken wait for the socket. */
static inline int lrd_stream_owes(const struct lrd_stream *s)
{
  return s->tls && lrd_tls_owes(s->tls);
}

/* Sends what is owed: 0, LRD_STREAM_AGAIN or _FAULT. */
static inline ssize_t lrd_stream_flush(struct lrd_stream *s)
{
  return s->tls ? lrd_tls_flush(s->tls) : 0;
}

enum { LRD_STREAM_ERROR_SIZE = 200 };
/* Why a call gave _FAULT, in text; error: errno's value after it (any thread, no
 * allocation).  NULL: what error alone means. */
const char *lrd_stream_error(const struct lrd_stream *, int error,
                             char text[LRD_STREAM_ERROR_SIZE]);
/* The cause that goes with it, for an attempt to connect. */
larder_cause lrd_stream_cause(const struct lrd_stream *);

#endif
