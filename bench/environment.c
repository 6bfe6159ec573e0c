/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/utsname.h>
#include <unistd.h>
#include <uthash.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#define LIBC "glibc ", gnu_get_libc_version()
#else
#define LIBC "a libc without a version", ""
#endif
#ifdef HAVE_XXHASH
#include <xxhash.h>
#endif
#ifdef HAVE_GLIB
#include <glib.h>
#endif
#ifdef HAVE_LMDB
#include <lmdb.h>
#endif

#include <larder.h>

#define TEXT_OF(token) #token
#define TEXT(macro) TEXT_OF(macro)

#ifndef BENCH_FLAGS
#define BENCH_FLAGS "?"
#endif

static void print_processor(FILE *out, const char *prefix)
{
  FILE *in = fopen("/proc/cpuinfo", "re");
  char line[256], model[256] = "?";
  cpu_set_t allowed;
  long cores = sysconf(_SC_NPROCESSORS_ONLN);

  while (in != NULL && fgets(line, sizeof line, in) != NULL)
    if (strncmp(line, "model name", 10) == 0 && strchr(line, ':') != NULL) {
      line[strcspn(line, "\n")] = '\0';
      snprintf(model, sizeof model, "%s", strchr(line, ':') + 2);
      break;
    }
  if (in != NULL)
    fclose(in);
  fprintf(out, "%sprocessor: %s, %ld cores, ", prefix, model, cores);
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) < cores)
    fprintf(out, "pinned to %d of them\n", CPU_COUNT(&allowed));
  else
    fprintf(out, "not pinned\n");
}

static void print_peers(FILE *out, const struct bench *bench, const char *prefix)
{
  size_t i;

  fprintf(out, "%speers: uthash " TEXT(UTHASH_VERSION), prefix);
#ifdef HAVE_XXHASH
  fprintf(out, ", xxHash %d.%d.%d", XXH_VERSION_MAJOR, XXH_VERSION_MINOR, XXH_VERSION_RELEASE);
#endif
#ifdef HAVE_GLIB
  fprintf(out, ", GLib %u.%u.%u", glib_major_version, glib_minor_version, glib_micro_version);
#endif
#ifdef HAVE_LMDB
  fprintf(out, ", LMDB %d.%d.%d", MDB_VERSION_MAJOR, MDB_VERSION_MINOR, MDB_VERSION_PATCH);
#endif
  for (i = 0; i < bench->servers; i++)
    fprintf(out, ", %s", bench->server[i]);
  fprintf(out, "\n");
}

static void print_huge_pages(FILE *out, const char *prefix)
{
  FILE *in = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
  char line[64] = "?", *chosen = line;

  if (in != NULL && fgets(line, sizeof line, in) != NULL && strchr(line, '[') != NULL) {
    chosen = strchr(line, '[') + 1;
    chosen[strcspn(chosen, "]\n")] = '\0';
  }
  if (in != NULL)
    fclose(in);
  fprintf(out, "%shuge pages: %s\n", prefix, chosen);
}

static void print_times(FILE *out, const struct bench *bench, const char *prefix)
{
  const char *before = ": ";
  size_t m;

  fprintf(out, "%stook: %.0f s", prefix, (now_ns() - bench->began) / 1e9);
  for (m = 0; mechanism_names[m] != NULL; m++)
    if (bench->took[m] >= 1) {
      fprintf(out, "%s%s %.0f", before, mechanism_names[m], bench->took[m]);
      before = ", ";
    }
  fprintf(out, "\n");
}

/* s of all processors that a hypervisor gave to others, so far; 0 if that isn't told. */
double stolen_s(void)
{
  FILE *in = fopen("/proc/stat", "re");
  double ticks = 0;

  if (in == NULL)
    return 0;
  if (fscanf(in, "cpu %*f %*f %*f %*f %*f %*f %*f %lf", &ticks) != 1)
    ticks = 0;
  fclose(in);
  return ticks / (double)sysconf(_SC_CLK_TCK);
}

void print_environment(FILE *out, const struct bench *bench, const char *prefix)
{
  struct utsname system;
  char date[32] = "?";
  double load[3];
  time_t t = time(NULL);
  struct tm utc;

  if (gmtime_r(&t, &utc) != NULL)
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
  fprintf(out, "%sdate: %s\n", prefix, date);
  print_processor(out, prefix);
  if (uname(&system) == 0)
    fprintf(out, "%ssystem: %s %s %s, %s%s\n", prefix, system.sysname, system.release,
            system.machine, LIBC);
  if (getloadavg(load, 3) == 3)
    fprintf(out, "%sload average: %.2f when it began, %.2f when it ended\n", prefix,
            bench->load_before, load[0]);
  fprintf(out, "%sstolen by the hypervisor: %.1f s of processor time\n", prefix,
          stolen_s() - bench->stolen_before);
  print_huge_pages(out, prefix);
  fprintf(out, "%scompiler: %s, %s\n", prefix, __VERSION__, BENCH_FLAGS);
  fprintf(out, "%slarder: %s\n", prefix, larder_version());
  print_peers(out, bench, prefix);
  fprintf(out, "%ssize: %zu keys of 16 bytes, values of 32, %zu operations a round, %zu rounds\n",
          prefix, bench->keys, bench->operations, bench->rounds);
  print_times(out, bench, prefix);
  fprintf(out, "%sseed: %llu (LARDER_SEED)\n", prefix, (unsigned long long)bench->seed);
}
