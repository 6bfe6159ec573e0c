/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/command.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "command/detail.h"
#include "command/lookup.h"
#include "util/number.h"

const struct lrd_command lrd_commands[LRD_COMMANDS] = {
  [LRD_NO_COMMAND] = { .name = "", .acl = "", .group = "", .since = "", .syntax = "",
                       .summary = "" },
#define LRD_X(id, name, arity, flags, class, first, last, step, shape, absence, ...) \
  [LRD_##id] = { name, arity, flags, LRD_CLASS_##class, first, last, step,           \
                 LRD_SHAPE_##shape, LRD_ABSENCE_##absence, __VA_ARGS__ },
#include "command/list.h"
#undef LRD_X
};

/* --- finding ------------------------------------------------------------- */

/* Without a branch. */
static inline char to_lower(char c)
{
  return (char)(c | ((unsigned char)(c - 'A') < 26) << 5);
}

/* Of each byte: whether it is a capital letter shows in its highest bit, first of those from
 * 'A' on and then of those behind 'Z'. */
static inline uint64_t to_lower8(uint64_t w)
{
  const uint64_t ones = UINT64_C(0x0101010101010101);
  uint64_t low = w & ones * 0x7f;
  uint64_t capital = ((low + ones * (0x80 - 'A')) ^ (low + ones * (0x7f - 'Z'))) & ~w & ones * 0x80;

  return w | capital >> 2;
}

static inline uint64_t load4(const char *s)
{
  uint32_t w;

  memcpy(&w, s, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  w = __builtin_bswap32(w);
#endif
  return w;
}

/* What lookup.awk calls words: the whole of a name of up to 16 bytes. */
static inline uint64_t head_of(const char *s, size_t len)
{
  const unsigned char *u = (const unsigned char *)s;

  if (len >= 4)
    return to_lower8(load4(s) | load4(len <= 8 ? s + len - 4 : s + 4) << 32);
  return len ? to_lower8((uint64_t)u[0] | (uint64_t)u[len / 2] << 8 | (uint64_t)u[len - 1] << 16)
             : 0;
}

static inline uint64_t tail_of(const char *s, size_t len)
{
  return len > 8 ? to_lower8(load4(s + len - 8) | load4(s + len - 4) << 32) : 0;
}

int lrd_is_word(const larder_bytes *b, const char *word)
{
  size_t i;

  for (i = 0; i < b->len; i++)
    if (!word[i] || to_lower(b->data[i]) != to_lower(word[i]))
      return 0;
  return !word[i];
}

static inline unsigned find(const char *name, size_t len)
{
  const struct lookup *found;
  uint64_t head, tail;

  if (len > LOOKUP_LONGEST)
    return LRD_NO_COMMAND;
  head = head_of(name, len);
  tail = tail_of(name, len);
  found = &lookup_slot[lookup_hash(head, tail, len)];
  if (found->head != head || found->tail != tail || found->len != len)
    return LRD_NO_COMMAND;
  if (len > 16 && !lrd_is_word(&(larder_bytes){ name, len }, lrd_commands[found->command].name))
    return LRD_NO_COMMAND;
  return found->command;
}

unsigned lrd_command_find(const char *name, size_t len)
{
  return find(name, len);
}

/* --- checking ------------------------------------------------------------ */

struct subcommand {
  unsigned command;
  const char *name;
  int arity; /* of the whole vector */
  int key;   /* position of its key; 0: it has none */
};

static const struct subcommand subcommands[] = {
  { LRD_CLIENT, "setname", 3, 0 },  { LRD_CLIENT, "getname", 2, 0 },
  { LRD_CLIENT, "id", 2, 0 },       { LRD_COMMAND, "list", -2, 0 },
  { LRD_COMMAND, "info", -2, 0 },   { LRD_COMMAND, "count", 2, 0 },
  { LRD_COMMAND, "docs", -2, 0 },
  { LRD_COMMAND, "getkeys", -4, 0 }, { LRD_COMMAND, "getkeysandflags", -4, 0 },
  { LRD_CONFIG, "get", -3, 0 },     { LRD_CONFIG, "set", -4, 0 },
  { LRD_CONFIG, "resetstat", 2, 0 },
  { LRD_CONFIG, "help", 2, 0 },     { LRD_OBJECT, "encoding", 3, 2 },
  { LRD_OBJECT, "refcount", 3, 2 }, { LRD_OBJECT, "freq", 3, 2 },
  { LRD_OBJECT, "idletime", 3, 2 }, { LRD_OBJECT, "help", 2, 0 },
  { LRD_XGROUP, "create", -5, 2 },  { LRD_XGROUP, "setid", -5, 2 },
  { LRD_XGROUP, "destroy", 4, 2 },  { LRD_XGROUP, "createconsumer", 5, 2 },
  { LRD_XGROUP, "delconsumer", 5, 2 }, { LRD_XGROUP, "help", 2, 0 },
  { LRD_XINFO, "stream", -3, 2 },   { LRD_XINFO, "groups", 3, 2 },
  { LRD_XINFO, "consumers", 4, 2 }, { LRD_XINFO, "help", 2, 0 },
  { LRD_PUBSUB, "channels", -2, 0 }, { LRD_PUBSUB, "numpat", 2, 0 },
  { LRD_PUBSUB, "numsub", -2, 0 },  { LRD_PUBSUB, "shardchannels", -2, 0 },
  { LRD_PUBSUB, "shardnumsub", -2, 0 }, { LRD_PUBSUB, "help", 2, 0 },
};

static const struct subcommand *find_subcommand(const larder_vector *v)
{
  for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++)
    if (subcommands[i].command == v->command && lrd_is_word(&v->argv[1], subcommands[i].name))
      return &subcommands[i];
  return NULL;
}

const char *lrd_command_part(unsigned command, size_t n)
{
  for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++)
    if (subcommands[i].command == command && n-- == 0)
      return subcommands[i].name;
  return NULL;
}

