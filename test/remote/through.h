/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_REMOTE_THROUGH_H
#define TEST_REMOTE_THROUGH_H

#include "remote/remote.h"
#include "remote/rig.h"
#include "support/check.h"
#include "support/proxy.h"
#include "support/server.h"
#include "util/clock.h"

/*
 * One rig that reaches a real server through the fault proxy, beside it a connection of the
 * test's own straight to the server, which is asked what really happened.  through_end checks
 * that bytes, descriptors and threads are back where they were.
 */

struct through {
  struct server *server;
  struct proxy *proxy;
  struct resp_client *side;
  struct rig rig;
  struct lrd_hub *hub; /* of the rigs; NULL: none */
  int fds, threads; /* before the rig was opened */
};

extern struct through through;

/* change: of the configuration (one connection, timeout 250 ms, connect_timeout 100 ms), or NULL;
 * options: of the server, or NULL. */
void through_begin(const struct server_options *options, int unix_socket,
                   void (*change)(struct lrd_config *));
/* The same in two steps: proxy_arm may come between. */
void through_prepare(const struct server_options *options, int unix_socket);
void through_open(void (*change)(struct lrd_config *));
void through_close(void); /* the rig alone */
void through_end(void);

/* What the server says on the side: text as rig_reply.text has it ("nil", "1 2"); until the
 * next call. */
const char *through_side(const char *words);
/* A read until it is right: the service has returned within so many ms. */
void through_heals(const char *words, const char *text, int within_ms);

/* Milliseconds by which this machine was late with anything since the last call of it: what no
 * program can do anything about. */
int through_stall(void);

/* A call was back in time: deadline + 50 ms (G2). */
#define ck_in_time(took, timeout)                                                                 \
  do {                                                                                             \
    int64_t took_ = (took), most_ = (timeout) + 50;                                                \
    int stall_ = through_stall();                                                                  \
    ck_assert_msg(took_ <= most_ + stall_, "it took %lld ms, not %lld (the machine: %d)",          \
                  (long long)took_, (long long)most_, stall_);                                     \
  } while (0)

#define ck_fate(r, o, c)                                                                          \
  do {                                                                                             \
    struct rig_reply r_ = (r);                                                                     \
    ck_assert_msg(r_.verdict.outcome == (o) && r_.verdict.cause == (c),                            \
                  "%s: outcome %d cause %d, not %d %d: %s", #r, (int)r_.verdict.outcome,           \
                  (int)r_.verdict.cause, (int)(o), (int)(c), r_.text);                             \
  } while (0)

/* The server's own word. */
#define ck_side(words, text) ck_assert_str_eq(through_side(words), text)

#endif
