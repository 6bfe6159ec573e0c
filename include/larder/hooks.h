/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LARDER_HOOKS_H
#define LARDER_HOOKS_H

#include <stddef.h>
#include <stdint.h>

/*
 * What a host may replace, per store: memory, time, and where events go.
 * larder has no globals; two stores may use different hooks.
 */

#ifdef __cplusplus
extern "C" {
#endif

/* Memory.  Sizes are exact: resize and release receive the size that was asked
 * for, so that a hook can account to the byte.  allocate and resize return NULL
 * on failure (resize leaves the old block as it was); size is never 0.  Called
 * from any thread, also with internal locks held: a hook must not call larder. */
typedef struct larder_memory {
  void *(*allocate)(void *context, size_t size);
  void *(*resize)(void *context, void *block, size_t old_size, size_t new_size);
  void (*release)(void *context, void *block, size_t size);
  void *context;
} larder_memory;

/* Time.  monotonic: nanoseconds that never go back; wall: microseconds since
 * 1970 UTC.  Called from any thread, with internal locks held; must not block. */
typedef struct larder_clock {
  int64_t (*monotonic)(void *context);
  int64_t (*wall)(void *context);
  void *context;
} larder_clock;

typedef enum larder_level {
  LARDER_DEBUG = 0,
  LARDER_INFO,
  LARDER_WARNING,
  LARDER_FAULT /* something was lost, or nothing will get better by itself */
} larder_level;

/* One event.  All pointers are valid during the callback only.  Names are
 * stable: doc/events.md lists them with their fields. */
typedef struct larder_event {
  larder_level level;
  const char *name;       /* "connect", "degrade", "recover", "replay", "drop", "close", ... */
  const char *text;       /* one line for people; never contains a secret */
  uint64_t suppressed;    /* how many of this name were dropped by the rate limit before it */
  size_t fields;          /* number of key/value pairs */
  const char *const *key; /* field names */
  const char *const *value;
} larder_event;

/* Called from any thread of the application or of larder, never with an
 * internal lock held.  It may call larder, except larder_close on the store
 * that it speaks of. */
typedef void larder_event_fn(void *context, const larder_event *event);

#ifdef __cplusplus
}
#endif

#endif
