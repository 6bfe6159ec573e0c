/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/index_find.h"

#include "util/grace.h"
#include "util/memory.h"

enum { LARGE = LRD_INDEX_SEGMENT, LINE = 64 };

/* Mean number of items a bucket above which the table grows, below which it shrinks. */
enum { FULL = 5, EMPTY = 2 };

static uint64_t hash_of(const struct lrd_index *ix, const void *item)
{
  larder_bytes key = ix->key(item);
  return lrd_universal_hash(ix->hash_key, key.data, key.len);
}

/* --- where buckets lie ---------------------------------------------------- */

/* Cache-line aligned; the byte before says by how much. */
static struct lrd_bucket *segment_new(const struct lrd_index *ix, size_t buckets)
{
  unsigned char *block = lrd_allocate(ix->memory, buckets * sizeof(struct lrd_bucket) + LINE);
  size_t shift;

  if (!block)
    return NULL;
  shift = LINE - (size_t)((uintptr_t)block % LINE);
  block += shift;
  block[-1] = (unsigned char)shift;
  memset(block, 0, buckets * sizeof(struct lrd_bucket));
  return (struct lrd_bucket *)(void *)block;
}

static void segment_free(const struct lrd_index *ix, struct lrd_bucket *segment, size_t buckets)
{
  unsigned char *block = (unsigned char *)segment;

  if (segment)
    lrd_release(ix->memory, block - block[-1], buckets * sizeof(struct lrd_bucket) + LINE);
}

/* Before the array: who found it without the lock may follow what is in it after it was given
 * back (unlocked.h), so that is not where lrd_grace notes something. */
enum { LARGE_HEAD = LRD_GRACE_HEAD / sizeof(struct lrd_bucket *) };

static size_t large_size(size_t capacity)
{
  return (LARGE_HEAD + capacity) * sizeof(struct lrd_bucket *);
}

static int large_reserve(struct lrd_index *ix, size_t n)
{
  size_t capacity = ix->large_capacity ? ix->large_capacity * 2 : 8;
  struct lrd_bucket **block;

  if (n < ix->large_capacity)
    return 0;
  block = ix->large ? lrd_resize(ix->memory, ix->large - LARGE_HEAD,
                                 large_size(ix->large_capacity), large_size(capacity))
                    : lrd_allocate(ix->memory, large_size(capacity));
  if (!block)
    return -1;
  ix->large = block + LARGE_HEAD;
  ix->large_capacity = capacity;
  return 0;
}

static void large_free(struct lrd_index *ix)
{
  if (ix->large)
    lrd_release(ix->memory, ix->large - LARGE_HEAD, large_size(ix->large_capacity));
}

/* Makes room for bucket i, the first one behind the last. */
static int segment_reserve(struct lrd_index *ix, size_t i)
{
  struct lrd_bucket **segment;
  size_t size;

  if (i >= LARGE) {
    if (i % LARGE)
      return 0;
    if (large_reserve(ix, i / LARGE - 1))
      return -1;
    segment = &ix->large[i / LARGE - 1];
    size = LARGE;
  } else {
    if (i & (i - 1))
      return 0;
    segment = &ix->small[i ? lrd_log2(i) + 1 : 0];
    size = i ? i : 1;
  }
  *segment = segment_new(ix, size);
  return *segment ? 0 : -1;
}

/* Bucket i was the last one and is gone. */
static void segment_drop(struct lrd_index *ix, size_t i)
{
  struct lrd_bucket **segment;

  if (i >= LARGE) {
    if (i % LARGE)
      return;
    segment_free(ix, ix->large[i / LARGE - 1], LARGE);
    return;
  }
  if (i & (i - 1))
    return;
  segment = &ix->small[i ? lrd_log2(i) + 1 : 0];
  segment_free(ix, *segment, i ? i : 1);
  *segment = NULL;
}

static void set_buckets(struct lrd_index *ix, size_t n)
{
  ix->buckets = n;
  ix->mask = n > 1 ? ((size_t)2 << lrd_log2(n - 1)) - 1 : 0;
}

/* --- chains --------------------------------------------------------------- */

static void put(struct lrd_bucket *b, unsigned i, uint8_t tag, void *item)
{
  b->tag[i] = tag;
  b->item[i] = item;
}

