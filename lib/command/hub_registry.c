/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/hub_registry.h"

#include <string.h>

/* --- names ------------------------------------------------------------------ */

static struct lrd_name *name_new(const struct lrd_hub *hub, larder_bytes bytes)
{
  struct lrd_name *n = lrd_allocate(&hub->memory, sizeof *n + bytes.len + 1);
  if (!n)
    return NULL;
  atomic_init(&n->references, 1);
  n->len = bytes.len;
  if (bytes.len)
    memcpy(n->bytes, bytes.data, bytes.len);
  n->bytes[bytes.len] = '\0';
  return n;
}

/* --- entries ---------------------------------------------------------------- */

struct lrd_entry *lrd_registry_find(struct lrd_hub *hub, enum lrd_hub_kind kind, larder_bytes name,
                                    unsigned hash)
{
  struct lrd_entry *found = NULL;
  HASH_FIND_BYHASHVALUE(hh, hub->entries[kind], name.data, name.len, hash, found);
  return found;
}

static struct lrd_entry *entry_new(struct lrd_hub *hub, enum lrd_hub_kind kind, larder_bytes name)
{
  if (name.len > LRD_HUB_NAME_BYTES - hub->name_bytes)
    return NULL;
  struct lrd_entry *e = lrd_allocate_zeroed(&hub->memory, 1, sizeof *e);
  if (!e)
    return NULL;
  e->kind = kind;
  e->name = name_new(hub, name);
  if (e->name)
    HASH_ADD_KEYPTR(hh, hub->entries[kind], e->name->bytes, e->name->len, e);
  if (!e->hh.tbl) {
    lrd_name_drop(&hub->memory, e->name);
    lrd_release(&hub->memory, e, sizeof *e);
    return NULL;
  }
  hub->name_bytes += name.len;
  return e;
}

static void unlist(struct lrd_hub *hub, struct lrd_entry *e)
{
  *(e->before ? &e->before->next : &hub->first) = e->next;
  *(e->next ? &e->next->before : &hub->last) = e->before;
  e->next = e->before = NULL;
  e->listed = 0;
}

static void list(struct lrd_hub *hub, struct lrd_entry *e)
{
  e->before = hub->last;
  *(hub->last ? &hub->last->next : &hub->first) = e;
  hub->last = e;
  e->listed = 1;
}

static void entry_free(struct lrd_hub *hub, struct lrd_entry *e)
{
  if (e->listed)
    unlist(hub, e);
  HASH_DELETE(hh, hub->entries[e->kind], e);
  hub->name_bytes -= e->name->len;
  lrd_name_drop(&hub->memory, e->name);
  lrd_release(&hub->memory, e->member, e->capacity * sizeof *e->member);
  lrd_release(&hub->memory, e, sizeof *e);
}

void lrd_registry_settle(struct lrd_hub *hub, struct lrd_entry *e)
{
  int wanted = e->count != 0, changed = hub->source && wanted != e->told;
  if (changed && !e->listed)
    list(hub, e);
  else if (!changed && e->listed)
    unlist(hub, e);
  if (!wanted && !e->told)
    entry_free(hub, e);
}

/* --- members ---------------------------------------------------------------- */

struct lrd_member *lrd_registry_member(struct lrd_hub *hub, struct lrd_ear *ear,
                                       struct lrd_entry *entry)
{
  const struct lrd_member_key key = {ear, entry};
  struct lrd_member *found = NULL;
  HASH_FIND(hh, hub->members, &key, sizeof key, found);
  return found;
}

static int make_room(struct lrd_hub *hub, struct lrd_entry *e)
{
  if (e->count < e->capacity)
    return 0;
  size_t capacity = e->capacity ? e->capacity * 2 : 2;
  struct lrd_member **more =
      e->member ? lrd_resize(&hub->memory, e->member, e->capacity * sizeof *more,
                             capacity * sizeof *more)
                : lrd_allocate(&hub->memory, capacity * sizeof *more);
  if (!more)
    return -1;
  e->member = more;
  e->capacity = capacity;
  return 0;
}

static struct lrd_member *member_new(struct lrd_hub *hub, struct lrd_ear *ear, struct lrd_entry *e)
{
  if (hub->member_count == LRD_HUB_MEMBERS || make_room(hub, e) != 0)
    return NULL;
  struct lrd_member *m = lrd_allocate_zeroed(&hub->memory, 1, sizeof *m);
  if (!m)
    return NULL;
  m->key = (struct lrd_member_key){ear, e};
  HASH_ADD(hh, hub->members, key, sizeof m->key, m);
  if (m->hh.tbl)
    return m;
  lrd_release(&hub->memory, m, sizeof *m);
  return NULL;
}

struct lrd_member *lrd_registry_join(struct lrd_hub *hub, struct lrd_ear *ear,
                                     enum lrd_hub_kind kind, larder_bytes name)
{
  struct lrd_entry *e = lrd_registry_find(hub, kind, name, lrd_registry_hash(hub, name));
  if (!e && !(e = entry_new(hub, kind, name)))
    return NULL;
  struct lrd_member *m = member_new(hub, ear, e);
  if (!m) {
    lrd_registry_settle(hub, e); /* frees it if it was made now */
    return NULL;
  }
  m->place = e->count;
  e->member[e->count++] = m;
  m->next = ear->members;
  if (m->next)
    m->next->before = m;
  ear->members = m;
  ear->count[kind]++;
  hub->member_count++;
  if (e->count == 1) {
    hub->wanted[kind]++;
    atomic_fetch_add(&hub->total, 1);
    lrd_registry_settle(hub, e);
  }
  return m;
}

void lrd_registry_part(struct lrd_hub *hub, struct lrd_member *m)
{
  struct lrd_ear *ear = m->key.ear;
  struct lrd_entry *e = m->key.entry;
  struct lrd_member *moved = e->member[--e->count];
  e->member[m->place] = moved;
  moved->place = m->place;
  *(m->before ? &m->before->next : &ear->members) = m->next;
  if (m->next)
    m->next->before = m->before;
  ear->count[e->kind]--;
  hub->member_count--;
  HASH_DELETE(hh, hub->members, m);
  lrd_release(&hub->memory, m, sizeof *m);
  if (e->count == 0) {
    hub->wanted[e->kind]--;
    atomic_fetch_sub(&hub->total, 1);
    lrd_registry_settle(hub, e);
  }
}

void lrd_registry_clear(struct lrd_hub *hub)
{
  struct lrd_member *m, *next_member;
  struct lrd_entry *e, *next;
  HASH_ITER(hh, hub->members, m, next_member) {
    HASH_DELETE(hh, hub->members, m);
    lrd_release(&hub->memory, m, sizeof *m);
  }
  for (int kind = 0; kind < LRD_HUB_KINDS; kind++)
    HASH_ITER(hh, hub->entries[kind], e, next)
      entry_free(hub, e);
}
