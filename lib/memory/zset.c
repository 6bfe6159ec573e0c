/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/zset.h"

#include <math.h>

#include "memory/order_page.h"
#include "memory/zset_entry.h"
#include "memory/stage.h"
#include "util/memory.h"

/* Allocators give steps of 8 bytes, or of 16 with the 8 of a header: a short score is of use where
 * it is what spares a step. */
static size_t score_size(const struct lrd_scored *e)
{
  return lrd_blob_size(e->member.len) % 8 == 1 && lrd_zset_score_is_short(e->score)
           ? LRD_ZSET_SHORT
           : LRD_ZSET_SCORE;
}

static const unsigned char *item_new(const larder_memory *memory, const struct lrd_scored *e)
{
  size_t size = score_size(e);
  unsigned char *node = lrd_allocate(memory, size + lrd_blob_size(e->member.len));

  if (!node)
    return NULL;
  lrd_zset_item_write(node + size, e->score);
  lrd_blob_write(node + size, e->member);
  return node + size;
}

static void item_free(const larder_memory *memory, const unsigned char *item)
{
  size_t size;

  if (!item)
    return;
  size = lrd_zset_item_is_short(item) ? LRD_ZSET_SHORT : LRD_ZSET_SCORE;
  lrd_release(memory, (void *)(uintptr_t)(item - size), size + lrd_blob_size(lrd_blob(item).len));
}

static void large_free(struct lrd_zset_large *large, const larder_memory *memory)
{
  lrd_order_free(&large->order, memory);
  if (large->table)
    lrd_table_free(large->table, memory, item_free);
  lrd_release(memory, large, sizeof *large);
}

struct lrd_zset *lrd_zset_new(const larder_memory *memory)
{
  return lrd_allocate_zeroed(memory, 1, sizeof(struct lrd_zset));
}

void lrd_zset_free(struct lrd_zset *z, const larder_memory *memory)
{
  if (z->large)
    large_free(z->large, memory);
  if (z->sums)
    lrd_set_free(z->sums, memory);
  lrd_packed_free(&z->packed, memory);
  lrd_release(memory, z, sizeof *z);
}

size_t lrd_zset_free_some(struct lrd_zset *z, const larder_memory *memory, size_t budget)
{
  if (z->large && (!(budget = lrd_order_drain(&z->large->order, memory, budget)) ||
                   !(budget = lrd_table_drain(z->large->table, memory, item_free, budget))))
    return 0;
  if (z->sums && !(budget = lrd_set_free_some(z->sums, memory, budget)))
    return 0;
  z->sums = NULL;
  lrd_zset_free(z, memory);
  return budget;
}

/* --- conditions ---------------------------------------------------------- */

enum decision { SKIP, KEEP, PUT };

/* What becomes of a pair; *score: the member's now, becomes the wanted one. */
static enum decision decide(unsigned flags, int exists, const struct lrd_scored *pair,
                            double *score, struct lrd_zset_change *change)
{
  double now = *score, wanted = pair->score;

  change->skipped = 1;
  if (exists ? flags & LRD_ZSET_NX : flags & LRD_ZSET_XX)
    return SKIP;
  if (exists && flags & LRD_ZSET_INCR)
    wanted += now;
  if (isnan(wanted)) {
    change->nan = 1;
    return SKIP;
  }
  if (exists && ((flags & LRD_ZSET_GT && wanted <= now) || (flags & LRD_ZSET_LT && wanted >= now)))
    return SKIP;
  change->skipped = 0;
  change->score = *score = wanted;
  return exists && wanted == now ? KEEP : PUT;
}

/* --- packed -------------------------------------------------------------- */

/* For sure, whatever becomes of the pairs. */
static int packed_fits(const struct lrd_zset *z, size_t n, const struct lrd_scored *pairs)
{
  size_t i;

  if (z->count + n > LRD_ZSET_PACKED)
    return 0;
  for (i = 0; i < n; i++)
    if (pairs[i].member.len > LRD_ZSET_PACKED_LEN)
      return 0;
  return 1;
}