static int chain_insert(const struct lrd_index *ix, struct lrd_bucket *b, uint8_t tag, void *item)
{
  struct lrd_bucket *next;

  for (;; b = next) {
    for (unsigned i = 0; i < lrd_bucket_places(b); i++)
      if (!b->tag[i]) {
        put(b, i, tag, item);
        return 0;
      }
    next = lrd_bucket_next(b);
    if (!next)
      break;
  }
  next = lrd_allocate(ix->memory, sizeof *next);
  if (!next)
    return -1;
  memset(next, 0, sizeof *next);
  put(next, 0, b->tag[LRD_BUCKET_PLACES - 1], b->item[LRD_BUCKET_PLACES - 1]);
  put(next, 1, tag, item);
  put(b, LRD_BUCKET_PLACES - 1, 0, next);
  b->chained = 1;
  return 0;
}

static void chain_release(const struct lrd_index *ix, struct lrd_bucket *b)
{
  while (b) {
    struct lrd_bucket *next = lrd_bucket_next(b);
    lrd_release(ix->memory, b, sizeof *b);
    b = next;
  }
}

/* Closes the holes and gives back the buckets that are no longer needed. */
static void chain_pack(const struct lrd_index *ix, struct lrd_bucket *head)
{
  struct lrd_bucket *to = head, *before = NULL;
  unsigned n = 0;

  if (!head->chained)
    return;
  for (struct lrd_bucket *from = head; from; from = lrd_bucket_next(from))
    for (unsigned i = 0; i < lrd_bucket_places(from); i++) {
      uint8_t tag = from->tag[i];
      if (!tag)
        continue;
      if (n == lrd_bucket_places(to)) {
        before = to;
        to = lrd_bucket_next(to);
        n = 0;
      }
      from->tag[i] = 0;
      put(to, n++, tag, from->item[i]);
    }
  chain_release(ix, lrd_bucket_next(to));
  to->chained = 0;
  if (before && n == 1) {
    put(before, LRD_BUCKET_PLACES - 1, to->tag[0], to->item[0]);
    before->chained = 0;
    lrd_release(ix->memory, to, sizeof *to);
  }
}

/* Moves the items whose hash has that bit; -1: no memory, nothing was moved. */
static int chain_move(const struct lrd_index *ix, struct lrd_bucket *from,
                      struct lrd_bucket *to, size_t bit)
{
  for (struct lrd_bucket *b = from; b; b = lrd_bucket_next(b))
    for (unsigned i = 0; i < lrd_bucket_places(b); i++) {
      if (!b->tag[i] || !((size_t)hash_of(ix, b->item[i]) & bit))
        continue;
      if (chain_insert(ix, to, b->tag[i], b->item[i])) {
        /* the holes that they left are still there */
        (void)chain_move(ix, to, from, bit);
        return -1;
      }
      b->tag[i] = 0;
    }
  chain_pack(ix, from);
  return 0;
}

/* --- growing and shrinking ------------------------------------------------- */

static void grow(struct lrd_index *ix)
{
  size_t n = ix->buckets, half;

  if (segment_reserve(ix, n))
    return;
  if (n) {
    half = (size_t)1 << lrd_log2(n);
    if (chain_move(ix, lrd_bucket_at(ix, n - half), lrd_bucket_at(ix, n), half)) {
      chain_pack(ix, lrd_bucket_at(ix, n));
      segment_drop(ix, n);
      return;
    }
  }
  set_buckets(ix, n + 1);
}

static void shrink(struct lrd_index *ix)
{
  size_t last = ix->buckets - 1, half = (size_t)1 << lrd_log2(last);

  if (chain_move(ix, lrd_bucket_at(ix, last), lrd_bucket_at(ix, last - half), half))
    return;
  set_buckets(ix, last);
  segment_drop(ix, last);
}

/* --- the interface ---------------------------------------------------------- */

void lrd_index_init(struct lrd_index *ix, const larder_memory *memory,
                    const struct lrd_universal_key *hash_key, lrd_index_key_fn *key)
{
  memset(ix, 0, sizeof *ix);
  ix->memory = memory;
  ix->hash_key = hash_key;
  ix->key = key;
}

void lrd_index_free(struct lrd_index *ix)
{
  while (ix->buckets) {
    size_t last = ix->buckets - 1;
    chain_release(ix, lrd_bucket_next(lrd_bucket_at(ix, last)));
    ix->buckets = last;
    segment_drop(ix, last);
  }
  large_free(ix);
  lrd_index_init(ix, ix->memory, ix->hash_key, ix->key);
}

void **lrd_index_find(const struct lrd_index *ix, uint64_t hash, larder_bytes key)
{
  return lrd_index_find_by(ix, hash, key, ix->key);
}

