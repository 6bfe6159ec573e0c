/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_STREAM_H
#define LRD_REMOTE_STREAM_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The bytes of one connection.  Plain sockets now; TLS goes behind these calls
 * (its state becomes a member, WANT_READ on write becomes LRD_STREAM_AGAIN with
 * stream->wants set).  Never raises SIGPIPE, never blocks.
 */

struct lrd_stream {
  int fd; /* -1: none */
};

enum {
  LRD_STREAM_AGAIN = -1, /* would block */
  LRD_STREAM_FAULT = -2  /* errno says why */
};

/* Bytes written, LRD_STREAM_AGAIN or _FAULT. */
ssize_t lrd_stream_write(struct lrd_stream *, const char *bytes, size_t len);
/* Bytes read, 0 at the end, LRD_STREAM_AGAIN or _FAULT. */
ssize_t lrd_stream_read(struct lrd_stream *, char *bytes, size_t size);
/* Closes the descriptor; never shutdown(), which a forked child would do to its parent. */
void lrd_stream_close(struct lrd_stream *);

enum { LRD_STREAM_ERROR_SIZE = 96 };
/* What an errno value means, in text (any thread, no allocation). */
const char *lrd_stream_error(int error, char text[LRD_STREAM_ERROR_SIZE]);

#endif
