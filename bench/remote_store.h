/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_REMOTE_STORE_H
#define BENCH_REMOTE_STORE_H

#include <hiredis/hiredis.h>
#include <larder.h>

#include "remote.h"

/* Opened and connected, with a timeout that nothing reaches; NULL: a line on standard error. */
larder *remote_store(const struct site *, enum transport, const char *fallback, larder_delivery);
/* Whether Redis itself answered, and what it should; else a line on standard error. */
int remote_right(const larder_reply *, const struct command *);

/* The same of hiredis. */
redisContext *remote_link(const struct site *, enum transport);
int remote_reply_right(redisReply *, const struct command *);

#endif
