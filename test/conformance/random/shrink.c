/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/random/play.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The history without the commands from .. from + n - 1, which stay its own. */
static struct history without(const struct history *h, size_t from, size_t n)
{
  struct history part = {.count = h->count - n, .room = h->count};
  part.command = malloc((h->count + 1) * sizeof *part.command);
  if (!part.command)
    exit(1);
  memcpy(part.command, h->command, from * sizeof *part.command);
  memcpy(part.command + from, h->command + from + n, (h->count - from - n) * sizeof *part.command);
  return part;
}

static void cut(struct history *h, size_t from, size_t n)
{
  for (size_t i = from; i < from + n; i++)
    free(h->command[i]);
  memmove(h->command + from, h->command + from + n, (h->count - from - n) * sizeof *h->command);
  h->count -= n;
}

static void cut_after(struct play *p, struct history *h)
{
  if (p->at + 1 < h->count)
    cut(h, p->at + 1, h->count - p->at - 1);
}

/* Tries to do without each piece of that size; 1: something went. */
static int pass(struct play *p, struct history *h, size_t size, double end)
{
  int smaller = 0;
  for (size_t from = 0; from < h->count && seconds_now() < end;) {
    size_t n = h->count - from < size ? h->count - from : size;
    struct history part = without(h, from, n);
    int still = play(p, &part);
    free(part.command);
    if (!still) {
      from += n;
      continue;
    }
    cut(h, from, n);
    cut_after(p, h);
    smaller = 1;
  }
  return smaller;
}

int shrink(struct play *p, struct history *h, int seconds)
{
  double end = seconds_now() + seconds;
  if (!play(p, h))
    return 0;
  cut_after(p, h);
  for (size_t size = h->count / 2; size > 1; size /= 2)
    pass(p, h, size, end);
  while (pass(p, h, 1, end) && seconds_now() < end)
    continue;
  return play(p, h);
}
