/* SPDX-License-Identifier: BSD-2-Clause */
#include "prober.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench.h"

enum { NOTHING = 64 }; /* random numbers: some 100 ns */

struct prober {
  pthread_t thread;
  _Atomic int stop;
  int failed;
  int (*call)(void *, uint64_t *);
  void *context;
  struct probed probed;
};

static void note(struct probed *probed, struct stall_clock *clock, double begin, double end)
{
  double at = (begin - probed->at) / PROBE_BUCKET_NS, took = end - begin;
  double own = stall_note(clock, &probed->call, took);
  size_t bucket = at < PROBE_BUCKETS ? (size_t)at : PROBE_BUCKETS;

  if (bucket == PROBE_BUCKETS)
    return;
  if (took > probed->bucket[bucket])
    probed->bucket[bucket] = took;
  if (own > probed->own[bucket])
    probed->own[bucket] = own;
}

static void do_nothing(uint64_t *random)
{
  int i;

  for (i = 0; i < NOTHING; i++)
    random_next(random);
}

static void *probe(void *context)
{
  struct prober *p = context;
  struct probed *probed = &p->probed;
  struct stall_clock clock;
  uint64_t random = 1;
  double begin, middle, end;

  stall_start(&clock, 1);
  probed->at = now_ns();
  while (!atomic_load_explicit(&p->stop, memory_order_relaxed) && !p->failed) {
    begin = now_ns();
    p->failed = p->call(p->context, &random);
    middle = now_ns();
    note(probed, &clock, begin, middle);
    middle = now_ns(); /* noting may have asked the kernel */
    do_nothing(&random);
    end = now_ns();
    stall_note(&clock, &probed->nothing, end - middle);
  }
  stall_stop(&clock);
  return NULL;
}

struct prober *prober_start(int (*call)(void *context, uint64_t *random), void *context)
{
  struct prober *p = bench_memory(1, sizeof *p);

  p->call = call;
  p->context = context;
  if (pthread_create(&p->thread, NULL, probe, p) != 0) {
    fprintf(stderr, "bench: no more threads\n");
    exit(1);
  }
  return p;
}

int prober_stop(struct prober *p, struct probed *probed)
{
  int failed;

  atomic_store(&p->stop, 1);
  pthread_join(p->thread, NULL);
  *probed = p->probed;
  failed = p->failed;
  free(p);
  return failed;
}

void probed_note(struct bench *bench, const char *what, const char *who, double x,
                 const struct stall *call)
{
  figure_add(bench, what, who, "ms slowest GET at least", x, call->least / 1e6);
  figure_add(bench, what, who, "GETs over 1 ms", x, (double)call->over);
  figure_add(bench, what, who, "of them without processor", x, (double)call->taken);
  figure_add(bench, what, who, "of them behind such a one", x, (double)call->behind);
  figure_add(bench, what, who, "of them beside page faults", x, (double)call->faulted);
}
