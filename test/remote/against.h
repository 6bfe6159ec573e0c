/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_REMOTE_AGAINST_H
#define TEST_REMOTE_AGAINST_H

#include <pthread.h>

#include "remote/remote.h"
#include "remote/rig.h"
#include "support/check.h"
#include "support/peer.h"
#include "util/clock.h"

/* One rig against one fake peer, which runs a script: what the tests of synchronous calls begin and
 * end with. */

#define STEPS(s) (s), sizeof(s) / sizeof *(s)

extern struct peer *peer;
extern struct rig rig;

/* A rig with one connection, on a peer that runs a script; change: of the configuration. */
void begin_with(const struct peer_options *, const struct peer_step *script, size_t steps,
                void (*change)(struct lrd_config *));
void begin(const struct peer_step *script, size_t steps);
/* Closes; the script has run to its end. */
void end(void);

/* Changes. */
void short_connect(struct lrd_config *); /* 100 ms, no retries */

/* One more caller. */
struct worker {
  pthread_t thread;
  int number, calls, wrong, failed;
  unsigned flags;
  const char *words;
  struct rig_reply reply;
};
void *run_one(void *worker); /* words, within 5 s */

#define ck_reply(r, o, c)                                                                         \
  do {                                                                                             \
    struct rig_reply reply_ = (r);                                                                 \
    ck_assert_msg(reply_.verdict.outcome == (o) && reply_.verdict.cause == (c),                    \
                  "%s: outcome %d cause %d, not %d %d: %s", #r, (int)reply_.verdict.outcome,       \
                  (int)reply_.verdict.cause, (int)(o), (int)(c), reply_.text);                     \
  } while (0)

#endif
