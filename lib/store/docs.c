/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/front.h"

#include <stdlib.h>
#include <string.h>

#include "command/document.h"

/* COMMAND DOCS.  Redis's own also tells complexity and history, which are texts of its manual. */

static const struct lrd_document nothing = {.name = "", .arguments = ""};

static const char *type_name(char type)
{
  static const struct {
    char type;
    const char *name;
  } types[] = {{'s', "string"}, {'i', "integer"},   {'d', "double"},     {'k', "key"},
               {'p', "pattern"}, {'u', "unix-time"}, {'t', "pure-token"}, {'o', "oneof"}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i].type == type)
      return types[i].name;
  return "block";
}

static void put_text(struct lrd_front *f, const char *name, const char *text)
{
  if (!text)
    return;
  lrd_front_text(f, name);
  lrd_front_text(f, text);
}

static void put_bytes(struct lrd_front *f, const char *name, larder_bytes text)
{
  if (!text.data)
    return;
  lrd_front_text(f, name);
  lrd_sink_string(f->sink, text.data, text.len);
}

static size_t flags_of(const struct lrd_argument *a)
{
  return (size_t)(a->optional + a->multiple + a->multiple_token);
}

static void put_flags(struct lrd_front *f, const struct lrd_argument *a)
{
  size_t n = flags_of(a);
  if (!n)
    return;
  lrd_front_text(f, "flags");
  lrd_sink_set(f->sink, n);
  if (a->optional)
    lrd_sink_status(f->sink, "optional");
  if (a->multiple)
    lrd_sink_status(f->sink, "multiple");
  if (a->multiple_token)
    lrd_sink_status(f->sink, "multiple_token");
}

static void put_arguments(struct lrd_front *f, larder_bytes text);

static void put_argument(struct lrd_front *f, const struct lrd_argument *a)
{
  const int there[] = {a->keyspec.data != NULL, a->token.data != NULL, a->since.data != NULL,
                       a->deprecated.data != NULL, flags_of(a) != 0, a->inside.data != NULL};
  size_t n = 2; /* name and type */
  for (size_t i = 0; i < sizeof there / sizeof *there; i++)
    n += (size_t)there[i];
  lrd_sink_map(f->sink, n);
  put_bytes(f, "name", a->name);
  put_text(f, "type", type_name(a->type));
  if (a->keyspec.data) {
    lrd_front_text(f, "key_spec_index");
    lrd_sink_integer(f->sink, atoi(a->keyspec.data));
  }
  put_bytes(f, "token", a->token);
  put_bytes(f, "since", a->since);
  put_bytes(f, "deprecated_since", a->deprecated);
  put_flags(f, a);
  put_arguments(f, a->inside);
}

/* An argument may be one of arguments, and so on: as deep as our own constant texts. */
static void put_arguments(struct lrd_front *f, larder_bytes text)
{
  larder_bytes rest = text;
  struct lrd_argument a;
  size_t n = 0;
  while (lrd_argument_next(&rest, &a))
    n++;
  if (!n)
    return;
  lrd_front_text(f, "arguments");
  lrd_sink_array(f->sink, n);
  while (lrd_argument_next(&text, &a))
    put_argument(f, &a);
}

/* parts: how many subcommands follow. */
static void put_document(struct lrd_front *f, const struct lrd_document *d, const char *summary,
                         const char *since, const char *group, size_t parts)
{
  larder_bytes arguments = {d->arguments, strlen(d->arguments)};
  lrd_sink_map(f->sink, 3u + (d->deprecated ? 3 : 0) + (size_t)(arguments.len > 0) + (parts > 0));
  put_text(f, "summary", summary);
  put_text(f, "since", since);
  put_text(f, "group", group);
  if (d->deprecated) {
    lrd_front_text(f, "doc_flags");
    lrd_sink_set(f->sink, 1);
    lrd_sink_status(f->sink, "deprecated");
    put_text(f, "deprecated_since", d->deprecated);
    put_text(f, "replaced_by", d->replacement);
  }
  put_arguments(f, arguments);
}

static const struct lrd_document *find(const char *name)
{
  const struct lrd_document *d = lrd_document_find(name);
  return d ? d : &nothing;
}

static void put_part(struct lrd_front *f, unsigned command, const char *name)
{
  const struct lrd_document *d = find(name);
  lrd_front_text(f, name);
  put_document(f, d, d->summary, d->since, lrd_commands[command].group, 0);
}

static void put_command(struct lrd_front *f, unsigned command)
{
  const struct lrd_command *c = &lrd_commands[command];
  size_t parts = 0;
  while (lrd_front_part(command, parts))
    parts++;
  lrd_front_text(f, c->name);
  put_document(f, find(c->name), c->summary, c->since, c->group, parts);
  if (!parts)
    return;
  lrd_front_text(f, "subcommands");
  lrd_sink_map(f->sink, parts);
  for (size_t i = 0; i < parts; i++)
    put_part(f, command, lrd_front_part(command, i)->name);
}

static int is_listed(unsigned command)
{
  return command != LRD_NO_COMMAND && !(lrd_commands[command].flags & LRD_INTERNAL);
}

/* A command, or one of its subcommands; 0: there is none.  write 0: only that. */
static int put_named(struct lrd_front *f, const larder_bytes *name, int write)
{
  unsigned command = lrd_command_find(name->data, name->len);
  if (is_listed(command)) {
    if (write)
      put_command(f, command);
    return 1;
  }
  const struct lrd_detail *part = lrd_front_find_part(name, &command);
  if (part && write)
    put_part(f, command, part->name);
  return part != NULL;
}

void lrd_front_docs(struct lrd_front *f)
{
  size_t n = 0;
  if (f->argc > 2) {
    for (int i = 2; i < f->argc; i++)
      n += (size_t)put_named(f, &f->argv[i], 0);
    lrd_sink_map(f->sink, n);
    for (int i = 2; i < f->argc; i++)
      put_named(f, &f->argv[i], 1);
    return;
  }
  for (unsigned id = 0; id < LRD_COMMANDS; id++)
    n += (size_t)is_listed(id);
  lrd_sink_map(f->sink, n);
  for (unsigned id = 0; id < LRD_COMMANDS; id++)
    if (is_listed(id))
      put_command(f, id);
}
