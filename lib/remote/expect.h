/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_EXPECT_H
#define LRD_REMOTE_EXPECT_H

#include <larder/backend.h>

/* 1: a server may reply such a value to this command, as far as its type goes.  0: the
 * reply belongs to something else, so nothing on that connection can be trusted.  Errors
 * always fit; so does anything to a command that is not listed. */
int lrd_reply_fits(const larder_vector *, const larder_value *);

#endif
