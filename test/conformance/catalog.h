/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CONFORMANCE_CATALOG_H
#define TEST_CONFORMANCE_CATALOG_H

#include "conformance/target.h"

/*
 * COMMAND: what is said of each command (name, arity, flags, keys, categories)
 * has to be what a redis-server says, of fewer commands.  Returns the number of
 * differences, each printed.
 */
int catalog_run(struct target *target, struct target *oracle);

#endif
