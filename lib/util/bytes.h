/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_BYTES_H
#define LRD_UTIL_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Whether two strings of one length are the same; up to 16 bytes, as most keys,
 * members and fields are, without a call. */
static inline int lrd_same_bytes(const void *a, const void *b, size_t len)
{
  const unsigned char *p = a, *q = b;

  if (len >= 8 && len <= 16) {
    uint64_t a0, a1, b0, b1;

    memcpy(&a0, p, 8);
    memcpy(&b0, q, 8);
    memcpy(&a1, p + len - 8, 8);
    memcpy(&b1, q + len - 8, 8);
    return !((a0 ^ b0) | (a1 ^ b1));
  }
  if (len >= 4 && len < 8) {
    uint32_t a0, a1, b0, b1;

    memcpy(&a0, p, 4);
    memcpy(&b0, q, 4);
    memcpy(&a1, p + len - 4, 4);
    memcpy(&b1, q + len - 4, 4);
    return !((a0 ^ b0) | (a1 ^ b1));
  }
  if (len < 4)
    return !len || (p[0] == q[0] && p[len / 2] == q[len / 2] && p[len - 1] == q[len - 1]);
  return memcmp(p, q, len) == 0;
}

#endif
