/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/front.h"

#include <string.h>
#include <strings.h>

#include "command/argv.h"

/* COMMAND and its subcommands. */

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

/* The next word of a list separated by spaces; len 0: no more. */
static larder_bytes next_word(const char **list)
{
  const char *p = *list + strspn(*list, " ");
  larder_bytes word = {p, strcspn(p, " ")};
  *list = p + word.len;
  return word;
}

static void command_all(struct lrd_front *f)
{
  lrd_sink_array(f->sink, public_commands());
  for (unsigned id = 1; id < LRD_COMMANDS; id++)
    if (is_public(id))
      lrd_front_describe(f, id);
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
      lrd_front_describe(f, id);
    else if (!lrd_front_describe_part(f, &f->argv[i]))
      lrd_sink_nil(f->sink);
  }
}

static void command_count(struct lrd_front *f)
{
  if (f->argc == 2)
    lrd_sink_integer(f->sink, (int64_t)public_commands());
  else
    lrd_front_refuse_count(f, "command|count");
}

static int in_category(const char *list, const larder_bytes *category)
{
  larder_bytes word;
  while ((word = next_word(&list)).len) {
    if (word.len == category->len + 1 && /* '@' */
        strncasecmp(word.data + 1, category->data, category->len) == 0)
      return 1;
  }
  return 0;
}

static int selected(const struct lrd_front *f, const char *name, const char *categories)
{
  if (f->argc == 2)
    return 1;
  if (lrd_is_word(&f->argv[3], "pattern"))
    return lrd_glob(f->argv[4].data, f->argv[4].len, name, strlen(name), 1);
  if (lrd_is_word(&f->argv[3], "aclcat"))
    return in_category(categories, &f->argv[4]);
  return 0; /* MODULE: there are none */
}

/* Subcommands are commands here.  Returns how many there are; write 0: only that. */
static size_t list_names(struct lrd_front *f, int write)
{
  size_t n = 0;
  for (unsigned id = 1; id < LRD_COMMANDS; id++) {
    const struct lrd_detail *part;
    const char *name = lrd_commands[id].name, *categories = lrd_commands[id].acl;
    for (size_t i = 0; is_public(id) && name; i++) {
      if (selected(f, name, categories)) {
        n++;
        if (write)
          lrd_front_text(f, name);
      }
      part = lrd_front_part(id, i);
      name = part ? part->name : NULL;
      categories = part ? part->acl : NULL;
    }
  }
  return n;
}

static void command_list(struct lrd_front *f)
{
  int filter = f->argc == 5 && lrd_is_word(&f->argv[2], "filterby") &&
               (lrd_is_word(&f->argv[3], "module") || lrd_is_word(&f->argv[3], "aclcat") ||
                lrd_is_word(&f->argv[3], "pattern"));
  if (f->argc != 2 && !filter) {
    lrd_front_refuse(f, "ERR syntax error");
    return;
  }
  lrd_sink_array(f->sink, list_names(f, 0));
  list_names(f, 1);
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
  else if (lrd_is_word(&f->argv[1], "docs"))
    lrd_front_docs(f);
  else if (lrd_is_word(&f->argv[1], "getkeys"))
    lrd_front_keys(f, 0);
  else if (lrd_is_word(&f->argv[1], "getkeysandflags"))
    lrd_front_keys(f, 1);
  else
    lrd_front_refuse_word(f, "ERR unknown subcommand '%s'. Try COMMAND HELP.", &f->argv[1]);
}
