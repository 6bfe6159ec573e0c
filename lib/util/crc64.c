/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/crc64.h"

/* What four bits become, shifted out at the lower end. */
static const uint64_t nibble[16] = {
  UINT64_C(0x0000000000000000), UINT64_C(0x7d08ff3b88be6f81),
  UINT64_C(0xfa11fe77117cdf02), UINT64_C(0x8719014c99c2b083),
  UINT64_C(0xdf7adabd7a6e2d6f), UINT64_C(0xa2722586f2d042ee),
  UINT64_C(0x256b24ca6b12f26d), UINT64_C(0x5863dbf1e3ac9dec),
  UINT64_C(0x95ac9329ac4bc9b5), UINT64_C(0xe8a46c1224f5a634),
  UINT64_C(0x6fbd6d5ebd3716b7), UINT64_C(0x12b5926535897936),
  UINT64_C(0x4ad64994d625e4da), UINT64_C(0x37deb6af5e9b8b5b),
  UINT64_C(0xb0c7b7e3c7593bd8), UINT64_C(0xcdcf48d84fe75459),
};

uint64_t lrd_crc64(uint64_t crc, const void *bytes, size_t len)
{
  const unsigned char *p = bytes;

  for (; len; len--, p++) {
    crc = crc >> 4 ^ nibble[(crc ^ *p) & 15];
    crc = crc >> 4 ^ nibble[(crc ^ *p >> 4) & 15];
  }
  return crc;
}
