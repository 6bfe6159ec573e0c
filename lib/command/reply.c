/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/command.h"

#include <string.h>

#include "util/arena.h"
#include "util/number.h"

/* --- absence ------------------------------------------------------------- */

static int is_aggregate(const larder_value *value)
{
  return value->type >= LARDER_ARRAY;
}

int lrd_command_absent(const larder_vector *v, const larder_value *value)
{
  switch (lrd_commands[v->command].absence) {
  case LRD_ABSENCE_NIL:
    return value->type == LARDER_NIL;
  case LRD_ABSENCE_ZERO:
    /* EXPIRE with an option: 0 may mean that its condition was not met */
    return value->type == LARDER_INTEGER && value->integer == 0 &&
           lrd_command_class(v) != LRD_CLASS_CONDITIONAL;
  case LRD_ABSENCE_MINUS2:
    return value->type == LARDER_INTEGER && value->integer == -2;
  case LRD_ABSENCE_EMPTY:
    return is_aggregate(value) && value->len == 0;
  case LRD_ABSENCE_NONE:
    return value->type == LARDER_STATUS && value->len == 4 && !memcmp(value->str, "none", 4);
  case LRD_ABSENCE_NEVER:
  default:
    return 0;
  }
}

/* --- shape --------------------------------------------------------------- */

/* The nodes are the arena's: only the reader of a finished reply may not change them. */
static larder_value *elements(const larder_value *value)
{
  return (larder_value *)(uintptr_t)value->element;
}

static void to_double(larder_value *value)
{
  double real;

  if (value->type == LARDER_STRING && lrd_parse_double(value->str, value->len, &real)) {
    value->type = LARDER_DOUBLE;
    value->real = real;
  }
}

static void to_type(larder_value *value, larder_type type)
{
  if (value->type == LARDER_ARRAY && (type != LARDER_MAP || value->len % 2 == 0))
    value->type = (unsigned char)type;
}

static int has_pairs(const larder_value *value)
{
  return value->len && value->element[0].type == LARDER_ARRAY;
}

static int to_pairs(larder_value *value, struct lrd_arena *arena, int scores)
{
  larder_value *flat = elements(value), *pair = flat;
  size_t i, n = value->len;

  if (value->type != LARDER_ARRAY)
    return 0;
  if (has_pairs(value)) {
    for (i = 0; i < n; i++)
      pair[i].resp2 = LARDER_RESP2_PAIR;
  } else if (n) {
    if (n % 2)
      return 0;
    n /= 2;
    pair = lrd_arena_allocate(arena, n * sizeof *pair);
    if (!pair)
      return -1;
    for (i = 0; i < n; i++) {
      if (scores)
        to_double(&flat[i * 2 + 1]);
      pair[i] = (larder_value){ .type = LARDER_ARRAY, .resp2 = LARDER_RESP2_PAIR, .len = 2 };
      pair[i].element = &flat[i * 2];
    }
    value->element = pair;
    value->len = n;
  }
  value->resp2 = LARDER_RESP2_PAIRS;
  return 0;
}

static void to_doubles(larder_value *value)
{
  larder_value *e = elements(value);

  for (size_t i = 0; value->type == LARDER_ARRAY && i < value->len; i++)
    to_double(&e[i]);
}

static void to_popped(larder_value *value)
{
  larder_value *e = elements(value), *pair;

  if (value->type != LARDER_ARRAY || value->len != 2 || e[1].type != LARDER_ARRAY)
    return;
  pair = elements(&e[1]);
  for (size_t i = 0; i < e[1].len; i++)
    if (pair[i].type == LARDER_ARRAY && pair[i].len == 2)
      to_double(&elements(&pair[i])[1]);
}

static void to_position(larder_value *value)
{
  to_doubles(value);
  if (value->type == LARDER_NIL)
    value->resp2 = LARDER_RESP2_NIL_ARRAY;
}

static void to_positions(larder_value *value)
{
  larder_value *e = elements(value);

  for (size_t i = 0; value->type == LARDER_ARRAY && i < value->len; i++)
    to_position(&e[i]);
}

/* With coordinates, they stand last. */
static void to_places(larder_value *value)
{
  larder_value *e = elements(value);

  for (size_t i = 0; value->type == LARDER_ARRAY && i < value->len; i++)
    if (e[i].type == LARDER_ARRAY && e[i].len)
      to_position(&elements(&e[i])[e[i].len - 1]);
}

/* [key, entries] ... as a map. */
static int to_streams(larder_value *value, struct lrd_arena *arena)
{
  larder_value *pair = elements(value), *flat;
  size_t n = value->len;

  if (value->type == LARDER_MAP)
    value->resp2 = LARDER_RESP2_NESTED;
  if (value->type != LARDER_ARRAY)
    return 0;
  for (size_t i = 0; i < n; i++)
    if (pair[i].type != LARDER_ARRAY || pair[i].len != 2)
      return 0;
  flat = lrd_arena_allocate(arena, 2 * n * sizeof *flat);
  if (!flat)
    return -1;
  for (size_t i = 0; i < n; i++)
    memcpy(&flat[2 * i], pair[i].element, 2 * sizeof *flat);
  value->type = LARDER_MAP;
  value->resp2 = LARDER_RESP2_NESTED;
  value->element = flat;
  value->len = 2 * n;
  return 0;
}

