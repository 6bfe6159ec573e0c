/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_CALL_H
#define LRD_STORE_CALL_H

#include <stdarg.h>

#include "store/reply.h"

/*
 * Argument vectors as callers give them.
 */

enum { LRD_STACK_ARGUMENTS = 16, LRD_ARGUMENTS_MAX = 1 << 20 };

/* C strings or bytes with lengths as a vector: in room (LRD_STACK_ARGUMENTS) if
 * they fit, else in the arena; the bytes are not copied.  OK, BAD_ARGUMENT,
 * NO_MEMORY. */
larder_outcome lrd_take_argv(larder_vector *v, larder_bytes *room, struct lrd_arena *arena,
                             int argc, const char *const *argv, const size_t *argvlen);

/* The same from a format.  BAD_ARGUMENT writes a line to error. */
larder_outcome lrd_take_format(larder_vector *v, struct lrd_arena *arena, const char *format,
                               va_list ap, char *error, size_t error_size);

/* Copies vector and bytes into the arena; 0, or -1: no memory. */
int lrd_copy_vector(struct lrd_arena *arena, const larder_vector *from, larder_vector *to);

#endif
