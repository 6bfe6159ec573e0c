/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include "memory/kind.h"
#include "memory/set.h"
#include "util/memory.h"

static struct lrd_set *set_of(const struct lrd_entry *entry)
{
  return lrd_value(entry);
}

/* What has become empty goes, but for a DELTA: what else its key has is not known. */
static void drop_if_empty(struct lrd_exec *x, struct lrd_entry *entry, int whole)
{
  if (whole && set_of(entry)->count == 0)
    lrd_remove(x, entry);
}

void lrd_t_sadd(struct lrd_exec *x)
{
  larder_bytes key = x->argv[1];
  struct lrd_entry *entry, *fresh = NULL;
  int64_t added;
  int whole;

  if (!lrd_write(x, key, LRD_SET_KIND, &entry))
    return;
  whole = lrd_is_whole(x, entry);
  if (!entry && !(entry = fresh = lrd_create(x, key, LRD_SET_KIND))) {
    lrd_no_memory(x);
    return;
  }
  added = lrd_set_add(set_of(entry), lrd_memory_of(x->engine), lrd_hash_key_of(x->engine),
                      (size_t)(x->argc - 2), x->argv + 2);
  if (added < 0) {
    if (fresh)
      lrd_remove(x, fresh);
    lrd_no_memory(x);
    return;
  }
  if (added || !whole)
    lrd_changed(x, key, 0, NULL);
  lrd_sink_integer(x->sink, added);
}

void lrd_t_srem(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  int64_t removed = 0;
  int i, whole;

  if (!lrd_write(x, x->argv[1], LRD_SET_KIND, &entry))
    return;
  whole = lrd_is_whole(x, entry);
  if (entry) {
    for (i = 2; i < x->argc; i++)
      removed += lrd_set_remove(set_of(entry), lrd_memory_of(x->engine), x->argv[i]);
    drop_if_empty(x, entry, whole);
  }
  if (removed || !whole)
    lrd_changed(x, x->argv[1], 0, NULL);
  lrd_sink_integer(x->sink, removed);
}

void lrd_t_sismember(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (!lrd_read_part(x, x->argv[1], LRD_SET_KIND, &entry))
    return;
  if (entry && lrd_set_has(set_of(entry), x->argv[2]))
    lrd_sink_integer(x->sink, 1);
  else if (lrd_is_whole(x, entry))
    lrd_sink_integer(x->sink, 0);
  else
    lrd_unknown(x);
}

void lrd_t_smembers(struct lrd_exec *x)
{
  struct lrd_set_cursor c = { 0 };
  struct lrd_entry *entry;
  larder_bytes member;

  if (!lrd_read(x, x->argv[1], LRD_SET_KIND, &entry))
    return;
  lrd_sink_set(x->sink, entry ? set_of(entry)->count : 0);
  while (entry && lrd_set_next(set_of(entry), &c, &member))
    lrd_sink_string(x->sink, member.data, member.len);
}

void lrd_t_scard(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (lrd_read(x, x->argv[1], LRD_SET_KIND, &entry))
    lrd_sink_integer(x->sink, entry ? (int64_t)set_of(entry)->count : 0);
}

/* --- SPOP ---------------------------------------------------------------- */

/* The intent: SREM key and the members popped, which outlive their places in the set. */
struct popped {
  larder_bytes *argv; /* n + 2 */
  char *text;
  size_t n, size;
  larder_bytes few[3];
  char few_text[128];
};

static void popped_free(struct popped *p, const larder_memory *memory)
{
  if (p->argv != p->few)
    lrd_release(memory, p->argv, (p->n + 2) * sizeof *p->argv);
  if (p->text != p->few_text)
    lrd_release(memory, p->text, p->size);
}

/* Room for the members' texts. */
static int popped_make_room(struct popped *p, const larder_memory *memory, size_t size)
{
  p->size = size;
  if (size > sizeof p->few_text)
    p->text = lrd_allocate(memory, size);
  return p->text != NULL;
}

static void popped_copy(struct popped *p)
{
  char *to = p->text;
  size_t i;

  for (i = 2; i < p->n + 2; i++) {
    if (p->argv[i].len)
      memcpy(to, p->argv[i].data, p->argv[i].len);
    p->argv[i].data = to;
    to += p->argv[i].len;
  }
}

