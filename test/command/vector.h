/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_COMMAND_VECTOR_H
#define TEST_COMMAND_VECTOR_H

#include <string.h>

#include "command/argv.h"
#include "command/command.h"
#include "support/check.h"

/* A vector from a line such as "SET key value NX"; its command is looked up. */
static inline larder_vector vector_of(struct lrd_arena *a, const char *line)
{
  larder_vector v = { .argc = 0 };
  larder_bytes *argv;

  ck_assert_int_eq(lrd_argv_split(a, line, strlen(line), &v.argc, &argv), LARDER_OK);
  v.argv = argv;
  v.command = v.argc ? lrd_command_find(argv[0].data, argv[0].len) : LRD_NO_COMMAND;
  return v;
}

#endif
