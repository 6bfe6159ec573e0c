/* SPDX-License-Identifier: BSD-2-Clause */
#include "prober.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench.h"

struct prober {
  pthread_t thread;
  _Atomic int stop;
  int failed;
  int (*call)(void *, uint64_t *);
  void *context;
  struct probed probed;
};

static void note(struct probed *probed, double begin, double end)
{
  double bucket = (begin - probed->at) / PROBE_BUCKET_NS, took = end - begin;

  probed->calls++;
  if (took > probed->slowest)
    probed->slowest = took;
  if (bucket < PROBE_BUCKETS && took > probed->bucket[(size_t)bucket])
    probed->bucket[(size_t)bucket] = took;
}

static void *probe(void *context)
{
  struct prober *p = context;
  uint64_t random = 1;
  double begin = now_ns(), end;

  p->probed.at = begin;
  while (!atomic_load_explicit(&p->stop, memory_order_relaxed) && !p->failed) {
    p->failed = p->call(p->context, &random);
    end = now_ns();
    note(&p->probed, begin, end);
    begin = end;
  }
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
