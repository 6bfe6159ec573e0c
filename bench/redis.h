/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_REDIS_H
#define BENCH_REDIS_H

#include <stddef.h>

#include "op.h"

/* A Redis server of our own on a unix socket, with one connection. */

struct redis;

/* program: found along PATH, unless the environment variable names a file.  NULL: why says it. */
struct redis *redis_open(const char *variable, const char *program, char *why, size_t why_size);
void redis_close(struct redis *);
const char *redis_socket(const struct redis *);

/* A field of INFO as a number, and as text if text isn't NULL; -1: there is none. */
double redis_info(struct redis *, const char *field, char *text, size_t size);
/* user + system time of its process. */
double redis_cpu_ns(struct redis *);

/* 0 or -1.  What was sent is flushed by the first receive; command NULL: any reply but an
 * error is right. */
int redis_send(struct redis *, const struct command *);
int redis_receive(struct redis *, const struct command *);

#endif
