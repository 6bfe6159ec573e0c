/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void be_child(void (*work)(void *, double *), void *context, size_t count, int out)
{
  double *number = bench_memory(count, sizeof *number);
  size_t size = count * sizeof *number;

#ifdef __GLIBC__
  malloc_trim(0);
#endif
  work(context, number);
  _exit(write(out, number, size) == (ssize_t)size ? 0 : 1);
}

int in_child(void (*work)(void *context, double *out), void *context, double *out, size_t count)
{
  size_t size = count * sizeof *out, got = 0;
  int ends[2], status = -1;
  pid_t pid;

  fflush(NULL);
  if (pipe(ends) != 0)
    return -1;
  pid = fork();
  if (pid == 0) {
    close(ends[0]);
    be_child(work, context, count, ends[1]);
  }
  close(ends[1]);
  while (pid > 0 && got < size) {
    ssize_t n = read(ends[0], (char *)out + got, size - got);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    got += (size_t)n;
  }
  close(ends[0]);
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  return got == size && status == 0 ? 0 : -1;
}

double resident_bytes(int pid)
{
  char path[64];
  unsigned long long pages = 0;
  FILE *in;

  snprintf(path, sizeof path, pid == 0 ? "/proc/self/statm" : "/proc/%d/statm", pid);
  in = fopen(path, "re");
  if (in == NULL)
    return 0;
  if (fscanf(in, "%*u %llu", &pages) != 1)
    pages = 0;
  fclose(in);
  return (double)pages * (double)sysconf(_SC_PAGESIZE);
}