static inline int has_subcommands(unsigned command)
{
  return (lrd_commands[command].flags & LRD_PARTS) != 0;
}

static inline int arity_fits(int arity, int argc)
{
  return arity >= 0 ? argc == arity : argc >= -arity;
}

/* What a caller sent may hold anything: an error text is one line. */
static larder_outcome bad(char *error)
{
  for (; *error; error++)
    if (*error == '\r' || *error == '\n')
      *error = ' ';
  return LARDER_BAD_ARGUMENT;
}

static int clipped(size_t len, size_t most)
{
  return (int)(len < most ? len : most);
}

static larder_outcome unknown_command(const larder_vector *v, char *error, size_t size)
{
  const larder_bytes *a = v->argv;
  size_t n, begin, shown = 0;
  int i;

  n = (size_t)snprintf(error, size, "ERR unknown command '%.*s', with args beginning with: ",
                       clipped(a[0].len, 128), a[0].len ? a[0].data : "");
  for (i = 1; i < v->argc && shown < 128 && n < size; i++) {
    begin = n;
    n += (size_t)snprintf(error + n, size - n, "'%.*s' ", clipped(a[i].len, 128 - shown),
                          a[i].len ? a[i].data : "");
    shown += n - begin;
  }
  return bad(error);
}

static larder_outcome check_subcommand(const larder_vector *v, char *error, size_t size)
{
  const larder_bytes *word = &v->argv[1];
  const char *name = lrd_commands[v->command].name;
  const struct subcommand *s = find_subcommand(v);
  char upper[16];
  size_t i;

  if (s && arity_fits(s->arity, v->argc))
    return LARDER_OK;
  if (s) {
    snprintf(error, size, "ERR wrong number of arguments for '%s|%s' command", name, s->name);
    return bad(error);
  }
  for (i = 0; i + 1 < sizeof upper && name[i]; i++)
    upper[i] = (char)(name[i] & ~0x20);
  upper[i] = '\0';
  snprintf(error, size, "ERR unknown subcommand '%.*s'. Try %s HELP.", clipped(word->len, 128),
           word->len ? word->data : "", upper);
  return bad(error);
}

/* What lrd_command_check has no time for. */
__attribute__((noinline)) static larder_outcome check_slowly(const larder_vector *v,
                                                             char *error, size_t size)
{
  char spare[1];

  if (!size) {
    error = spare;
    size = sizeof spare;
  }
  error[0] = '\0';
  if (v->argc < 1) {
    snprintf(error, size, "ERR no command");
    return LARDER_BAD_ARGUMENT;
  }
  if (!v->command)
    return unknown_command(v, error, size);
  if (!arity_fits(lrd_commands[v->command].arity, v->argc)) {
    snprintf(error, size, "ERR wrong number of arguments for '%s' command",
             lrd_commands[v->command].name);
    return LARDER_BAD_ARGUMENT;
  }
  return v->argc > 1 ? check_subcommand(v, error, size) : LARDER_OK;
}