/* Whether this pair makes the set a large one. */
static int outgrows(const struct lrd_zset *z, unsigned flags, const struct lrd_scored *pair)
{
  struct lrd_scored e;

  return !packed_fits(z, 1, pair) && !(flags & LRD_ZSET_XX) &&
         !lrd_zset_packed_find(&z->packed, pair->member, &e);
}

/* As in Redis, a small set keeps no negative zero.  from: an entry that may be the last
 * one below it, where scores only grow; or NULL. */
static void packed_insert(struct lrd_packed *p, const unsigned char *from, struct lrd_scored *e)
{
  const unsigned char *at = p->data, *end = lrd_packed_end(p), *next;
  struct lrd_scored other;

  if (e->score == 0)
    e->score = 0;
  if (from && lrd_zset_packed_read(from, &other) && lrd_zset_entry_compare(&other, e) < 0)
    at = from;
  for (; at < end; at = next) {
    next = lrd_zset_packed_read(at, &other);
    if (lrd_zset_entry_compare(&other, e) > 0)
      break;
  }
  lrd_zset_packed_write(lrd_packed_open(p, (size_t)(at - p->data), lrd_zset_packed_size(e)), e);
}

/* One pair; reserve: memory for it was not reserved yet. */
static int packed_put(struct lrd_zset *z, const larder_memory *memory, unsigned flags,
                      const struct lrd_scored *pair, int reserve, struct lrd_zset_change *change)
{
  struct lrd_scored e = { { NULL, 0 }, 0 };
  const unsigned char *last, *old = lrd_zset_packed_seek(&z->packed, pair->member, &last);
  size_t behind = last ? (size_t)(last - z->packed.data) : 0, at = behind, size = 0;

  if (old)
    size = (size_t)(lrd_zset_packed_read(old, &e) - old);
  if (decide(flags, old != NULL, pair, &e.score, change) != PUT)
    return 0;
  e.member = pair->member;
  if (reserve && lrd_zset_packed_size(&e) > size &&
      lrd_packed_reserve(&z->packed, memory, lrd_zset_packed_size(&e) - size) != 0)
    return -1;
  if (old)
    lrd_packed_close(&z->packed, at, size);
  packed_insert(&z->packed, last && !old ? z->packed.data + behind : NULL, &e);
  change->updated += old != NULL;
  change->added += old == NULL;
  z->count += old == NULL;
  return 0;
}

static int packed_add(struct lrd_zset *z, const larder_memory *memory, unsigned flags, size_t n,
                      const struct lrd_scored *pairs, struct lrd_zset_change *change)
{
  size_t i, size = 0;

  if (n == 1)
    return packed_put(z, memory, flags, pairs, 1, change);
  for (i = 0; i < n; i++)
    size += LRD_ZSET_SCORE_MAX + lrd_blob_size(pairs[i].member.len);
  if (lrd_packed_reserve(&z->packed, memory, size) != 0)
    return -1;
  for (i = 0; i < n; i++)
    (void)packed_put(z, memory, flags, &pairs[i], 0, change);
  lrd_packed_trim(&z->packed, memory);
  return 0;
}

static int convert(struct lrd_zset *z, const larder_memory *memory,
                   const struct lrd_universal_key *key)
{
  struct lrd_zset_large *large = lrd_allocate_zeroed(memory, 1, sizeof *large);
  const unsigned char *at = z->packed.data, *end = lrd_packed_end(&z->packed);

  if (!large)
    return -1;
  lrd_order_init(&large->order);
  large->table = lrd_table_new(memory, key);
  if (!large->table || lrd_table_reserve(large->table, memory, z->count) != 0 ||
      lrd_order_reserve(&large->order, memory, z->count) != 0)
    goto fail;
  while (at < end) {
    struct lrd_scored e;
    const unsigned char *item;
    at = lrd_zset_packed_read(at, &e);
    item = item_new(memory, &e);
    if (!item)
      goto fail;
    lrd_table_insert(large->table, memory, lrd_table_hash(large->table, e.member), item);
    (void)lrd_order_insert(&large->order, memory, NULL, lrd_zset_item_entry(item));
  }
  lrd_table_unreserve(large->table, memory);
  lrd_order_unreserve(&large->order, memory);
  lrd_packed_free(&z->packed, memory);
  z->large = large;
  return 0;

fail:
  large_free(large, memory);
  return -1;
}

