/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "command/argv.h"
#include "command/hub_registry.h"

void lrd_name_drop(const larder_memory *m, struct lrd_name *n)
{
  if (n && atomic_fetch_sub_explicit(&n->references, 1, memory_order_acq_rel) == 1)
    lrd_release(m, n, sizeof *n + n->len + 1);
}

void lrd_message_drop(const larder_memory *m, struct lrd_message *msg)
{
  if (msg && atomic_fetch_sub_explicit(&msg->references, 1, memory_order_acq_rel) == 1)
    lrd_release(m, msg, sizeof *msg + msg->channel + msg->payload + 2);
}

const larder_memory *lrd_hub_memory(const struct lrd_hub *hub)
{
  return &hub->memory;
}

/* --- life -------------------------------------------------------------------- */

struct lrd_hub *lrd_hub_new(const larder_memory *m)
{
  struct lrd_hub *hub = lrd_allocate_zeroed(m, 1, sizeof *hub);
  if (!hub)
    return NULL;
  hub->memory = *m;
  hub->references = 1;
  if (lrd_random(&hub->secret, sizeof hub->secret) == 0 &&
      lrd_lock_init(&hub->lock, LRD_RANK_HUB, 0) == 0) {
    if (lrd_cond_init(&hub->awake) == 0)
      return hub;
    lrd_lock_destroy(&hub->lock);
  }
  lrd_release(m, hub, sizeof *hub);
  return NULL;
}

/* Gives a reference back; the last one frees the hub.  In a forked child its tables are as
 * they were at the fork: whole, unless somebody was changing them. */
static void drop_hub(struct lrd_hub *hub, int forked)
{
  const larder_memory memory = hub->memory;
  int whole = 1;
  if (!forked)
    lrd_lock(&hub->lock);
  else
    whole = pthread_mutex_trylock(&hub->lock.mutex) == 0;
  unsigned left = --hub->references;
  if (!forked)
    lrd_unlock(&hub->lock);
  else if (whole)
    pthread_mutex_unlock(&hub->lock.mutex);
  if (left)
    return;
  if (whole)
    lrd_registry_clear(hub);
  if (!forked) {
    pthread_cond_destroy(&hub->awake);
    lrd_lock_destroy(&hub->lock);
  }
  lrd_release(&memory, hub, sizeof *hub);
}

static void unlink_ear(struct lrd_hub *hub, struct lrd_ear *ear)
{
  *(ear->before ? &ear->before->next : &hub->ears) = ear->next;
  if (ear->next)
    ear->next->before = ear->before;
  ear->next = ear->before = NULL;
  ear->hub = NULL;
}

static void part_all(struct lrd_hub *hub, struct lrd_ear *ear)
{
  while (ear->members)
    lrd_registry_part(hub, ear->members);
}

void lrd_hub_close(struct lrd_hub *hub, int forked)
{
  if (!forked) {
    lrd_lock(&hub->lock);
    hub->closed = 1;
    while (hub->ears) {
      struct lrd_ear *ear = hub->ears;
      part_all(hub, ear);
      unlink_ear(hub, ear);
      ear->changed(ear, LRD_HUB_CLOSED, LRD_HUB_CHANNEL, NULL, NULL);
    }
    lrd_unlock(&hub->lock);
  }
  drop_hub(hub, forked);
}

/* --- ears -------------------------------------------------------------------- */

larder_outcome lrd_ear_open(struct lrd_hub *hub, struct lrd_ear *ear)
{
  lrd_lock(&hub->lock);
  int closed = hub->closed;
  if (!closed) {
    ear->hub = hub;
    ear->next = hub->ears;
    if (ear->next)
      ear->next->before = ear;
    hub->ears = ear;
    hub->references++;
  }
  lrd_unlock(&hub->lock);
  return closed ? LARDER_CLOSED : LARDER_OK;
}

