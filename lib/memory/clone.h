/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_CLONE_H
#define LRD_MEMORY_CLONE_H

#include "memory/entry.h"

/* A collection's value once more: the same elements, and the same name for its encoding.
 * One allocation an element where the original has one.  NULL: no memory. */
void *lrd_clone(const larder_memory *, const struct lrd_universal_key *, enum lrd_kind,
                const void *value);

#endif
