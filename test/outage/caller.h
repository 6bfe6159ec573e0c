/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_OUTAGE_CALLER_H
#define TEST_OUTAGE_CALLER_H

#include <larder.h>
#include <stdint.h>

#include "support/server.h"

/*
 * An application that calls a store while its redis-server dies and comes back.
 * What can't be done fails the test.
 */

enum { BACK_MS = 10000, CALL_LIMIT_MS = 1000 };

/* The only one of a test; it keeps its data over a restart. */
extern struct server *server;

void caller_start(void);
void caller_stop(void);

int64_t now_ms(void);
void nap(int ms);

/* A store over the server.  query: of its URL, or NULL. */
larder *open_with(const char *query);

/* What became of one command. */
struct got {
  larder_outcome outcome;
  larder_origin origin;
  unsigned flags;
  larder_type type;
  int64_t integer;
  char text[256];
  int64_t ms;
};

/* One command of at most four words; NULL ends it. */
struct got run(larder *store, const char *a, const char *b, const char *c, const char *d);

#define expect(g, wanted)                                                                          \
  ck_assert_msg((g).outcome == (wanted), "expected %s, got %s from %s (%s) after %lld ms",         \
                larder_outcome_name(wanted), larder_outcome_name((g).outcome),                     \
                larder_origin_name((g).origin), (g).text, (long long)(g).ms)

larder_status status_of(larder *store);

/* Waits until Redis serves and nothing is owed to it. */
void await_back(larder *store);
/* Writes until the store has noticed; every call has to end in time. */
void await_outage(larder *store);

/* Past larder: a connection to the server, and what it replies to a command on a key. */
struct resp_client *direct(void);
void check_direct(const char *command, const char *key, const char *expected);

#endif
