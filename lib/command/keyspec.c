/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/keyspec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/number.h"

/* --- the texts ------------------------------------------------------------------- */

larder_bytes lrd_part_next(larder_bytes *list, char separator)
{
  larder_bytes part = { list->len ? list->data : NULL, 0 };
  size_t taken;

  while (part.len < list->len && part.data[part.len] != separator)
    part.len++;
  taken = part.len + (part.len < list->len);
  list->data += taken;
  list->len -= taken;
  return part;
}

size_t lrd_parts(larder_bytes list, char separator)
{
  size_t n = 0;

  while (lrd_part_next(&list, separator).data)
    n++;
  return n;
}

static struct lrd_search read_search(larder_bytes text)
{
  struct lrd_search s = { .kind = lrd_part_next(&text, ' ') };
  larder_bytes part;

  for (size_t n = 0; n < LRD_SEARCH_NUMBERS && (part = lrd_part_next(&text, ' ')).data;)
    if ((*part.data >= '0' && *part.data <= '9') || *part.data == '-')
      s.number[n++] = atoi(part.data);
    else
      s.word = part;
  return s;
}

int lrd_keyspec_next(larder_bytes *list, struct lrd_keyspec *spec)
{
  larder_bytes text = lrd_part_next(list, '|');

  if (!text.data)
    return 0;
  spec->flags = lrd_part_next(&text, ';');
  spec->begin = read_search(lrd_part_next(&text, ';'));
  spec->find = read_search(lrd_part_next(&text, ';'));
  spec->note = text;
  return 1;
}

/* --- finding --------------------------------------------------------------------- */

static int is_kind(const struct lrd_search *s, const char *kind)
{
  return s->kind.len == strlen(kind) && memcmp(s->kind.data, kind, s->kind.len) == 0;
}

int lrd_keyspec_flag(const struct lrd_keyspec *spec, const char *flag)
{
  larder_bytes flags = spec->flags, word;

  while ((word = lrd_part_next(&flags, ' ')).data)
    if (word.len == strlen(flag) && memcmp(word.data, flag, word.len) == 0)
      return 1;
  return 0;
}

/* Where the search for keys begins; 0: nowhere. */
static int first_of(const struct lrd_search *begin, const larder_vector *v)
{
  if (is_kind(begin, "index"))
    return begin->number[0];
  if (is_kind(begin, "keyword"))
    for (int i = begin->number[0]; i < v->argc - 1; i++)
      if (v->argv[i].len == begin->word.len &&
          strncasecmp(v->argv[i].data, begin->word.data, begin->word.len) == 0)
        return i + 1;
  return 0;
}

/* Keys from *first to *last, *step apart.  0: an argument isn't as it has to be. */
static int range_of(const struct lrd_search *find, const larder_vector *v, int *first, int *last,
                    int *step)
{
  int64_t count;

  if (is_kind(find, "range")) {
    *step = find->number[1];
    if (find->number[0] >= 0)
      *last = *first + find->number[0];
    else if (find->number[2] > 1)
      *last = *first + (v->argc - *first) / find->number[2] + find->number[0];
    else
      *last = v->argc + find->number[0];
  } else {
    int at = *first + find->number[0];

    if (at >= v->argc || !lrd_parse_integer(v->argv[at].data, v->argv[at].len, &count) ||
        count < 0 || count > v->argc)
      return 0;
    *step = find->number[2];
    *first += find->number[1];
    *last = *first + ((int)count - 1) * *step;
  }
  return *first < v->argc && *last < v->argc && *last >= *first;
}

/* --- those whose arguments tell more ----------------------------------------------- */

static int any_word(const larder_vector *v, int from, const char *word)
{
  for (int i = from; i < v->argc; i++)
    if (lrd_is_word(&v->argv[i], word))
      return 1;
  return 0;
}

/* Does a BITFIELD of these arguments only read?  What isn't complete is no operation. */
static int only_reads(const larder_vector *v)
{
  for (int i = 2; i < v->argc; i++) {
    int left = v->argc - i - 1;

    if (lrd_is_word(&v->argv[i], "GET") && left >= 2)
      i += 2;
    else if (lrd_is_word(&v->argv[i], "OVERFLOW") && left >= 1)
      i++;
    else
      return 0;
  }
  return 1;
}

static larder_bytes flags_of(const larder_vector *v, const struct lrd_keyspec *spec)
{
  static const larder_bytes overwrites = { "OW update", 9 }, reads = { "RO access", 9 },
                            updates = { "RW access update", 16 };

  if (!lrd_keyspec_flag(spec, "variable_flags"))
    return spec->flags;
  if (v->command == LRD_SET)
    return any_word(v, 3, "GET") ? updates : overwrites;
  return only_reads(v) ? reads : updates;
}

/* SORT's STORE may stand anywhere behind the key; the last one counts. */
static int destination_of_sort(const larder_vector *v)
{
  struct lrd_keys keys = lrd_command_key_range(v);

  return keys.count > 1 ? lrd_key_index(&keys, 1) : 0;
}

int lrd_keyspec_keys(const struct lrd_detail *detail, const larder_vector *v,
                     void (*visit)(void *context, const struct lrd_found *), void *context)
{
  larder_bytes list = { detail->keys, strlen(detail->keys) };
  struct lrd_keyspec spec;
  int found = 0, first, last, step;

  while (lrd_keyspec_next(&list, &spec)) {
    if (lrd_keyspec_flag(&spec, "not_key"))
      continue;
    if (is_kind(&spec.begin, "unknown")) {
      first = last = lrd_keyspec_flag(&spec, "OW") ? destination_of_sort(v) : 0;
      step = 1;
    } else if ((first = first_of(&spec.begin, v)) && !range_of(&spec.find, v, &first, &last, &step)) {
      return -1;
    }
    for (int i = first; first && i <= last; i += step, found++)
      visit(context, &(struct lrd_found){ i, flags_of(v, &spec) });
  }
  return found;
}