/* --- large --------------------------------------------------------------- */

/* Items for those of the n that are not in the table, or that need one with more room for the
 * score; 0, or -1: no memory. */
static int items_make(struct lrd_stage *stage, const struct lrd_zset_large *large,
                      const larder_memory *memory, unsigned flags, const struct lrd_scored *pairs)
{
  size_t i;

  for (i = 0; i < stage->n; i++) {
    const unsigned char **place =
        lrd_table_find(large->table, stage->each[i].hash, pairs[i].member);
    if (place ? lrd_zset_item_suits(*place, pairs[i].score) : (flags & LRD_ZSET_XX) != 0)
      continue;
    if (!(stage->each[i].item = item_new(memory, &pairs[i])))
      return -1;
  }
  return 0;
}

/* An item of a member that is to get this score: staged, or made here; NULL: no memory. */
static const unsigned char *item_stage(struct lrd_staged *staged, const larder_memory *memory,
                                       larder_bytes member, double score)
{
  if (!staged->item)
    staged->item = item_new(memory, &(struct lrd_scored){ member, score });
  return staged->item;
}

/* 0, or -1: no memory, nothing was changed. */
static int large_move(struct lrd_zset_large *large, const larder_memory *memory,
                      const struct lrd_order_path *at, const unsigned char **place,
                      struct lrd_staged *staged, double score)
{
  struct lrd_order_entry e = lrd_zset_item_entry(*place);

  if (lrd_zset_item_suits(e.item, score)) {
    if (lrd_order_move(&large->order, memory, at, e, score) != 0)
      return -1;
    lrd_zset_item_write((unsigned char *)(uintptr_t)e.item, score);
    return 0;
  }
  if (!item_stage(staged, memory, lrd_blob(e.item), score) ||
      lrd_order_insert(&large->order, memory, at,
                       (struct lrd_order_entry){ score, staged->item }) != 0)
    return -1;
  lrd_order_remove(&large->order, e);
  *place = staged->item;
  staged->item = NULL;
  item_free(memory, e.item);
  return 0;
}

static int large_insert(struct lrd_zset_large *large, const larder_memory *memory,
                        const struct lrd_order_path *at, larder_bytes member,
                        struct lrd_staged *staged, double score)
{
  const unsigned char *item = item_stage(staged, memory, member, score);

  if (!item ||
      lrd_order_insert(&large->order, memory, at, (struct lrd_order_entry){ score, item }) != 0)
    return -1;
  staged->item = NULL;
  lrd_table_insert(large->table, memory, staged->hash, item);
  return 0;
}

/* One pair.  An item that it needs is staged, or made here.  0, or -1: no memory. */
static int large_put(struct lrd_zset_large *large, const larder_memory *memory, unsigned flags,
                     const struct lrd_scored *pair, struct lrd_staged *staged,
                     struct lrd_zset_change *change)
{
  struct lrd_order_path path, *at = NULL;
  const unsigned char **place;
  double score = 0;

  if (!flags) { /* where it will stand is known: both look-ups wait for memory together */
    lrd_table_prefetch(large->table, staged->hash);
    lrd_order_find(&large->order, pair->score, pair->member, &path);
    at = &path;
  }
  place = lrd_table_find(large->table, staged->hash, pair->member);
  if (place)
    score = lrd_zset_item_entry(*place).score;
  if (decide(flags, place != NULL, pair, &score, change) != PUT)
    return 0;
  if ((place ? large_move(large, memory, at, place, staged, score)
             : large_insert(large, memory, at, pair->member, staged, score)) != 0)
    return -1;
  change->added += !place;
  change->updated += place != NULL;
  return 0;
}

