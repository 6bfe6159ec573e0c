/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote.h"

#include <unistd.h>

#include "remote_store.h"

/* What a connected store costs that nobody calls: processor time of this process while it sleeps,
 * after calls of both kinds, so that all threads are there that it may have. */

static const struct {
  const char *name, *fallback;
} rows[] = { { "larder", "none" }, { "larder-fallback", "memory" } };

enum { ROWS = sizeof rows / sizeof rows[0], IDLE_US = 1000000, SETTLE_US = 100000 };

static void drop(void *context, larder_reply *reply)
{
  (void)context;
  larder_reply_free(reply);
}

static int measure(struct bench *bench, const struct site *site, size_t r)
{
  larder *store = remote_store(site, TRANSPORT_UNIX, rows[r].fallback, LARDER_DELIVER_THREAD);
  double begin, cpu;

  if (store == NULL)
    return -1;
  larder_async_command(store, drop, NULL, "PING");
  usleep(SETTLE_US);
  begin = now_ns();
  cpu = process_cpu_ns();
  usleep(bench->quick ? IDLE_US / 100 : IDLE_US);
  figure_add(bench, "remote-idle", rows[r].name, "ms CPU a second", 0,
             (process_cpu_ns() - cpu) * 1e3 / (now_ns() - begin));
  larder_close(store, 1000);
  return 0;
}

int remote_idle(struct bench *bench, struct site *site)
{
  size_t round, r;
  int wanted[ROWS], failed = 0;

  for (r = 0; r < ROWS; r++)
    wanted[r] = bench_wants(bench, "remote-idle", rows[r].name);
  for (round = 0; round < bench->rounds && !failed; round++)
    for (r = 0; r < ROWS && !failed; r++)
      if (wanted[r] && site_ready(bench, site)) {
        bench_progress(bench, "round %zu of %zu  remote-idle", round + 1, bench->rounds);
        failed = measure(bench, site, r);
      }
  return failed;
}
