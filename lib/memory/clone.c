/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/clone.h"

#include "memory/hash.h"
#include "memory/list.h"
#include "memory/set.h"
#include "memory/stream.h"
#include "memory/zset.h"

enum { AT_ONCE = 64 };

/* What was once large stays so for OBJECT ENCODING. */
static void clone_peaks(struct lrd_packed *to, const struct lrd_packed *from)
{
  to->most = from->most;
  to->longest = from->longest;
}

static int clone_list(const larder_memory *memory, const struct lrd_list *from,
                      struct lrd_list *to)
{
  larder_bytes element[AT_ONCE];
  struct lrd_list_cursor c;
  size_t n;

  lrd_list_seek(from, 0, &c);
  do {
    n = 0;
    while (n < AT_ONCE && lrd_list_next(&c, &element[n]))
      n++;
    if (n && lrd_list_push(to, memory, LRD_LIST_BACK, n, element) != 0)
      return 0;
  } while (n == AT_ONCE);
  return 1;
}

static int clone_set(const larder_memory *memory, const struct lrd_universal_key *key,
                     const struct lrd_set *from, struct lrd_set *to)
{
  larder_bytes member[AT_ONCE];
  struct lrd_set_cursor c = { 0 };
  size_t n;

  clone_peaks(&to->packed, &from->packed); /* they tell an integer set */
  if (lrd_set_is_integers(from)) {
    to->count = from->count;
    return lrd_integers_copy(&to->packed, memory, &from->packed) == 0;
  }
  do {
    n = 0;
    while (n < AT_ONCE && lrd_set_next(from, &c, &member[n]))
      n++;
    if (n && lrd_set_add(to, memory, key, n, member) < 0)
      return 0;
  } while (n == AT_ONCE);
  clone_peaks(&to->packed, &from->packed);
  return 1;
}

static int clone_hash(const larder_memory *memory, const struct lrd_universal_key *key,
                      const struct lrd_hash *from, struct lrd_hash *to)
{
  larder_bytes part[2 * AT_ONCE];
  struct lrd_hash_cursor c = { 0 };
  struct lrd_pair pair;
  size_t n;

  do {
    for (n = 0; n < AT_ONCE && lrd_hash_next(from, &c, &pair); n++) {
      part[2 * n] = pair.field;
      part[2 * n + 1] = pair.value;
    }
    if (n && lrd_hash_set(to, memory, key, n, part) < 0)
      return 0;
  } while (n == AT_ONCE);
  clone_peaks(&to->packed, &from->packed);
  return 1;
}

/* A large one keeps negative zeros. */
static int clone_zset(const larder_memory *memory, const struct lrd_universal_key *key,
                      const struct lrd_zset *from, struct lrd_zset *to)
{
  struct lrd_zset_change change = { 0 };
  struct lrd_scored part[AT_ONCE];
  struct lrd_zset_cursor c;
  size_t n, left = from->count;

  if (from->large && lrd_zset_enlarge(to, memory, key) != 0)
    return 0;
  lrd_zset_seek(from, 0, &c);
  for (; left; left -= n) {
    for (n = 0; n < AT_ONCE && n < left; n++) {
      lrd_zset_get(from, &c, &part[n]);
      lrd_zset_next(from, &c);
    }
    if (lrd_zset_add(to, memory, key, 0, n, part, &change) != 0)
      return 0;
  }
  clone_peaks(&to->packed, &from->packed);
  return 1;
}

void *lrd_clone(const larder_memory *memory, const struct lrd_universal_key *key,
                enum lrd_kind kind, const void *value)
{
  const struct lrd_kind_type *type = lrd_kind_type(kind);
  void *to = kind == LRD_STREAM ? lrd_xstream_clone(memory, value) : type->create(memory);
  int done = kind == LRD_STREAM;

  if (!to)
    return NULL;
  if (kind == LRD_LIST)
    done = clone_list(memory, value, to);
  else if (kind == LRD_SET_KIND)
    done = clone_set(memory, key, value, to);
  else if (kind == LRD_HASH)
    done = clone_hash(memory, key, value, to);
  else if (kind == LRD_ZSET)
    done = clone_zset(memory, key, value, to);
  if (done)
    return to;
  type->destroy(memory, to);
  return NULL;
}
