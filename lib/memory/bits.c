/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/bits.h"

#include <string.h>

uint64_t lrd_bits_count(const unsigned char *p, size_t len)
{
  uint64_t count = 0, word;

  for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
    memcpy(&word, p, sizeof word);
    count += (uint64_t)__builtin_popcountll(word);
  }
  for (; len; len--)
    count += (uint64_t)__builtin_popcount(*p++);
  return count;
}

/* The bits of a byte from its first-th on, or up to its last-th. */
static unsigned from(uint64_t first)
{
  return 0xffu >> (first & 7);
}

static unsigned up_to(uint64_t last)
{
  return 0xffu << (7 - (last & 7)) & 0xffu;
}

uint64_t lrd_bits_count_range(const unsigned char *p, uint64_t first, uint64_t last)
{
  size_t a = (size_t)(first / 8), b = (size_t)(last / 8);

  if (a == b)
    return (uint64_t)__builtin_popcount(p[a] & from(first) & up_to(last));
  return (uint64_t)__builtin_popcount(p[a] & from(first)) + lrd_bits_count(p + a + 1, b - a - 1) +
         (uint64_t)__builtin_popcount(p[b] & up_to(last));
}

/* The first byte from a on, before b, that is not all the other bit. */
static size_t skip(const unsigned char *p, size_t a, size_t b, unsigned char all)
{
  const uint64_t plain = all ? UINT64_MAX : 0;
  uint64_t word;

  for (; b - a >= sizeof word; a += sizeof word) {
    memcpy(&word, p + a, sizeof word);
    if (word != plain)
      break;
  }
  while (a < b && p[a] == all)
    a++;
  return a;
}

static int64_t first_in(unsigned byte, size_t at)
{
  return byte ? (int64_t)at * 8 + __builtin_clz(byte) - 24 : -1;
}

int64_t lrd_bits_find(const unsigned char *p, uint64_t first, uint64_t last, int bit)
{
  unsigned flip = bit ? 0 : 0xff;
  size_t a = (size_t)(first / 8), b = (size_t)(last / 8);
  unsigned byte = (p[a] ^ flip) & from(first);

  if (a == b)
    return first_in(byte & up_to(last), a);
  if (byte)
    return first_in(byte, a);
  a = skip(p, a + 1, b, (unsigned char)flip);
  byte = p[a] ^ flip;
  return first_in(a == b ? byte & up_to(last) : byte, a);
}

uint64_t lrd_bits_get(const unsigned char *p, size_t len, uint64_t at, unsigned width)
{
  uint64_t value = 0;

  while (width) {
    unsigned inside = (unsigned)(at & 7), take = 8 - inside < width ? 8 - inside : width;
    unsigned byte = at / 8 < len ? p[at / 8] : 0;

    value = value << take | (byte >> (8 - inside - take) & ((1u << take) - 1));
    at += take;
    width -= take;
  }
  return value;
}

void lrd_bits_set(unsigned char *p, uint64_t at, unsigned width, uint64_t value)
{
  while (width) {
    unsigned inside = (unsigned)(at & 7), take = 8 - inside < width ? 8 - inside : width;
    unsigned shift = 8 - inside - take, mask = ((1u << take) - 1) << shift;
    unsigned part = (unsigned)(value >> (width - take)) << shift & mask;

    p[at / 8] = (unsigned char)((p[at / 8] & ~mask) | part);
    at += take;
    width -= take;
  }
}