void *lrd_index_find_if(const struct lrd_index *ix, uint64_t hash,
                        int (*is)(void *context, const void *item), void *context)
{
  uint8_t tag = lrd_bucket_tag(hash);

  if (!ix->buckets)
    return NULL;
  for (struct lrd_bucket *b = lrd_bucket_at(ix, lrd_index_position(ix, hash)); b;
       b = lrd_bucket_next(b))
    for (lrd_match found = lrd_bucket_match(b, tag); found; found &= found - 1) {
      unsigned i = lrd_match_place(found);

      if (is(context, b->item[i]))
        return b->item[i];
    }
  return NULL;
}

int lrd_index_insert(struct lrd_index *ix, uint64_t hash, void *item)
{
  /* Two steps, so that a table that could not grow for a while catches up. */
  for (int step = 0; step < 2 && ix->count >= ix->buckets * FULL; step++)
    grow(ix);
  if (!ix->buckets ||
      chain_insert(ix, lrd_bucket_at(ix, lrd_index_position(ix, hash)), lrd_bucket_tag(hash), item))
    return -1;
  ix->count++;
  return 0;
}

void lrd_index_remove(struct lrd_index *ix, uint64_t hash,
                      const void *item)
{
  struct lrd_bucket *head = lrd_bucket_at(ix, lrd_index_position(ix, hash));

  for (struct lrd_bucket *b = head; b; b = lrd_bucket_next(b))
    for (unsigned i = 0; i < lrd_bucket_places(b); i++)
      if (b->tag[i] && b->item[i] == item) {
        b->tag[i] = 0;
        ix->count--;
        if (ix->visiting)
          return;
        chain_pack(ix, head);
        if (ix->buckets > 1 && ix->count < ix->buckets * EMPTY)
          shrink(ix);
        return;
      }
}

static void visit_chain(struct lrd_index *ix, size_t i,
                        lrd_index_visit *visit, void *context)
{
  struct lrd_bucket *head = lrd_bucket_at(ix, i);

  ix->visiting++;
  for (struct lrd_bucket *b = head; b; b = lrd_bucket_next(b))
    for (unsigned j = 0; j < lrd_bucket_places(b); j++)
      if (b->tag[j])
        visit(context, b->item[j]);
  ix->visiting--;
  if (!ix->visiting)
    chain_pack(ix, head);
}

static uint64_t reversed(uint64_t v)
{
  v = __builtin_bswap64(v);
  v = (v >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (v & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4;
  v = (v >> 2 & UINT64_C(0x3333333333333333)) | (v & UINT64_C(0x3333333333333333)) << 2;
  return (v >> 1 & UINT64_C(0x5555555555555555)) | (v & UINT64_C(0x5555555555555555)) << 1;
}

/* The cursor counts from its highest bit down, so what a bucket is split into
 * comes after it in the order, and all that came before stays before.  A bucket
 * and the one split off it in this round are visited together. */
uint64_t lrd_index_scan(struct lrd_index *ix, uint64_t cursor,
                        lrd_index_visit *visit, void *context)
{
  uint64_t half;
  size_t i;

  if (!ix->buckets)
    return 0;
  half = UINT64_C(1) << lrd_log2(ix->buckets);
  i = (size_t)(cursor & (half - 1));
  visit_chain(ix, i, visit, context);
  if (i + half < ix->buckets)
    visit_chain(ix, (size_t)(i + half), visit, context);
  cursor |= ~(half - 1);
  return reversed(reversed(cursor) + 1);
}

/* --- for tests -------------------------------------------------------------- */

static const char *check_chain(const struct lrd_index *ix, size_t i, size_t *count)
{
  for (const struct lrd_bucket *b = lrd_bucket_at(ix, i); b; b = lrd_bucket_next(b)) {
    unsigned used = 0;

    for (unsigned j = 0; j < lrd_bucket_places(b); j++) {
      uint64_t hash;
      if (!b->tag[j])
        continue;
      used++;
      hash = hash_of(ix, b->item[j]);
      if (b->tag[j] != lrd_bucket_tag(hash))
        return "a tag differs from its item's hash";
      if (lrd_index_position(ix, hash) != i)
        return "an item is in the wrong bucket";
    }
    if (b->chained && (b->tag[LRD_BUCKET_PLACES - 1] || !used))
      return "a chained bucket is not what it should be";
    if (b != lrd_bucket_at(ix, i) && !b->chained && used < 2)
      return "a chain was not packed";
    *count += used;
  }
  return NULL;
}

const char *lrd_index_check(const struct lrd_index *ix)
{
  size_t count = 0;

  for (size_t i = 0; i < ix->buckets; i++) {
    const char *wrong = check_chain(ix, i, &count);
    if (wrong)
      return wrong;
  }
  return count == ix->count ? NULL : "the count is wrong";
}
