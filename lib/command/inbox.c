/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/inbox.h"

#include <string.h>

#include "util/memory.h"

enum {
  FIRST_CAPACITY = 16,
  NOTICES_MAX = 1 << 16,
  SPARE = 4,       /* places that messages leave to notices */
  MESSAGE_COST = 64 /* beside its bytes */
};

static struct lrd_inbox *inbox_of(struct lrd_ear *ear)
{
  return (struct lrd_inbox *)(void *)ear;
}

static struct lrd_item *at(struct lrd_inbox *b, size_t i)
{
  return &b->item[(b->first + i) & (b->capacity - 1)];
}

static size_t cost(const struct lrd_message *m)
{
  return MESSAGE_COST + m->channel + m->payload;
}

void lrd_item_drop(const larder_memory *m, struct lrd_item *item)
{
  lrd_name_drop(m, item->name);
  if (item->type == LRD_ITEM_MESSAGE)
    lrd_message_drop(m, item->body.message);
  else if (item->type == LRD_ITEM_GAP || item->type == LRD_ITEM_REFUSED)
    lrd_name_drop(m, item->body.text);
}

/* --- appending: the hub's lock is held, and the inbox's ------------------------- */

/* Room for `more` items; 0: there is none. */
static int make_room(struct lrd_inbox *b, size_t more)
{
  if (b->capacity - b->count >= more)
    return 1;
  size_t capacity = b->capacity ? b->capacity * 2 : FIRST_CAPACITY;
  struct lrd_item *item = lrd_allocate(&b->memory, capacity * sizeof *item);
  if (!item)
    return 0;
  for (size_t i = 0; i < b->count; i++)
    item[i] = *at(b, i);
  lrd_release(&b->memory, b->item, b->capacity * sizeof *item);
  b->item = item;
  b->first = 0;
  b->capacity = capacity;
  return 1;
}

static void append(struct lrd_inbox *b, struct lrd_item item)
{
  *at(b, b->count++) = item;
  b->notices += item.type != LRD_ITEM_MESSAGE;
  if (b->count == 1)
    b->wake(b);
}

static void miss(struct lrd_inbox *b, uint64_t missed)
{
  struct lrd_item *last = b->count ? at(b, b->count - 1) : NULL;
  if (last && last->type == LRD_ITEM_MISSED)
    last->body.missed += missed;
  else if (make_room(b, 1))
    append(b, (struct lrd_item){.type = LRD_ITEM_MISSED, .body.missed = missed});
}

static void hear(struct lrd_ear *ear, enum lrd_hub_kind kind, struct lrd_name *name,
                 struct lrd_message *message)
{
  struct lrd_inbox *b = inbox_of(ear);
  size_t need = cost(message);
  lrd_lock(&b->lock);
  if (need <= b->limit - b->bytes && make_room(b, 1 + SPARE)) {
    b->bytes += need;
    append(b, (struct lrd_item){.type = LRD_ITEM_MESSAGE,
                                .kind = kind,
                                .name = lrd_name_hold(name),
                                .body.message = lrd_message_hold(message)});
  } else {
    miss(b, 1);
  }
  lrd_unlock(&b->lock);
}

/* Everything that waits becomes one MISSED. */
static void fold(struct lrd_inbox *b)
{
  struct lrd_item item;
  uint64_t missed = 0;
  while (lrd_inbox_take_locked(b, &item)) {
    missed += item.type == LRD_ITEM_MESSAGE ? 1 : item.type == LRD_ITEM_MISSED ? item.body.missed : 0;
    lrd_item_drop(&b->memory, &item);
  }
  if (missed)
    miss(b, missed);
}

static struct lrd_name *copy_text(struct lrd_inbox *b, const char *text)
{
  size_t len = text ? strlen(text) : 0;
  struct lrd_name *copy = text ? lrd_allocate(&b->memory, sizeof *copy + len + 1) : NULL;
  if (copy) {
    atomic_init(&copy->references, 1);
    copy->len = len;
    memcpy(copy->bytes, text, len + 1);
  }
  return copy;
}

static void changed(struct lrd_ear *ear, enum lrd_hub_state state, enum lrd_hub_kind kind,
                    struct lrd_name *name, const char *text)
{
  static const enum lrd_item_type types[] = {
      [LRD_HUB_READY] = LRD_ITEM_READY,
      [LRD_HUB_GAP] = LRD_ITEM_GAP,
      [LRD_HUB_REFUSED] = LRD_ITEM_REFUSED,
      [LRD_HUB_CLOSED] = LRD_ITEM_CLOSED,
  };
  struct lrd_inbox *b = inbox_of(ear);
  lrd_lock(&b->lock);
  if (state == LRD_HUB_GAP && b->notices > NOTICES_MAX)
    fold(b);
  if (state == LRD_HUB_MISSED || !make_room(b, 1)) {
    miss(b, 1);
  } else {
    struct lrd_item item = {.type = types[state], .kind = kind};
    item.name = name ? lrd_name_hold(name) : NULL;
    if (state == LRD_HUB_GAP || state == LRD_HUB_REFUSED)
      item.body.text = copy_text(b, text);
    append(b, item);
  }
  lrd_unlock(&b->lock);
}

/* --- life ------------------------------------------------------------------------ */

larder_outcome lrd_inbox_init(struct lrd_inbox *b, struct lrd_hub *hub, size_t limit,
                              void (*wake)(struct lrd_inbox *))
{
  memset(b, 0, sizeof *b);
  b->ear.hear = hear;
  b->ear.changed = changed;
  b->memory = *lrd_hub_memory(hub);
  b->limit = limit;
  b->wake = wake;
  if (lrd_lock_init(&b->lock, LRD_RANK_QUEUE, 0) != 0)
    return LARDER_NO_MEMORY;
  if (make_room(b, 1))
    return LARDER_OK;
  lrd_lock_destroy(&b->lock);
  return LARDER_NO_MEMORY;
}

void lrd_inbox_free(struct lrd_inbox *b, int forked)
{
  struct lrd_item item;
  /* in a child it is whole unless somebody was changing it */
  if (!forked || pthread_mutex_trylock(&b->lock.mutex) == 0) {
    while (lrd_inbox_take_locked(b, &item))
      lrd_item_drop(&b->memory, &item);
    lrd_release(&b->memory, b->item, b->capacity * sizeof *b->item);
  }
  if (!forked)
    lrd_lock_destroy(&b->lock);
}

/* --- taking ----------------------------------------------------------------------- */

int lrd_inbox_take_locked(struct lrd_inbox *b, struct lrd_item *item)
{
  if (b->count == 0)
    return 0;
  *item = *at(b, 0);
  b->first = (b->first + 1) & (b->capacity - 1);
  b->count--;
  if (item->type == LRD_ITEM_MESSAGE)
    b->bytes -= cost(item->body.message);
  else
    b->notices--;
  return 1;
}

int lrd_inbox_take(struct lrd_inbox *b, struct lrd_item *item)
{
  lrd_lock(&b->lock);
  int taken = lrd_inbox_take_locked(b, item);
  lrd_unlock(&b->lock);
  return taken;
}

int lrd_inbox_is_full(struct lrd_inbox *b)
{
  lrd_lock(&b->lock);
  int full = b->notices >= NOTICES_MAX;
  lrd_unlock(&b->lock);
  return full;
}
