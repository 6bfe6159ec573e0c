/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/command.h"

#include <string.h>

#include "util/number.h"

/* Where the keys of an argument vector are.  What the vector's handler would
 * refuse before it looks anything up may have any keys, or none. */

static struct lrd_keys by_position(const larder_vector *v)
{
  const struct lrd_command *c = &lrd_commands[v->command];
  struct lrd_keys keys = { 0, 0, 0, 0 };
  int last = c->last < 0 ? v->argc + c->last : c->last;

  if (c->flags & LRD_CHANNELS)
    return keys;
  if (!c->first && lrd_subcommand_key(v))
    return (struct lrd_keys){ lrd_subcommand_key(v), 1, 1, 0 };
  if (!c->first || c->first >= v->argc)
    return keys;
  if (last >= v->argc)
    last = v->argc - 1;
  keys.first = c->first;
  keys.step = c->step;
  keys.count = (last - c->first) / c->step + 1;
  return keys;
}

/* Their number stands before them. */
static struct lrd_keys by_number(const larder_vector *v, int at, int lead)
{
  struct lrd_keys keys = { 0, 0, lead != 0, lead };
  int64_t n;

  if (!lrd_parse_integer(v->argv[at].data, v->argv[at].len, &n) || n < 1 || n >= v->argc - at)
    return keys;
  keys.first = at + 1;
  keys.step = 1;
  keys.count += (int)n;
  return keys;
}

/* One key, and the one that the last STORE names. */
static struct lrd_keys by_store(const larder_vector *v, int from, int (*skip)(const larder_bytes *))
{
  struct lrd_keys keys = { 1, 1, 1, 0 };

  for (int i = from; i + 1 < v->argc; i++) {
    if (lrd_is_word(&v->argv[i], "STORE") ||
        (v->command != LRD_SORT && lrd_is_word(&v->argv[i], "STOREDIST"))) {
      keys.step = ++i - 1;
      keys.count = 2;
    } else {
      i += skip(&v->argv[i]);
    }
  }
  return keys;
}

/* How many arguments an option has. */
static int of_sort(const larder_bytes *word)
{
  if (lrd_is_word(word, "LIMIT"))
    return 2;
  return lrd_is_word(word, "BY") || lrd_is_word(word, "GET");
}

static int of_radius(const larder_bytes *word)
{
  return lrd_is_word(word, "COUNT");
}

/* Behind STREAMS: keys, and as many ids. */
static struct lrd_keys by_streams(const larder_vector *v)
{
  struct lrd_keys keys = { 0, 0, 0, 0 };
  int i = 1;

  for (; i < v->argc && !lrd_is_word(&v->argv[i], "STREAMS"); i++) {
    if (lrd_is_word(&v->argv[i], "BLOCK") || lrd_is_word(&v->argv[i], "COUNT"))
      i++;
    else if (lrd_is_word(&v->argv[i], "GROUP"))
      i += 2;
    else if (!lrd_is_word(&v->argv[i], "NOACK"))
      return keys;
  }
  i++;
  if (i >= v->argc || (v->argc - i) % 2)
    return keys;
  return (struct lrd_keys){ i, 1, (v->argc - i) / 2, 0 };
}

struct lrd_keys lrd_command_key_range(const larder_vector *v)
{
  if (!(lrd_commands[v->command].flags & LRD_MOVABLE_KEYS))
    return by_position(v);
  switch (v->command) {
  case LRD_SORT:
    return by_store(v, 2, of_sort);
  case LRD_SORT_RO:
    return by_position(v);
  case LRD_XREAD:
  case LRD_XREADGROUP:
    return by_streams(v);
  case LRD_BLMPOP:
  case LRD_BZMPOP:
    return by_number(v, 2, 0);
  case LRD_GEORADIUS:
    return by_store(v, 6, of_radius);
  case LRD_GEORADIUSBYMEMBER:
    return by_store(v, 5, of_radius);
  default: /* the number of keys is the first argument, or the second after a destination */
    return by_number(v, lrd_commands[v->command].first ? 2 : 1, lrd_commands[v->command].first);
  }
}

void lrd_command_keys(const larder_vector *v, void (*visit)(void *context, int index),
                      void *context)
{
  struct lrd_keys keys = lrd_command_key_range(v);

  for (int i = 0; i < keys.count; i++)
    visit(context, lrd_key_index(&keys, i));
}

/* --- keys that are not named ------------------------------------------------------------ */

static int is_pattern(const larder_bytes *word)
{
  return word->len && memchr(word->data, '*', word->len) != NULL;
}

/* BY and GET of SORT look up what their patterns make of the elements. */
static int has_patterns(const larder_vector *v)
{
  for (int i = 2; i + 1 < v->argc; i++) {
    int store = v->command == LRD_SORT && lrd_is_word(&v->argv[i], "STORE");
    int skip = store ? 1 : of_sort(&v->argv[i]);

    if (skip == 1 && !store && is_pattern(&v->argv[i + 1]))
      return 1;
    i += lrd_is_word(&v->argv[i], "STORE") ? 1 : skip; /* the key may be called BY */
  }
  return 0;
}

int lrd_command_strays(const larder_vector *v)
{
  switch (v->command) {
  case LRD_MOVE:
    return 1;
  case LRD_COPY:
    for (int i = 3; i < v->argc; i++)
      if (lrd_is_word(&v->argv[i], "DB"))
        return 1;
    return 0;
  case LRD_SORT:
  case LRD_SORT_RO:
    return has_patterns(v);
  default:
    return 0;
  }
}
