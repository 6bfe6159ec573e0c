/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/instance.h"

#include <stdio.h>
#include <string.h>

#include "util/hook.h"

int64_t lrd_remote_system_time(const struct lrd_remote *r, int64_t at)
{
  const larder_clock *c = &r->base.clock;
  if (c->monotonic == lrd_clock_system.monotonic)
    return at;
  return lrd_monotonic(&lrd_clock_system) + (at - lrd_monotonic(c));
}

void lrd_remote_note_error(struct lrd_remote *r, const char *text)
{
  int64_t now = lrd_remote_now(r);
  lrd_lock(&r->notes);
  snprintf(r->last_error, sizeof r->last_error, "%s", text);
  r->last_error_at = now;
  lrd_unlock(&r->notes);
}

void lrd_remote_note_state(struct lrd_remote *r, larder_link state)
{
  int64_t now = lrd_remote_now(r);
  lrd_lock(&r->notes);
  if (r->state != state)
    r->state_since = now;
  r->state = state;
  lrd_unlock(&r->notes);
}

void lrd_remote_heard(struct lrd_remote *r, int64_t now)
{
  atomic_store_explicit(&r->heard_at, now, memory_order_relaxed);
  if (atomic_load_explicit(&r->silent, memory_order_relaxed))
    atomic_store_explicit(&r->silent, 0, memory_order_relaxed);
}

void lrd_remote_tell(struct lrd_remote *r, larder_level level, const char *name, const char *text)
{
  const char *pairs[] = {"address", r->config->address, "text", text, NULL};
  lrd_event(r->base.hook, level, name, pairs, "%s: %s", r->config->address, text);
}

int lrd_group_is_backing_off(struct lrd_remote *r, int database, int64_t now,
                             struct lrd_fault *fault)
{
  struct lrd_group *g = &r->group[database];
  if (!atomic_load(&g->failures) || (now != INT64_MIN && atomic_load(&g->next_attempt) <= now))
    return 0;
  lrd_lock(&r->notes);
  *fault = g->fault;
  lrd_unlock(&r->notes);
  return 1;
}
