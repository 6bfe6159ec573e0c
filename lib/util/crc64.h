/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_CRC64_H
#define LRD_UTIL_CRC64_H

#include <stddef.h>
#include <stdint.h>

/* CRC-64 with the polynomial of Jones (0xad93d23594c935a9), reflected, beginning with 0, as
 * Redis has it below its payloads; of "123456789": e9c6d914c4b8d9ca. */
uint64_t lrd_crc64(uint64_t before, const void *bytes, size_t len);

#endif