/* Lets the lock go, and tells the source that there is something to take now. */
static void unlock_and_wake(struct lrd_hub *hub, int had_changes)
{
  const struct lrd_hub_source *source = !had_changes && hub->first ? hub->source : NULL;
  if (source)
    hub->waking++;
  lrd_unlock(&hub->lock);
  if (!source)
    return;
  source->wants_changed(source->context);
  lrd_lock(&hub->lock);
  if (--hub->waking == 0)
    pthread_cond_broadcast(&hub->awake);
  lrd_unlock(&hub->lock);
}

void lrd_ear_close(struct lrd_hub *hub, struct lrd_ear *ear, int forked)
{
  if (!forked) {
    lrd_lock(&hub->lock);
    int had_changes = hub->first != NULL;
    if (ear->hub) {
      part_all(hub, ear);
      unlink_ear(hub, ear);
    }
    unlock_and_wake(hub, had_changes);
  }
  drop_hub(hub, forked);
}

larder_outcome lrd_hub_subscribe(struct lrd_hub *hub, struct lrd_ear *ear, enum lrd_hub_kind kind,
                                 larder_bytes name)
{
  larder_outcome outcome = LARDER_CLOSED;
  lrd_lock(&hub->lock);
  int had_changes = hub->first != NULL;
  if (ear->hub && !hub->closed) {
    struct lrd_entry *e = lrd_registry_find(hub, kind, name, lrd_registry_hash(hub, name));
    struct lrd_member *m = e ? lrd_registry_member(hub, ear, e) : NULL;
    if (!m)
      m = lrd_registry_join(hub, ear, kind, name);
    outcome = m ? LARDER_OK : LARDER_NO_MEMORY;
    if (m && (!hub->source || m->key.entry->ready))
      ear->changed(ear, LRD_HUB_READY, kind, m->key.entry->name, NULL);
  }
  unlock_and_wake(hub, had_changes);
  return outcome;
}

larder_outcome lrd_hub_unsubscribe(struct lrd_hub *hub, struct lrd_ear *ear,
                                   enum lrd_hub_kind kind, larder_bytes name)
{
  larder_outcome outcome = LARDER_CLOSED;
  lrd_lock(&hub->lock);
  int had_changes = hub->first != NULL;
  if (ear->hub) {
    struct lrd_entry *e = lrd_registry_find(hub, kind, name, lrd_registry_hash(hub, name));
    struct lrd_member *m = e ? lrd_registry_member(hub, ear, e) : NULL;
    if (m)
      lrd_registry_part(hub, m);
    outcome = m ? LARDER_OK : LARDER_ABSENT;
  }
  unlock_and_wake(hub, had_changes);
  return outcome;
}

int lrd_hub_is_ready(struct lrd_hub *hub, struct lrd_ear *ear, enum lrd_hub_kind kind,
                     larder_bytes name)
{
  lrd_lock(&hub->lock);
  struct lrd_entry *e = lrd_registry_find(hub, kind, name, lrd_registry_hash(hub, name));
  int joined = e && ear->hub && lrd_registry_member(hub, ear, e);
  int ready = !joined ? 0 : e->ready || (!hub->source && !hub->closed) ? 1 : -1;
  lrd_unlock(&hub->lock);
  return ready;
}

struct lrd_name *lrd_ear_first(struct lrd_hub *hub, struct lrd_ear *ear, enum lrd_hub_kind kind)
{
  lrd_lock(&hub->lock);
  struct lrd_member *m = ear->count[kind] ? ear->members : NULL;
  while (m && m->key.entry->kind != kind)
    m = m->next;
  struct lrd_name *name = m ? lrd_name_hold(m->key.entry->name) : NULL;
  lrd_unlock(&hub->lock);
  return name;
}

/* --- messages ---------------------------------------------------------------- */

static struct lrd_message *message_new(struct lrd_hub *hub, larder_bytes channel,
                                       larder_bytes payload)
{
  struct lrd_message *m;
  if (payload.len > SIZE_MAX / 2 - sizeof *m - 2 - channel.len)
    return NULL;
  m = lrd_allocate(&hub->memory, sizeof *m + channel.len + payload.len + 2);
  if (!m)
    return NULL;
  atomic_init(&m->references, 1);
  m->channel = channel.len;
  m->payload = payload.len;
  if (channel.len)
    memcpy(m->bytes, channel.data, channel.len);
  m->bytes[channel.len] = '\0';
  if (payload.len)
    memcpy(m->bytes + channel.len + 1, payload.data, payload.len);
  m->bytes[channel.len + 1 + payload.len] = '\0';
  return m;
}

