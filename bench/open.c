/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include <larder.h>

#include "bench.h"

/* What an empty store costs: opening and closing it, and the growth of a process that
 * has STORES of them, idle, each with its thread if it has one. */

enum { TIMES = 200, STORES = 32 };

static void weigh(void *context, double *out)
{
  larder *store[STORES];
  double before;
  size_t i;

  (void)context;
  larder_close(larder_open("memory:", NULL, NULL, 0), 0); /* what the first one loads */
  before = resident_bytes(0);
  for (i = 0; i < STORES; i++)
    if ((store[i] = larder_open("memory:", NULL, NULL, 0)) == NULL)
      _exit(1);
  usleep(50000);
  *out = (resident_bytes(0) - before) / STORES;
}

int run_open(struct bench *bench)
{
  size_t round, i;

  if (!bench_wants(bench, "open", "larder"))
    return 0;
  for (round = 0; round < bench->rounds; round++) {
    double begin = now_ns(), bytes;

    bench_progress(bench, "round %zu of %zu  open/larder", round + 1, bench->rounds);
    for (i = 0; i < TIMES; i++) {
      larder *store = larder_open("memory:", NULL, NULL, 0);

      if (store == NULL)
        return -1;
      larder_close(store, 0);
    }
    figure_add(bench, "open", "larder", "us", 0, (now_ns() - begin) / 1e3 / TIMES);
    if (in_child(weigh, NULL, &bytes, 1) != 0) {
      fprintf(stderr, "bench: open failed\n");
      return -1;
    }
    figure_add(bench, "open", "larder", "KiB resident", 0, bytes / 1024);
  }
  return 0;
}
