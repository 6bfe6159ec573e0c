/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_OUTCOME_H
#define LARDER_OUTCOME_H

/*
 * What became of a call.  Outcomes are never merged: "the authority says no",
 * "nobody could be asked", "it did not happen" and "it may have happened" are
 * different values, and no function of larder maps one to another.
 */

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef enum larder_outcome {
  LARDER_OK = 0,          /* done, by whoever the origin says */
  LARDER_ABSENT,          /* the authority says: no such key, field or member */
  LARDER_UNKNOWN_LOCALLY, /* Redis can't be asked, the local engine doesn't know: not "no" */
  LARDER_REFUSED,         /* an error reply; nothing was applied; the text is Redis's own */
  LARDER_NOT_SENT,        /* it certainly did not happen: nothing reached the server */
  LARDER_UNKNOWN,         /* a write was sent and its reply lost: it may have happened */
  LARDER_NO_ANSWER,       /* a read was sent and got no valid reply in time */
  LARDER_BAD_ARGUMENT,    /* the call itself is wrong; nothing was done */
  LARDER_NO_MEMORY,       /* an allocation failed; nothing was changed */
  LARDER_CLOSED,          /* the store or session is closed or closing */
  LARDER_FORKED,          /* the store was opened by another process */
  LARDER_UNSUPPORTED      /* this backend or this build can't do it */
} larder_outcome;

/* Where an answer came from. */
typedef enum larder_origin {
  LARDER_FROM_NOWHERE = 0, /* no backend was involved (bad argument, closed, ...) */
  LARDER_FROM_REDIS,       /* a Redis server, just now */
  LARDER_FROM_NEAR,        /* the near cache */
  LARDER_FROM_LOCAL,       /* the in-process engine */
  LARDER_FROM_STALE        /* the in-process engine, from before the outage */
} larder_origin;

enum { LARDER_OUTCOMES = 12, LARDER_ORIGINS = 5 };

/* "OK", "ABSENT", ...: a static string, "?" for a value outside the enum.
 * Any thread. */
const char *larder_outcome_name(larder_outcome outcome);

/* "redis", "near", "local", "stale", "nowhere": a static string.  Any thread. */
const char *larder_origin_name(larder_origin origin);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
