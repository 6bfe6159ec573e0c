/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_hll.h"

#include "memory/hll.h"
#include "memory/shard.h"
#include "memory/t_engine.h"
#include "util/memory.h"

/* HyperLogLog counters: hll.h says what they are, here they are kept as strings. */

static void corrupt(struct lrd_exec *x)
{
  lrd_error(x, "INVALIDOBJ Corrupted HLL object detected");
}

/* The bytes of a key's counter; *entry NULL: there is no key.  0: replied. */
static int look_up(struct lrd_exec *x, larder_bytes key, struct lrd_entry **entry,
                   unsigned char **bytes, size_t *len)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes text;

  if (!lrd_read(x, key, LRD_STRING, entry))
    return 0;
  if (!*entry)
    return 1;
  text = lrd_entry_string(*entry, number);
  if (!lrd_hll_is((const unsigned char *)text.data, text.len)) {
    lrd_error(x, "WRONGTYPE Key is not a valid HyperLogLog string value.");
    return 0;
  }
  /* a number is no counter: these are the entry's own bytes */
  *bytes = (unsigned char *)lrd_entry_text(*entry);
  *len = text.len;
  return 1;
}

/* --- changing one --------------------------------------------------------------------- */

/* Changes are made in a copy, or in place if it is dense: those can't fail half-way. */
struct change {
  struct lrd_exec *x;
  struct lrd_entry *entry; /* NULL: there is no key */
  struct lrd_hll hll;
  unsigned char *copy;     /* NULL: in place */
  size_t room;
};

/* 0: no memory, replied. */
static int begin(struct change *c, struct lrd_exec *x, struct lrd_entry *entry,
                 unsigned char *bytes, size_t len)
{
  *c = (struct change){ .x = x, .entry = entry, .hll = { bytes, len } };
  if (entry && lrd_hll_is_dense(bytes))
    return 1;
  c->room = lrd_hll_room(entry ? len : LRD_HLL_HEAD);
  c->copy = lrd_allocate(lrd_memory_of(x->engine), c->room);
  if (!c->copy) {
    lrd_no_memory(x);
    return 0;
  }
  c->hll.bytes = c->copy;
  if (entry)
    memcpy(c->copy, bytes, len);
  else
    lrd_hll_init(&c->hll);
  return 1;
}

static void end(struct change *c)
{
  lrd_release(lrd_memory_of(c->x->engine), c->copy, c->room);
}

/* The key gets what was changed, if that is a copy.  0: no memory, replied. */
static int keep(struct change *c, larder_bytes key)
{
  larder_bytes value = { (const char *)c->hll.bytes, c->hll.len };
  char *text;

  lrd_hll_uncache(c->hll.bytes);
  if (c->copy && !c->entry && !lrd_put_text(c->x, key, value, -1))
    return 0;
  if (c->copy && c->entry) {
    text = lrd_string_extend(c->x, key, c->entry, value.len);
    if (!text)
      return 0;
    memcpy(text, value.data, value.len);
    lrd_peek(c->x, key)->text.len = (uint32_t)value.len; /* it may be shorter, too */
  }
  lrd_changed(c->x, key, 0, NULL);
  return 1;
}

static int add_all(struct change *c)
{
  int updated = !c->entry;

  for (int i = 2; i < c->x->argc; i++) {
    unsigned value, index = lrd_hll_hash(c->x->argv[i].data, c->x->argv[i].len, &value);
    int raised = lrd_hll_raise(&c->hll, index, value);

    if (raised < 0)
      return -1;
    updated |= raised;
  }
  return updated;
}

void lrd_t_pfadd(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  unsigned char *bytes = NULL;
  size_t len = 0;
  struct change c;
  int updated;

  if (!look_up(x, x->argv[1], &entry, &bytes, &len) || !begin(&c, x, entry, bytes, len))
    return;
  updated = add_all(&c);
  if (updated < 0)
    corrupt(x);
  else if (!updated || keep(&c, x->argv[1]))
    lrd_sink_integer(x->sink, updated);
  end(&c);
}

/* --- several ----------------------------------------------------------------------------- */

/* The registers of all keys from argument 1 on, raised to the highest.  0: replied. */
static int merge_all(struct lrd_exec *x, unsigned char *registers, int *dense)
{
  *dense = 0;
  memset(registers, 0, LRD_HLL_REGISTERS);
  for (int i = 1; i < x->argc; i++) {
    struct lrd_entry *entry;
    unsigned char *bytes = NULL;
    size_t len = 0;

    if (!look_up(x, x->argv[i], &entry, &bytes, &len))
      return 0;
    if (!entry)
      continue;
    *dense |= lrd_hll_is_dense(bytes);
    if (lrd_hll_merge(bytes, len, registers)) {
      corrupt(x);
      return 0;
    }
  }
  return 1;
}

static int raise_all(struct change *c, const unsigned char *registers, int dense)
{
  if (dense && lrd_hll_make_dense(&c->hll))
    return 0;
  for (unsigned i = 0; i < LRD_HLL_REGISTERS; i++)
    if (registers[i] && lrd_hll_raise(&c->hll, i, registers[i]) < 0)
      return 0;
  return 1;
}

void lrd_t_pfmerge(struct lrd_exec *x)
{
  unsigned char registers[LRD_HLL_REGISTERS], *bytes = NULL;
  struct lrd_entry *entry;
  struct change c;
  size_t len = 0;
  int dense;

  if (!merge_all(x, registers, &dense) || !look_up(x, x->argv[1], &entry, &bytes, &len) ||
      !begin(&c, x, entry, bytes, len))
    return;
  if (!raise_all(&c, registers, dense))
    corrupt(x);
  else if (keep(&c, x->argv[1]))
    lrd_sink_ok(x->sink);
  end(&c);
}

/* The count is kept beside the registers, which is a change to who watches the key. */
static void count_one(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  unsigned char *bytes = NULL;
  uint64_t count = 0;
  size_t len = 0;
  int64_t counted;

  if (!look_up(x, x->argv[1], &entry, &bytes, &len))
    return;
  if (entry && !lrd_hll_cached(bytes, &count)) {
    counted = lrd_hll_count(bytes, len);
    if (counted < 0) {
      corrupt(x);
      return;
    }
    count = (uint64_t)counted;
    lrd_hll_cache(bytes, count);
    lrd_changed(x, x->argv[1], 0, NULL);
  }
  lrd_sink_integer(x->sink, (int64_t)count);
}

void lrd_t_pfcount(struct lrd_exec *x)
{
  unsigned char registers[LRD_HLL_REGISTERS];
  int dense;

  if (x->argc == 2)
    count_one(x);
  else if (merge_all(x, registers, &dense))
    lrd_sink_integer(x->sink, lrd_hll_count_registers(registers));
}
