/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_EXPOSITION_H
#define LRD_STORE_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

/*
 * Prometheus's text format, written into a buffer of the caller's as snprintf does: what doesn't
 * fit is counted.  A family (HELP and TYPE) comes first, its samples at once behind it.  One thread.
 */

struct lrd_exposition {
  char *buffer;
  size_t size, length; /* length: of the whole text so far */
  const char *family;
};

/* type: "counter", "gauge", "histogram", "summary".  name and help are kept and literal. */
void lrd_exposition_family(struct lrd_exposition *, const char *name, const char *type,
                           const char *help);

/* One sample of the family; suffix: "", "_bucket", "_sum", "_count".  The labels: name, value,
 * name, value, NULL; values are escaped. */
void lrd_exposition_count(struct lrd_exposition *, const char *suffix, const char *const *labels,
                          uint64_t value);
/* The same of a time in ns, written in seconds. */
void lrd_exposition_seconds(struct lrd_exposition *, const char *suffix,
                            const char *const *labels, uint64_t ns);

enum { LRD_SECONDS_SIZE = 32 };
/* "0.001024": exact, without zeros at the end. */
const char *lrd_seconds_text(uint64_t ns, char text[LRD_SECONDS_SIZE]);

#endif
