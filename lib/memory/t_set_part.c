/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_types.h"

#include "memory/kind.h"
#include "memory/set.h"
#include "util/memory.h"

static struct lrd_set *set_of(const struct lrd_entry *entry)
{
  return lrd_value(entry);
}

void lrd_t_smismember(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (!lrd_read_part(x, x->argv[1], LRD_SET_KIND, &entry))
    return;
  for (int i = 2; i < x->argc && !lrd_is_whole(x, entry); i++)
    if (!entry || !lrd_set_has(set_of(entry), x->argv[i])) {
      lrd_unknown(x);
      return;
    }
  lrd_sink_array(x->sink, (size_t)x->argc - 2);
  for (int i = 2; i < x->argc; i++)
    lrd_sink_integer(x->sink, entry && lrd_set_has(set_of(entry), x->argv[i]));
}

/* --- SMOVE --------------------------------------------------------------- */

/* How many were new; -1: no memory, replied. */
static int64_t put(struct lrd_exec *x, struct lrd_entry *to)
{
  struct lrd_entry *fresh = NULL;
  int64_t added;

  if (to || (to = fresh = lrd_create(x, x->argv[2], LRD_SET_KIND))) {
    added = lrd_set_add(set_of(to), lrd_memory_of(x->engine), lrd_hash_key_of(x->engine), 1,
                        &x->argv[3]);
    if (added >= 0)
      return added;
    if (fresh)
      lrd_remove(x, fresh);
  }
  lrd_no_memory(x);
  return -1;
}

void lrd_t_smove(struct lrd_exec *x)
{
  larder_bytes rem[3] = { { "SREM", 4 }, x->argv[1], x->argv[3] };
  larder_bytes add[3] = { { "SADD", 4 }, x->argv[2], x->argv[3] };
  struct lrd_entry *from, *to;
  int64_t added;

  if (!lrd_read(x, x->argv[1], LRD_SET_KIND, &from))
    return;
  if (!from) {
    lrd_sink_integer(x->sink, 0);
    return;
  }
  if (!lrd_read(x, x->argv[2], LRD_SET_KIND, &to))
    return;
  if (from == to || !lrd_set_has(set_of(from), x->argv[3])) {
    lrd_sink_integer(x->sink, lrd_set_has(set_of(from), x->argv[3]));
    return;
  }
  added = put(x, to);
  if (added < 0)
    return;
  lrd_set_remove(set_of(from), lrd_memory_of(x->engine), x->argv[3]);
  if (!set_of(from)->count)
    lrd_remove(x, from);
  lrd_changed(x, x->argv[1], 3, rem);
  if (added)
    lrd_changed(x, x->argv[2], 3, add);
  lrd_sink_integer(x->sink, 1);
}

/* --- SRANDMEMBER --------------------------------------------------------- */

int lrd_argument_random(struct lrd_exec *x, int64_t *count)
{
  if (!lrd_argument_integer(x, 2, count))
    return 0;
  if (*count != INT64_MIN)
    return 1;
  lrd_error(x, "ERR value is out of range, value must between -9223372036854775807 and "
               "9223372036854775807");
  return 0;
}

static void reply_any(struct lrd_exec *x, const struct lrd_set *set, uint64_t n)
{
  char text[LRD_INTEGER_TEXT];
  larder_bytes member;

  lrd_sink_array(x->sink, n);
  while (n-- && !x->sink->failed) {
    (void)lrd_set_sample(set, lrd_memory_of(x->engine), lrd_prng_of(x), 1, &member, text);
    lrd_sink_string(x->sink, member.data, member.len);
  }
}

/* Behind many members there is room for their prints. */
static void reply_distinct(struct lrd_exec *x, const struct lrd_set *set, uint64_t n)
{
  enum { FEW = 16 };
  const larder_memory *memory = lrd_memory_of(x->engine);
  size_t count = n < set->count ? (size_t)n : set->count, room = lrd_set_room(set, count), size;
  larder_bytes few[FEW], *members = few;
  char few_text[FEW * LRD_INTEGER_TEXT], *text = few_text;

  size = count * sizeof *members + room;
  if (count > FEW) {
    members = lrd_allocate(memory, size);
    text = members ? (char *)(members + count) : NULL;
  }
  if (!members || lrd_set_sample(set, memory, lrd_prng_of(x), count, members, text) != 0) {
    lrd_no_memory(x);
  } else {
    lrd_sink_array(x->sink, count);
    for (size_t i = 0; i < count; i++)
      lrd_sink_string(x->sink, members[i].data, members[i].len);
  }
  if (members != few)
    lrd_release(memory, members, size);
}

void lrd_t_srandmember(struct lrd_exec *x)
{
  char text[LRD_INTEGER_TEXT];
  struct lrd_entry *entry;
  larder_bytes member;
  int64_t count = 0;

  if (x->argc > 3) {
    lrd_error(x, lrd_text_syntax);
    return;
  }
  if ((x->argc == 3 && !lrd_argument_random(x, &count)) ||
      !lrd_read(x, x->argv[1], LRD_SET_KIND, &entry))
    return;
  if (x->argc == 2 && entry) {
    (void)lrd_set_sample(set_of(entry), lrd_memory_of(x->engine), lrd_prng_of(x), 1, &member, text);
    lrd_sink_string(x->sink, member.data, member.len);
  } else if (x->argc == 2) {
    lrd_sink_nil(x->sink);
  } else if (!entry || !count) {
    lrd_sink_array(x->sink, 0);
  } else if (count < 0) {
    reply_any(x, set_of(entry), (uint64_t)-count);
  } else {
    reply_distinct(x, set_of(entry), (uint64_t)count);
  }
}
