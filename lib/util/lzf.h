/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_LZF_H
#define LRD_UTIL_LZF_H

#include <stddef.h>

/*
 * LZF (Lehmann, 2000), as Redis has it in its payloads: literals and references, a control byte
 * each.
 *
 *   000nnnnn                     n + 1 literal bytes follow
 *   nnnddddd dddddddd            n + 2 bytes from d + 1 bytes back, 0 < n < 7
 *   111ddddd nnnnnnnn dddddddd   n + 9 bytes
 */

enum { LRD_LZF_MOST = 264 }; /* one reference gives no more bytes than that, out of 3 */

/* The input has to give exactly out_len bytes: 0; else -1. */
int lrd_lzf_expand(const unsigned char *in, size_t in_len, unsigned char *out, size_t out_len);

#endif
