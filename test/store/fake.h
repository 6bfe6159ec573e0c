/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_STORE_FAKE_H
#define TEST_STORE_FAKE_H

#include <pthread.h>
#include <stdatomic.h>

#include <larder/backend.h>

/*
 * A backend that counts what it is asked, answers as it is told, and fails on
 * request.  One script for the process: tests run in processes of their own.
 */

enum fake_answer {
  FAKE_OK,      /* PING: PONG, GET: nil, atomic: an array of OK, others: OK */
  FAKE_NIL,     /* also for an atomic call */
  FAKE_ERROR,   /* error text and verdict of the script */
  FAKE_BLOCK,   /* waits until it is cancelled or released, then CLOSED */
  FAKE_NOTHING  /* no reply at all */
};

enum fake_submit {
  FAKE_INLINE, /* on the caller's thread */
  FAKE_THREAD, /* on a thread of its own */
  FAKE_HELD,   /* when fake_release is called, or cancelled */
  FAKE_FORGOTTEN /* never: a broken backend */
};

struct fake_script {
  /* Told by the test before. */
  enum fake_answer answer;
  enum fake_submit submit;
  larder_outcome open_outcome;
  const char *open_error;
  larder_verdict verdict;
  const char *text;
  int hold_fails;
  uint64_t lost;          /* what close returns */
  larder_backend_status status;
  int64_t tick;

  /* Counted. */
  atomic_int opened, closed, closed_forked, executed, vectors, submitted, cancelled,
      cancelled_all, holds_opened, holds_closed, ticked, got, set;
  /* Every call: "NAME NAME;flags@database!" where '!' says that a hold came along. */
  char log[4096];
  int64_t deadline; /* of the last call */
};

extern struct fake_script fake;

/* With WATCH, atomic calls and submit. */
extern const larder_backend_table fake_table;
/* Nothing but open, execute and close of its own. */
extern const larder_backend_table fake_poor_table;

void fake_reset(void);
/* Ends FAKE_BLOCK and FAKE_HELD calls. */
void fake_release(void);
/* Waits until n calls are blocked or held. */
void fake_await(int n);

#endif
