/* SPDX-License-Identifier: BSD-2-Clause */
#include "uthash_table.h"

/* uthash with the hash function that it comes with. */

const struct target target_jenkins = {
  .name = "uthash-jenkins",
  .can = TABLE_CAN,
  .open = open_raw,
  .close = table_close,
  .run = table_run,
};

const struct target target_jenkins_mutex = {
  .name = "uthash-jenkins-mutex",
  .can = TABLE_CAN,
  .threads = 1,
  .open = open_locked,
  .close = table_close,
  .run = table_run,
};
