/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/zset.h"

#include <math.h>
#include <string.h>

#include "util/memory.h"

enum { PACKED_LEN = 64, FEW = 16, SCORE = sizeof(double) };

/* --- entries, packed and as nodes: the score, then the member's blob ------ */

static size_t entry_size(larder_bytes member)
{
  return SCORE + lrd_blob_size(member.len);
}

static const unsigned char *entry_read(const unsigned char *p, struct lrd_scored *e)
{
  memcpy(&e->score, p, SCORE);
  return lrd_blob_read(p + SCORE, &e->member);
}

static void entry_write(unsigned char *p, const struct lrd_scored *e)
{
  memcpy(p, &e->score, SCORE);
  lrd_blob_write(p + SCORE, e->member);
}

static int entry_compare(const struct lrd_scored *a, const struct lrd_scored *b)
{
  if (a->score != b->score)
    return a->score < b->score ? -1 : 1;
  return lrd_bytes_compare(a->member, b->member);
}

/* A node is known by its item, the blob behind the score. */
static const unsigned char *item_new(const larder_memory *memory, const struct lrd_scored *e)
{
  unsigned char *node = lrd_allocate(memory, entry_size(e->member));

  if (!node)
    return NULL;
  entry_write(node, e);
  return node + SCORE;
}

static void item_free(const larder_memory *memory, const unsigned char *item)
{
  if (item)
    lrd_release(memory, (void *)(uintptr_t)(item - SCORE), entry_size(lrd_blob(item)));
}

static struct lrd_order_entry item_entry(const unsigned char *item)
{
  struct lrd_order_entry e = { 0, item };

  memcpy(&e.score, item - SCORE, SCORE);
  return e;
}