static int64_t tell(struct lrd_entry *e, struct lrd_message *message)
{
  for (size_t i = 0; i < e->count; i++) {
    struct lrd_ear *ear = e->member[i]->key.ear;
    ear->hear(ear, e->kind, e->name, message);
  }
  return (int64_t)e->count;
}

/* The empty channel is matched by the empty pattern alone, as in Redis: not by "*". */
static int matches(larder_bytes pattern, larder_bytes channel)
{
  if (!channel.len)
    return !pattern.len;
  return lrd_glob(pattern.data, pattern.len, channel.data, channel.len, 0);
}

int64_t lrd_hub_publish(struct lrd_hub *hub, enum lrd_hub_kind kind, larder_bytes channel,
                        larder_bytes payload)
{
  if (atomic_load_explicit(&hub->total, memory_order_acquire) == 0)
    return 0;
  struct lrd_message *message = message_new(hub, channel, payload);
  if (!message)
    return -1;
  unsigned hash = lrd_registry_hash(hub, channel);
  int64_t heard = 0;
  lrd_lock(&hub->lock);
  struct lrd_entry *e = lrd_registry_find(hub, kind, channel, hash);
  if (e)
    heard += tell(e, message);
  if (kind == LRD_HUB_CHANNEL)
    for (e = hub->entries[LRD_HUB_PATTERN]; e; e = e->hh.next)
      if (matches((larder_bytes){e->name->bytes, e->name->len}, channel))
        heard += tell(e, message);
  lrd_unlock(&hub->lock);
  lrd_message_drop(&hub->memory, message);
  return heard;
}

void lrd_hub_relay(struct lrd_hub *hub, enum lrd_hub_kind kind, larder_bytes name,
                   larder_bytes channel, larder_bytes payload)
{
  struct lrd_message *message = message_new(hub, channel, payload);
  unsigned hash = lrd_registry_hash(hub, name);
  lrd_lock(&hub->lock);
  struct lrd_entry *e = lrd_registry_find(hub, kind, name, hash);
  if (e && message)
    tell(e, message);
  for (size_t i = 0; e && !message && i < e->count; i++) {
    struct lrd_ear *ear = e->member[i]->key.ear;
    ear->changed(ear, LRD_HUB_MISSED, kind, NULL, "no memory for a message");
  }
  lrd_unlock(&hub->lock);
  lrd_message_drop(&hub->memory, message);
}

/* --- PUBSUB ------------------------------------------------------------------- */

size_t lrd_hub_names(struct lrd_hub *hub, enum lrd_hub_kind kind, larder_bytes pattern,
                     void (*visit)(void *context, const struct lrd_name *), void *context)
{
  size_t found = 0;
  lrd_lock(&hub->lock);
  for (struct lrd_entry *e = hub->entries[kind]; e; e = e->hh.next) {
    const struct lrd_name *n = e->name;
    if (!e->count || (pattern.data && !matches(pattern, (larder_bytes){n->bytes, n->len})))
      continue;
    visit(context, n);
    found++;
  }
  lrd_unlock(&hub->lock);
  return found;
}

size_t lrd_hub_ears(struct lrd_hub *hub, enum lrd_hub_kind kind, larder_bytes name)
{
  unsigned hash = lrd_registry_hash(hub, name);
  lrd_lock(&hub->lock);
  struct lrd_entry *e = lrd_registry_find(hub, kind, name, hash);
  size_t ears = e ? e->count : 0;
  lrd_unlock(&hub->lock);
  return ears;
}

size_t lrd_hub_count(struct lrd_hub *hub, enum lrd_hub_kind kind)
{
  lrd_lock(&hub->lock);
  size_t n = hub->wanted[kind];
  lrd_unlock(&hub->lock);
  return n;
}

size_t lrd_hub_wanted(struct lrd_hub *hub)
{
  return atomic_load(&hub->total);
}
