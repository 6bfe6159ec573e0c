/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_SERVE_CLIENT_PART_H
#define LRD_SERVE_CLIENT_PART_H

#include "command/command.h"
#include "serve/client.h"
#include "serve/client_wait.h"
#include "serve/listening.h"
#include "serve/request.h"
#include "store/session.h"
#include "util/buffer.h"

/* What client.c (bytes and commands) and client_heard.c (channels) share. */

struct lrd_client {
  struct lrd_job job; /* first */
  uv_poll_t poll;
  larder_listener *listener;
  struct lrd_client *previous, *next;
  int fd;
  int events; /* that poll looks for now */
  larder_session *session;
  struct lrd_resp resp; /* writes to replies */
  struct lrd_request request;
  struct lrd_buffer in;
  struct lrd_buffer replies; /* of the list that runs */
  struct lrd_buffer out;
  size_t sent;         /* of out */
  size_t window;       /* length of the next list */
  size_t ran;          /* of the list: executed */
  int at_wait;         /* the next one may wait for a key */
  struct lrd_client_wait *wait;    /* NULL: it never waited */
  struct lrd_listening *listening; /* NULL: it never subscribed */
  struct lrd_client *next_heard;   /* listener.heard, under its lock */
  int heard;                       /* it is there */
  unsigned busy : 1;   /* a list runs on a worker, or waits */
  unsigned waiting : 1; /* ... for a key */
  unsigned early : 1;  /* more bytes came while it was busy: they wait until it is done */
  unsigned eof : 1;    /* the client will not send any more */
  unsigned ending : 1; /* nothing more is executed; close when out is sent */
  unsigned dead : 1;   /* close as soon as it is not busy */
};

/* --- client.c ------------------------------------------------------------- */

static inline size_t lrd_client_pending(const struct lrd_client *c)
{
  return c->out.len - c->sent;
}

/* Sends what the socket takes. */
void lrd_client_flush(struct lrd_client *);
/* Moves `replies` to the output buffer. */
void lrd_client_collect(struct lrd_client *);
/* After anything happened: sends what there is, then waits for what can go on. */
void lrd_client_proceed(struct lrd_client *);

/* What it waited for has ended. */
void lrd_client_resume(struct lrd_client *);

/* --- client_heard.c --------------------------------------------------------- */

/* The session's hook: SUBSCRIBE and its like. */
void lrd_client_listen(void *context, const larder_vector *, larder_sink *, larder_verdict *);
/* Whether the command must run alone, since messages to this client itself stand beside its reply:
 * what was published before it, what comes behind the confirmation, what was heard before it left. */
int lrd_client_is_about_channels(const struct lrd_client *, const larder_vector *);
/* It ran: what it published to this client, or this one heard before it left, goes before its
 * reply, which begins there. */
void lrd_client_place_heard(struct lrd_client *, const larder_vector *, size_t begin, int protocol);
/* Sends what was heard, as far as the socket takes it. */
void lrd_client_send_heard(struct lrd_client *);
/* Nothing is heard any more. */
void lrd_client_stop_hearing(struct lrd_client *);

#endif
