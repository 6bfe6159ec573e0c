/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_BACKEND_H
#define TEST_SUPPORT_BACKEND_H

#include <larder/backend.h>

/* A backend of a test's own: it has nothing to open, and executes as the test says. */

static inline larder_outcome bare_open(larder_backend *b, const larder_backend_options *o,
                                       char *error, size_t error_size)
{
  (void)b;
  (void)o;
  (void)error;
  (void)error_size;
  return LARDER_OK;
}

static inline uint64_t bare_close(larder_backend *b, int64_t deadline, int forked)
{
  (void)b;
  (void)deadline;
  (void)forked;
  return 0;
}

/* The initialiser of its table. */
#define BARE_BACKEND(called, can, does) \
  { \
    .version = LARDER_BACKEND_VERSION, .name = (called), .capabilities = (can), \
    .size = sizeof(larder_backend), .open = bare_open, .close = bare_close, .execute = (does), \
    .submit = larder_backend_default_submit, .cancel = larder_backend_default_cancel, \
    .hold_open = larder_backend_default_hold_open, \
    .hold_close = larder_backend_default_hold_close, \
    .status = larder_backend_default_status, .tick = larder_backend_default_tick, \
    .get = larder_backend_default_get, .set = larder_backend_default_set, \
  }

#endif
