/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_NAMES_H
#define LRD_STORE_NAMES_H

#include "command/hub.h"

/*
 * Names of channels and patterns as callers know them, and as Redis does: with the store's
 * prefix in front, which in a pattern is escaped.
 */
enum { LRD_NAMES_PREFIX = 128 };

struct lrd_names {
  size_t len, escaped_len; /* 0: there is no prefix */
  char text[LRD_NAMES_PREFIX];
  char escaped[2 * LRD_NAMES_PREFIX];
};

/* prefix: at most LRD_NAMES_PREFIX characters, copied; NULL: none. */
void lrd_names_init(struct lrd_names *, const char *prefix);

/* *whole: the name with the prefix, until lrd_names_release.  0, or -1: no memory. */
int lrd_names_join(const struct lrd_names *, const larder_memory *, enum lrd_hub_kind,
                   larder_bytes name, larder_bytes *whole);
void lrd_names_release(const struct lrd_names *, const larder_memory *, larder_bytes *whole);

/* What a caller knows it by: inside the name. */
larder_bytes lrd_names_strip(const struct lrd_names *, enum lrd_hub_kind, const struct lrd_name *);
larder_bytes lrd_names_channel(const struct lrd_names *, const struct lrd_message *);

#endif
