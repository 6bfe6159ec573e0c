/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote.h"

/*
 * The remote backend beside hiredis, at a redis-server of the run's own.  Its keys are fewer than
 * elsewhere: what is compared is the way to it, which its table has no share of.
 */

const char *const transport_name[TRANSPORTS] = { "unix", "tcp" };

int tally_work(struct tally *tally, const struct site *site, size_t calls, int (*work)(void *),
               void *context)
{
  double server = process_ns(redis_pid(site->server)), client = process_cpu_ns();
  double begin = now_ns();
  int failed = work(context);

  tally->wall += now_ns() - begin;
  tally->client += process_cpu_ns() - client;
  tally->server += redis_cpu_ns(site->server) - server;
  tally->calls += calls;
  return failed ? -1 : 0;
}

void tally_note(struct bench *bench, const struct tally *tally, const char *what, const char *who,
                double x)
{
  double calls = (double)tally->calls;

  figure_add(bench, what, who, "op/s", x, calls * 1e9 / tally->wall);
  figure_add(bench, what, who, "us CPU client", x, tally->client / calls / 1e3);
  figure_add(bench, what, who, "us CPU server", x, tally->server / calls / 1e3);
}

static int fill(struct bench *bench, const struct site *site)
{
  struct load load;
  int failed;

  bench_progress(bench, "filling redis for remote");
  load_shuffled(&load, bench->keys / 10, bench->seed);
  failed = redis_fill(site->server, op_info[OP_SET].fill, &load, 0, load.count);
  load_free(&load);
  return failed;
}

int site_ready(struct bench *bench, struct site *site)
{
  char why[256] = "", version[16];

  if (site->server != NULL || site->failed)
    return site->server != NULL;
  site->failed = 1;
  site->server = redis_open_port(&site->port, why, sizeof why);
  if (site->server == NULL) {
    bench_note(bench, "remote: %s", why);
    return 0;
  }
  redis_info(site->server, "redis_version", version, sizeof version);
  bench_server(bench, "redis", version);
  if (fill(bench, site) == 0) {
    site->failed = 0;
    return 1;
  }
  fprintf(stderr, "bench: remote: redis-server takes no keys\n");
  redis_close(site->server);
  site->server = NULL;
  return 0;
}

int run_remote(struct bench *bench)
{
  struct site site = { NULL, 0, 0 };
  int failed = remote_calls(bench, &site) != 0 || remote_pipelines(bench, &site) != 0 ||
               remote_idle(bench, &site) != 0;

  if (site.server != NULL)
    redis_close(site.server);
  return failed ? -1 : 0;
}
