/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

const struct figure *figure_find(const struct bench *bench, const struct figure_name *name)
{
  size_t i;

  for (i = 0; i < bench->figures; i++) {
    const struct figure *f = &bench->figure[i];

    if (f->x == name->x && strcmp(f->what, name->what) == 0 && strcmp(f->who, name->who) == 0 &&
        strcmp(f->unit, name->unit) == 0)
      return f;
  }
  return NULL;
}

static struct figure *add_figure(struct bench *bench, const struct figure_name *name)
{
  struct figure *f;

  if (bench->figures == bench->room) {
    size_t room = bench->room == 0 ? 64 : 2 * bench->room;
    struct figure *grown = bench_memory(room, sizeof *grown);

    if (bench->figures > 0)
      memcpy(grown, bench->figure, bench->figures * sizeof *grown);
    free(bench->figure);
    bench->figure = grown;
    bench->room = room;
  }
  f = &bench->figure[bench->figures++];
  snprintf(f->what, sizeof f->what, "%s", name->what);
  snprintf(f->who, sizeof f->who, "%s", name->who);
  snprintf(f->unit, sizeof f->unit, "%s", name->unit);
  f->x = name->x;
  return f;
}

void figure_add(struct bench *bench, const char *what, const char *who, const char *unit, double x,
                double value)
{
  struct figure_name name = { what, who, unit, x };
  const struct figure *found = figure_find(bench, &name);
  struct figure *f = found != NULL ? bench->figure + (found - bench->figure)
                                   : add_figure(bench, &name);

  if (f->count < ROUNDS_MAX)
    f->value[f->count++] = value;
}

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

struct summary summarize(const double *value, size_t count)
{
  double sorted[ROUNDS_MAX];
  struct summary s = { 0, 0, 0 };

  if (count == 0)
    return s;
  memcpy(sorted, value, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, by_size);
  s.least = sorted[0];
  s.most = sorted[count - 1];
  s.median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
  return s;
}
