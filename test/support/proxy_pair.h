/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_PROXY_PAIR_H
#define TEST_SUPPORT_PROXY_PAIR_H

#include <pthread.h>
#include <stdint.h>

#include "support/proxy.h"

/* The fault proxy's connections, and what befalls requests and replies on them.  For proxy.c alone;
 * its thread, with its mutex. */

enum { PAIRS = 128, REQUESTS = 2 * PROXY_NEWS, OWED = 4096, WORD = 12 };

struct bytes {
  char *data;
  size_t len, capacity;
};

/* What is still to happen to a pair, once the bytes before it are out. */
enum ending { STAYS, ENDS_FIN, ENDS_RST, ENDS_HALF, ENDS_HANG };

/* One client's connection and ours to the server. */
struct pair {
  int client, server;                     /* -1: closed */
  struct bytes ask, to_server;            /* from the client: not whole yet; on its way */
  struct bytes answer, to_client;
  long owed[OWED];                        /* numbers of the requests whose replies come next */
  size_t owed_first, owed_used;
  enum ending ending;
  int hung, half;
  size_t pause_at;                        /* in to_client; with pause_until */
  int64_t pause_until;                    /* ms; 0: none */
  int pause_ms, drip_ms;
};

struct proxy {
  const struct server *server;
  int listener, wake, port;
  char path[96], directory[64];
  pthread_t thread;
  struct pair *pair[PAIRS];

  pthread_mutex_t mutex; /* over what follows, and over one round of the thread */
  pthread_cond_t cond;
  int stop, slice, accepted, struck, door_asked, dropping;
  enum proxy_door door;
  struct proxy_fault fault[PROXY_FAULTS];
  size_t faults;
  long requests, armed; /* armed: the number, counted from the start, of request 0 */
  long news;
  long length[REQUESTS], question[REQUESTS];
  char word[REQUESTS][WORD]; /* the command's name */
};

void proxy_die(const char *what);
/* Nothing if it is -1 already; reset: with RST. */
void proxy_close_fd(int *fd, int reset);

/* Takes a client from the listener. */
void proxy_accept(struct proxy *);
/* One round of a pair whose descriptors have these events; it may be gone afterwards. */
void proxy_serve(struct proxy *, struct pair **, short client, short server, int64_t now_ms);
void proxy_free_pair(struct pair **);

#endif
