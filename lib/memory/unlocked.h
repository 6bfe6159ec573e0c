/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_UNLOCKED_H
#define LRD_MEMORY_UNLOCKED_H

#include "memory/evict.h"
#include "memory/index_find.h"
#include "memory/shard.h"

/*
 * GET without the shard's latch.  An atomic operation waits until everything before it has
 * been done, so with one in each call the cache misses of consecutive calls add up; without
 * they overlap, as far as the processor looks ahead: so each instruction counts.
 *
 * Why a reader can't touch freed memory:
 *
 *  1. It is inside lrd_grace while it reads.  Index segments, buckets, entries and the
 *     keyspaces themselves are released to lrd_grace.memory, which frees a block only when all
 *     readers have left that were inside when it was unlinked.
 *  2. Before it follows a pointer, or uses a length, that it has read from such a block, it
 *     asks the latch whether the shard is as it was when it began.  If it is, what was read
 *     belongs together and was linked, and so was unlinked, if at all, after the reader had come
 *     in.  Whatever happens to the block from then on, it is there until the reader has left,
 *     and its size doesn't change: entries get another block, they are not resized in place.
 *     What is read after the question and followed without another one are a keyspace's pointers
 *     to segments: they stay what they were, or become those of other segments, or NULL.
 *     (The shard itself is never freed: a keyspace that it points to is linked.)
 *  3. What it copies may be torn, and is thrown away unless the shard is still as it was
 *     at the end.  The shard's memory itself stands until closing has waited for all readers.
 *
 * Writers do nothing for it but count the latch's version up.  What a reader may not do, or
 * what isn't usual, is left to the latch: reclaiming what has expired, marking an entry
 * as used where that would change it, tombstones, other types, large values.
 */

/* Two 32-bit loads would have to stand for one. */
#define LRD_UNLOCKED (UINTPTR_MAX > UINT32_MAX)

enum { LRD_UNLOCKED_MOST = 4096 }; /* bytes to copy */

/* AGAIN: something was changed meanwhile; LOCK: the latch is needed. */
enum lrd_glance { LRD_GLANCE_DONE, LRD_GLANCE_AGAIN, LRD_GLANCE_LOCK };

/* What a get asks. */
struct lrd_asked {
  const struct lrd_shard *shard;
  uint64_t version;
  uint64_t hash;
  larder_bytes key;
};

/* The first eight bytes of an entry. */
union lrd_entry_head {
  uint64_t word;
  struct {
    uint32_t key_len;
    uint8_t kind : 4;
    uint8_t database : 4;
    uint8_t flags;
    uint16_t used;
  };
};

/* The next eight. */
union lrd_entry_value {
  uint64_t word;
  int64_t integer;
  struct lrd_text text;
};

/* What it found; entry NULL: no such key.  Words, since a compiler keeps no union in a register. */
struct lrd_seen {
  const struct lrd_entry *entry;
  uint64_t head, value;
};

_Static_assert(offsetof(struct lrd_entry, integer) == sizeof(union lrd_entry_head), "one word");

#define LRD_LOAD(place) __atomic_load_n(&(place), __ATOMIC_RELAXED)
#define LRD_GLANCES __attribute__((always_inline)) LRD_RACES static inline

LRD_GLANCES union lrd_entry_head lrd_glance_head(const struct lrd_seen *seen)
{
  return (union lrd_entry_head){ .word = seen->head };
}

LRD_GLANCES union lrd_entry_value lrd_glance_value(const struct lrd_seen *seen)
{
  return (union lrd_entry_value){ .word = seen->value };
}

LRD_GLANCES int lrd_glance_is_same(const struct lrd_asked *a)
{
  lrd_yield_point();
  return __builtin_expect(lrd_latch_is_same(&a->shard->lock, a->version) != 0, 1) != 0;
}

LRD_GLANCES uint64_t lrd_glance_word(const void *p)
{
  typedef uint64_t __attribute__((may_alias)) word;

  return __atomic_load_n((const word *)p, __ATOMIC_RELAXED);
}

/* As lrd_tags_load and lrd_same_bytes.  ThreadSanitizer looks into functions that are
 * not left out of its view, and at calls of the C library. */
LRD_GLANCES uint64_t lrd_glance_tags(const struct lrd_bucket *b)
{
  return lrd_tags_of(lrd_glance_word(b));
}

LRD_GLANCES int lrd_glance_is_key(const char *p, larder_bytes key)
{
#if defined __SANITIZE_THREAD__
  for (size_t i = 0; i < key.len; i++)
    if (LRD_LOAD(p[i]) != key.data[i])
      return 0;
  return 1;
#else
  return lrd_same_bytes(p, key.data, key.len);
#endif
}

