/* SPDX-License-Identifier: BSD-2-Clause */
#include "proof/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "util/memory.h"

static const char long_text[] =
  "000000000011111111112222222222333333333344444444445555555555666666666677777777778888888888"
  "000000000011111111112222222222333333333344444444445555555555666666666677777777778888888888"
  "000000000011111111112222222222333333333344444444445555555555666666666677777777778888888888";

static void put(struct lrd_buffer *b, const char *bytes, size_t len)
{
  if (lrd_buffer_append(b, bytes, len))
    abort();
}

/* One word; '#' is the number, LONG the long text; a zero byte ends it. */
static void put_word(struct words *w, const char *word, size_t len, int number)
{
  char digits[16];
  int n = snprintf(digits, sizeof digits, "%d", number);

  if (w->argc == STAGE_WORDS)
    abort();
  for (size_t i = 0; i < len; i++)
    if (number >= 0 && word[i] == '#')
      put(&w->text, digits, (size_t)n);
    else if (len - i >= 4 && !memcmp(word + i, "LONG", 4)) {
      put(&w->text, long_text, sizeof long_text - 1);
      i += 3;
    } else
      put(&w->text, word + i, 1);
  put(&w->text, "", 1);
  w->argc++;
}

static void put_words(struct words *w, const char *p, const char *end, int number)
{
  while (p < end) {
    const char *space = memchr(p, ' ', (size_t)(end - p)), *stop = space ? space : end;

    if (stop > p)
      put_word(w, p, (size_t)(stop - p), number);
    p = stop + 1;
  }
}

static void point_at_words(struct words *w)
{
  const char *p = w->text.data;

  for (int i = 0; i < w->argc; i++) {
    w->argv[i] = p;
    w->len[i] = strlen(p);
    p += w->len[i] + 1;
  }
}

static void words_read(struct words *w, const char *p, const char *end)
{
  const char *open = memchr(p, '{', (size_t)(end - p));
  const char *close = open ? memchr(open, '}', (size_t)(end - open)) : NULL;

  w->argc = 0;
  lrd_buffer_init(&w->text, &lrd_memory_system, 0);
  if (close) {
    int times = atoi(strchr(close, '<') + 1);

    put_words(w, p, open, -1);
    for (int i = 0; i < times; i++)
      put_words(w, open + 1, close, i);
  } else {
    put_words(w, p, end, -1);
  }
  point_at_words(w);
}

static int is_known(const struct words *w)
{
  return lrd_command_find(w->argv[0], w->len[0]) < LRD_COMMANDS;
}

static const char *read_kind(struct scene *s, const char *line)
{
  static const char *const name[] = { [CALL_ASYNC] = "async: ",     [CALL_BATCH] = "batch: ",
                                      [CALL_ATOMIC] = "atomic: ",   [CALL_SESSION] = "session: ",
                                      [CALL_GET] = "get: ",         [CALL_SET] = "set: " };

  if ((s->by_chance = *line == '~'))
    line++;
  s->kind = CALL_PLAIN;
  for (enum call_kind k = CALL_ASYNC; k <= CALL_SET; k++)
    if (!strncmp(line, name[k], strlen(name[k]))) {
      s->kind = k;
      line += strlen(name[k]);
    }
  return line;
}

int scene_read(struct scene *s, const char *line)
{
  s->line = line;
  s->count = 0;
  line = read_kind(s, line);
  for (const char *end; line; line = *end ? end + 2 : NULL) {
    const char *mark = strstr(line, "; ");

    end = mark ? mark : line + strlen(line);
    if (s->count == STAGE_COMMANDS)
      abort();
    words_read(&s->command[s->count++], line, end);
    if (s->kind != CALL_GET && s->kind != CALL_SET && !is_known(&s->command[s->count - 1])) {
      scene_free(s);
      return 0;
    }
  }
  return 1;
}

void scene_free(struct scene *s)
{
  for (size_t i = 0; i < s->count; i++)
    lrd_buffer_free(&s->command[i].text);
  s->count = 0;
}