/* Chooses n members and copies them, but for integers, which are printed: 0, or -1: no
 * memory. */
static int popped_choose(struct popped *p, struct lrd_exec *x, const struct lrd_set *set, size_t n)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  size_t i, room = lrd_set_room(set, n), size = 0;

  p->n = n;
  p->text = p->few_text;
  p->argv = n == 1 ? p->few : lrd_allocate(memory, (n + 2) * sizeof *p->argv);
  if (!p->argv)
    return -1;
  p->argv[0] = (larder_bytes){ "SREM", 4 };
  p->argv[1] = x->argv[1];
  if (!popped_make_room(p, memory, room) ||
      lrd_set_sample(set, memory, lrd_prng_of(x), n, p->argv + 2, p->text) != 0)
    goto fail;
  if (room)
    return 0;
  for (i = 2; i < n + 2; i++)
    size += p->argv[i].len;
  if (!popped_make_room(p, memory, size))
    goto fail;
  popped_copy(p);
  return 0;

fail:
  popped_free(p, memory);
  return -1;
}

/* Where a fifth of what goes, or less, is left, Redis makes a new set of that: a set that a word
 * had been in is one of integers again. */
enum { RENEWED = 5 };

/* counted: the reply is a set, and not one member. */
static void take(struct lrd_exec *x, struct lrd_set *set, const struct popped *p, int counted)
{
  const larder_memory *memory = lrd_memory_of(x->engine);

  for (size_t i = 2; i < p->n + 2; i++)
    lrd_set_remove(set, memory, p->argv[i]);
  if (counted && !lrd_set_is_integers(set) && set->count <= p->n / RENEWED)
    lrd_set_renew(set, memory, lrd_hash_key_of(x->engine));
}

static void pop(struct lrd_exec *x, struct lrd_entry *entry, size_t n, int counted)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  int whole = lrd_is_whole(x, entry);
  struct popped p;
  size_t i;

  if (popped_choose(&p, x, set_of(entry), n) != 0) {
    lrd_no_memory(x);
    return;
  }
  if (counted)
    lrd_sink_set(x->sink, n);
  for (i = 2; i < n + 2; i++)
    lrd_sink_string(x->sink, p.argv[i].data, p.argv[i].len);
  if (!x->sink->failed) {
    if (n == set_of(entry)->count && whole)
      lrd_remove(x, entry);
    else
      take(x, set_of(entry), &p, counted);
    lrd_changed(x, x->argv[1], (int)(n + 2), p.argv);
  }
  popped_free(&p, memory);
}

void lrd_t_spop(struct lrd_exec *x)
{
  int counted = x->argc == 3;
  struct lrd_entry *entry;
  int64_t count;

  if (!lrd_argument_last_count(x, lrd_text_syntax, &count))
    return;
  if (!lrd_write(x, x->argv[1], LRD_SET_KIND, &entry))
    return;
  if (entry && (uint64_t)count > set_of(entry)->count)
    count = (int64_t)set_of(entry)->count;
  if (entry && count)
    pop(x, entry, (size_t)count, counted);
  else if (counted)
    lrd_sink_set(x->sink, 0);
  else
    lrd_sink_nil(x->sink);
}

/* --- the kind ------------------------------------------------------------ */

static void *create(const larder_memory *memory)
{
  return lrd_set_new(memory);
}

static void destroy(const larder_memory *memory, void *value)
{
  lrd_set_free(value, memory);
}

static size_t free_some(const larder_memory *memory, void *value, size_t budget)
{
  return lrd_set_free_some(value, memory, budget);
}

static size_t rebuild(const void *value, larder_bytes key, larder_sink *sink)
{
  const struct lrd_set *set = value;
  struct lrd_set_cursor c = { 0 };
  size_t left = set->count, most = LRD_REBUILD_ARGUMENTS - 2, vectors = 0, n, i;
  larder_bytes member;

  for (; left; left -= n, vectors++) {
    n = left < most ? left : most;
    lrd_sink_array(sink, 2 + n);
    lrd_sink_string(sink, "SADD", 4);
    lrd_sink_string(sink, key.data, key.len);
    for (i = 0; i < n && lrd_set_next(set, &c, &member); i++)
      lrd_sink_string(sink, member.data, member.len);
  }
  return vectors;
}

const struct lrd_kind_type lrd_set_type = { "set", create, destroy, rebuild, free_some };
