/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SERVE_TALK_H
#define TEST_SERVE_TALK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <larder.h>
#include <larder/serve.h>

/* Raw bytes over sockets, and a store with a listener that counts its memory. */

int talk_connect(int port);              /* -1: errno */
int talk_connect_path(const char *path); /* -1: errno */

struct talk {
  char *bytes; /* with a NUL behind them */
  size_t len;
  int closed;  /* the peer closed (else: nothing came for a while) */
};

/* Sends everything, also while bytes come back.  half_close: then ends our side.  Reads
 * until the peer closes, or nothing came for wait_ms. */
struct talk talk_exchange(int fd, const void *bytes, size_t len, int half_close, int wait_ms);
void talk_free(struct talk *);

/* Reads exactly len bytes; 0, or -1. */
int talk_read(int fd, void *bytes, size_t len, int wait_ms);
int talk_send(int fd, const void *bytes, size_t len);

enum { TALK_MS = 10000 };

/* These fail the test. */
void talk_say(int fd, const char *text);
void talk_expect(int fd, const char *text);
void talk_expect_end(int fd);

struct house {
  larder *store;
  larder_listener *listener;
  int port; /* of the first address */
  atomic_size_t used; /* bytes of the store's memory */
  atomic_long left;   /* allocations until all fail; < 0: none does */
};

/* A memory: store, or one with the given backend, and a listener on a free port unless
 * options have addresses.  Fails the test if that doesn't work. */
void house_open(struct house *, const larder_options *, const larder_listen_options *);
/* The same without a listener: larder_listen is the test's. */
void house_open_store(struct house *, const larder_options *);
int house_connect(const struct house *);
/* Closes both; all memory must be back. */
void house_close(struct house *);

#endif
