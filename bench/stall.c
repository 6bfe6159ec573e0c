/* SPDX-License-Identifier: BSD-2-Clause */
#include "stall.h"

#include <sys/resource.h>

/* A system call costs as much as a GET: the counts are read after each call that was long enough
 * to have been interrupted, and every so often, lest old switches be blamed for new stalls. */
enum { LONG_NS = 20000, OFTEN = 256 };

static void look(struct stall_clock *clock)
{
  struct rusage usage;

  if (getrusage(RUSAGE_THREAD, &usage) == 0) {
    clock->voluntary = usage.ru_nvcsw;
    clock->involuntary = usage.ru_nivcsw;
  }
  clock->calls = 0;
}

void stall_start(struct stall_clock *clock)
{
  look(clock);
}

int stall_note(struct stall_clock *clock, struct stall *stall, double took)
{
  struct stall_clock before = *clock;
  int interrupted = 0;

  if (took > LONG_NS || ++clock->calls == OFTEN)
    look(clock);
  if (took > LONG_NS)
    interrupted = clock->involuntary > before.involuntary && clock->voluntary == before.voluntary;
  if (took > stall->slowest)
    stall->slowest = took;
  if (!interrupted && took > stall->own)
    stall->own = took;
  if (took > 1e6) {
    stall->over++;
    stall->taken += (size_t)interrupted;
  }
  return interrupted;
}
