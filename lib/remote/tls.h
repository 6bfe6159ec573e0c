/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_TLS_H
#define LRD_REMOTE_TLS_H

#include <stddef.h>
#include <sys/types.h>

#include <larder/backend.h>

/*
 * TLS (1.2 or newer, OpenSSL) under a stream.  The server's chain and name are
 * verified; what fails is a fault with a text, never a connection.
 *
 * OpenSSL reads and writes through a BIO of ours: one recv a call, and sends that
 * neither block nor raise SIGPIPE.  What the socket does not take stays here,
 * encrypted (at most LRD_TLS_OWED bytes), so a write that OpenSSL was given is never given again.
 * In the middle of a message of the server's (new keys, a ticket) OpenSSL writes nothing: what it is
 * given then is kept, too (as much at most), and goes out once a read has brought the rest.
 * A later connection of the store resumes a session of an earlier one, where the server lets it: of
 * one whose certificate was verified, for an hour at most, and not behind that certificate's end; a
 * ticket of TLS 1.3 once.  A few are kept, by the store alone, and wiped when it is closed.
 *
 * A lock of its own lets one thread read while another writes; it is a leaf.
 *
 * Any thread.  Calls empty the calling thread's OpenSSL error queue.  OpenSSL's own memory does
 * not come from the store's memory hook.  tls_none.c stands here in builds without OpenSSL.
 */

struct lrd_config;
struct lrd_tls_context; /* of a store: certificates and rules */
struct lrd_tls;         /* of a connection */

enum { LRD_TLS_OWED = 64 * 1024 };

/* Reads the files that the options name.  OK, BAD_ARGUMENT or NO_MEMORY with one line in
 * error that names option, file and reason.  The configuration must outlive it. */
larder_outcome lrd_tls_context_new(struct lrd_tls_context **, const struct lrd_config *,
                                   const larder_memory *, char *error, size_t error_size);
/* NULL is allowed. */
void lrd_tls_context_free(struct lrd_tls_context *);

/* For a connected socket, which stays the caller's; NULL: no memory. */
struct lrd_tls *lrd_tls_new(struct lrd_tls_context *, int fd);
/* Says goodbye (close_notify) where that makes sense, and frees. */
void lrd_tls_free(struct lrd_tls *);
/* In a forked child: frees without a word, and not at all if a thread of the parent was inside. */
void lrd_tls_abandon(struct lrd_tls *);

/* As lrd_stream_...: 0: done; AGAIN: poll for reading, and for writing if it owes. */
int lrd_tls_handshake(struct lrd_tls *);
/* 1: the server has said something. */
int lrd_tls_heard(struct lrd_tls *);
ssize_t lrd_tls_write(struct lrd_tls *, const char *bytes, size_t len);
ssize_t lrd_tls_read(struct lrd_tls *, char *bytes, size_t size);
int lrd_tls_flush(struct lrd_tls *);
int lrd_tls_owes(struct lrd_tls *);

/* 1: text says what went wrong; 0: nothing that is TLS's. */
int lrd_tls_error(struct lrd_tls *, char *text, size_t size);
/* TLS: no trust, no common version, no TLS at all; AUTH: the server refuses our
 * certificate; CUT: the connection ended. */
larder_cause lrd_tls_cause(struct lrd_tls *);

#endif
