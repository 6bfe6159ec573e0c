/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/random/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conformance/line.h"

static void *need(void *block)
{
  if (block)
    return block;
  fprintf(stderr, "out of memory\n");
  _exit(1);
}

struct command *command_new(int session, int argc, const char *const *argv, const size_t *len)
{
  size_t size = sizeof(struct command);
  for (int i = 0; i < argc; i++)
    size += len[i] + 1;
  struct command *c = need(calloc(1, size));
  char *text = (char *)(c + 1);
  c->session = session;
  c->argc = argc;
  for (int i = 0; i < argc; i++) {
    memcpy(text, argv[i], len[i]);
    c->argv[i] = text;
    c->len[i] = len[i];
    text += len[i] + 1;
  }
  return c;
}

void history_add(struct history *h, struct command *c)
{
  if (h->count == h->room) {
    h->room = h->room ? h->room * 2 : 256;
    h->command = need(realloc(h->command, h->room * sizeof *h->command));
  }
  h->command[h->count++] = c;
}

void history_free(struct history *h)
{
  for (size_t i = 0; i < h->count; i++)
    free(h->command[i]);
  free(h->command);
  memset(h, 0, sizeof *h);
}

void history_print(const struct history *h)
{
  for (size_t i = 0; i < h->count; i++) {
    const struct command *c = h->command[i];
    char *text = line_print(c->argc, c->argv, c->len);
    printf("    %s%s\n", c->session ? "2> " : "", text);
    free(text);
  }
}

uint64_t dice_next(struct dice *d)
{
  uint64_t z = d->state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

unsigned dice_below(struct dice *d, unsigned n)
{
  return (unsigned)((dice_next(d) >> 32) * n >> 32);
}

int dice_percent(struct dice *d, unsigned percent)
{
  return dice_below(d, 100) < percent;
}
