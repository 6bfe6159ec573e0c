/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnu/libc-version.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifdef LARDER_REDIS
#include <hiredis/hiredis.h>
#endif

#include <larder.h>

#ifndef BENCH_FLAGS
#define BENCH_FLAGS "?"
#endif

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

struct summary {
  double median, least, most;
};

static struct summary summarize(const double *value, size_t count)
{
  double *sorted = malloc(count * sizeof *sorted);
  struct summary s = { 0, 0, 0 };

  if (sorted == NULL)
    return s;
  memcpy(sorted, value, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, by_size);
  s.least = sorted[0];
  s.most = sorted[count - 1];
  s.median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
  free(sorted);
  return s;
}

/* How many times as fast as the other; round by round, so that both had the same machine. */
static double ratio(const struct result *this, const struct result *other)
{
  double *quotient;
  double median;
  size_t i;

  if (other->rounds != this->rounds || this->rounds == 0)
    return 0;
  quotient = malloc(this->rounds * sizeof *quotient);
  if (quotient == NULL)
    return 0;
  for (i = 0; i < this->rounds; i++)
    quotient[i] = other->ns[i] / this->ns[i];
  median = summarize(quotient, this->rounds).median;
  free(quotient);
  return median;
}

static void print_processor(FILE *out, const char *prefix)
{
  FILE *in = fopen("/proc/cpuinfo", "re");
  char line[256];

  while (in != NULL && fgets(line, sizeof line, in) != NULL)
    if (strncmp(line, "model name", 10) == 0) {
      const char *name = strchr(line, ':');
      line[strcspn(line, "\n")] = '\0';
      fprintf(out, "%sprocessor: %s, %ld cores\n", prefix, name == NULL ? "?" : name + 2,
              sysconf(_SC_NPROCESSORS_ONLN));
      break;
    }
  if (in != NULL)
    fclose(in);
}

void print_environment(FILE *out, const struct report *report, const char *prefix)
{
  const struct settings *s = report->settings;
  struct utsname system;
  char date[32] = "?";
  double load[3] = { -1, -1, -1 };
  time_t t = time(NULL);
  struct tm utc;

  if (gmtime_r(&t, &utc) != NULL)
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
  fprintf(out, "%sdate: %s\n", prefix, date);
  print_processor(out, prefix);
  if (uname(&system) == 0)
    fprintf(out, "%ssystem: %s %s %s, glibc %s\n", prefix, system.sysname, system.release,
            system.machine, gnu_get_libc_version());
  if (getloadavg(load, 3) == 3)
    fprintf(out, "%sload: %.2f %.2f %.2f\n", prefix, load[0], load[1], load[2]);
  fprintf(out, "%scompiler: %s, %s\n", prefix, __VERSION__, BENCH_FLAGS);
  fprintf(out, "%slarder: %s\n", prefix, larder_version());
#ifdef LARDER_REDIS
  fprintf(out, "%shiredis: %d.%d.%d\n", prefix, HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
#endif
  if (report->server[0] != '\0')
    fprintf(out, "%sredis-server: %s, unix socket, no persistence\n", prefix, report->server);
  fprintf(out, "%sload of a round: %zu operations at most, %zu keys, values of %zu bytes, "
          "sorted set of %zu members, pipeline of %zu, 1 thread\n", prefix, s->operations, s->keys,
          s->value_length, s->keys / 10 + 1, s->pipeline);
  fprintf(out, "%srounds: %zu, seed: %llu (LARDER_SEED)\n", prefix, s->rounds,
          (unsigned long long)s->seed);
}

static void print_ratio(FILE *out, double r)
{
  if (r <= 0)
    fprintf(out, "  %12s", "-");
  else
    fprintf(out, "  %11.2fx", r);
}

static size_t find_target(const struct target *target)
{
  size_t t;

  for (t = 0; targets[t] != NULL; t++)
    if (targets[t] == target)
      return t;
  return TARGETS_MAX - 1; /* an empty result */
}

void print_table(FILE *out, const struct report *report)
{
  size_t hash = find_target(&target_hash);
  size_t op, t;
#ifdef LARDER_REDIS
  size_t redis = find_target(&target_redis);
#else
  size_t redis = TARGETS_MAX - 1;
#endif

  fprintf(out, "%-5s %-15s %10s %10s %10s %7s %12s  %12s  %12s\n", "", "", "ns/op", "least",
          "most", "spread", "op/s", "vs uthash", "vs redis");
  for (op = 0; op < OPS; op++)
    for (t = 0; targets[t] != NULL; t++) {
      const struct result *result = &report->result[op][t];
      struct summary s;

      if (result->rounds == 0)
        continue;
      s = summarize(result->ns, result->rounds);
      fprintf(out, "%-5s %-15s %10.1f %10.1f %10.1f %6.0f%% %12.0f", op_name[op], targets[t]->name,
              s.median, s.least, s.most, 100 * (s.most - s.least) / s.median, 1e9 / s.median);
      print_ratio(out, ratio(result, &report->result[op][hash]));
      print_ratio(out, ratio(result, &report->result[op][redis]));
      fprintf(out, "\n");
    }
  fprintf(out, "\nns/op: median of the rounds; spread: (most - least) / median.\n"
          "vs uthash, vs redis: how many times as fast as uthash-mutex, as redis-sync "
          "(median of the rounds' ratios).\n");
}

int write_csv(const char *path, const struct report *report)
{
  FILE *out = fopen(path, "we");
  size_t op, t, i;
  int failed;

  if (out == NULL) {
    fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
    return -1;
  }
  print_environment(out, report, "# ");
  fprintf(out, "operation,target,round,seed,operations,ns_per_operation\n");
  for (op = 0; op < OPS; op++)
    for (t = 0; targets[t] != NULL; t++) {
      const struct result *result = &report->result[op][t];
      for (i = 0; i < result->rounds; i++)
        fprintf(out, "%s,%s,%zu,%llu,%zu,%.3f\n", op_name[op], targets[t]->name, i + 1,
                (unsigned long long)report->round_seed[i], result->operations, result->ns[i]);
    }
  failed = ferror(out);
  failed |= fclose(out);
  if (failed) {
    fprintf(stderr, "bench: %s: could not be written\n", path);
    return -1;
  }
  return 0;
}