larder_outcome lrd_command_check(larder_vector *v, char *error, size_t error_size)
{
  v->command = v->argc < 1 ? LRD_NO_COMMAND : find(v->argv[0].data, v->argv[0].len);
  if (v->command && arity_fits(lrd_commands[v->command].arity, v->argc) &&
      !has_subcommands(v->command))
    return LARDER_OK;
  return check_slowly(v, error, error_size);
}

/* --- class --------------------------------------------------------------- */

/* Option words are looked for only where the command's own parser does: a
 * value, member or number may be the same word. */

static enum lrd_class class_of_set(const larder_vector *v)
{
  enum lrd_class class = LRD_CLASS_OVERWRITE;
  int i;

  for (i = 3; i < v->argc; i++) {
    const larder_bytes *a = &v->argv[i];

    if (lrd_is_word(a, "NX") || lrd_is_word(a, "XX"))
      return LRD_CLASS_CONDITIONAL;
    if (lrd_is_word(a, "GET"))
      class = LRD_CLASS_CONSUME;
    else if (!lrd_is_word(a, "KEEPTTL"))
      i++; /* EX, PX, EXAT, PXAT: a number follows */
  }
  return class;
}

enum { ZADD_CONDITION = 1, ZADD_INCR = 2 };

static int zadd_options(const larder_vector *v)
{
  int i, options = 0;

  for (i = 2; i < v->argc; i++) {
    const larder_bytes *a = &v->argv[i];

    if (lrd_is_word(a, "NX") || lrd_is_word(a, "XX") || lrd_is_word(a, "GT") ||
        lrd_is_word(a, "LT"))
      options |= ZADD_CONDITION;
    else if (lrd_is_word(a, "INCR"))
      options |= ZADD_INCR;
    else if (!lrd_is_word(a, "CH"))
      break;
  }
  return options;
}

/* Conditions and nothing else: what is no option gets its error from whoever answers. */
static int is_conditional_expiry(const larder_vector *v)
{
  for (int i = 3; i < v->argc; i++)
    if (!lrd_is_word(&v->argv[i], "NX") && !lrd_is_word(&v->argv[i], "XX") &&
        !lrd_is_word(&v->argv[i], "GT") && !lrd_is_word(&v->argv[i], "LT"))
      return 0;
  return v->argc > 3;
}

static int has_word(const larder_vector *v, int from, const char *word)
{
  for (int i = from; i < v->argc; i++)
    if (lrd_is_word(&v->argv[i], word))
      return 1;
  return 0;
}

/* A copy that takes the place of whatever there is, in its own database. */
static enum lrd_class class_of_copy(const larder_vector *v)
{
  return has_word(v, 3, "REPLACE") && !has_word(v, 3, "DB") ? LRD_CLASS_OVERWRITE
                                                            : LRD_CLASS_CONDITIONAL;
}

static enum lrd_class class_of_bitfield(const larder_vector *v)
{
  for (int i = 2; i < v->argc; i += lrd_is_word(&v->argv[i], "GET") ? 3 : 2)
    if (!lrd_is_word(&v->argv[i], "GET") && !lrd_is_word(&v->argv[i], "OVERFLOW"))
      return LRD_CLASS_OVERWRITE;
  return LRD_CLASS_READ;
}

static int is_blocking_read(const larder_vector *v)
{
  int64_t ms;

  return lrd_command_wait(v, &ms) || ms >= 0;
}

/* A group's last id, or that it is gone, is set; what says whether it was there needs to know. */
static enum lrd_class class_of_group(const larder_vector *v)
{
  if (v->argc < 3)
    return LRD_CLASS_CONNECTION; /* HELP */
  return lrd_is_word(&v->argv[1], "SETID") ? LRD_CLASS_OVERWRITE : LRD_CLASS_CONSUME;
}

enum lrd_class lrd_command_class(const larder_vector *v)
{
  int options;

