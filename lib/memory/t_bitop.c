/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_bitmap.h"
#include "memory/t_engine.h"
#include "util/memory.h"

/* BITOP.  A value that is shorter than others goes on with zeros. */

enum operation { AND, OR, XOR, NOT };

struct operand {
  larder_bytes value;
  char number[LRD_NUMBER_SIZE];
};

static int parse(struct lrd_exec *x, enum operation *o)
{
  static const char *const names[] = { "AND", "OR", "XOR", "NOT" };

  for (*o = AND; *o <= NOT; (*o)++)
    if (lrd_is_word(&x->argv[1], names[*o]))
      break;
  if (*o > NOT) {
    lrd_error(x, lrd_text_syntax);
    return 0;
  }
  if (*o == NOT && x->argc != 4) {
    lrd_error(x, "ERR BITOP NOT must be called with a single source key.");
    return 0;
  }
  return 1;
}

/* All sources; the length of the longest.  0: replied. */
static int look_up(struct lrd_exec *x, struct operand *operand, size_t *longest)
{
  *longest = 0;
  for (int i = 3; i < x->argc; i++, operand++) {
    struct lrd_entry *entry;

    if (!lrd_read(x, x->argv[i], LRD_STRING, &entry))
      return 0;
    operand->value = entry ? lrd_entry_string(entry, operand->number) : (larder_bytes){ "", 0 };
    if (operand->value.len > *longest)
      *longest = operand->value.len;
  }
  return 1;
}

/* Whole words as far as the operand goes; to is aligned. */
static void combine(enum operation o, unsigned char *to, larder_bytes with, size_t len)
{
  const unsigned char *p = (const unsigned char *)with.data;
  size_t i = 0, common = with.len < len ? with.len : len;

  for (; common - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
    uint64_t a, b;

    memcpy(&a, to + i, sizeof a);
    memcpy(&b, p + i, sizeof b);
    a = o == AND ? a & b : o == OR ? a | b : a ^ b;
    memcpy(to + i, &a, sizeof a);
  }
  for (; i < common; i++)
    to[i] = (unsigned char)(o == AND ? to[i] & p[i] : o == OR ? to[i] | p[i] : to[i] ^ p[i]);
  if (o == AND)
    memset(to + common, 0, len - common);
}

static void fill(enum operation o, unsigned char *to, size_t len, const struct operand *operand,
                 int n)
{
  size_t first = operand->value.len;

  if (first)
    memcpy(to, operand->value.data, first);
  memset(to + first, 0, len - first);
  for (int i = 1; i < n; i++)
    combine(o, to, operand[i].value, len);
  for (size_t i = 0; o == NOT && i < len; i++)
    to[i] = (unsigned char)~to[i];
}

static int store(struct lrd_exec *x, const unsigned char *bytes, size_t len)
{
  larder_bytes value = { (const char *)bytes, len };

  if (!len)
    return lrd_delete(x, x->argv[2]) >= 0;
  if (!lrd_put_text(x, x->argv[2], value, -1))
    return 0;
  lrd_changed_set(x, x->argv[2], value, -1);
  return 1;
}

void lrd_t_bitop(struct lrd_exec *x)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  struct operand few[4], *operand = few;
  unsigned char *result = NULL;
  enum operation o;
  size_t longest = 0, size;
  int n = x->argc - 3;

  if (!parse(x, &o))
    return;
  size = (size_t)n * sizeof *operand;
  if (n > 4 && !(operand = lrd_allocate(memory, size))) {
    lrd_no_memory(x);
    return;
  }
  if (!look_up(x, operand, &longest))
    goto out;
  if (longest && !(result = lrd_allocate(memory, longest))) {
    lrd_no_memory(x);
    goto out;
  }
  if (longest)
    fill(o, result, longest, operand, n);
  if (store(x, result, longest))
    lrd_sink_integer(x->sink, (int64_t)longest);
  lrd_release(memory, result, longest);
out:
  if (operand != few)
    lrd_release(memory, operand, size);
}
