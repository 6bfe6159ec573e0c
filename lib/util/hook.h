/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_HOOK_H
#define LRD_UTIL_HOOK_H

#include <larder/hooks.h>

/*
 * Events to the application.  Repeats of one name are limited to 5 a second
 * (what was dropped is counted and told with the next one).  Never call with a
 * lock held: the callback is the application's.
 */
struct lrd_hook;

/* NULL: no memory.  fn NULL: every event is dropped (and costs one branch). */
struct lrd_hook *lrd_hook_new(const larder_memory *, const larder_clock *, larder_event_fn *fn,
                              void *context);
void lrd_hook_free(struct lrd_hook *);

/* One event: text from a format, then pairs of const char * (field, value),
 * ended by NULL in place of a field. */
void lrd_event(struct lrd_hook *, larder_level, const char *name, const char *const *pairs,
               const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
