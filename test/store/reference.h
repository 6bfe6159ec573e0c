/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_STORE_REFERENCE_H
#define TEST_STORE_REFERENCE_H

#include <larder/backend.h>

/* The smallest backend that is one: see reference.c. */
extern const larder_backend_table reference_table;

#endif
