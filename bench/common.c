/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/mman.h>
#include <unistd.h>

void *bench_memory(size_t count, size_t size)
{
  void *block = calloc(count, size);

  if (block == NULL) {
    fprintf(stderr, "bench: out of memory\n");
    exit(1);
  }
  return block;
}

void *bench_huge_memory(size_t count, size_t size)
{
  const size_t huge = (size_t)2 << 20;
  size_t bytes = (count * size + huge - 1) / huge * huge;
  void *block = aligned_alloc(huge, bytes);

  if (block == NULL) {
    fprintf(stderr, "bench: out of memory\n");
    exit(1);
  }
  madvise(block, bytes, MADV_HUGEPAGE); /* it is a wish */
  return block;
}

uint64_t random_next(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u); /* splitmix64 */

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint64_t random_below(uint64_t *state, uint64_t bound)
{
  return (random_next(state) >> 32) * bound >> 32;
}

static double read_clock(clockid_t clock)
{
  struct timespec t = { 0, 0 };

  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double now_ns(void)
{
  return read_clock(CLOCK_MONOTONIC);
}

double process_cpu_ns(void)
{
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

double process_ns(int pid)
{
  clockid_t clock;

  return clock_getcpuclockid(pid, &clock) == 0 ? read_clock(clock) : 0;
}

size_t bench_rounds(const struct bench *bench, int judged)
{
  return judged || bench->full || bench->rounds < 2 ? bench->rounds : 2;
}

static int matches(const char *pattern, const char *what, const char *who)
{
  char name[2 * NAME_SIZE + 2];

  snprintf(name, sizeof name, "%s/%s", what, who);
  return fnmatch(pattern, name, 0) == 0 || fnmatch(pattern, what, 0) == 0 ||
         fnmatch(pattern, who, 0) == 0;
}

int bench_wants(struct bench *bench, const char *what, const char *who)
{
  int wanted = bench->patterns == 0;
  size_t i;

  for (i = 0; i < bench->patterns; i++)
    if (matches(bench->pattern[i], what, who))
      wanted = bench->matched[i] = 1;
  if (bench->surveying) {
    if (bench->list != NULL && wanted)
      fprintf(bench->list, "%s/%s\n", what, who);
    return 0;
  }
  return wanted;
}

void bench_progress(struct bench *bench, const char *format, ...)
{
  double now = now_ns();
  va_list args;

  if (!bench->terminal && now < bench->told + 1e10)
    return;
  bench->told = now;
  va_start(args, format);
  if (bench->terminal)
    fprintf(stderr, "\r\033[K");
  vfprintf(stderr, format, args);
  if (!bench->terminal)
    fputc('\n', stderr);
  fflush(stderr);
  va_end(args);
}

void bench_note(struct bench *bench, const char *format, ...)
{
  char text[512];
  va_list args;
  size_t i;

  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  for (i = 0; i < bench->notes; i++)
    if (strcmp(bench->note[i], text) == 0)
      return;
  if (bench->notes < sizeof bench->note / sizeof bench->note[0])
    bench->note[bench->notes++] = strdup(text);
}

void bench_server(struct bench *bench, const char *name, const char *version)
{
  char text[NAME_SIZE];
  size_t i;

  snprintf(text, sizeof text, "%s %s", name, version);
  for (i = 0; i < bench->servers; i++)
    if (strcmp(bench->server[i], text) == 0)
      return;
  if (bench->servers < sizeof bench->server / sizeof bench->server[0])
    memcpy(bench->server[bench->servers++], text, sizeof text);
}
