/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <errno.h>
#include <string.h>

/* Three digits that count. */
static void print_number(FILE *out, double value)
{
  if (value >= 1e9)
    fprintf(out, " %9.3ge9", value / 1e9);
  else if (value >= 1e6)
    fprintf(out, " %9.1fe6", value / 1e6);
  else if (value >= 1000)
    fprintf(out, " %11.0f", value);
  else
    fprintf(out, " %11.*f", value >= 100 ? 0 : value >= 10 ? 1 : 2, value);
}

void print_figures(FILE *out, const struct bench *bench)
{
  size_t i;

  fprintf(out, "\n%-22s %-22s %9s %12s %11s %11s %7s %6s  %s\n", "", "", "x", "median", "least",
          "most", "spread", "rounds", "unit");
  for (i = 0; i < bench->figures; i++) {
    const struct figure *f = &bench->figure[i];
    struct summary s = summarize(f->value, f->count);

    if (strstr(f->what, "-timeline") != NULL)
      continue; /* for the plot */
    fprintf(out, "%-22s %-22s ", f->what, f->who);
    if (f->x != 0)
      fprintf(out, "%9g ", f->x);
    else
      fprintf(out, "%9s ", "");
    print_number(out, s.median);
    print_number(out, s.least);
    print_number(out, s.most);
    fprintf(out, " %6.0f%% %6zu  %s\n", s.median != 0 ? 100 * (s.most - s.least) / s.median : 0,
            f->count, f->unit);
  }
  fprintf(out, "\nspread: (most - least) / median.\n");
}

int write_csv(const char *path, const struct bench *bench)
{
  FILE *out = fopen(path, "we");
  size_t i, v;
  int failed;

  if (out == NULL) {
    fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
    return -1;
  }
  print_environment(out, bench, "# ");
  fprintf(out, "case,who,unit,x,round,seed,value\n");
  for (i = 0; i < bench->figures; i++) {
    const struct figure *f = &bench->figure[i];

    for (v = 0; v < f->count; v++)
      fprintf(out, "%s,%s,%s,%g,%zu,%llu,%.6g\n", f->what, f->who, f->unit, f->x, v + 1,
              (unsigned long long)bench->round_seed[v], f->value[v]);
  }
  failed = ferror(out);
  failed |= fclose(out);
  if (failed) {
    fprintf(stderr, "bench: %s: could not be written\n", path);
    return -1;
  }
  return 0;
}
