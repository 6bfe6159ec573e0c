/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/stream_group.h"

/* --- names in order ----------------------------------------------------------------------- */

/* Where a name is, or belongs. */
static size_t place_of(const struct lrd_xrow *row, larder_bytes name)
{
  size_t low = 0, high = row->count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;

    if (lrd_bytes_compare(row->item[middle]->name, name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void *lrd_xrow_find(const struct lrd_xrow *row, larder_bytes name)
{
  size_t at = place_of(row, name);

  return at < row->count && lrd_bytes_equal(row->item[at]->name, name) ? row->item[at] : NULL;
}

int lrd_xrow_add(struct lrd_xrow *row, const larder_memory *memory, struct lrd_xnamed *item)
{
  size_t at = place_of(row, item->name);

  if (row->count == row->capacity) {
    size_t capacity = row->capacity ? 2 * row->capacity : 1;
    struct lrd_xnamed **wider = lrd_xgrow(memory, row->item, row->capacity * sizeof *wider,
                                          capacity * sizeof *wider);

    if (!wider)
      return -1;
    row->item = wider;
    row->capacity = capacity;
  }
  memmove(row->item + at + 1, row->item + at, (row->count - at) * sizeof *row->item);
  row->item[at] = item;
  row->count++;
  return 0;
}

static void row_free(struct lrd_xrow *row, const larder_memory *memory)
{
  lrd_release(memory, row->item, row->capacity * sizeof *row->item);
  *row = (struct lrd_xrow){ 0 };
}

void lrd_xrow_pop(struct lrd_xrow *row, const larder_memory *memory)
{
  if (!--row->count)
    row_free(row, memory);
}

void lrd_xrow_remove(struct lrd_xrow *row, const larder_memory *memory, struct lrd_xnamed *item)
{
  size_t at = place_of(row, item->name);

  memmove(row->item + at, row->item + at + 1, (row->count - at - 1) * sizeof *row->item);
  lrd_xrow_pop(row, memory);
}

/* A zeroed block of that size with the name behind it; NULL: no memory. */
static void *named_new(const larder_memory *memory, size_t size, larder_bytes name)
{
  struct lrd_xnamed *item = lrd_allocate_zeroed(memory, 1, size + name.len);

  if (!item)
    return NULL;
  item->name = (larder_bytes){ (char *)item + size, name.len };
  if (name.len)
    memcpy((char *)item + size, name.data, name.len);
  return item;
}

static void named_free(const larder_memory *memory, struct lrd_xnamed *item, size_t size)
{
  lrd_release(memory, item, size + item->name.len);
}

/* --- adding ------------------------------------------------------------------------------- */

struct lrd_xgroup *lrd_xgroup_add(struct lrd_xstream *s, const larder_memory *memory,
                                  larder_bytes name)
{
  struct lrd_xgroup *g = named_new(memory, sizeof *g, name);

  if (g && lrd_xrow_add(&s->groups, memory, &g->named) == 0)
    return g;
  if (g)
    named_free(memory, &g->named, sizeof *g);
  return NULL;
}

struct lrd_xconsumer *lrd_xconsumer_add(struct lrd_xgroup *g, const larder_memory *memory,
                                        larder_bytes name)
{
  struct lrd_xconsumer *c = named_new(memory, sizeof *c, name);

  if (c && lrd_xrow_add(&g->consumers, memory, &c->named) == 0)
    return c;
  if (c)
    named_free(memory, &c->named, sizeof *c);
  return NULL;
}

struct lrd_xpending *lrd_xpending_add(struct lrd_xgroup *g, const larder_memory *memory,
                                      struct lrd_xid id, struct lrd_xconsumer *c)
{
  struct lrd_xpending *p = lrd_allocate(memory, sizeof *p);

  if (!p)
    return NULL;
  *p = (struct lrd_xpending){ .consumer = c };
  if (lrd_xmap_add(&g->pending, memory, id, p) < 0) {
    lrd_release(memory, p, sizeof *p);
    return NULL;
  }
  if (lrd_xmap_add(&c->pending, memory, id, p) < 0) {
    (void)lrd_xmap_remove(&g->pending, memory, id);
    lrd_release(memory, p, sizeof *p);
    return NULL;
  }
  return p;
}

/* --- removing ----------------------------------------------------------------------------- */

int lrd_xpending_remove(struct lrd_xgroup *g, const larder_memory *memory, struct lrd_xid id)
{
  struct lrd_xpending *p = lrd_xmap_remove(&g->pending, memory, id);

  if (!p)
    return 0;
  (void)lrd_xmap_remove(&p->consumer->pending, memory, id);
  lrd_release(memory, p, sizeof *p);
  return 1;
}

void lrd_xconsumer_remove(struct lrd_xgroup *g, const larder_memory *memory,
                          struct lrd_xconsumer *c)
{
  struct lrd_xmap_at at;

  if (lrd_xmap_seek(&c->pending, (struct lrd_xid){ 0, 0 }, &at))
    do {
      struct lrd_xpending *p = lrd_xmap_remove(&g->pending, memory, lrd_xmap_id(&c->pending, at));

      lrd_release(memory, p, sizeof *p);
    } while (lrd_xmap_next(&c->pending, &at));
  lrd_xmap_free(&c->pending, memory);
  lrd_xrow_remove(&g->consumers, memory, &c->named);
  named_free(memory, &c->named, sizeof *c);
}

void lrd_xgroup_remove(struct lrd_xstream *s, const larder_memory *memory, struct lrd_xgroup *g)
{
  lrd_xrow_remove(&s->groups, memory, &g->named);
}

/* From the end, where that moves nothing. */
static size_t free_pending(const larder_memory *memory, struct lrd_xgroup *g, size_t budget)
{
  struct lrd_xmap_at at;

  for (; budget && lrd_xmap_seek_back(&g->pending, LRD_XID_MAX, &at); budget--) {
    lrd_release(memory, lrd_xmap_value(&g->pending, at), sizeof(struct lrd_xpending));
    lrd_xmap_remove_at(&g->pending, memory, at);
  }
  return budget;
}

size_t lrd_xgroup_free_some(const larder_memory *memory, struct lrd_xgroup *g, size_t budget)
{
  budget = free_pending(memory, g, budget);
  for (; budget && g->consumers.count; budget--) {
    struct lrd_xconsumer *c = lrd_xconsumer_at(g, g->consumers.count - 1);

    lrd_xmap_free(&c->pending, memory);
    named_free(memory, &c->named, sizeof *c);
    lrd_xrow_pop(&g->consumers, memory);
  }
  if (budget)
    named_free(memory, &g->named, sizeof *g);
  return budget;
}

/* --- copying ------------------------------------------------------------------------------ */

static int clone_pending(struct lrd_xgroup *g, const larder_memory *memory,
                         const struct lrd_xgroup *from)
{
  struct lrd_xmap_at at;

  if (!lrd_xmap_seek(&from->pending, (struct lrd_xid){ 0, 0 }, &at))
    return 0;
  do {
    const struct lrd_xpending *p = lrd_xmap_value(&from->pending, at);
    struct lrd_xconsumer *c = lrd_xconsumer_find(g, p->consumer->named.name);
    struct lrd_xpending *to = lrd_xpending_add(g, memory, lrd_xmap_id(&from->pending, at), c);

    if (!to)
      return -1;
    to->time = p->time;
    to->count = p->count;
  } while (lrd_xmap_next(&from->pending, &at));
  return 0;
}

static int clone_group(struct lrd_xstream *s, const larder_memory *memory,
                       const struct lrd_xgroup *from)
{
  struct lrd_xgroup *g = lrd_xgroup_add(s, memory, from->named.name);

  if (!g)
    return -1;
  g->last = from->last;
  g->read = from->read;
  for (size_t i = 0; i < from->consumers.count; i++) {
    const struct lrd_xconsumer *old = lrd_xconsumer_at(from, i);
    struct lrd_xconsumer *c = lrd_xconsumer_add(g, memory, old->named.name);

    if (!c)
      return -1;
    c->seen = old->seen;
  }
  return clone_pending(g, memory, from);
}

int lrd_xgroups_clone(struct lrd_xstream *s, const larder_memory *memory,
                      const struct lrd_xstream *from)
{
  for (size_t i = 0; i < from->groups.count; i++)
    if (clone_group(s, memory, lrd_xgroup_at(from, i)))
      return -1;
  return 0;
}

/* --- how far a group has come ------------------------------------------------------------- */

int lrd_xstream_has_gaps(const struct lrd_xstream *s, struct lrd_xid from)
{
  return s->length && !lrd_xid_is_zero(s->deleted) &&
         lrd_xid_compare(s->first, s->deleted) <= 0 && lrd_xid_compare(from, s->deleted) <= 0;
}

int64_t lrd_xstream_read_up_to(const struct lrd_xstream *s, struct lrd_xid id)
{
  int to_last = lrd_xid_compare(id, s->last), to_first = lrd_xid_compare(id, s->first);

  if (!s->added)
    return 0;
  if ((!s->length && to_last < 1) || !to_last)
    return (int64_t)s->added;
  if (to_last > 0)
    return LRD_XREAD_UNKNOWN;
  if (lrd_xid_is_zero(s->deleted) || lrd_xid_compare(s->deleted, s->first) < 0) {
    if (to_first < 0)
      return (int64_t)(s->added - s->length);
    if (!to_first)
      return (int64_t)(s->added - s->length + 1);
  }
  return LRD_XREAD_UNKNOWN;
}

int lrd_xgroup_lag(const struct lrd_xstream *s, const struct lrd_xgroup *g, int64_t *lag)
{
  int64_t read = g->read;

  *lag = 0;
  if (!s->added)
    return 1;
  if (read == LRD_XREAD_UNKNOWN || lrd_xstream_has_gaps(s, g->last))
    read = lrd_xstream_read_up_to(s, g->last);
  if (read == LRD_XREAD_UNKNOWN)
    return 0;
  *lag = (int64_t)(s->added - (uint64_t)read);
  return 1;
}

void lrd_xgroup_read(const struct lrd_xstream *s, struct lrd_xgroup *g, struct lrd_xid id)
{
  if (lrd_xid_compare(id, g->last) <= 0)
    return;
  if (g->read != LRD_XREAD_UNKNOWN && !lrd_xstream_has_gaps(s, id))
    g->read = (int64_t)((uint64_t)g->read + 1); /* XGROUP may have set it to the greatest */
  else if (s->added)
    g->read = lrd_xstream_read_up_to(s, id);
  g->last = id;
}

/* --- for tests ---------------------------------------------------------------------------- */

static const char *check_consumer(const struct lrd_xgroup *g, const struct lrd_xconsumer *c)
{
  const char *wrong = lrd_xmap_check(&c->pending);
  struct lrd_xmap_at at;

  if (wrong || !lrd_xmap_seek(&c->pending, (struct lrd_xid){ 0, 0 }, &at))
    return wrong;
  do {
    struct lrd_xpending *p = lrd_xmap_value(&c->pending, at);

    if (lrd_xmap_find(&g->pending, lrd_xmap_id(&c->pending, at)) != p)
      return "a consumer's pending entry is not its group's";
    if (p->consumer != c)
      return "a pending entry says another consumer";
  } while (lrd_xmap_next(&c->pending, &at));
  return NULL;
}

const char *lrd_xgroup_check(const struct lrd_xgroup *g)
{
  const char *wrong = lrd_xmap_check(&g->pending);
  size_t pending = 0;

  for (size_t i = 0; i < g->consumers.count && !wrong; i++) {
    const struct lrd_xconsumer *c = lrd_xconsumer_at(g, i);

    if (i && lrd_bytes_compare(lrd_xconsumer_at(g, i - 1)->named.name, c->named.name) >= 0)
      return "consumers are not in order";
    pending += c->pending.count;
    wrong = check_consumer(g, c);
  }
  if (wrong)
    return wrong;
  return pending == g->pending.count ? NULL : "a pending entry has no consumer";
}
