/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CONFORMANCE_TABLE_H
#define TEST_CONFORMANCE_TABLE_H

#include "conformance/run.h"

/*
 * The sequences, written down (one table for each type) and multiplied out.
 */

#define SEQUENCE(name, ...)                                                                        \
  {                                                                                                \
    name, (const char *const[])                                                                    \
    {                                                                                              \
      __VA_ARGS__, NULL                                                                            \
    }                                                                                              \
  }

/* Each ends with a name that is NULL. */
extern const struct sequence sequences_string[], sequences_generic[], sequences_expiry[],
    sequences_hash[], sequences_set[], sequences_list[], sequences_zset[], sequences_transaction[],
    sequences_connection[], sequences_move[], sequences_sort[], sequences_bitmap[], sequences_hll[],
    sequences_geo[], sequences_dump[], sequences_stream[];

/* Calls run_sequence for every table and for the products: every command on a
 * key of every type, with and without expiry, and every numeric argument with
 * every strange number.  only: NULL, or part of a sequence's name. */
void table_run(struct run *, const char *only);

#endif
