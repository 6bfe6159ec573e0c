/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_STORE_STORE_RIG_H
#define TEST_STORE_STORE_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <larder.h>

#include "store/fake.h"
#include "support/check.h"

/* A store on a backend of the tests' own. */

static char error[LARDER_ERROR_SIZE];

static inline larder *open_on(const larder_backend_table *table)
{
  larder_options o = LARDER_OPTIONS_INIT;
  o.backend = table;
  larder *store = larder_open("memory:", &o, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  return store;
}

static inline larder_outcome run(larder *store, int argc, const char *const *argv)
{
  larder_reply *r = larder_argv(store, argc, argv, NULL);
  larder_outcome outcome = r->outcome;
  larder_reply_free(r);
  return outcome;
}

#endif
