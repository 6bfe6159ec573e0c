/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/front.h"

#include <string.h>
#include <strings.h>

#include "command/argv.h"

/* COMMAND: what the command list says of itself, in the order of Redis 7.0's fields. */

static int is_public(unsigned id)
{
  return !(lrd_commands[id].flags & LRD_INTERNAL);
}

static size_t public_commands(void)
{
  size_t n = 0;
  for (unsigned id = 1; id < LRD_COMMANDS; id++)
    n += (size_t)is_public(id);
  return n;
}

static const struct {
  unsigned flag;
  const char *name;
} flag_names[] = {
    {LRD_WRITE, "write"},
    {LRD_READONLY, "readonly"},
    {LRD_DENYOOM, "denyoom"},
    {LRD_ADMIN, "admin"},
    {LRD_PUBSUB, "pubsub"},
    {LRD_NOSCRIPT, "noscript"},
    {LRD_BLOCKING, "blocking"},
    {LRD_LOADING, "loading"},
    {LRD_STALE, "stale"},
    {LRD_SKIP_MONITOR, "skip_monitor"},
    {LRD_SKIP_SLOWLOG, "skip_slowlog"},
    {LRD_FAST, "fast"},
    {LRD_NO_AUTH, "no_auth"},
    {LRD_MAY_REPLICATE, "may_replicate"},
    {LRD_NO_MANDATORY_KEYS, "no_mandatory_keys"},
    {LRD_NO_ASYNC_LOADING, "no_async_loading"},
    {LRD_NO_MULTI, "no_multi"},
    {LRD_ALLOW_BUSY, "allow_busy"},
    {LRD_MOVABLE_KEYS, "movablekeys"},
};

enum { FLAG_NAMES = sizeof flag_names / sizeof *flag_names };

static void describe_flags(struct lrd_front *f, unsigned flags)
{
  size_t n = 0;
  for (size_t i = 0; i < FLAG_NAMES; i++)
    n += (flags & flag_names[i].flag) != 0;
  lrd_sink_set(f->sink, n);
  for (size_t i = 0; i < FLAG_NAMES; i++)
    if (flags & flag_names[i].flag)
      lrd_sink_status(f->sink, flag_names[i].name);
}

/* The next word of a list separated by spaces; len 0: no more. */
static larder_bytes next_word(const char **list)
{
  const char *p = *list + strspn(*list, " ");
  larder_bytes word = {p, strcspn(p, " ")};
  *list = p + word.len;
  return word;
}

static void describe_categories(struct lrd_front *f, const char *acl)
{
  size_t n = 0;
  larder_bytes word;
  for (const char *list = acl; next_word(&list).len;)
    n++;
  lrd_sink_set(f->sink, n);
  for (const char *list = acl; (word = next_word(&list)).len;)
    f->sink->type->status(f->sink, word.data, word.len);
}

/* Tips, key specifications and subcommands are not kept: empty. */
static void describe_command(struct lrd_front *f, unsigned id)
{
  const struct lrd_command *c = &lrd_commands[id];
  lrd_sink_array(f->sink, 10);
  lrd_front_text(f, c->name);
  lrd_sink_integer(f->sink, c->arity);
  describe_flags(f, c->flags);
  lrd_sink_integer(f->sink, c->first);
  lrd_sink_integer(f->sink, c->last);
  lrd_sink_integer(f->sink, c->step);
  describe_categories(f, c->acl);
  for (int i = 0; i < 3; i++)
    lrd_sink_set(f->sink, 0);
}

static void command_all(struct lrd_front *f)
{
  lrd_sink_array(f->sink, public_commands());
  for (unsigned id = 1; id < LRD_COMMANDS; id++)
    if (is_public(id))
      describe_command(f, id);
}

static void command_info(struct lrd_front *f)
{
  if (f->argc == 2) {
    command_all(f);
    return;
  }
  lrd_sink_array(f->sink, (size_t)f->argc - 2);
  for (int i = 2; i < f->argc; i++) {
    unsigned id = lrd_command_find(f->argv[i].data, f->argv[i].len);
    if (id != LRD_NO_COMMAND && is_public(id))
      describe_command(f, id);
    else
      lrd_sink_nil_array(f->sink);
  }
}

static void command_count(struct lrd_front *f)
{
  if (f->argc == 2)
    lrd_sink_integer(f->sink, (int64_t)public_commands());
  else
    lrd_front_refuse_count(f, "command|count");
}

static int in_category(unsigned id, const larder_bytes *category)
{
  larder_bytes word;
  for (const char *list = lrd_commands[id].acl; (word = next_word(&list)).len;) {
    if (word.len == category->len + 1 && /* '@' */
        strncasecmp(word.data + 1, category->data, category->len) == 0)
      return 1;
  }
  return 0;
}

static int selected(struct lrd_front *f, unsigned id)
{
  if (!is_public(id))
    return 0;
  if (f->argc == 2)
    return 1;
  const char *name = lrd_commands[id].name;
  if (lrd_is_word(&f->argv[3], "pattern"))
    return lrd_glob(f->argv[4].data, f->argv[4].len, name, strlen(name), 1);
  if (lrd_is_word(&f->argv[3], "aclcat"))
    return in_category(id, &f->argv[4]);
  return 0; /* MODULE: there are none */
}

static void command_list(struct lrd_front *f)
{
  size_t n = 0;
  int filter = f->argc == 5 && lrd_is_word(&f->argv[2], "filterby") &&
               (lrd_is_word(&f->argv[3], "module") || lrd_is_word(&f->argv[3], "aclcat") ||
                lrd_is_word(&f->argv[3], "pattern"));
  if (f->argc != 2 && !filter) {
    lrd_front_refuse(f, "ERR syntax error");
    return;
  }
  for (unsigned id = 1; id < LRD_COMMANDS; id++)
    n += (size_t)selected(f, id);
  lrd_sink_array(f->sink, n);
  for (unsigned id = 1; id < LRD_COMMANDS; id++)
    if (selected(f, id))
      lrd_front_text(f, lrd_commands[id].name);
}

void lrd_front_catalog(struct lrd_front *f)
{
  if (f->argc == 1)
    command_all(f);
  else if (lrd_is_word(&f->argv[1], "count"))
    command_count(f);
  else if (lrd_is_word(&f->argv[1], "info"))
    command_info(f);
  else if (lrd_is_word(&f->argv[1], "list"))
    command_list(f);
  else
    lrd_front_refuse_word(f, "ERR unknown subcommand '%s'. Try COMMAND HELP.", &f->argv[1]);
}
