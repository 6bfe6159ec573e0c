/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/hub_registry.h"

/* The hub's side towards a backend whose messages come from elsewhere. */

/* Whether an ear has a name that is READY. */
static int has_ready(const struct lrd_ear *ear)
{
  const struct lrd_member *m = ear->members;
  while (m && !m->key.entry->ready)
    m = m->next;
  return m != NULL;
}

/* Ears that were READY hear GAP, and nothing is told or ready any more.  Without a source
 * nothing is a change. */
static size_t lose(struct lrd_hub *hub, const char *text)
{
  size_t lost = 0;
  struct lrd_entry *e, *next;
  for (struct lrd_ear *ear = hub->ears; ear; ear = ear->next)
    if (has_ready(ear))
      ear->changed(ear, LRD_HUB_GAP, LRD_HUB_CHANNEL, NULL, text);
  for (int kind = 0; kind < LRD_HUB_KINDS; kind++)
    for (e = hub->entries[kind]; e; e = next) {
      next = e->hh.next;
      lost += e->ready && e->count;
      e->told = e->ready = 0;
      lrd_registry_settle(hub, e);
    }
  return lost;
}

larder_outcome lrd_hub_attach(struct lrd_hub *hub, const struct lrd_hub_source *source)
{
  lrd_lock(&hub->lock);
  int taken = hub->source != NULL;
  if (!taken) {
    hub->source = source;
    lose(hub, NULL);
  }
  lrd_unlock(&hub->lock);
  return taken ? LARDER_BAD_ARGUMENT : LARDER_OK;
}

void lrd_hub_detach(struct lrd_hub *hub, const struct lrd_hub_source *source)
{
  lrd_lock(&hub->lock);
  if (hub->source == source) {
    hub->closed = 1; /* who subscribes now would be told READY, and hear nothing */
    lose(hub, "the store is closing");
    hub->source = NULL;
    lose(hub, NULL); /* no changes any more */
    while (hub->waking)
      lrd_cond_wait(&hub->awake, &hub->lock, INT64_MAX);
  }
  lrd_unlock(&hub->lock);
}

int lrd_hub_take_change(struct lrd_hub *hub, struct lrd_hub_change *change)
{
  lrd_lock(&hub->lock);
  struct lrd_entry *e = hub->first;
  if (e) {
    int wanted = e->count != 0;
    e->told = wanted;
    e->ready = 0;
    e->ticket = wanted ? ++hub->ticket : 0;
    *change = (struct lrd_hub_change){
        .kind = e->kind, .wanted = wanted, .ticket = e->ticket, .name = lrd_name_hold(e->name)};
    lrd_registry_settle(hub, e); /* not a change any more; unwanted: freed */
  }
  lrd_unlock(&hub->lock);
  return e != NULL;
}

/* The entry that the ticket is of, or NULL. */
static struct lrd_entry *find(struct lrd_hub *hub, enum lrd_hub_kind kind, larder_bytes name,
                              uint64_t ticket)
{
  struct lrd_entry *e = lrd_registry_find(hub, kind, name, lrd_registry_hash(hub, name));
  return e && e->told && e->ticket == ticket ? e : NULL;
}

void lrd_hub_ready(struct lrd_hub *hub, enum lrd_hub_kind kind, larder_bytes name,
                   uint64_t ticket)
{
  lrd_lock(&hub->lock);
  struct lrd_entry *e = find(hub, kind, name, ticket);
  if (e && !e->ready) {
    e->ready = 1;
    for (size_t i = 0; i < e->count; i++) {
      struct lrd_ear *ear = e->member[i]->key.ear;
      ear->changed(ear, LRD_HUB_READY, kind, e->name, NULL);
    }
  }
  lrd_unlock(&hub->lock);
}

void lrd_hub_refuse(struct lrd_hub *hub, enum lrd_hub_kind kind, larder_bytes name,
                    uint64_t ticket, const char *text)
{
  lrd_lock(&hub->lock);
  struct lrd_entry *e = find(hub, kind, name, ticket);
  if (e) {
    e->told = e->ready = 0; /* the server has it not */
    while (e->count > 1) {
      struct lrd_member *m = e->member[e->count - 1];
      m->key.ear->changed(m->key.ear, LRD_HUB_REFUSED, kind, e->name, text);
      lrd_registry_part(hub, m);
    }
    if (e->count) { /* with the last one the entry goes */
      struct lrd_ear *ear = e->member[0]->key.ear;
      ear->changed(ear, LRD_HUB_REFUSED, kind, e->name, text);
      lrd_registry_part(hub, e->member[0]);
    } else {
      lrd_registry_settle(hub, e);
    }
  }
  lrd_unlock(&hub->lock);
}

size_t lrd_hub_gap(struct lrd_hub *hub, const char *text)
{
  lrd_lock(&hub->lock);
  size_t lost = lose(hub, text);
  lrd_unlock(&hub->lock);
  return lost;
}