static int large_add_one(struct lrd_zset_large *large, const larder_memory *memory, unsigned flags,
                         const struct lrd_scored *pair, struct lrd_zset_change *change)
{
  struct lrd_staged staged = { lrd_table_hash(large->table, pair->member), NULL };
  int result = lrd_table_reserve(large->table, memory, 1);

  if (result == 0)
    result = large_put(large, memory, flags, pair, &staged, change);
  item_free(memory, staged.item);
  return result;
}

static int large_add_several(struct lrd_zset_large *large, const larder_memory *memory,
                             unsigned flags, size_t n, const struct lrd_scored *pairs,
                             struct lrd_zset_change *change)
{
  struct lrd_stage stage;
  int result = -1;
  size_t i;

  if (lrd_stage_open(&stage, large->table, memory, n, &pairs->member, sizeof *pairs) != 0)
    return -1;
  if (items_make(&stage, large, memory, flags, pairs) == 0)
    result = lrd_order_reserve(&large->order, memory, n);
  for (i = 0; i < n && result == 0; i++)
    result = large_put(large, memory, flags, &pairs[i], &stage.each[i], change);
  lrd_stage_close(&stage, large->table, memory, item_free);
  return result;
}

static int large_add(struct lrd_zset *z, const larder_memory *memory, unsigned flags, size_t n,
                     const struct lrd_scored *pairs, struct lrd_zset_change *change)
{
  struct lrd_zset_large *large = z->large;
  int result = n == 1 ? large_add_one(large, memory, flags, pairs, change)
                      : large_add_several(large, memory, flags, n, pairs, change);

  lrd_order_unreserve(&large->order, memory);
  z->count = large->order.count;
  return result;
}

/* --- changing ------------------------------------------------------------ */

static int packed_copy(struct lrd_packed *copy, const larder_memory *memory,
                       const struct lrd_packed *p)
{
  if (!p->used)
    return 0;
  if (lrd_packed_reserve(copy, memory, p->used) != 0)
    return -1;
  memcpy(lrd_packed_open(copy, 0, p->used), p->data, p->used);
  return 0;
}

int lrd_zset_enlarge(struct lrd_zset *z, const larder_memory *memory,
                     const struct lrd_universal_key *key)
{
  return z->large ? 0 : convert(z, memory, key);
}

/* Pair by pair until one outgrows the packed form, if any does: the scores of
 * a small set are not quite those of a large one. */
static int outgrow(struct lrd_zset *z, const larder_memory *memory,
                   const struct lrd_universal_key *key, unsigned flags, size_t n,
                   const struct lrd_scored *pairs, struct lrd_zset_change *change)
{
  struct lrd_packed saved = { .most = z->packed.most, .longest = z->packed.longest };
  size_t count = z->count, i;

  if (packed_copy(&saved, memory, &z->packed) != 0)
    return -1;
  for (i = 0; i < n && !outgrows(z, flags, &pairs[i]); i++)
    if (packed_add(z, memory, flags, 1, &pairs[i], change) != 0)
      goto fail;
  if (i < n && (convert(z, memory, key) != 0 ||
                large_add(z, memory, flags, n - i, pairs + i, change) != 0))
    goto fail;
  lrd_packed_free(&saved, memory);
  return 0;

fail:
  if (z->large)
    large_free(z->large, memory);
  z->large = NULL;
  lrd_packed_free(&z->packed, memory);
  z->packed = saved;
  z->count = count;
  return -1;
}

static int add(struct lrd_zset *z, const larder_memory *memory,
               const struct lrd_universal_key *key, unsigned flags, size_t n,
               const struct lrd_scored *pairs, struct lrd_zset_change *change)
{
  if (z->large)
    return large_add(z, memory, flags, n, pairs, change);
  if (packed_fits(z, n, pairs))
    return packed_add(z, memory, flags, n, pairs, change);
  return outgrow(z, memory, key, flags, n, pairs, change);
}

