/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"

#include "command/argv.h"
#include "memory/evict.h"

/* CONFIG: parameter.h has the table. */

/* --- GET ------------------------------------------------------------------------- */

static int fits(const larder_bytes *pattern, const char *name)
{
  return name && lrd_glob(pattern->data, pattern->len, name, strlen(name), 1);
}

static int asked_for(const struct lrd_exec *x, const char *name)
{
  for (int i = 2; i < x->argc; i++)
    if (fits(&x->argv[i], name))
      return 1;
  return 0;
}

/* A name without a wildcard comes back as it was asked for. */
static larder_bytes shown_name(const struct lrd_exec *x, const char *name)
{
  for (int i = 2; i < x->argc; i++)
    if (lrd_is_word(&x->argv[i], name))
      return x->argv[i];
  return (larder_bytes){ name, strlen(name) };
}

static void put_pair(struct lrd_exec *x, const struct lrd_parameter *row, const char *name)
{
  char text[LRD_PARAMETER_TEXT];
  larder_bytes shown = shown_name(x, name);
  const char *value = lrd_parameter_show(&x->engine->parameters, row, text);

  lrd_sink_string(x->sink, shown.data, shown.len);
  lrd_sink_string(x->sink, value, strlen(value));
}

static void config_get(struct lrd_exec *x)
{
  const struct lrd_parameter *row;
  size_t count = 0;

  for (row = lrd_parameters; row->name; row++)
    count += (size_t)asked_for(x, row->name) + (size_t)asked_for(x, row->alias);
  lrd_sink_map(x->sink, count);
  for (row = lrd_parameters; row->name; row++) {
    if (asked_for(x, row->name))
      put_pair(x, row, row->name);
    if (asked_for(x, row->alias))
      put_pair(x, row, row->alias);
  }
}

/* --- SET ------------------------------------------------------------------------- */

static void failed(struct lrd_exec *x, larder_bytes name, const char *why)
{
  lrd_errorf(x, "ERR CONFIG SET failed (possibly related to argument '%.*s') - %s",
             (int)(name.len < 128 ? name.len : 128), name.data, why);
}

static int is_fixed(const struct lrd_parameter *row, larder_bytes value)
{
  return row->kind == LRD_PARAMETER_FIXED &&
         (value.len != strlen(row->text) || memcmp(value.data, row->text, value.len) != 0);
}

/* All names, before any value is looked at.  0: replied. */
static int check_names(struct lrd_exec *x)
{
  for (int i = 2; i < x->argc; i += 2) {
    const struct lrd_parameter *row = lrd_parameter_find(x->argv[i]);

    if (!row) {
      lrd_errorf(x, "ERR Unknown option or number of arguments for CONFIG SET - '%.*s'",
                 (int)(x->argv[i].len < 128 ? x->argv[i].len : 128), x->argv[i].data);
      return 0;
    }
    if (is_fixed(row, x->argv[i + 1])) {
      failed(x, x->argv[i], "can't set immutable config");
      return 0;
    }
    for (int j = 2; j < i; j += 2)
      if (lrd_parameter_find(x->argv[j]) == row) {
        failed(x, x->argv[i], "duplicate parameter");
        return 0;
      }
  }
  return 1;
}

static int parse_values(struct lrd_exec *x, int64_t *value)
{
  char text[LRD_PARAMETER_TEXT];

  for (int i = 2; i < x->argc; i += 2) {
    const struct lrd_parameter *row = lrd_parameter_find(x->argv[i]);
    const char *wrong;

    if (row->kind == LRD_PARAMETER_FIXED)
      continue;
    wrong = lrd_parameter_parse(row, x->argv[i + 1], &value[row->id], text);
    if (wrong) {
      const char *name = row->alias && lrd_is_word(&x->argv[i], row->alias) ? row->alias
                                                                           : row->name;

      failed(x, (larder_bytes){ name, strlen(name) }, wrong);
      return 0;
    }
  }
  return 1;
}

static void config_set(struct lrd_exec *x)
{
  struct lrd_parameters *p = &x->engine->parameters;
  int64_t value[LRD_PARAMETERS];

  if (x->argc % 2) {
    lrd_error(x, lrd_text_syntax);
    return;
  }
  for (int id = 0; id < LRD_PARAMETERS; id++)
    value[id] = lrd_parameter(p, (enum lrd_parameter_id)id);
  if (!check_names(x) || !parse_values(x, value))
    return;
  for (int i = 2; i < x->argc; i += 2) {
    const struct lrd_parameter *row = lrd_parameter_find(x->argv[i]);

    if (row->kind != LRD_PARAMETER_FIXED)
      lrd_parameter_set(p, row->id, value[row->id]);
  }
  lrd_evict_configure(x->engine);
  lrd_sink_ok(x->sink);
}

/* --- RESETSTAT ------------------------------------------------------------------- */

static void config_resetstat(struct lrd_exec *x)
{
  lrd_info_reset(x);
  lrd_sink_ok(x->sink);
}

/* --- HELP ------------------------------------------------------------------------ */

static void config_help(struct lrd_exec *x)
{
  static const char *const lines[] = {
    "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "GET <pattern>",
    "    Return parameters matching the glob-like <pattern> and their values.",
    "SET <directive> <value>",
    "    Set the configuration <directive> to <value>.",
    "RESETSTAT",
    "    Reset statistics reported by the INFO command.",
    "HELP",
    "    Prints this help.",
    NULL
  };

  lrd_reply_lines(x, lines);
}

void lrd_t_config(struct lrd_exec *x)
{
  if (lrd_is_word(&x->argv[1], "GET"))
    config_get(x);
  else if (lrd_is_word(&x->argv[1], "SET"))
    config_set(x);
  else if (lrd_is_word(&x->argv[1], "RESETSTAT"))
    config_resetstat(x);
  else
    config_help(x);
}
