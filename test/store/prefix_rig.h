/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_STORE_PREFIX_RIG_H
#define TEST_STORE_PREFIX_RIG_H

#include <stdatomic.h>

#include <larder.h>

#include "support/check.h"
#include "support/server.h"

/* Stores with a key prefix, and asking them; and redis-server behind their back. */

/* Ends the test if it can't; NULL: no prefix. */
larder *prefix_store(const char *url, const char *prefix);
larder *prefix_remote(const struct server *, const char *prefix);

/* A value as a text: "a b (c d) 3 nil !ERR ..."; until the next call. */
const char *text_of(const larder_value *);
/* The names in a reply to KEYS, in order.  Frees it. */
const char *names_of(larder_reply *);

#define EXPECT(reply, text)                                \
  do {                                                     \
    larder_reply *reply_ = (reply);                        \
    ck_assert_str_eq(text_of(&reply_->value), text);       \
    larder_reply_free(reply_);                             \
  } while (0)

/* Keys as they are in redis-server. */
void set_raw(struct resp_client *, const char *key); /* to "theirs" */
void expect_raw(struct resp_client *, const char *key, const char *value); /* NULL: absent */

/* Where an asynchronous call's reply arrives. */
struct waiter {
  _Atomic(larder_reply *) reply;
};
void arrive(void *waiter, larder_reply *);
larder_reply *await(struct waiter *); /* 20 s at most */
larder_reply *run_async(larder *, const char *command);
void nap(void); /* 1 ms */

#endif
