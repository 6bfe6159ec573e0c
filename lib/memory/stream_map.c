/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/stream_map.h"

#include <string.h>

enum { SLOTS_LEAST = 2, SLOTS = 64, PARTS_LEAST = 1 };

struct slot {
  struct lrd_xid id;
  void *value;
};

struct lrd_xmap_page {
  uint32_t count, capacity; /* all have SLOTS, but one that is alone */
  struct slot slot[];
};

static size_t page_size(uint32_t capacity)
{
  return sizeof(struct lrd_xmap_page) + capacity * sizeof(struct slot);
}

static void page_free(const larder_memory *memory, struct lrd_xmap_page *page)
{
  lrd_release(memory, page, page_size(page->capacity));
}

/* --- searching ---------------------------------------------------------------------------- */

/* The last part that does not begin behind it, or the first one. */
static uint32_t find_part(const struct lrd_xmap *m, struct lrd_xid id)
{
  uint32_t low = 0, high = m->parts;

  if (m->parts && lrd_xid_compare(m->part[m->parts - 1].first, id) <= 0)
    return m->parts - 1;
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;

    if (lrd_xid_compare(m->part[middle].first, id) <= 0)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* The first slot that is not below. */
static uint32_t find_slot(const struct lrd_xmap_page *page, struct lrd_xid id)
{
  uint32_t low = 0, high = page->count;

  if (page->count && lrd_xid_compare(page->slot[page->count - 1].id, id) < 0)
    return page->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;

    if (lrd_xid_compare(page->slot[middle].id, id) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static struct slot *slot_at(const struct lrd_xmap *m, struct lrd_xmap_at at)
{
  return &m->part[at.part].page->slot[at.slot];
}

int lrd_xmap_seek(const struct lrd_xmap *m, struct lrd_xid id, struct lrd_xmap_at *at)
{
  if (!m->parts)
    return 0;
  at->part = find_part(m, id);
  at->slot = find_slot(m->part[at->part].page, id);
  if (at->slot < m->part[at->part].page->count)
    return 1;
  at->slot = 0;
  return ++at->part < m->parts;
}

int lrd_xmap_seek_back(const struct lrd_xmap *m, struct lrd_xid id, struct lrd_xmap_at *at)
{
  if (!m->parts)
    return 0;
  at->part = find_part(m, id);
  at->slot = find_slot(m->part[at->part].page, id);
  if (at->slot < m->part[at->part].page->count && !lrd_xid_compare(slot_at(m, *at)->id, id))
    return 1;
  return lrd_xmap_previous(m, at);
}

int lrd_xmap_next(const struct lrd_xmap *m, struct lrd_xmap_at *at)
{
  if (++at->slot < m->part[at->part].page->count)
    return 1;
  at->slot = 0;
  return ++at->part < m->parts;
}

int lrd_xmap_previous(const struct lrd_xmap *m, struct lrd_xmap_at *at)
{
  if (at->slot--)
    return 1;
  if (!at->part--)
    return 0;
  at->slot = m->part[at->part].page->count - 1;
  return 1;
}

struct lrd_xid lrd_xmap_id(const struct lrd_xmap *m, struct lrd_xmap_at at)
{
  return slot_at(m, at)->id;
}

void *lrd_xmap_value(const struct lrd_xmap *m, struct lrd_xmap_at at)
{
  return slot_at(m, at)->value;
}

void lrd_xmap_set(struct lrd_xmap *m, struct lrd_xmap_at at, void *value)
{
  slot_at(m, at)->value = value;
}

void *lrd_xmap_find(const struct lrd_xmap *m, struct lrd_xid id)
{
  struct lrd_xmap_at at;

  return lrd_xmap_seek(m, id, &at) && !lrd_xid_compare(slot_at(m, at)->id, id)
           ? slot_at(m, at)->value
           : NULL;
}

/* --- adding ------------------------------------------------------------------------------- */

/* Room in the row for one part more. */
static int widen(struct lrd_xmap *m, const larder_memory *memory)
{
  uint32_t capacity = m->capacity ? 2 * m->capacity : PARTS_LEAST;
  struct lrd_xmap_part *part;

  if (m->parts < m->capacity)
    return 0;
  part = lrd_xgrow(memory, m->part, m->capacity * sizeof *part, capacity * sizeof *part);
  if (!part)
    return -1;
  m->part = part;
  m->capacity = capacity;
  return 0;
}

static void open_part(struct lrd_xmap *m, uint32_t at, struct lrd_xid first,
                      struct lrd_xmap_page *page)
{
  memmove(&m->part[at + 1], &m->part[at], (m->parts - at) * sizeof *m->part);
  m->part[at] = (struct lrd_xmap_part){ first, page };
  m->parts++;
}

static struct lrd_xmap_page *page_new(struct lrd_xmap *m, const larder_memory *memory,
                                      uint32_t capacity)
{
  struct lrd_xmap_page *page = widen(m, memory) ? NULL : lrd_allocate(memory, page_size(capacity));

  if (page) {
    page->count = 0;
    page->capacity = capacity;
  }
  return page;
}

/* The only page, which is still small, becomes twice as large. */
static struct lrd_xmap_page *page_grow(struct lrd_xmap *m, const larder_memory *memory)
{
  struct lrd_xmap_page *page = m->part[0].page;
  uint32_t capacity = 2 * page->capacity;

  page = lrd_resize(memory, page, page_size(page->capacity), page_size(capacity));
  if (page) {
    page->capacity = capacity;
    m->part[0].page = page;
  }
  return page;
}

/* A full page: what is behind its end begins a new one, else its upper half does. */
static int divide(struct lrd_xmap *m, const larder_memory *memory, struct lrd_xmap_at *at,
                  struct lrd_xid id)
{
  struct lrd_xmap_page *page = m->part[at->part].page, *more = page_new(m, memory, SLOTS);
  uint32_t keep = at->slot == SLOTS ? SLOTS : SLOTS / 2;

  if (!more)
    return -1;
  more->count = SLOTS - keep;
  memcpy(more->slot, page->slot + keep, more->count * sizeof *page->slot);
  page->count = keep;
  open_part(m, at->part + 1, more->count ? more->slot[0].id : id, more);
  if (at->slot >= keep && lrd_xid_compare(m->part[at->part + 1].first, id) <= 0) {
    at->part++;
    at->slot -= keep;
  }
  return 0;
}

static int make_room(struct lrd_xmap *m, const larder_memory *memory, struct lrd_xmap_at *at,
                     struct lrd_xid id)
{
  struct lrd_xmap_page *page;

  if (!m->parts) {
    page = page_new(m, memory, SLOTS_LEAST);
    if (!page && !m->parts && m->capacity) {
      lrd_release(memory, m->part, m->capacity * sizeof *m->part);
      m->part = NULL;
      m->capacity = 0;
    }
    if (page)
      open_part(m, 0, id, page);
    *at = (struct lrd_xmap_at){ 0, 0 };
    return page ? 0 : -1;
  }
  page = m->part[at->part].page;
  if (page->count < page->capacity)
    return 0;
  if (page->capacity < SLOTS)
    return page_grow(m, memory) ? 0 : -1;
  return divide(m, memory, at, id);
}

int lrd_xmap_add(struct lrd_xmap *m, const larder_memory *memory, struct lrd_xid id, void *value)
{
  struct lrd_xmap_at at = { find_part(m, id), 0 };
  struct lrd_xmap_page *page;

  if (m->parts) {
    page = m->part[at.part].page;
    at.slot = find_slot(page, id);
    if (at.slot < page->count && !lrd_xid_compare(page->slot[at.slot].id, id))
      return 0;
  }
  if (make_room(m, memory, &at, id))
    return -1;
  page = m->part[at.part].page;
  memmove(&page->slot[at.slot + 1], &page->slot[at.slot],
          (page->count - at.slot) * sizeof *page->slot);
  page->slot[at.slot] = (struct slot){ id, value };
  page->count++;
  m->count++;
  if (lrd_xid_compare(id, m->part[at.part].first) < 0)
    m->part[at.part].first = id;
  return 1;
}

/* --- removing ----------------------------------------------------------------------------- */

void lrd_xmap_free(struct lrd_xmap *m, const larder_memory *memory)
{
  for (uint32_t i = 0; i < m->parts; i++)
    page_free(memory, m->part[i].page);
  lrd_release(memory, m->part, m->capacity * sizeof *m->part);
  *m = (struct lrd_xmap){ 0 };
}

static void close_part(struct lrd_xmap *m, const larder_memory *memory, uint32_t at)
{
  page_free(memory, m->part[at].page);
  m->parts--;
  memmove(&m->part[at], &m->part[at + 1], (m->parts - at) * sizeof *m->part);
}

/* Two neighbours that fit into half a page are joined in the first. */
static void join(struct lrd_xmap *m, const larder_memory *memory, uint32_t at)
{
  struct lrd_xmap_page *page, *next;

  if (at + 1 >= m->parts)
    return;
  page = m->part[at].page;
  next = m->part[at + 1].page;
  if (page->count + next->count > SLOTS / 2)
    return;
  memcpy(page->slot + page->count, next->slot, next->count * sizeof *next->slot);
  page->count += next->count;
  close_part(m, memory, at + 1);
}

void lrd_xmap_remove_at(struct lrd_xmap *m, const larder_memory *memory, struct lrd_xmap_at at)
{
  struct lrd_xmap_page *page = m->part[at.part].page;

  m->count--;
  page->count--;
  memmove(&page->slot[at.slot], &page->slot[at.slot + 1],
          (page->count - at.slot) * sizeof *page->slot);
  if (!m->count) {
    lrd_xmap_free(m, memory);
    return;
  }
  if (!page->count) {
    close_part(m, memory, at.part);
    return;
  }
  join(m, memory, at.part);
  if (at.part)
    join(m, memory, at.part - 1);
}

void *lrd_xmap_remove(struct lrd_xmap *m, const larder_memory *memory, struct lrd_xid id)
{
  struct lrd_xmap_at at;
  void *value;

  if (!lrd_xmap_seek(m, id, &at) || lrd_xid_compare(slot_at(m, at)->id, id))
    return NULL;
  value = slot_at(m, at)->value;
  lrd_xmap_remove_at(m, memory, at);
  return value;
}

/* --- for tests ---------------------------------------------------------------------------- */

const char *lrd_xmap_check(const struct lrd_xmap *m)
{
  struct lrd_xid before = { 0, 0 };
  size_t count = 0;

  for (uint32_t i = 0; i < m->parts; i++) {
    const struct lrd_xmap_page *page = m->part[i].page;

    if (!page->count || page->count > page->capacity)
      return "a page of a stream's map is empty or too full";
    if (m->parts > 1 && page->capacity != SLOTS)
      return "a page of a stream's map is small, and not alone";
    if (lrd_xid_compare(page->slot[0].id, m->part[i].first) < 0 ||
        (i && lrd_xid_compare(before, m->part[i].first) >= 0))
      return "a page of a stream's map begins elsewhere than the row says";
    for (uint32_t k = 0; k < page->count; count++, k++) {
      if (count && lrd_xid_compare(before, page->slot[k].id) >= 0)
        return "ids of a stream's map are not in order";
      before = page->slot[k].id;
    }
  }
  return count == m->count ? NULL : "the count of a stream's map is wrong";
}
