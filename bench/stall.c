/* SPDX-License-Identifier: BSD-2-Clause */
#include "stall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

/* Looking costs as much as some GETs: it is done after each call that was long enough to have been
 * interrupted, and every so often, lest an old wait be blamed for a new stall. */
enum { LONG_NS = 20000, OFTEN = 256, OTHERS_OFTEN = 4 * OFTEN };

static int open_of(const char *thread, const char *name)
{
  char path[300];

  snprintf(path, sizeof path, "/proc/self/task/%s/%s", thread, name);
  return open(path, O_RDONLY | O_CLOEXEC);
}

/* "" if it can't be read. */
static void read_into(int file, char *text, size_t size)
{
  ssize_t n = file < 0 ? -1 : pread(file, text, size - 1, 0);

  text[n > 0 ? n : 0] = '\0';
}

/* The second number of schedstat: ns for which it could run and had no processor. */
static double delay_of(int file)
{
  unsigned long long delay = 0;
  char text[128];

  read_into(file, text, sizeof text);
  return sscanf(text, "%*u %llu", &delay) == 1 ? (double)delay : 0;
}

/* minflt and majflt of stat; they come after a name that may hold anything. */
static double faults_of(int file)
{
  unsigned long long minor = 0, major = 0;
  char text[512];
  const char *at;

  read_into(file, text, sizeof text);
  at = strrchr(text, ')');
  if (at == NULL ||
      sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %llu %*u %llu", &minor, &major) != 2)
    return 0;
  return (double)minor + (double)major;
}

static void look(struct stall_clock *clock)
{
  clock->delay = delay_of(clock->own);
}

static void look_at_others(struct stall_clock *clock)
{
  int i;

  clock->other_delays = clock->other_faults = 0;
  for (i = 0; i < clock->others; i++) {
    clock->other_delays += delay_of(clock->delays[i]);
    clock->other_faults += faults_of(clock->stats[i]);
  }
}

static void find_others(struct stall_clock *clock, int own)
{
  DIR *threads = opendir("/proc/self/task");
  const struct dirent *thread;

  while (threads != NULL && clock->others < STALL_THREADS && (thread = readdir(threads)) != NULL) {
    int number = atoi(thread->d_name), i = clock->others;

    if (number <= 0 || number == own)
      continue;
    clock->delays[i] = open_of(thread->d_name, "schedstat");
    clock->stats[i] = open_of(thread->d_name, "stat");
    clock->others++;
  }
  if (threads != NULL)
    closedir(threads);
}

void stall_start(struct stall_clock *clock, int others)
{
  char name[24];
  int own = (int)gettid();

  memset(clock, 0, sizeof *clock);
  snprintf(name, sizeof name, "%d", own);
  clock->own = open_of(name, "schedstat");
  if (others)
    find_others(clock, own);
  look(clock);
  look_at_others(clock);
}

void stall_stop(struct stall_clock *clock)
{
  int i;

  if (clock->own >= 0)
    close(clock->own);
  for (i = 0; i < clock->others; i++) {
    if (clock->delays[i] >= 0)
      close(clock->delays[i]);
    if (clock->stats[i] >= 0)
      close(clock->stats[i]);
  }
}

static void blame(struct stall *stall, const struct stall_clock *before,
                  const struct stall_clock *now, double took)
{
  stall->over++;
  if (now->delay - before->delay > took / 2)
    stall->taken++;
  else if (now->other_delays - before->other_delays > took / 2)
    stall->behind++;
  else if (now->other_faults > before->other_faults)
    stall->faulted++;
}

double stall_note(struct stall_clock *clock, struct stall *stall, double took)
{
  struct stall_clock before = *clock;
  double own = took, least;

  clock->calls++;
  if (took > LONG_NS || clock->calls % OFTEN == 0)
    look(clock);
  if (took > 1e6 || clock->calls % OTHERS_OFTEN == 0)
    look_at_others(clock);
  if (took > LONG_NS) {
    own -= clock->delay - before.delay;
    own = own > 0 ? own : 0;
  }
  least = own;
  if (took > stall->slowest)
    stall->slowest = took;
  if (own > stall->own)
    stall->own = own;
  if (took > 1e6) {
    blame(stall, &before, clock, took);
    least -= clock->other_delays - before.other_delays;
  }
  if (least > stall->least)
    stall->least = least;
  return own;
}