/* The bucket of the hash; NULL: again. */
LRD_GLANCES const struct lrd_bucket *lrd_glance_bucket(const struct lrd_asked *a,
                                                       const struct lrd_index *ix)
{
  size_t buckets = LRD_LOAD(ix->buckets), mask = LRD_LOAD(ix->mask), i = (size_t)a->hash & mask;
  struct lrd_bucket **large = LRD_LOAD(ix->large), *segment;
  unsigned level;

  if (i >= buckets)
    i &= mask >> 1;
  if (!lrd_glance_is_same(a))
    return NULL;
  lrd_yield_point();
  if (__builtin_expect(i >= LRD_INDEX_SEGMENT, 1)) {
    segment = LRD_LOAD(large[i / LRD_INDEX_SEGMENT - 1]);
    i %= LRD_INDEX_SEGMENT;
  } else {
    level = i ? lrd_log2(i) + 1 : 0;
    segment = LRD_LOAD(ix->small[level]);
    i = i ? i - ((size_t)1 << (level - 1)) : 0;
  }
  /* the table has changed, and memory for that segment could not be had */
  return __builtin_expect(segment != NULL, 1) ? segment + i : NULL;
}

LRD_GLANCES enum lrd_glance lrd_glance_chain(const struct lrd_asked *a,
                                             const struct lrd_bucket *b, struct lrd_seen *seen)
{
  uint8_t tag = lrd_bucket_tag(a->hash);

  for (;;) {
    uint64_t tags = lrd_glance_tags(b);

    for (lrd_match match = lrd_tags_match(tags, tag); match; match &= match - 1) {
      seen->entry = LRD_LOAD(b->item[lrd_match_place(match)]);
      if (!lrd_glance_is_same(a))
        return LRD_GLANCE_AGAIN;
      seen->head = lrd_glance_word(seen->entry);
      seen->value = lrd_glance_word(&seen->entry->integer);
      if (!lrd_glance_is_same(a))
        return LRD_GLANCE_AGAIN;
      if (__builtin_expect(lrd_glance_head(seen).key_len == a->key.len, 1) &&
          __builtin_expect(lrd_glance_is_key(seen->entry->bytes, a->key), 1))
        return LRD_GLANCE_DONE;
    }
    seen->entry = NULL;
    if (!lrd_tags_chained(tags))
      return LRD_GLANCE_DONE;
    b = LRD_LOAD(b->item[LRD_BUCKET_PLACES - 1]);
    if (!lrd_glance_is_same(a))
      return LRD_GLANCE_AGAIN;
  }
}

LRD_GLANCES enum lrd_glance lrd_glance_find(const struct lrd_asked *a, unsigned database,
                                            struct lrd_seen *seen)
{
  const struct lrd_keyspace *ks = LRD_LOAD(a->shard->database[database]);
  const struct lrd_bucket *b;

  seen->entry = NULL;
  if (__builtin_expect(!ks, 0) || __builtin_expect(!LRD_LOAD(ks->index.buckets), 0))
    return LRD_GLANCE_DONE;
  b = lrd_glance_bucket(a, &ks->index);
  return b ? lrd_glance_chain(a, b, seen) : LRD_GLANCE_AGAIN;
}

/* May it be used without marking that? */
LRD_GLANCES int lrd_glance_is_marked(const struct lrd_engine *e, const struct lrd_seen *seen)
{
  enum lrd_track tracks = lrd_evict_tracks(e);

  return __builtin_expect(!tracks, 1) ||
         (tracks == LRD_TRACK_QUEUE &&
          (lrd_glance_head(seen).used & LRD_EVICT_USES) == LRD_EVICT_USES);
}

/* Without a call: at most LRD_UNLOCKED_MOST bytes, mostly few.  The last step goes back over
 * what is there already. */
LRD_GLANCES void lrd_glance_copy(char *to, const char *from, size_t len)
{
#if defined __SANITIZE_THREAD__
  for (size_t i = 0; i < len; i++)
    to[i] = LRD_LOAD(from[i]);
#else
  if (__builtin_expect(len >= 16 && len <= 32, 1)) {
    memcpy(to, from, 16);
    memcpy(to + len - 16, from + len - 16, 16);
  } else if (len > 32) {
    for (size_t i = 0; i < len - 16; i += 16)
      memcpy(to + i, from + i, 16);
    memcpy(to + len - 16, from + len - 16, 16);
  } else if (len >= 8) {
    memcpy(to, from, 8);
    memcpy(to + len - 8, from + len - 8, 8);
  } else {
    for (size_t i = 0; i < len; i++)
      to[i] = from[i];
  }
#endif
}

enum { LRD_NEVER = -1, LRD_NOT_HERE = -2 }; /* instead of an expiry */

