/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_REDIS_H
#define BENCH_REDIS_H

#include <stddef.h>

#include "op.h"

/* A Redis server of our own on a unix socket, with one connection. */

struct redis;

/* Which one: a program that is found along PATH, unless the environment variable names a file. */
struct redis_kind {
  const char *name, *variable, *program;
};
/* The usual one, the newest, Valkey; ends with a NULL name. */
extern const struct redis_kind redis_kinds[];

/* NULL: why says it. */
struct redis *redis_open(const struct redis_kind *, char *why, size_t why_size);
/* The usual one, on a loopback port besides. */
struct redis *redis_open_port(int *port, char *why, size_t why_size);
void redis_close(struct redis *);
/* One more connection to the same server, to be closed first; NULL: failed. */
struct redis *redis_again(const struct redis *);
const char *redis_socket(const struct redis *);

/* A field of INFO as a number, and as text if text isn't NULL; -1: there is none. */
double redis_info(struct redis *, const char *field, char *text, size_t size);
int redis_pid(const struct redis *);
/* DBSIZE */
size_t redis_size(struct redis *);
/* user + system time of its process. */
double redis_cpu_ns(struct redis *);

/* Steps from .. to - 1 of a load, as commands, 64 in flight; 0 or -1. */
int redis_fill(struct redis *, void (*fill)(struct command *, const struct load *, size_t i),
               const struct load *, size_t from, size_t to);

/* 0 or -1.  What was sent is flushed by the first receive; command NULL: any reply but an
 * error is right. */
int redis_send(struct redis *, const struct command *);
int redis_receive(struct redis *, const struct command *);

#endif
