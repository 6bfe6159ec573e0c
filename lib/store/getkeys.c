/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/front.h"

#include <string.h>

#include "command/keyspec.h"

/* COMMAND GETKEYS and GETKEYSANDFLAGS: the keys of the vector behind them. */

struct listing {
  struct lrd_front *f;
  const larder_vector *v;
  int flags; /* with them */
};

/* What COMMAND INFO knows of the vector, and its arity; 0: there is no such command. */
static int find_detail(const larder_vector *v, const struct lrd_detail **detail, int *arity)
{
  const struct lrd_command *c = &lrd_commands[v->command];
  if (v->command == LRD_NO_COMMAND)
    return 0;
  *arity = c->arity;
  *detail = lrd_detail_find(c->name);
  if (!(c->flags & LRD_PARTS))
    return 1;
  for (size_t i = 0; (*detail = lrd_front_part(v->command, i)) != NULL; i++)
    if (lrd_is_word(&v->argv[1], lrd_command_part(v->command, i))) {
      *arity = (*detail)->arity;
      return 1;
    }
  return 0;
}

static int has_keys(const struct lrd_detail *detail)
{
  larder_bytes list = {detail ? detail->keys : "", detail ? strlen(detail->keys) : 0};
  struct lrd_keyspec spec;
  while (lrd_keyspec_next(&list, &spec))
    if (!lrd_keyspec_flag(&spec, "not_key"))
      return 1;
  return 0;
}

static void ignore(void *context, const struct lrd_found *found)
{
  (void)context;
  (void)found;
}

static void put_key(void *context, const struct lrd_found *found)
{
  const struct listing *l = context;
  const larder_bytes *key = &l->v->argv[found->index];
  larder_bytes flags = found->flags, word;
  if (l->flags)
    lrd_sink_array(l->f->sink, 2);
  lrd_sink_string(l->f->sink, key->data, key->len);
  if (!l->flags)
    return;
  lrd_sink_set(l->f->sink, lrd_parts(flags, ' '));
  while ((word = lrd_part_next(&flags, ' ')).data)
    l->f->sink->type->status(l->f->sink, word.data, word.len);
}

void lrd_front_keys(struct lrd_front *f, int flags)
{
  larder_vector v = {.command = lrd_command_find(f->argv[2].data, f->argv[2].len),
                     .argc = f->argc - 2,
                     .argv = f->argv + 2};
  struct listing listing = {.f = f, .v = &v, .flags = flags};
  const struct lrd_detail *detail;
  int arity, found;
  if (!find_detail(&v, &detail, &arity)) {
    lrd_front_refuse(f, "ERR Invalid command specified");
  } else if (!has_keys(detail)) {
    lrd_front_refuse(f, "ERR The command has no key arguments");
  } else if (arity > 0 ? v.argc != arity : v.argc < -arity) {
    lrd_front_refuse(f, "ERR Invalid number of arguments specified for command");
  } else if ((found = lrd_keyspec_keys(detail, &v, ignore, NULL)) < 1) {
    lrd_front_refuse(f, "ERR Invalid arguments specified for command");
  } else {
    lrd_sink_array(f->sink, (size_t)found);
    lrd_keyspec_keys(detail, &v, put_key, &listing);
  }
}
