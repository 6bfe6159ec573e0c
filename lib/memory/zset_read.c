/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/zset.h"

#include <math.h>

#include "memory/order_page.h"
#include "memory/zset_entry.h"

int lrd_zset_score(const struct lrd_zset *z, larder_bytes member, double *score)
{
  const unsigned char *item;
  struct lrd_scored e;

  if (z->large) {
    item = lrd_zset_large_find(z->large, member);
    if (item)
      *score = lrd_zset_item_entry(item).score;
    return item != NULL;
  }
  if (!lrd_zset_packed_find(&z->packed, member, &e))
    return 0;
  *score = e.score;
  return 1;
}

int lrd_zset_rank(const struct lrd_zset *z, larder_bytes member, size_t *rank)
{
  const unsigned char *at = z->packed.data, *end = lrd_packed_end(&z->packed), *item;
  struct lrd_scored e;

  if (z->large) {
    item = lrd_zset_large_find(z->large, member);
    if (item)
      *rank = lrd_order_rank(&z->large->order, lrd_zset_item_entry(item));
    return item != NULL;
  }
  for (*rank = 0; at < end; ++*rank) {
    at = lrd_zset_packed_read(at, &e);
    if (lrd_bytes_equal(e.member, member))
      return 1;
  }
  return 0;
}

struct score_bound {
  double score;
  int or_equal;
};

static unsigned below_score(const void *context, const double *score,
                            const unsigned char *const *item, unsigned n)
{
  const struct score_bound *b = context;

  (void)item;
  /* two searches, each with one comparison */
  return b->or_equal ? lrd_order_scores_below(score, n, b->score, 1)
                     : lrd_order_scores_below(score, n, b->score, 0);
}

/* How many of the first entries lie below the bound. */
static size_t bound(const struct lrd_zset *z, lrd_order_below *below, const void *context)
{
  const unsigned char *at = z->packed.data, *end = lrd_packed_end(&z->packed), *item;
  larder_bytes member;
  double score;
  size_t rank;

  if (z->large)
    return lrd_order_bound(&z->large->order, below, context);
  for (rank = 0; at < end; rank++) {
    item = lrd_zset_score_read(at, &score);
    if (!below(context, &score, &item, 1))
      break;
    at = lrd_blob_read(item, &member);
  }
  return rank;
}

size_t lrd_zset_below(const struct lrd_zset *z, double score, int or_equal)
{
  struct score_bound b = { score, or_equal };

  if (isinf(score) && (score > 0) == or_equal) /* no entry is beyond it */
    return or_equal ? z->count : 0;
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

/* How many of n members, in order, are in the lower part. */
static unsigned members_below(const unsigned char *const *item, unsigned n,
                              int (*is_below)(const struct lrd_lex_range *, larder_bytes),
                              const struct lrd_lex_range *range, int wanted)
{
  unsigned low = 0, high = n;

  while (low < high) {
    unsigned middle = (low + high) / 2;
    if (is_below(range, lrd_blob(item[middle])) == wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static unsigned below_min(const void *context, const double *score,
                          const unsigned char *const *item, unsigned n)
{
  (void)score;
  return members_below(item, n, lrd_lex_above_min, context, 0);
}

static unsigned not_above_max(const void *context, const double *score,
                              const unsigned char *const *item, unsigned n)
{
  (void)score;
  return members_below(item, n, lrd_lex_below_max, context, 1);
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
    at = lrd_zset_packed_read(at, &e);
  }
}

void lrd_zset_get(const struct lrd_zset *z, const struct lrd_zset_cursor *c, struct lrd_scored *e)
{
  struct lrd_order_entry entry;

  if (!z->large) {
    lrd_zset_packed_read(z->packed.data + c->offset[c->rank], e);
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

/* --- scanning ------------------------------------------------------------ */

struct scan {
  lrd_scan_visit *visit;
  void *context;
};

static void visit_item(void *context, const unsigned char *item)
{
  const struct scan *s = context;

  s->visit(s->context, lrd_blob(item), (larder_bytes){ NULL, 0 },
           lrd_zset_item_entry(item).score);
}

uint64_t lrd_zset_scan(const struct lrd_zset *z, uint64_t cursor, lrd_scan_visit *visit,
                       void *context)
{
  struct scan s = { visit, context };
  const unsigned char *at = z->packed.data, *end = lrd_packed_end(&z->packed);
  struct lrd_scored e;

  if (z->large)
    return lrd_table_scan(z->large->table, cursor, visit_item, &s);
  while (at < end) {
    at = lrd_zset_packed_read(at, &e);
    visit(context, e.member, (larder_bytes){ NULL, 0 }, e.score);
  }
  return 0;
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
    item = lrd_zset_large_find(z->large, e.member);
    if (!item || (const char *)item > e.member.data || lrd_zset_item_entry(item).score != e.score)
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
    at = lrd_zset_packed_read(at, &e);
    if (count && lrd_zset_entry_compare(&before, &e) >= 0)
      return "not in order";
    before = e;
  }
  if (count != z->count)
    return "the count is wrong";
  if (z->packed.most < count)
    return "it had more entries than ever";
  return count > LRD_ZSET_PACKED ? "packed although it is large" : NULL;
}
