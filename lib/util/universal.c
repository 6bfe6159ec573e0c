/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/universal.h"

#include <string.h>

struct wide {
  uint64_t low, high;
};

static inline struct wide multiply(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
  __extension__ unsigned __int128 product = (unsigned __int128)a * b;

  return (struct wide){ (uint64_t)product, (uint64_t)(product >> 64) };
#else
  uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
  uint64_t middle = ah * bl + (al * bl >> 32), other = al * bh + (uint32_t)middle;

  return (struct wide){ a * b, ah * bh + (middle >> 32) + (other >> 32) };
#endif
}

static inline struct wide add(struct wide a, struct wide b)
{
  uint64_t low = a.low + b.low;

  return (struct wide){ low, a.high + b.high + (low < a.low) };
}

static inline uint64_t load64(const unsigned char *p)
{
  uint64_t v;

  memcpy(&v, p, sizeof v);
  return v;
}

static inline uint64_t load32(const unsigned char *p)
{
  uint32_t v;

  memcpy(&v, p, sizeof v);
  return v;
}

/* One to one. */
static inline uint64_t mix(uint64_t h)
{
  h = (h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15);
  return h ^ h >> 29;
}

static inline uint64_t sum(const struct lrd_universal_key *k, uint64_t x, uint64_t y, size_t len)
{
  struct wide s = add(multiply(k->term[0][0], x), multiply(k->term[1][0], y));

  s = add(s, multiply(k->term[2][0], len));
  s = add(s, (struct wide){ k->term[3][0], k->term[3][1] });
  return mix(s.high + k->term[0][1] * x + k->term[1][1] * y + k->term[2][1] * len);
}

static inline struct wide nh_pair(const struct lrd_universal_key *k, unsigned i,
                                  const unsigned char *p)
{
  return multiply(load64(p) + k->nh[i], load64(p + 8) + k->nh[i + 1]);
}

/* The first and the last 16 bytes, or the first and the last 32: they overlap, and
 * hold the whole string. */
static uint64_t hash_middle(const struct lrd_universal_key *k, const unsigned char *p, size_t len)
{
  const unsigned char *last = p + len;
  struct wide s;

  if (len <= 32) {
    s = add(nh_pair(k, 0, p), nh_pair(k, 2, last - 16));
  } else {
    s = add(nh_pair(k, 0, p), nh_pair(k, 2, p + 16));
    s = add(s, add(nh_pair(k, 4, last - 32), nh_pair(k, 6, last - 16)));
  }
  return sum(k, s.low, s.high, len);
}

static uint64_t hash_short(const struct lrd_universal_key *k, const unsigned char *p, size_t len)
{
  uint64_t x = 0;

  if (len >= 4)
    x = load32(p) << 32 | load32(p + len - 4);
  else if (len)
    x = (uint64_t)p[0] << 16 | (uint64_t)p[len / 2] << 8 | p[len - 1];
  return sum(k, x, 0, len);
}

uint64_t lrd_universal_hash(const struct lrd_universal_key *k, const void *bytes, size_t len)
{
  const unsigned char *p = bytes;

  if (len <= 16)
    return len >= 8 ? sum(k, load64(p), load64(p + len - 8), len) : hash_short(k, p, len);
  if (len <= 64)
    return hash_middle(k, p, len);
  return sum(k, lrd_hash(&k->longer, p, len), 0, len);
}

int lrd_universal_init(struct lrd_universal_key *k)
{
  return lrd_random(k, sizeof *k);
}