/* The text into the buffer: LRD_NEVER, or it is too large: LRD_NOT_HERE. */
LRD_GLANCES int64_t lrd_glance_text(const struct lrd_seen *seen, void *buffer, size_t size,
                                    size_t *length)
{
  *length = lrd_glance_value(seen).text.len;
  if (*length < size)
    size = *length;
  if (__builtin_expect(size > LRD_UNLOCKED_MOST, 0))
    return LRD_NOT_HERE;
  lrd_glance_copy(buffer, seen->entry->bytes + lrd_glance_head(seen).key_len, size);
  return LRD_NEVER;
}

/* Of an entry with a timer. */
LRD_GLANCES int64_t lrd_glance_expiry(const struct lrd_entry *entry)
{
  const struct lrd_timer *t = (const struct lrd_timer *)(const void *)entry - 1;

  return LRD_LOAD(t->link) ? LRD_LOAD(t->at) : LRD_NEVER;
}

/* The same of an entry that may be a number, or expire: then when (wall ms). */
__attribute__((noinline)) LRD_RACES static int64_t
lrd_glance_unusual(struct lrd_seen seen, void *buffer, size_t size, size_t *length)
{
  char number[LRD_NUMBER_SIZE];

  union lrd_entry_head head = lrd_glance_head(&seen);

  if (head.kind != LRD_STRING || head.flags & LRD_ENTRY_DELTA)
    return LRD_NOT_HERE;
  if (head.flags & LRD_ENTRY_INTEGER) {
    *length = lrd_print_integer(number, lrd_glance_value(&seen).integer);
    lrd_glance_copy(buffer, number, *length < size ? *length : size);
  } else if (lrd_glance_text(&seen, buffer, size, length) == LRD_NOT_HERE) {
    return LRD_NOT_HERE;
  }
  return head.flags & LRD_ENTRY_TIMER ? lrd_glance_expiry(seen.entry) : LRD_NEVER;
}

/* A string, whole, with these flags of TIMER and INTEGER? */
LRD_GLANCES int lrd_glance_is_string(const struct lrd_seen *seen, uint8_t flags)
{
  const union lrd_entry_head mask = {
    .kind = 15, .flags = LRD_ENTRY_TIMER | LRD_ENTRY_INTEGER | LRD_ENTRY_DELTA
  };
  const union lrd_entry_head right = { .kind = LRD_STRING, .flags = flags };

  return (seen->head & mask.word) == right.word;
}

/* A text, whole, without a timer? */
LRD_GLANCES int lrd_glance_is_usual(const struct lrd_seen *seen)
{
  return __builtin_expect(lrd_glance_is_string(seen, 0), 1) != 0;
}

/* The first step of an attempt, from inside lrd_grace: DONE: what was found, which is so unless
 * the shard is not the same in the end. */
LRD_GLANCES enum lrd_glance lrd_unlocked_find(struct lrd_asked *a, unsigned database,
                                              struct lrd_seen *seen)
{
  if (!lrd_latch_look(&a->shard->lock, &a->version))
    return LRD_GLANCE_AGAIN;
  if (__builtin_expect(atomic_load_explicit(&a->shard->sealed, memory_order_relaxed), 0))
    return LRD_GLANCE_LOCK;
  return lrd_glance_find(a, database, seen);
}

/* One attempt, from inside lrd_grace.  DONE: *outcome is OK or ABSENT, *length the value's (OK
 * only), at most size bytes are in the buffer, and the key expires at *expiry (wall ms, or
 * LRD_NEVER).  Else the buffer's contents are undefined. */
LRD_GLANCES enum lrd_glance lrd_unlocked_get(const struct lrd_engine *e, struct lrd_asked *a,
                                             unsigned database, void *buffer, size_t size,
                                             size_t *length, larder_outcome *outcome,
                                             int64_t *expiry)
{
  struct lrd_seen seen;
  enum lrd_glance glance = lrd_unlocked_find(a, database, &seen);

  *expiry = LRD_NEVER;
  if (__builtin_expect(glance != LRD_GLANCE_DONE, 0))
    return glance;
  *outcome = LARDER_ABSENT;
  if (__builtin_expect(seen.entry != NULL, 1)) {
    *outcome = LARDER_OK;
    if (!lrd_glance_is_marked(e, &seen))
      return LRD_GLANCE_LOCK;
    *expiry = lrd_glance_is_usual(&seen) ? lrd_glance_text(&seen, buffer, size, length)
                                             : lrd_glance_unusual(seen, buffer, size, length);
    if (__builtin_expect(*expiry == LRD_NOT_HERE, 0))
      return LRD_GLANCE_LOCK;
  }
  return lrd_glance_is_same(a) ? LRD_GLANCE_DONE : LRD_GLANCE_AGAIN;
}

#endif
