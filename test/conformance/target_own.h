/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CONFORMANCE_TARGET_OWN_H
#define TEST_CONFORMANCE_TARGET_OWN_H

#include "conformance/target.h"

/*
 * What the kinds of targets share among themselves.
 */

void target_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
struct target *target_new(const char *name, int protocol);
larder *target_open(const char *name, const char *url);

/* Makes it one that speaks RESP to its server or port. */
void target_over_connections(struct target *);
void target_close_connections(struct target *);

#endif