static void large_free(struct lrd_zset_large *large, const larder_memory *memory)
{
  struct lrd_table_cursor c = { 0 };
  const unsigned char *item;

  lrd_order_free(&large->order, memory);
  if (large->table) {
    while ((item = lrd_table_next(large->table, &c)))
      item_free(memory, item);
    lrd_table_free(large->table, memory);
  }
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

static const unsigned char *packed_find(const struct lrd_packed *p, larder_bytes member,
                                        struct lrd_scored *e)
{
  const unsigned char *at = p->data, *end = lrd_packed_end(p), *next;

  for (; at < end; at = next) {
    next = entry_read(at, e);
    if (lrd_bytes_equal(e->member, member))
      return at;
  }
  return NULL;
}

static int packed_fits(const struct lrd_zset *z, size_t n, const struct lrd_scored *pairs)
{
  size_t i;

  if (z->count + n > LRD_ZSET_PACKED)
    return 0;
  for (i = 0; i < n; i++)
    if (pairs[i].member.len > PACKED_LEN)
      return 0;
  return 1;
}

/* As in Redis, a small set keeps no negative zero. */
static void packed_insert(struct lrd_packed *p, struct lrd_scored *e)
{
  const unsigned char *at = p->data, *end = lrd_packed_end(p), *next;
  struct lrd_scored other;

  if (e->score == 0)
    e->score = 0;

  for (; at < end; at = next) {
    next = entry_read(at, &other);
    if (entry_compare(&other, e) > 0)
      break;
  }
  entry_write(lrd_packed_open(p, (size_t)(at - p->data), entry_size(e->member)), e);
}

static int packed_add(struct lrd_zset *z, const larder_memory *memory, unsigned flags, size_t n,
                      const struct lrd_scored *pairs, struct lrd_zset_change *change)
{
  size_t i, size = 0;

  for (i = 0; i < n; i++)
    size += entry_size(pairs[i].member);
  if (lrd_packed_reserve(&z->packed, memory, size) != 0)
    return -1;
  for (i = 0; i < n; i++) {
    struct lrd_scored e = { { NULL, 0 }, 0 };
    const unsigned char *at = packed_find(&z->packed, pairs[i].member, &e);
    if (!at)
      e.score = 0;
    if (decide(flags, at != NULL, &pairs[i], &e.score, change) != PUT)
      continue;
    e.member = pairs[i].member;
    if (at)
      lrd_packed_close(&z->packed, (size_t)(at - z->packed.data), entry_size(e.member));
    packed_insert(&z->packed, &e);
    if (at)
      change->updated++;
    else
      change->added++;
  }
  return 0;
}

static int convert(struct lrd_zset *z, const larder_memory *memory)
{
  struct lrd_zset_large *large = lrd_allocate_zeroed(memory, 1, sizeof *large);
  const unsigned char *at = z->packed.data, *end = lrd_packed_end(&z->packed);

  if (!large)
    return -1;
  lrd_order_init(&large->order);
  large->table = lrd_table_new(memory);
  if (!large->table || lrd_table_reserve(large->table, memory, z->count) != 0 ||
      lrd_order_reserve(&large->order, memory, z->count) != 0)
    goto fail;
  while (at < end) {
    struct lrd_scored e;
    const unsigned char *item;
    at = entry_read(at, &e);
    item = item_new(memory, &e);
    if (!item)
      goto fail;
    lrd_table_insert(large->table, memory, lrd_table_hash(large->table, e.member), item);
    lrd_order_insert(&large->order, item_entry(item));
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

static const unsigned char *large_find(const struct lrd_zset_large *large, larder_bytes member)
{
  const unsigned char **place =
      lrd_table_find(large->table, lrd_table_hash(large->table, member), member);

  return place ? *place : NULL;
}

/* Items for the pairs whose members are not there, NULL for the others. */
static int items_make(struct lrd_zset_large *large, const larder_memory *memory, unsigned flags,
                      size_t n, const struct lrd_scored *pairs, const unsigned char **item)
{
  size_t i;

  for (i = 0; i < n; i++) {
    item[i] = NULL;
    if (flags & LRD_ZSET_XX || large_find(large, pairs[i].member))
      continue;
    item[i] = item_new(memory, &pairs[i]);
    if (!item[i]) {
      while (i--)
        item_free(memory, item[i]);
      return -1;
    }
  }
  return 0;
}

static int pages_reserve(struct lrd_zset_large *large, const larder_memory *memory, unsigned flags,
                         size_t n, const struct lrd_scored *pair, const unsigned char *item)
{
  struct lrd_zset_change ignored = { 0 };
  struct lrd_order_entry e = { 0, item };

  if (n > 1)
    return lrd_order_reserve(&large->order, memory, n);
  if (!item) {
    e.item = large_find(large, pair->member);
    if (!e.item)
      return 0;
    e = item_entry(e.item);
  }
  if (decide(flags, item == NULL, pair, &e.score, &ignored) != PUT)
    return 0;
  return lrd_order_reserve_one(&large->order, memory, e);
}

/* One pair, for which all is reserved; fresh: the item if it was not there. */
static void large_put(struct lrd_zset_large *large, const larder_memory *memory, unsigned flags,
                      const struct lrd_scored *pair, const unsigned char *fresh,
                      struct lrd_zset_change *change)
{
  uint64_t hash = lrd_table_hash(large->table, pair->member);
  const unsigned char **place = lrd_table_find(large->table, hash, pair->member);
  struct lrd_order_entry e = { 0, fresh };
  double score;

  if (place) {
    item_free(memory, fresh); /* named twice */
    e = item_entry(*place);
  }
  score = e.score;
  if (decide(flags, place != NULL, pair, &score, change) != PUT)
    return;
  if (place) {
    lrd_order_move(&large->order, e, score);
    memcpy((unsigned char *)(uintptr_t)e.item - SCORE, &score, SCORE);
    change->updated++;
  } else {
    e.score = score;
    lrd_table_insert(large->table, memory, hash, fresh);
    lrd_order_insert(&large->order, e);
    change->added++;
  }
}

static int large_add(struct lrd_zset *z, const larder_memory *memory, unsigned flags, size_t n,
                     const struct lrd_scored *pairs, const unsigned char **item,
                     struct lrd_zset_change *change)
{
  struct lrd_zset_large *large = z->large;
  size_t i;
  int result = -1;

  if (items_make(large, memory, flags, n, pairs, item) != 0)
    return -1;
  if (lrd_table_reserve(large->table, memory, n) == 0 &&
      pages_reserve(large, memory, flags, n, pairs, item[0]) == 0)
    result = 0;
  for (i = 0; i < n; i++)
    if (result == 0)
      large_put(large, memory, flags, &pairs[i], item[i], change);
    else
      item_free(memory, item[i]);
  lrd_table_unreserve(large->table, memory);
  lrd_order_unreserve(&large->order, memory);
  return result;
}

/* --- changing ------------------------------------------------------------ */

static int add(struct lrd_zset *z, const larder_memory *memory, unsigned flags, size_t n,
               const struct lrd_scored *pairs, struct lrd_zset_change *change)
{
  const unsigned char *few[FEW], **item = few;
  int result;

  if (!z->large && packed_fits(z, n, pairs))
    return packed_add(z, memory, flags, n, pairs, change);
  if (!z->large && convert(z, memory) != 0)
    return -1;
  if (n > FEW && !(item = lrd_allocate(memory, n * sizeof *item)))
    return -1;
  result = large_add(z, memory, flags, n, pairs, item, change);
  if (item != few)
    lrd_release(memory, item, n * sizeof *item);
  return result;
}

int lrd_zset_add(struct lrd_zset *z, const larder_memory *memory, unsigned flags, size_t n,
                 const struct lrd_scored *pairs, struct lrd_zset_change *change)
{
  size_t i;

  memset(change, 0, sizeof *change);
  if (add(z, memory, flags, n, pairs, change) != 0)
    return -1;
  z->count += (size_t)change->added;
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
      lrd_order_remove(&z->large->order, item_entry(at));
      lrd_order_unreserve(&z->large->order, memory);
      item_free(memory, at);
    }
  } else {
    at = packed_find(&z->packed, member, &e);
    if (at) {
      lrd_packed_close(&z->packed, (size_t)(at - z->packed.data), entry_size(member));
      lrd_packed_trim(&z->packed, memory);
    }
  }
  if (at)
    z->count--;
  return at != NULL;
}

void lrd_zset_remove_range(struct lrd_zset *z, const larder_memory *memory, size_t rank, size_t n)
{
  struct lrd_zset_cursor c;
  struct lrd_scored e;

  while (n--) {
    lrd_zset_seek(z, rank, &c);
    lrd_zset_get(z, &c, &e);
    lrd_zset_remove(z, memory, e.member);
  }
}

int lrd_zset_mark_sum(struct lrd_zset *z, const larder_memory *memory, larder_bytes member)
{
  if (!z->sums && !(z->sums = lrd_set_new(memory)))
    return -1;
  return lrd_set_add(z->sums, memory, 1, &member) < 0 ? -1 : 0;
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

/* --- looking up ---------------------------------------------------------- */

int lrd_zset_score(const struct lrd_zset *z, larder_bytes member, double *score)
{
  const unsigned char *item;
  struct lrd_scored e;

  if (z->large) {
    item = large_find(z->large, member);
    if (item)
      *score = item_entry(item).score;
    return item != NULL;
  }
  if (!packed_find(&z->packed, member, &e))
    return 0;
  *score = e.score;
  return 1;
}

int lrd_zset_rank(const struct lrd_zset *z, larder_bytes member, size_t *rank)
{
  const unsigned char *at = z->packed.data, *end = lrd_packed_end(&z->packed), *item;
  struct lrd_scored e;

  if (z->large) {
    item = large_find(z->large, member);
    if (item)
      *rank = lrd_order_rank(&z->large->order, item_entry(item));
    return item != NULL;
  }
  for (*rank = 0; at < end; ++*rank) {
    at = entry_read(at, &e);
    if (lrd_bytes_equal(e.member, member))
      return 1;
  }
  return 0;
}

struct score_bound {
  double score;
  int or_equal;
};

static int below_score(const void *context, const struct lrd_order_entry *e)
{
  const struct score_bound *b = context;
  return e->score < b->score || (b->or_equal && e->score == b->score);
}

/* The first entries for which below() is true. */
static size_t bound(const struct lrd_zset *z,
                    int (*below)(const void *, const struct lrd_order_entry *),
                    const void *context)
{
  const unsigned char *at = z->packed.data, *end = lrd_packed_end(&z->packed);
  size_t rank;

  if (z->large)
    return lrd_order_bound(&z->large->order, below, context);
  for (rank = 0; at < end; rank++) {
    struct lrd_scored e;
    struct lrd_order_entry entry = { 0, at + SCORE };
    at = entry_read(at, &e);
    entry.score = e.score;
    if (!below(context, &entry))
      break;
  }
  return rank;
}

size_t lrd_zset_below(const struct lrd_zset *z, double score, int or_equal)
{
  struct score_bound b = { score, or_equal };
  return bound(z, below_score, &b);
}

/* --- ranges by member ---------------------------------------------------- */

static int lex_compare(larder_bytes member, const struct lrd_lex_bound *b)
{
  return b->infinite ? -b->infinite : lrd_bytes_compare(member, b->member);
}

int lrd_lex_above_min(const struct lrd_lex_range *r, larder_bytes member)
{
  int order = lex_compare(member, &r->min);
  return r->min.exclusive ? order > 0 : order >= 0;
}

int lrd_lex_below_max(const struct lrd_lex_range *r, larder_bytes member)
{
  int order = lex_compare(member, &r->max);
  return r->max.exclusive ? order < 0 : order <= 0;
}

static int below_min(const void *context, const struct lrd_order_entry *e)
{
  return !lrd_lex_above_min(context, lrd_blob(e->item));
}

static int not_above_max(const void *context, const struct lrd_order_entry *e)
{
  return lrd_lex_below_max(context, lrd_blob(e->item));
}

/* Redis looks at the ends of the set first, and where scores differ that
 * decides whether anything is found. */
static int lex_possible(const struct lrd_zset *z, const struct lrd_lex_range *r)
{
  struct lrd_zset_cursor c;
  struct lrd_scored first, last;
  int order = 0;

  if (!z->count)
    return 0;
  if (r->min.infinite || r->max.infinite)
    order = (r->min.infinite > r->max.infinite) - (r->min.infinite < r->max.infinite);
  else
    order = lrd_bytes_compare(r->min.member, r->max.member);
  if (order > 0 || (order == 0 && (r->min.exclusive || r->max.exclusive)))
    return 0;
  lrd_zset_seek(z, 0, &c);
  lrd_zset_get(z, &c, &first);
  lrd_zset_seek(z, z->count - 1, &c);
  lrd_zset_get(z, &c, &last);
  return lrd_lex_above_min(r, last.member) && lrd_lex_below_max(r, first.member);
}

/* The last entry of a packed set that is not above the upper end. */
static size_t packed_last(const struct lrd_zset *z, const struct lrd_lex_range *r)
{
  struct lrd_zset_cursor c;
  struct lrd_scored e;

  lrd_zset_seek(z, z->count - 1, &c);
  do {
    lrd_zset_get(z, &c, &e);
    if (lrd_lex_below_max(r, e.member))
      return c.rank;
  } while (lrd_zset_previous(z, &c));
  return z->count;
}

int lrd_zset_lex_first(const struct lrd_zset *z, const struct lrd_lex_range *r, int reverse,
                       size_t *rank)
{
  struct lrd_zset_cursor c;
  struct lrd_scored e;

  if (!lex_possible(z, r))
    return 0;
  if (!reverse)
    *rank = bound(z, below_min, r);
  else if (z->large)
    *rank = bound(z, not_above_max, r) - 1; /* at 0 it becomes more than any */
  else
    *rank = packed_last(z, r);
  if (*rank >= z->count)
    return 0;
  lrd_zset_seek(z, *rank, &c);
  lrd_zset_get(z, &c, &e);
  return reverse ? lrd_lex_above_min(r, e.member) : lrd_lex_below_max(r, e.member);
}

/* --- walking ------------------------------------------------------------- */

void lrd_zset_seek(const struct lrd_zset *z, size_t rank, struct lrd_zset_cursor *c)
{
  const unsigned char *at = z->packed.data;
  struct lrd_scored e;
  size_t i;

  c->rank = rank;
  c->count = z->count;
  if (z->large) {
    lrd_order_seek(&z->large->order, rank, &c->order);
    return;
  }
  for (i = 0; i < z->count; i++) {
    c->offset[i] = (uint16_t)(at - z->packed.data);
    at = entry_read(at, &e);
  }
}

void lrd_zset_get(const struct lrd_zset *z, const struct lrd_zset_cursor *c, struct lrd_scored *e)
{
  struct lrd_order_entry entry;

  if (!z->large) {
    entry_read(z->packed.data + c->offset[c->rank], e);
    return;
  }
  entry = lrd_order_entry_at(&c->order);
  e->score = entry.score;
  e->member = lrd_blob(entry.item);
}

int lrd_zset_next(const struct lrd_zset *z, struct lrd_zset_cursor *c)
{
  if (++c->rank >= c->count)
    return 0;
  return z->large ? lrd_order_next(&c->order) : 1;
}

int lrd_zset_previous(const struct lrd_zset *z, struct lrd_zset_cursor *c)
{
  if (c->rank-- == 0)
    return 0;
  return z->large ? lrd_order_previous(&c->order) : 1;
}

/* --- for tests ----------------------------------------------------------- */

static const char *check_large(const struct lrd_zset *z)
{
  struct lrd_zset_cursor c;
  struct lrd_scored e;
  const char *wrong = lrd_table_check(z->large->table);

  if (!wrong)
    wrong = lrd_order_check(&z->large->order);
  if (wrong || !z->count)
    return wrong;
  if (z->large->table->count != z->count || z->large->order.count != z->count)
    return "table and order differ in count";
  lrd_zset_seek(z, 0, &c);
  do {
    const unsigned char *item;
    lrd_zset_get(z, &c, &e);
    item = large_find(z->large, e.member);
    if (!item || (const char *)item > e.member.data || item_entry(item).score != e.score)
      return "table and order differ";
  } while (lrd_zset_next(z, &c));
  return NULL;
}

const char *lrd_zset_check(const struct lrd_zset *z)
{
  const unsigned char *at = z->packed.data, *end = lrd_packed_end(&z->packed);
  struct lrd_scored e, before;
  size_t count = 0;

  if (z->large)
    return z->packed.data ? "both forms at once" : check_large(z);
  for (; at < end; count++) {
    at = entry_read(at, &e);
    if (count && entry_compare(&before, &e) >= 0)
      return "not in order";
    before = e;
  }
  if (count != z->count)
    return "the count is wrong";
  return packed_fits(z, 0, NULL) ? NULL : "packed although it is large";
}
