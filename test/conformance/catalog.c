/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/compare.h"

static struct resp *ask(struct target *t, const char *what, const char *name)
{
  const char *argv[] = {"COMMAND", what, name};
  return t->call(t, 0, name ? 3 : 2, argv, NULL);
}

static int complain(const struct target *t, const char *name, char *text)
{
  printf("%s: COMMAND INFO %s: %s\n", t->name, name, text);
  fflush(stdout);
  free(text);
  return 1;
}

/* Of the ten fields all but the last, the subcommands. */
static int compare_fields(struct target *t, const char *name, struct resp *expected,
                          struct resp *got)
{
  static const char *const fields[] = {"name", "arity", "flags", "first", "last",
                                       "step", "acl",   "tips",  "keys"};
  int bad = 0;
  if (got->len != 10)
    return complain(t, name, strdup("10 fields expected"));
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    char *text = compare(&expected->element[i], &got->element[i], COMPARE_UNORDERED);
    if (text)
      printf("(%s) ", fields[i]);
    bad += text ? complain(t, name, text) : 0;
  }
  return bad;
}

/* Each subcommand is one of Redis's, and as Redis describes it. */
static int compare_parts(struct target *t, struct resp *expected, struct resp *got)
{
  int bad = 0;
  for (size_t i = 0; i < got->len; i++) {
    struct resp *part = &got->element[i];
    size_t k = 0;
    while (k < expected->len && strcmp(expected->element[k].element[0].str, part->element[0].str))
      k++;
    bad += k < expected->len ? compare_fields(t, part->element[0].str, &expected->element[k], part)
                             : complain(t, part->element[0].str, strdup("no such subcommand"));
  }
  return bad;
}

static int run_info(struct target *target, struct target *oracle, const char *name)
{
  struct resp *expected = ask(oracle, "INFO", name), *got = ask(target, "INFO", name);
  int bad;
  if (!got->element || got->len != 1 || !got->element[0].element)
    bad = complain(target, name, resp_text(got));
  else
    bad = compare_fields(target, name, &expected->element[0], &got->element[0]) +
          compare_parts(target, &expected->element[0].element[9], &got->element[0].element[9]);
  resp_free(expected);
  resp_free(got);
  return bad;
}

/* --- COMMAND DOCS ------------------------------------------------------------ */

/* The value of a key in a map; NULL: it is not there. */
static struct resp *value_of(const struct resp *map, const char *key)
{
  for (size_t i = 0; map->element && i + 1 < map->len; i += 2)
    if (resp_is_text(&map->element[i], key))
      return &map->element[i + 1];
  return NULL;
}

/* Our texts are our own. */
static int is_prose(const char *field)
{
  static const char *const fields[] = {"summary", "complexity", "history", "replaced_by"};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    if (strcmp(field, fields[i]) == 0)
      return 1;
  return 0;
}

static int compare_documents(struct target *t, struct resp *expected, struct resp *got);

static int compare_document(struct target *t, const char *name, struct resp *expected,
                            struct resp *got)
{
  struct resp *summary = value_of(got, "summary");
  int bad = 0;
  if (!summary || !summary->str || !*summary->str)
    bad += complain(t, name, strdup("no summary"));
  for (size_t i = 0; i + 1 < got->len; i += 2)
    if (!value_of(expected, got->element[i].str))
      bad += complain(t, name, strdup("has a field that Redis has not"));
  for (size_t i = 0; i + 1 < expected->len; i += 2) {
    const char *field = expected->element[i].str;
    struct resp *value = value_of(got, field);
    if (strcmp(field, "subcommands") == 0 && value)
      bad += compare_documents(t, &expected->element[i + 1], value);
    else if (!is_prose(field)) {
      char *text = value ? compare(&expected->element[i + 1], value, COMPARE_UNORDERED)
                         : strdup("is missing");
      if (text)
        printf("(DOCS, %s) ", field);
      bad += text ? complain(t, name, text) : 0;
    }
  }
  return bad;
}

/* Each that we have is one of Redis's. */
static int compare_documents(struct target *t, struct resp *expected, struct resp *got)
{
  int bad = got->len == 0;
  for (size_t i = 0; i + 1 < got->len; i += 2) {
    const char *name = got->element[i].str;
    struct resp *theirs = value_of(expected, name);
    bad += theirs ? compare_document(t, name, theirs, &got->element[i + 1])
                  : complain(t, name, strdup("Redis has no DOCS of it"));
  }
  return bad;
}

static int run_docs(struct target *target, struct target *oracle, const char *name)
{
  struct resp *expected = ask(oracle, "DOCS", name), *got = ask(target, "DOCS", name);
  int bad = compare_documents(target, expected, got);
  resp_free(expected);
  resp_free(got);
  return bad;
}

static int has(const struct resp *list, const char *name)
{
  for (size_t i = 0; list->element && i < list->len; i++)
    if (resp_is_text(&list->element[i], name))
      return 1;
  return 0;
}

/* LIST names what Redis does, COUNT counts those of them that are no subcommands. */
static int run_list(struct target *target, const struct resp *all, const struct resp *list)
{
  struct resp *count = ask(target, "COUNT", NULL);
  int64_t whole = 0;
  int bad = 0;
  for (size_t i = 0; i < list->len; i++) {
    whole += strchr(list->element[i].str, '|') == NULL;
    if (!has(all, list->element[i].str))
      bad += complain(target, list->element[i].str, strdup("no such command in Redis"));
  }
  if (count->type != RESP_INTEGER || count->integer != whole || whole == 0)
    bad += complain(target, "", strdup("COMMAND COUNT is not the length of COMMAND LIST"));
  resp_free(count);
  return bad;
}

/* Of a command that only Redis has, as of none. */
static int run_unknown(struct target *target, struct target *oracle, const char *name)
{
  struct resp *none = ask(oracle, "INFO", "nosuch"), *got = ask(target, "INFO", name);
  char *text = compare(none, got, 0);
  int bad = text ? complain(target, name, text) : 0;
  resp_free(none);
  resp_free(got);
  return bad;
}

int catalog_run(struct target *target, struct target *oracle)
{
  struct resp *all = ask(oracle, "LIST", NULL), *list = ask(target, "LIST", NULL);
  int bad;
  if (!all->element || !list->element) {
    bad = complain(target, "LIST", resp_text(list));
  } else {
    bad = run_list(target, all, list) + run_info(target, oracle, "Client|SetName") +
          run_unknown(target, oracle, "nosuch") + run_docs(target, oracle, NULL) +
          run_docs(target, oracle, "Object|Encoding") + run_docs(target, oracle, "gEt");
    for (size_t i = 0; i < all->len; i++)
      bad += has(list, all->element[i].str) ? run_info(target, oracle, all->element[i].str)
                                            : run_unknown(target, oracle, all->element[i].str);
  }
  resp_free(all);
  resp_free(list);
  return bad;
}
