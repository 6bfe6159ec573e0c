/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOL_DRILL_H
#define TOOL_DRILL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <larder.h>

/*
 * larder drill in parts: the redis-server that is killed, the writers, a
 * connection that asks redis-server itself, and the count in the end.
 */

int64_t drill_now(void); /* monotonic ns */

/* --- drill_server.c -------------------------------------------------------- */

struct drill_server {
  char program[512];
  char directory[256];
  char socket[300];
  pid_t pid; /* 0: not running */
};

/* 0: there is a redis-server program, its path is set. */
int drill_server_find(struct drill_server *);
/* Makes the directory; 0, or -1 (said on standard error). */
int drill_server_prepare(struct drill_server *);
/* Starts it (again); 0 once it answers, or -1 (said). */
int drill_server_start(struct drill_server *);
/* Starts it, not waiting. */
int drill_server_launch(struct drill_server *);
int drill_server_wait(struct drill_server *);
void drill_server_signal(struct drill_server *, int signal_number);
/* SIGKILL and wait until it is gone. */
void drill_server_kill(struct drill_server *);
/* Kills it and removes its directory. */
void drill_server_remove(struct drill_server *);

/* --- drill_wire.c ---------------------------------------------------------- */

/* A connection of our own to a redis-server: shares nothing with the library. */
struct drill_wire;

struct drill_wire *drill_wire_open(const char *socket_path); /* NULL: errno */
void drill_wire_close(struct drill_wire *);
/* Sends one command of words up to a NULL. */
int drill_wire_send(struct drill_wire *, const char *word, ...) __attribute__((sentinel));
/* The type byte of the next reply, or 0 (end, timeout): for '*', *n is the number
 * of elements that follow as replies of their own; for ':' the integer; else the
 * length of the text. */
int drill_wire_read(struct drill_wire *, int64_t *n, char *text, size_t size);

/* --- drill_load.c ---------------------------------------------------------- */

enum drill_kind { DRILL_SET, DRILL_COUNT, DRILL_HASH, DRILL_LIST, DRILL_PAIR, DRILL_KINDS };

/* What was done of one kind by one thread: the outcome of each attempt, in order. */
struct drill_log {
  unsigned char *outcome;
  size_t n, capacity;
};

struct drill_outage {
  const char *what;
  _Atomic int64_t begun, noticed; /* monotonic ns; 0: not yet */
};

enum { DRILL_OUTAGES = 2, DRILL_THREADS = 64 };

struct drill_load;

struct drill_thread {
  struct drill_load *load;
  int number;
  pthread_t thread;
  uint64_t random[2];
  struct drill_log log[DRILL_KINDS];
  uint64_t writes[LARDER_ORIGINS][LARDER_OUTCOMES];
  uint64_t reads[LARDER_ORIGINS][LARDER_OUTCOMES];
  uint64_t outage_writes, outage_ok; /* while Redis was away */
  uint64_t wrong_reads; /* "no" to what was acknowledged to this thread before */
  int64_t slowest, slowest_at;
  int slowest_is_read;
  char refusal[160]; /* the first error reply */
  int no_memory; /* for the log: nothing it says counts */
};

struct drill_load {
  larder *store;
  int threads;
  uint64_t seed;
  int64_t start;
  atomic_int stop;
  _Atomic(struct drill_outage *) away; /* Redis is away now */
  atomic_uint_fast64_t calls, local;
  struct drill_outage outage[DRILL_OUTAGES];
  struct drill_thread thread[DRILL_THREADS];
};

/* 0, or -1: threads can't be created. */
int drill_load_start(struct drill_load *);
void drill_load_stop(struct drill_load *);
void drill_load_free(struct drill_load *);

/* --- drill_count.c --------------------------------------------------------- */

struct drill_count {
  uint64_t attempted, acknowledged, unknown; /* not known whether they happened */
  uint64_t there;    /* how many are there */
  uint64_t unknown_there;
  uint64_t lost;     /* acknowledged and not there */
  uint64_t doubled;  /* there more often than attempted */
  uint64_t invented; /* there although they were refused, or never tried */
};

/* Asks the redis-server behind the socket (or, socket NULL, the store) what is there
 * and compares it with the logs.  broken: pairs of which one half is there.  0, or -1: it
 * could not be asked. */
int drill_count_all(const struct drill_load *, const char *socket_path,
                    struct drill_count count[DRILL_KINDS], uint64_t *broken);

/* --- drill_report.c -------------------------------------------------------- */

/* The table; returns 1 if something was lost, doubled or invented. */
int drill_report(const struct drill_load *, const struct drill_count count[DRILL_KINDS],
                 uint64_t broken, const larder_status *status, uint64_t left);

#endif
