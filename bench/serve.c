/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/*
 * `larder serve` and redis-server under redis-benchmark: 50 clients on a unix socket, random
 * keys, values of 32 bytes.  Commands per second as redis-benchmark counts them, and the CPU that
 * the server's process used for each.
 */

struct row {
  const char *name, *test;
  unsigned pipeline;
  size_t requests;
};

/* SET first: it fills what GET reads. */
static const struct row rows[] = {
  { "serve-set-P64", "set", 64, 1000000 }, { "serve-set-P16", "set", 16, 600000 },
  { "serve-set-P1", "set", 1, 120000 },    { "serve-get-P64", "get", 64, 1000000 },
  { "serve-get-P16", "get", 16, 600000 },  { "serve-get-P1", "get", 1, 120000 },
};

enum { ROWS = sizeof rows / sizeof rows[0], SERVERS = 4 };

struct server_row {
  const char *name;
  char socket[108];
  int pid;
  struct redis *redis; /* NULL: larder, as a child of ours */
};

static int can_connect(const char *path)
{
  redisContext *link = redisConnectUnix(path);
  int can = link != NULL && link->err == 0;

  if (link != NULL)
    redisFree(link);
  return can;
}

static int start_larder(struct server_row *s)
{
  static const char scheme[] = "unix://";
  char listen[64];
  int i;

  snprintf(listen, sizeof listen, "%s/tmp/larder-bench.%d.sock", scheme, (int)getpid());
  snprintf(s->socket, sizeof s->socket, "%s", listen + strlen(scheme));
  s->pid = fork();
  if (s->pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
      _exit(127);
    execl(BENCH_LARDER, "larder", "serve", "--listen", listen, "--store", "memory:", (char *)NULL);
    _exit(127);
  }
  for (i = 0; s->pid > 0 && i < 1000; i++) {
    if (can_connect(s->socket))
      return 0;
    usleep(10000);
  }
  return -1;
}

static void stop(struct server_row *s)
{
  if (s->redis != NULL) {
    redis_close(s->redis);
  } else if (s->pid > 0) {
    kill(s->pid, SIGTERM);
    while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
      ;
    unlink(s->socket);
  }
}

/* Commands per second, or -1. */
static double benchmark(const struct server_row *s, const struct row *row, size_t requests,
                        size_t keys)
{
  char command[512], line[512];
  double rate = -1;
  FILE *out;

  snprintf(command, sizeof command,
           "redis-benchmark -s %s -c 50 -P %u -n %zu -r %zu -d 32 -t %s --csv 2>/dev/null",
           s->socket,
           row->pipeline, requests, keys, row->test);
  out = popen(command, "re");
  if (out == NULL)
    return -1;
  while (fgets(line, sizeof line, out) != NULL)
    if ((line[1] == 'S' || line[1] == 'G') && strstr(line, "\",\"") != NULL)
      rate = strtod(strstr(line, "\",\"") + 3, NULL);
  pclose(out);
  return rate;
}

static int measure_rows(struct bench *bench, struct server_row *server, size_t servers,
                        int (*wanted)[SERVERS], size_t round)
{
  size_t r, i;

  for (r = 0; r < ROWS; r++)
    for (i = 0; i < servers; i++) {
      size_t turn = (i + round) % servers;
      struct server_row *s = &server[turn];
      size_t requests = bench->quick ? 1000 : rows[r].requests;
      double cpu, rate;

      if (!wanted[r][turn] || s->pid <= 0)
        continue;
      bench_progress(bench, "round %zu of %zu  %s/%s", round + 1, bench->rounds, rows[r].name,
                     s->name);
      cpu = process_ns(s->pid);
      rate = benchmark(s, &rows[r], requests, bench->keys);
      if (rate < 0) {
        bench_note(bench, "%s/%s: redis-benchmark failed", rows[r].name, s->name);
        continue;
      }
      figure_add(bench, rows[r].name, s->name, "op/s", 0, rate);
      figure_add(bench, rows[r].name, s->name, "ns CPU", 0,
                 (process_ns(s->pid) - cpu) / (double)requests);
    }
  return 0;
}

static void start(struct bench *bench, struct server_row *s, const struct redis_kind *kind)
{
  char why[256] = "larder serve did not start";

  if (kind == NULL) {
    if (start_larder(s) == 0)
      return;
    stop(s);
  } else if ((s->redis = redis_open(kind, why, sizeof why)) != NULL) {
    snprintf(s->socket, sizeof s->socket, "%s", redis_socket(s->redis));
    s->pid = redis_pid(s->redis);
    return;
  }
  s->pid = 0;
  bench_note(bench, "%s: %s", s->name, why);
}

int run_serve(struct bench *bench)
{
  struct server_row server[SERVERS] = { { .name = "larder" } };
  int wanted[ROWS][SERVERS] = { { 0 } }, any[SERVERS] = { 0 }, all = 0, failed = 0;
  size_t r, i, round;

  for (i = 0; i < SERVERS; i++) {
    if (i > 0)
      server[i].name = redis_kinds[i - 1].name;
    for (r = 0; r < ROWS; r++)
      any[i] |= wanted[r][i] = bench_wants(bench, rows[r].name, server[i].name);
    all |= any[i];
  }
  if (!all)
    return 0;
  if (system("redis-benchmark --version >/dev/null 2>&1") != 0) {
    for (r = 0; r < ROWS; r++)
      bench_note(bench, "%s/larder: no redis-benchmark here", rows[r].name);
    return 0;
  }
  for (i = 0; i < SERVERS; i++)
    if (any[i])
      start(bench, &server[i], i == 0 ? NULL : &redis_kinds[i - 1]);
  for (round = 0; round < bench->rounds && !failed; round++)
    failed = measure_rows(bench, server, SERVERS, wanted, round);
  for (i = 0; i < SERVERS; i++)
    stop(&server[i]);
  return failed;
}
