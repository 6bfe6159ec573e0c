/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/bits.h"
#include "memory/shard.h"
#include "memory/t_bitmap.h"
#include "memory/t_engine.h"
#include "util/memory.h"

/* BITFIELD: its operations are parsed all, then done one after the other. */

enum action { GET, SET, INCRBY };
enum overflow { WRAP, SAT, FAIL };

struct operation {
  enum action action;
  enum overflow overflow;
  int is_signed;
  unsigned width;
  uint64_t at;
  int64_t by; /* or the value to be set */
};

struct field {
  struct operation *operation;
  size_t n;
  uint64_t end; /* bits that writing needs; 0: all operations read */
};

/* --- parsing --------------------------------------------------------------------------- */

static int parse_type(struct lrd_exec *x, int i, struct operation *o)
{
  const larder_bytes *text = &x->argv[i];
  int64_t width;

  o->is_signed = text->len && text->data[0] == 'i';
  if (text->len && (text->data[0] == 'i' || text->data[0] == 'u') &&
      lrd_parse_integer(text->data + 1, text->len - 1, &width) && width >= 1 &&
      width <= (o->is_signed ? 64 : 63)) {
    o->width = (unsigned)width;
    return 1;
  }
  lrd_error(x, "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not "
               "supported but i64 is.");
  return 0;
}

static int parse_overflow(struct lrd_exec *x, int i, enum overflow *overflow)
{
  static const char *const names[] = { "WRAP", "SAT", "FAIL" };

  for (*overflow = WRAP; *overflow <= FAIL; (*overflow)++)
    if (lrd_is_word(&x->argv[i], names[*overflow]))
      return 1;
  lrd_error(x, "ERR Invalid OVERFLOW type specified");
  return 0;
}

/* The action at i and its arguments; how many those are; -1: replied. */
static int parse_action(struct lrd_exec *x, int i, struct operation *o)
{
  static const char *const names[] = { "GET", "SET", "INCRBY" };
  int more;

  for (o->action = GET; o->action <= INCRBY; o->action++)
    if (lrd_is_word(&x->argv[i], names[o->action]))
      break;
  more = o->action == GET ? 2 : 3;
  if (o->action > INCRBY || x->argc - i - 1 < more) {
    lrd_error(x, lrd_text_syntax);
    return -1;
  }
  if (!parse_type(x, i + 1, o) || !lrd_argument_bit_offset(x, i + 2, o->width, &o->at) ||
      (o->action != GET && !lrd_argument_integer(x, i + 3, &o->by)))
    return -1;
  return more;
}

static int parse(struct lrd_exec *x, struct field *f)
{
  enum overflow overflow = WRAP;

  for (int i = 2, more; i < x->argc; i += more + 1) {
    struct operation *o = &f->operation[f->n];

    if (lrd_is_word(&x->argv[i], "OVERFLOW") && i + 1 < x->argc) {
      more = 1;
      if (!parse_overflow(x, i + 1, &overflow))
        return 0;
      continue;
    }
    more = parse_action(x, i, o);
    if (more < 0)
      return 0;
    o->overflow = overflow;
    f->n++;
    if (o->action != GET && o->at + o->width > f->end)
      f->end = o->at + o->width;
  }
  if (!f->end || x->vector->command != LRD_BITFIELD_RO)
    return 1;
  lrd_error(x, "ERR BITFIELD_RO only supports the GET subcommand");
  return 0;
}

/* --- numbers --------------------------------------------------------------------------- */

static int64_t sign_extend(uint64_t value, unsigned width)
{
  unsigned unused = 64 - width;

  return (int64_t)(value << unused) >> unused;
}

static int64_t value_of(const struct operation *o, uint64_t bits)
{
  return o->is_signed ? sign_extend(bits, o->width) : (int64_t)bits;
}

static int64_t greatest(const struct operation *o)
{
  return o->is_signed ? INT64_MAX >> (64 - o->width) : (int64_t)(UINT64_MAX >> (64 - o->width));
}

