/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_PROXY_H
#define TEST_SUPPORT_PROXY_H

#include <stddef.h>

#include "support/server.h"

/*
 * A proxy in front of a real redis-server, in a thread of its own, that knows requests and
 * replies and does harm to exactly one of them.
 *
 * A fault has an address: request k, or its reply, and in that byte j.  Requests are numbered
 * from 0 in the order in which they came whole since proxy_arm, over all connections.  A test
 * learns from a clean run how many there are and how long (proxy_requests, proxy_length),
 * and then loops over k and j.  RESP2.
 *
 * What a connection that listens is sent, confirmations and messages, are nobody's replies: news
 * n, over all connections, has the address of reply PROXY_NEWS + n.
 *
 * Every function: one thread at a time, not the proxy's.
 */

enum proxy_verb {
  PROXY_CUT,     /* j bytes of reply k go through, then both ends are closed (FIN) */
  PROXY_RESET,   /* the same with RST; on a unix socket the client sees ECONNRESET only if it
                    had sent something that was not read */
  PROXY_HALF,    /* the same, but only our sending side ends: what the client sends arrives */
  PROXY_HANG,    /* the same, then nothing more goes either way; both ends stay open */
  PROXY_SWALLOW, /* reply k does not arrive, those behind it do */
  PROXY_DELAY,   /* j bytes, then number ms later the rest and what is behind it */
  PROXY_DRIP,    /* from reply k on one byte every number ms */
  PROXY_TWICE,   /* reply k, and once more */
  PROXY_INSTEAD, /* the server sees a PING in place of request k; its reply is text */
  PROXY_REPLACE, /* the server obeys request k; its reply is text */
  PROXY_SHORT,   /* j bytes of request k reach the server, then both ends are closed */
  PROXY_CALL     /* request k is given to the server, then strike(context) is called, from the
                    proxy's thread and not into the proxy, before the reply is passed on */
};

struct proxy_fault {
  enum proxy_verb verb;
  long k, j;
  int number;
  const char *text; /* whole RESP; must live until disarmed */
  void (*strike)(void *context);
  void *context;
};

/* What becomes of new connections. */
enum proxy_door {
  PROXY_OPEN,
  PROXY_MUTE,   /* accepted; nothing is ever passed on */
  PROXY_CLOSED, /* nobody listens */
  PROXY_SLAM    /* accepted and closed at once */
};

struct proxy;

/* Listens on a loopback port, or on a unix socket.  Ends the process if it can't. */
struct proxy *proxy_start(const struct server *, int unix_socket);
void proxy_stop(struct proxy *);
int proxy_port(const struct proxy *);         /* 0: a unix socket */
const char *proxy_path(const struct proxy *); /* NULL: a port */

/* Begins to count anew, with these faults (at most PROXY_FAULTS; none: a clean run).  What an
 * older fault holds back or has hung stays so. */
enum { PROXY_FAULTS = 8, PROXY_NEWS = 4096 };
void proxy_arm(struct proxy *, const struct proxy_fault *, size_t count);
/* Back when it is so. */
void proxy_set_door(struct proxy *, enum proxy_door);
/* Ends every connection (FIN), and is back when they are closed. */
void proxy_drop(struct proxy *);
/* Replies go out in slices of at most so many bytes; 0: whole. */
void proxy_set_slice(struct proxy *, int bytes);

/* Since proxy_arm. */
long proxy_requests(struct proxy *);        /* that came */
long proxy_length(struct proxy *, long k);  /* bytes of the server's reply k; -1: none came */
long proxy_question(struct proxy *, long k); /* bytes of request k; -1: none came */
/* The number of the n-th request (from 0) of this command, as it was written; -1: there was none. */
long proxy_find(struct proxy *, const char *command, int n);
long proxy_news(struct proxy *);            /* that were sent */
int proxy_struck(struct proxy *);           /* faults that happened */

/* Connections of clients: ever accepted, open now. */
int proxy_accepted(struct proxy *);
int proxy_connected(struct proxy *);

#endif