static int is_name(const larder_value *value, const char *name)
{
  return value->type == LARDER_STRING && value->len == strlen(name) &&
         !memcmp(value->str, name, value->len);
}

static void to_details(larder_value *value);

static void to_all_details(larder_value *value)
{
  larder_value *e = elements(value);

  for (size_t i = 0; value->type == LARDER_ARRAY && i < value->len; i++)
    to_details(&e[i]);
}

/* A map, in which groups and consumers are arrays of such. */
static void to_details(larder_value *value)
{
  larder_value *e = elements(value);

  if (value->type != LARDER_ARRAY && value->type != LARDER_MAP)
    return;
  to_type(value, LARDER_MAP);
  for (size_t i = 0; i + 1 < value->len; i += 2)
    if (is_name(&e[i], "groups") || is_name(&e[i], "consumers"))
      to_all_details(&e[i + 1]);
}

/* Key specifications of COMMAND INFO: maps with maps and one set in them. */
static void to_key_specification(larder_value *value)
{
  larder_value *e = elements(value);
  size_t i;

  if (value->type != LARDER_ARRAY)
    return;
  to_type(value, LARDER_MAP);
  for (i = 0; i + 1 < value->len; i += 2) {
    if (e[i].type == LARDER_STRING && e[i].len == 5 && !memcmp(e[i].str, "flags", 5))
      to_type(&e[i + 1], LARDER_SET);
    else
      to_key_specification(&e[i + 1]);
  }
}

/* An array of commands; subcommands are the last field of each. */
static void to_info(larder_value *value)
{
  enum { FLAGS = 2, ACL = 6, TIPS = 7, KEYS = 8, SUBCOMMANDS = 9, FIELDS = 10 };
  larder_value *e, *keys;
  size_t i, k;

  if (value->type != LARDER_ARRAY)
    return;
  for (i = 0; i < value->len; i++) {
    if (value->element[i].type != LARDER_ARRAY || value->element[i].len < FIELDS)
      continue;
    e = elements(&value->element[i]);
    keys = e[KEYS].type == LARDER_ARRAY ? elements(&e[KEYS]) : NULL;
    for (k = 0; keys && k < e[KEYS].len; k++)
      to_key_specification(&keys[k]);
    to_type(&e[FLAGS], LARDER_SET);
    to_type(&e[ACL], LARDER_SET);
    to_type(&e[TIPS], LARDER_SET);
    to_type(&e[KEYS], LARDER_SET);
    if (e[SUBCOMMANDS].len)
      to_info(&e[SUBCOMMANDS]);
    else
      to_type(&e[SUBCOMMANDS], LARDER_SET); /* Redis 7.0 says it so */
  }
}

/* RESP3 has one nil, and not every reader of RESP2 tells its two apart. */
static int is_nil_array(const larder_vector *v)
{
  return (lrd_commands[v->command].flags & LRD_BLOCKING) || /* what a timeout says */
         v->command == LRD_EXEC || v->command == LRD_LMPOP || v->command == LRD_ZMPOP ||
         v->command == LRD_XREAD || v->command == LRD_XREADGROUP || v->command == LRD_XRANGE ||
         v->command == LRD_XREVRANGE ||
         ((v->command == LRD_LPOP || v->command == LRD_RPOP) && v->argc > 2);
}

int lrd_command_shape(const larder_vector *v, larder_value *value, struct lrd_arena *arena)
{
  if (value->type == LARDER_ERROR || value->type == LARDER_INTEGER)
    return 0;
  if (value->type == LARDER_NIL) {
    value->resp2 = is_nil_array(v) ? LARDER_RESP2_NIL_ARRAY : LARDER_RESP2_PLAIN;
    return 0;
  }
  switch (lrd_command_reply_shape(v)) {
  case LRD_SHAPE_MAP:
    to_type(value, LARDER_MAP);
    break;
  case LRD_SHAPE_SET:
    to_type(value, LARDER_SET);
    break;
  case LRD_SHAPE_DOUBLE:
    to_double(value);
    break;
  case LRD_SHAPE_PAIRS:
    return to_pairs(value, arena, 1);
  case LRD_SHAPE_FIELDS:
    return to_pairs(value, arena, 0);
  case LRD_SHAPE_POPPED:
    to_popped(value);
    break;
  case LRD_SHAPE_DOUBLES:
    to_doubles(value);
    break;
  case LRD_SHAPE_POSITIONS:
    to_positions(value);
    break;
  case LRD_SHAPE_PLACES:
    to_places(value);
    break;
  case LRD_SHAPE_STREAMS:
    return to_streams(value, arena);
  case LRD_SHAPE_PENDING:
    if (value->type == LARDER_ARRAY && value->len == 4)
      to_position(&elements(value)[3]);
    break;
  case LRD_SHAPE_DETAILS:
    if (lrd_is_word(&v->argv[1], "STREAM"))
      to_details(value);
    else if (!lrd_is_word(&v->argv[1], "HELP"))
      to_all_details(value);
    break;
  case LRD_SHAPE_SCORED:
    if (value->type == LARDER_ARRAY && (value->len == 2 || value->len == 3))
      to_double(&elements(value)[value->len - 1]);
    break;
  case LRD_SHAPE_VERBATIM:
    if (value->type == LARDER_STRING)
      value->type = LARDER_VERBATIM;
    break;
  case LRD_SHAPE_INFO:
    to_info(value);
    break;
  case LRD_SHAPE_PLAIN:
  default:
    break;
  }
  return 0;
}
