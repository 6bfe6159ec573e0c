/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_PEER_WIRE_H
#define TEST_SUPPORT_PEER_WIRE_H

#include "support/peer.h"

#include <pthread.h>

/* The fake peer's connections: reading commands, sending, the handshake's replies, serving.  For
 * peer.c alone. */

enum { CONNECTIONS = 64, PATIENCE_MS = 10000 };

struct connection {
  int fd;
  char *in;
  size_t len, capacity;
};

struct peer {
  int listener, stop; /* stop: an eventfd that is readable once the peer is to end */
  int port;
  char path[96], directory[64];
  const struct peer_step *script;
  size_t steps;
  const char *const (*reply)[2];
  const char *retort;
  pthread_t thread;
  struct connection connection[CONNECTIONS];
  int connections, current;

  pthread_mutex_t mutex;
  pthread_cond_t cond;
  int at_barrier, met, ended;
  char why[256];
  char *log;
  size_t log_len;
};

/* Why the script failed: the first reason is kept. */
void peer_fault(struct peer *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 1: fd is ready; 0: it took too long; -1: the peer is to end. */
int peer_wait(struct peer *, int fd, short events, int timeout_ms);
int peer_accept(struct peer *);
void peer_close(struct connection *, int reset);

/* 0, or -1. */
int peer_send(struct peer *, int fd, const char *bytes, size_t len);
/* Reads one command of a connection, its words joined by spaces, and notes it; 0, or -1. */
int peer_command(struct peer *, int number, char *words, size_t size);
/* 1: bytes came; 0: the end; -1: error, or the peer is to end. */
int peer_read(struct peer *, struct connection *);

/* Answers the handshake of the current connection; 0, or -1. */
int peer_greet(struct peer *);
/* All connections, until the peer is to end; piece: how many bytes at a time, 0: all. */
void peer_serve(struct peer *, int piece);

#endif