static int64_t least(const struct operation *o)
{
  return o->is_signed ? -greatest(o) - 1 : 0;
}

static int64_t minus(int64_t a, int64_t b)
{
  return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* 1: base + by is above what the type holds, -1: below.  As Redis compares, with what is left
 * to either end, wrapped around: so a very small number to be set can be too large. */
static int leaves(const struct operation *o, int64_t base, int64_t by)
{
  int64_t up = minus(greatest(o), base), down = minus(least(o), base);

  if (!o->is_signed)
    return base < 0 || base > greatest(o) || (by > 0 && by > up) ? 1 : by < 0 && by < down ? -1 : 0;
  if (base > greatest(o) || (o->width != 64 && by > up) || (base >= 0 && by > 0 && by > up))
    return 1;
  return base < least(o) || (o->width != 64 && by < down) || (base < 0 && by < 0 && by < down)
           ? -1 : 0;
}

/* What is stored; 0: it does not fit, and that is an error. */
static int result(const struct operation *o, int64_t old, int64_t *out)
{
  int64_t base = o->action == SET ? o->by : old, by = o->action == SET ? 0 : o->by;
  int end = leaves(o, base, by);

  if (end && o->overflow == SAT)
    *out = end > 0 ? greatest(o) : least(o);
  else /* wrapped around, if need be */
    *out = value_of(o, ((uint64_t)base + (uint64_t)by) & (UINT64_MAX >> (64 - o->width)));
  return !end || o->overflow != FAIL;
}

/* --- doing it -------------------------------------------------------------------------- */

static void get(struct lrd_exec *x, const struct operation *o, larder_bytes text)
{
  lrd_sink_integer(x->sink, value_of(o, lrd_bits_get((const unsigned char *)text.data, text.len,
                                                     o->at, o->width)));
}

/* 1: it was changed; a key that has grown was changed by whatever is done. */
static int change(struct lrd_exec *x, const struct operation *o, char *text, size_t len, int grown)
{
  unsigned char *p = (unsigned char *)text;
  int64_t old = value_of(o, lrd_bits_get(p, len, o->at, o->width)), now;

  if (!result(o, old, &now)) {
    lrd_sink_nil(x->sink);
    return 0;
  }
  lrd_bits_set(p, o->at, o->width, (uint64_t)now);
  lrd_sink_integer(x->sink, o->action == SET ? old : now);
  return grown || now != old;
}

static void run(struct lrd_exec *x, const struct field *f)
{
  char number[LRD_NUMBER_SIZE], *text = NULL;
  larder_bytes value = { "", 0 };
  struct lrd_entry *entry;
  int changed = 0, grown = 0;

  if (!lrd_read(x, x->argv[1], LRD_STRING, &entry))
    return;
  if (entry)
    value = lrd_entry_string(entry, number);
  if (f->end) {
    size_t len = (size_t)((f->end + 7) / 8) > value.len ? (size_t)((f->end + 7) / 8) : value.len;

    grown = !entry || len > value.len;
    text = lrd_string_extend(x, x->argv[1], entry, len);
    if (!text)
      return;
    value = (larder_bytes){ text, len };
  }
  lrd_sink_array(x->sink, f->n);
  for (size_t i = 0; i < f->n; i++) {
    if (f->operation[i].action == GET)
      get(x, &f->operation[i], value);
    else
      changed |= change(x, &f->operation[i], text, value.len, grown);
  }
  /* that it has grown, with no operation done, Redis tells nobody who watches the key */
  if (changed || (grown && x->engine->partial))
    lrd_changed(x, x->argv[1], 0, NULL);
}

void lrd_t_bitfield(struct lrd_exec *x)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  size_t size = ((size_t)x->argc + 1) / 3 * sizeof(struct operation);
  struct operation few[4];
  struct field f = { .operation = few };

  if (size > sizeof few && !(f.operation = lrd_allocate(memory, size))) {
    lrd_no_memory(x);
    return;
  }
  if (parse(x, &f))
    run(x, &f);
  if (f.operation != few)
    lrd_release(memory, f.operation, size);
}
