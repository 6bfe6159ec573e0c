/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/hash.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "util/cancel.h"

static inline uint64_t rotate(uint64_t x, int n)
{
  return x << n | x >> (64 - n);
}

static inline uint64_t load64(const unsigned char *p)
{
  uint64_t v;

  memcpy(&v, p, 8);
#if defined __BYTE_ORDER__ && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  v = __builtin_bswap64(v);
#endif
  return v;
}

#define SIP_ROUND                                     \
  do {                                                \
    v0 += v1, v1 = rotate(v1, 13) ^ v0, v0 = rotate(v0, 32); \
    v2 += v3, v3 = rotate(v3, 16) ^ v2;               \
    v0 += v3, v3 = rotate(v3, 21) ^ v0;               \
    v2 += v1, v1 = rotate(v1, 17) ^ v2, v2 = rotate(v2, 32); \
  } while (0)

/* The last 0 to 7 bytes as a little-endian number. */
static inline uint64_t load_tail(const unsigned char *p, size_t len)
{
  uint64_t v = 0;

  switch (len) {
  case 7: v |= (uint64_t)p[6] << 48; /* fall through */
  case 6: v |= (uint64_t)p[5] << 40; /* fall through */
  case 5: v |= (uint64_t)p[4] << 32; /* fall through */
  case 4: v |= (uint64_t)p[3] << 24; /* fall through */
  case 3: v |= (uint64_t)p[2] << 16; /* fall through */
  case 2: v |= (uint64_t)p[1] << 8;  /* fall through */
  case 1: v |= (uint64_t)p[0];       /* fall through */
  default: break;
  }
  return v;
}

uint64_t lrd_hash(const struct lrd_hash_key *key, const void *bytes, size_t len)
{
  const unsigned char *p = bytes;
  size_t left = len;
  uint64_t v0 = key->k0 ^ UINT64_C(0x736f6d6570736575);
  uint64_t v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d);
  uint64_t v2 = key->k0 ^ UINT64_C(0x6c7967656e657261);
  uint64_t v3 = key->k1 ^ UINT64_C(0x7465646279746573);
  uint64_t m;

  for (; left >= 8; p += 8, left -= 8) {
    m = load64(p);
    v3 ^= m;
    SIP_ROUND;
    v0 ^= m;
  }
  m = (uint64_t)len << 56 | load_tail(p, left);
  v3 ^= m;
  SIP_ROUND;
  v0 ^= m;
  v2 ^= 0xff;
  SIP_ROUND;
  SIP_ROUND;
  SIP_ROUND;
  return v0 ^ v1 ^ v2 ^ v3;
}

int lrd_random(void *buffer, size_t size)
{
  unsigned char *p = buffer;
  ssize_t n;

  while (size) {
    int state = lrd_cancel_disable();

    n = getrandom(p, size, 0);
    lrd_cancel_restore(state);
    if (n < 0) {
      if (errno == EINTR)
        continue;
      return -1;
    }
    p += n;
    size -= (size_t)n;
  }
  return 0;
}

void lrd_prng_seed(struct lrd_prng *r, uint64_t seed)
{
  int i;

  /* SplitMix64 spreads the seed: the state must not be all zero */
  for (i = 0; i < 4; i++) {
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    r->s[i] = z ^ z >> 31;
  }
}

uint64_t lrd_prng_next(struct lrd_prng *r)
{
  uint64_t *s = r->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

uint64_t lrd_prng_below(struct lrd_prng *r, uint64_t bound)
{
  uint64_t skip = -bound % bound, x; /* 2^64 mod bound: values below it would be favoured */

  do
    x = lrd_prng_next(r);
  while (x < skip);
  return x % bound;
}