int lrd_zset_add(struct lrd_zset *z, const larder_memory *memory,
                 const struct lrd_universal_key *key, unsigned flags, size_t n,
                 const struct lrd_scored *pairs, struct lrd_zset_change *change)
{
  size_t i;

  memset(change, 0, sizeof *change);
  if (add(z, memory, key, flags, n, pairs, change) != 0)
    return -1;
  for (i = 0; change->added && i < n; i++)
    lrd_packed_peak(&z->packed, z->count, pairs[i].member.len);
  if (z->sums && !(flags & LRD_ZSET_INCR))
    for (i = 0; i < n; i++)
      lrd_set_remove(z->sums, memory, pairs[i].member);
  return 0;
}

int lrd_zset_remove(struct lrd_zset *z, const larder_memory *memory, larder_bytes member)
{
  const unsigned char *at;
  struct lrd_scored e;

  lrd_zset_unmark_sum(z, memory, member);
  if (z->large) {
    struct lrd_table *table = z->large->table;
    at = lrd_table_remove(table, memory, lrd_table_hash(table, member), member);
    if (at) {
      lrd_order_remove(&z->large->order, lrd_zset_item_entry(at));
      lrd_order_unreserve(&z->large->order, memory);
      item_free(memory, at);
    }
  } else {
    at = lrd_zset_packed_find(&z->packed, member, &e);
    if (at) {
      lrd_packed_close(&z->packed, (size_t)(at - z->packed.data), lrd_zset_packed_size(&e));
      lrd_packed_trim(&z->packed, memory);
    }
  }
  if (at)
    z->count--;
  return at != NULL;
}

/* The entries of one leaf; how many they were. */
static size_t large_remove_some(struct lrd_zset *z, const larder_memory *memory, size_t rank,
                                size_t n)
{
  const unsigned char *item[LRD_ORDER_LEAF];
  struct lrd_table *table = z->large->table;
  size_t taken = lrd_order_take(&z->large->order, rank, n, item), i;

  for (i = 0; i < taken; i++)
    __builtin_prefetch(item[i]);
  for (i = 0; i < taken; i++) {
    larder_bytes member = lrd_blob(item[i]);
    lrd_zset_unmark_sum(z, memory, member);
    (void)lrd_table_remove(table, memory, lrd_table_hash(table, member), member);
    item_free(memory, item[i]);
  }
  lrd_order_unreserve(&z->large->order, memory);
  return taken;
}

static void packed_remove_range(struct lrd_zset *z, const larder_memory *memory, size_t rank,
                                size_t n)
{
  const unsigned char *first = z->packed.data, *end;
  struct lrd_scored e;

  while (rank--)
    first = lrd_zset_packed_read(first, &e);
  for (end = first; n--;) {
    end = lrd_zset_packed_read(end, &e);
    lrd_zset_unmark_sum(z, memory, e.member);
  }
  lrd_packed_close(&z->packed, (size_t)(first - z->packed.data), (size_t)(end - first));
  lrd_packed_trim(&z->packed, memory);
}

void lrd_zset_remove_range(struct lrd_zset *z, const larder_memory *memory, size_t rank, size_t n)
{
  if (!n)
    return;
  z->count -= n;
  if (!z->large)
    packed_remove_range(z, memory, rank, n);
  else
    while (n)
      n -= large_remove_some(z, memory, rank, n);
}

int lrd_zset_mark_sum(struct lrd_zset *z, const larder_memory *memory,
                      const struct lrd_universal_key *key, larder_bytes member)
{
  if (!z->sums && !(z->sums = lrd_set_new(memory)))
    return -1;
  return lrd_set_add(z->sums, memory, key, 1, &member) < 0 ? -1 : 0;
}

void lrd_zset_unmark_sum(struct lrd_zset *z, const larder_memory *memory, larder_bytes member)
{
  if (z->sums)
    lrd_set_remove(z->sums, memory, member);
}

int lrd_zset_is_sum(const struct lrd_zset *z, larder_bytes member)
{
  return z->sums && lrd_set_has(z->sums, member);
}