  switch (v->command) {
  case LRD_SORT:
  case LRD_GEORADIUS:
  case LRD_GEORADIUSBYMEMBER:
    return lrd_command_key_range(v).count > 1 ? LRD_CLASS_OVERWRITE : LRD_CLASS_READ;
  case LRD_XREAD:
  case LRD_XREADGROUP:
    return is_blocking_read(v) ? LRD_CLASS_BLOCKING : lrd_commands[v->command].class;
  case LRD_XGROUP:
    return class_of_group(v);
  case LRD_COPY:
    return class_of_copy(v);
  case LRD_RESTORE:
    return has_word(v, 4, "REPLACE") ? LRD_CLASS_OVERWRITE : LRD_CLASS_CONDITIONAL;
  case LRD_BITFIELD:
    return class_of_bitfield(v);
  case LRD_GEOADD:
    return zadd_options(v) & ZADD_CONDITION ? LRD_CLASS_CONDITIONAL : LRD_CLASS_OVERWRITE;
  case LRD_SET:
    return v->argc == 3 ? LRD_CLASS_OVERWRITE : class_of_set(v);
  case LRD_GETEX:
    return v->argc > 2 ? LRD_CLASS_CONSUME : LRD_CLASS_READ;
  case LRD_ZADD:
    options = v->argc == 4 ? 0 : zadd_options(v);
    if (options & ZADD_CONDITION)
      return LRD_CLASS_CONDITIONAL;
    return options & ZADD_INCR ? LRD_CLASS_ACCUMULATE : LRD_CLASS_OVERWRITE;
  case LRD_EXPIRE:
  case LRD_PEXPIRE:
  case LRD_EXPIREAT:
  case LRD_PEXPIREAT:
    return is_conditional_expiry(v) ? LRD_CLASS_CONDITIONAL : LRD_CLASS_OVERWRITE;
  default:
    return lrd_commands[v->command].class;
  }
}

/* --- keys ---------------------------------------------------------------- */

int lrd_subcommand_key(const larder_vector *v)
{
  const struct subcommand *s =
    v->argc > 1 && has_subcommands(v->command) ? find_subcommand(v) : NULL;

  return s && s->key < v->argc ? s->key : 0;
}

int lrd_command_is_denied_oom(const larder_vector *v)
{
  const struct lrd_command *c = &lrd_commands[v->command];
  const struct subcommand *s =
    v->argc > 1 && has_subcommands(v->command) ? find_subcommand(v) : NULL;
  const struct lrd_detail *detail;
  char name[48];

  if (!s)
    return (c->flags & LRD_DENYOOM) != 0;
  snprintf(name, sizeof name, "%s|%s", c->name, s->name);
  detail = lrd_detail_find(name);
  return detail && strstr(detail->flags, "denyoom");
}

/* --- the reply's shape, as far as it is in the arguments ------------------ */

static enum lrd_shape with_scores(const larder_vector *v, int from)
{
  return has_word(v, from, "WITHSCORES") ? LRD_SHAPE_PAIRS : LRD_SHAPE_PLAIN;
}

enum lrd_shape lrd_command_reply_shape(const larder_vector *v)
{
  switch (v->command) {
  case LRD_SPOP:
    return v->argc > 2 ? LRD_SHAPE_SET : LRD_SHAPE_PLAIN;
  case LRD_ZADD:
    return v->argc > 4 && zadd_options(v) & ZADD_INCR ? LRD_SHAPE_DOUBLE : LRD_SHAPE_PLAIN;
  case LRD_ZRANGE:
  case LRD_ZREVRANGE:
  case LRD_ZRANGEBYSCORE:
  case LRD_ZREVRANGEBYSCORE:
    return with_scores(v, 4);
  case LRD_ZRANDMEMBER:
    return with_scores(v, 3);
  case LRD_ZDIFF:
  case LRD_ZINTER:
  case LRD_ZUNION:
    return with_scores(v, 2 + lrd_command_key_range(v).count);
  case LRD_HRANDFIELD:
    return v->argc > 3 ? LRD_SHAPE_FIELDS : LRD_SHAPE_PLAIN;
  case LRD_LCS:
    return has_word(v, 3, "IDX") ? LRD_SHAPE_MAP : LRD_SHAPE_PLAIN;
  case LRD_ZPOPMAX:
  case LRD_ZPOPMIN:
    return v->argc > 2 ? LRD_SHAPE_PAIRS : LRD_SHAPE_SCORED;
  case LRD_COMMAND:
    return v->argc > 1 && !lrd_is_word(&v->argv[1], "INFO") ? LRD_SHAPE_PLAIN : LRD_SHAPE_INFO;
  default:
    return lrd_commands[v->command].shape;
  }
}

const char *lrd_command_select(const larder_vector *v, int *database)
{
  int64_t n;

  if (!lrd_parse_integer(v->argv[1].data, v->argv[1].len, &n))
    return "ERR value is not an integer or out of range";
  if (n > INT32_MAX || n < INT32_MIN)
    return "ERR value is out of range, value must between -2147483648 and 2147483647";
  if (n < 0 || n >= LRD_DATABASES)
    return "ERR DB index is out of range";
  *database = (int)n;
  return NULL;
}
