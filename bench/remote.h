/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_REMOTE_H
#define BENCH_REMOTE_H

#include <stddef.h>

#include "bench.h"
#include "op.h"
#include "redis.h"

/*
 * What the cases of the remote backend share: one redis-server of the run's own on a unix socket
 * and a loopback port, and those who call it.
 */

enum transport { TRANSPORT_UNIX, TRANSPORT_TCP, TRANSPORTS };
extern const char *const transport_name[TRANSPORTS]; /* "unix", "tcp" */

struct site {
  struct redis *server; /* NULL: not needed so far */
  int port;
  int failed;
};

/* Starts the server, with its keys, if it doesn't run yet; 0: there is none, which was said. */
int site_ready(struct bench *, struct site *);

enum { REMOTE_THREADS = 64 };

/* Who calls, a call after the other on each thread. */
struct caller {
  const char *name;
  /* Connected, for so many threads; NULL: failed. */
  void *(*open)(const struct site *, enum transport, size_t threads);
  void (*close)(void *);
  /* One command and its reply, checked; 0 or -1.  thread: the caller's number. */
  int (*call)(void *, size_t thread, const struct command *);
};

/* Who has many in flight. */
struct pipeliner {
  const char *name;
  void *(*open)(const struct site *, enum transport);
  void (*close)(void *);
  /* Steps from .. to - 1 with depth commands in flight, each reply checked; 0 or -1. */
  int (*run)(void *, enum op, const struct load *, size_t from, size_t to, size_t depth);
};

enum { CALLERS = 3, PIPELINERS = 4 };
extern const struct caller callers[CALLERS];
extern const struct pipeliner pipeliners[PIPELINERS];

/* One slice's, or several's together. */
struct tally {
  double wall, client, server; /* ns */
  size_t calls;
};

/* Adds what the calls of work took to the tally: 0, or -1: work failed. */
int tally_work(struct tally *, const struct site *, size_t calls, int (*work)(void *),
               void *context);
/* "op/s", "us CPU client" and "us CPU server", each of one command. */
void tally_note(struct bench *, const struct tally *, const char *what, const char *who, double x);

/* 0 or -1 after a line on standard error. */
int remote_calls(struct bench *, struct site *);
int remote_pipelines(struct bench *, struct site *);
int remote_idle(struct bench *, struct site *);

#endif
