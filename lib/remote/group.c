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

/* The links that calls go to: few, since what several callers send over one the server reads and
 * answers in one go. */
static unsigned front(const struct lrd_remote *r)
{
  return r->config->connections < LRD_GROUP_FRONT ? r->config->connections : LRD_GROUP_FRONT;
}

/* Of the links from first to end, at home first: an idle one, else one that is not there yet, else
 * that in which the fewest commands are; those that are down or owe replies to calls that gave up
 * are passed over.  home, if there is no other. */
static unsigned best_of(const struct lrd_group *g, unsigned first, unsigned end, unsigned home)
{
  unsigned best = home, least = ~0u, absent = ~0u;
  for (unsigned i = 0; i < end - first; i++) {
    unsigned at = first + (home - first + i) % (end - first);
    struct lrd_link *l = atomic_load_explicit(&g->link[at], memory_order_acquire);
    if (!l) {
      absent = absent == ~0u ? at : absent;
      continue;
    }
    if (!atomic_load_explicit(&l->ready, memory_order_relaxed))
      continue;
    unsigned load = atomic_load_explicit(&l->load, memory_order_relaxed);
    if (load < least) {
      least = load;
      best = at;
    }
  }
  return absent != ~0u && least != 0 && least != ~0u ? absent : best;
}

/* A long batch of reads goes where it holds up nobody, if there is such a place. */
static unsigned for_batch(struct lrd_remote *r, struct lrd_group *g)
{
  unsigned first = front(r), end = r->config->connections;
  for (unsigned i = first; i < end; i++) {
    struct lrd_link *l = atomic_load_explicit(&g->link[i], memory_order_acquire);
    if (!l || is_idle(l))
      return i;
  }
  return best_of(g, first < end ? first : 0, end, first < end ? first : 0);
}

struct lrd_link *lrd_group_pick(struct lrd_remote *r, const larder_call *call)
{
  struct lrd_group *g = &r->group[call->database];
  larder_bytes key;
  unsigned at = 0, has_key = 0;
  if (r->config->connections > 1) {
    has_key = (unsigned)first_key(call, &key);
    if (has_key)
      at = (unsigned)(lrd_hash(&r->hash, key.data, key.len) % front(r));
    if (call->count >= LRD_GROUP_LONG && is_read(call))
      at = for_batch(r, g);
    else if (!has_key || is_read(call))
      at = best_of(g, 0, front(r), at);
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
