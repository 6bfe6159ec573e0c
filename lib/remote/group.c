/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/group.h"

#include "command/command.h"
#include "util/memory.h"

int lrd_group_init(struct lrd_remote *r, struct lrd_group *g)
{
  g->link = lrd_allocate_zeroed(&r->base.memory, r->config->connections, sizeof *g->link);
  return g->link ? 0 : -1;
}

void lrd_group_free(struct lrd_remote *r, struct lrd_group *g, int forked)
{
  if (!g->link)
    return;
  for (unsigned i = 0; i < r->config->connections; i++)
    lrd_link_free(atomic_load(&g->link[i]), forked);
  lrd_release(&r->base.memory, g->link, r->config->connections * sizeof *g->link);
  g->link = NULL;
}

/* The i-th link of a group, made if it is not there. */
static struct lrd_link *link_at(struct lrd_remote *r, int database, unsigned i)
{
  struct lrd_group *g = &r->group[database];
  struct lrd_link *l = atomic_load_explicit(&g->link[i], memory_order_acquire);
  if (l)
    return l;
  lrd_lock(&r->lock);
  l = atomic_load_explicit(&g->link[i], memory_order_relaxed);
  if (!l && (l = lrd_link_new(r, LRD_LINK_SHARED, database, i)))
    atomic_store_explicit(&g->link[i], l, memory_order_release);
  lrd_unlock(&r->lock);
  return l;
}

static int is_idle(const struct lrd_link *l)
{
  return l && atomic_load_explicit(&l->ready, memory_order_relaxed) &&
         !atomic_load_explicit(&l->load, memory_order_relaxed);
}

/* The first key of the call; 0: it has none. */
static int first_key(const larder_call *call, larder_bytes *key)
{
  for (size_t i = 0; i < call->count; i++) {
    const larder_vector *v = &call->vector[i];
    struct lrd_keys keys = lrd_command_key_range(v);
    if (keys.count) {
      *key = v->argv[lrd_key_index(&keys, 0)];
      return 1;
    }
  }
  return 0;
}

static int is_read(const larder_call *call)
{
  for (size_t i = 0; i < call->count; i++)
    if (lrd_is_write(&call->vector[i]))
      return 0;
  return 1;
}

/* Any idle link; if all that are up are busy, the first one that was not made yet; else
 * the one that fewest calls are in. */
static unsigned any(struct lrd_remote *r, struct lrd_group *g)
{
  unsigned size = r->config->connections, best = 0, least = ~0u, absent = ~0u;
  int up = 0;
  for (unsigned i = 0; i < size; i++) {
    struct lrd_link *l = atomic_load_explicit(&g->link[i], memory_order_acquire);
    if (is_idle(l))
      return i;
    if (!l) {
      absent = absent == ~0u ? i : absent;
      continue;
    }
    up |= atomic_load_explicit(&l->ready, memory_order_relaxed);
    unsigned load = atomic_load_explicit(&l->load, memory_order_relaxed);
    if (load < least) {
      least = load;
      best = i;
    }
  }
  return up && absent != ~0u ? absent : best;
}

static unsigned any_idle(struct lrd_remote *r, struct lrd_group *g, unsigned home)
{
  for (unsigned i = 0; i < r->config->connections; i++) {
    unsigned at = (home + i) % r->config->connections;
    if (is_idle(atomic_load_explicit(&g->link[at], memory_order_acquire)))
      return at;
  }
  return home;
}

struct lrd_link *lrd_group_pick(struct lrd_remote *r, const larder_call *call)
{
  struct lrd_group *g = &r->group[call->database];
  larder_bytes key;
  unsigned at = 0;
  if (r->config->connections == 1)
    at = 0;
  else if (!first_key(call, &key))
    at = any(r, g);
  else {
    at = (unsigned)(lrd_hash(&r->hash, key.data, key.len) % r->config->connections);
    if (is_read(call))
      at = any_idle(r, g, at);
  }
  return link_at(r, call->database, at);
}

void lrd_group_each(struct lrd_remote *r, void (*visit)(struct lrd_link *, void *context),
                    void *context)
{
  for (int d = 0; d < LRD_DATABASES; d++)
    for (unsigned i = 0; r->group[d].link && i < r->config->connections; i++) {
      struct lrd_link *l = atomic_load_explicit(&r->group[d].link[i], memory_order_acquire);
      if (l)
        visit(l, context);
    }
  for (int i = 0; i < LRD_PINNED; i++) {
    lrd_lock(&r->lock);
    struct lrd_link *l = r->pinned[i];
    lrd_unlock(&r->lock);
    if (l)
      visit(l, context);
  }
}
