/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_REMOTE_EAR_H
#define TEST_REMOTE_EAR_H

#include <pthread.h>

#include "command/hub.h"

/*
 * An ear of a test: what it heard, in order, as lines:
 *
 *   "ready channel a", "gap TEXT", "missed", "refused channel a TEXT", "closed",
 *   "message a PAYLOAD", "pmessage a* abc PAYLOAD", "smessage a PAYLOAD"
 */

enum { EAR_LINE = 200 };

struct ear {
  struct lrd_ear base; /* first */
  struct lrd_hub *hub;
  pthread_mutex_t mutex;
  pthread_cond_t heard;
  char (*line)[EAR_LINE];
  size_t lines, room;
  size_t read; /* of ear_next */
};

void ear_open(struct ear *, struct lrd_hub *);
void ear_close(struct ear *);
/* kind: "channel", "pattern", "shard"; ends the test if it fails. */
void ear_subscribe(struct ear *, const char *kind, const char *name);
void ear_unsubscribe(struct ear *, const char *kind, const char *name);

/* The next line, from its beginning on one that it heard; waits for it; NULL after timeout_ms. */
const char *ear_next(struct ear *, int timeout_ms);
/* How many lines begin with these words. */
size_t ear_count(struct ear *, const char *words);
/* Waits until there are so many of them: 0, or -1 after timeout_ms. */
int ear_wait(struct ear *, const char *words, size_t count, int timeout_ms);

/* Messages carry the numbers 1, 2, ... behind these words, the last one heard is this: NULL if each
 * follows the one before, or a gap lies between (then it is greater); else what is wrong. */
const char *ear_fault(struct ear *, const char *words, long last);

#endif
