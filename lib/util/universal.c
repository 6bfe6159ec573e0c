/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/universal.h"

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

static inline struct lrd_wide nh_pair(const struct lrd_universal_key *k, unsigned i,
                                      const unsigned char *p)
{
  return lrd_wide_product(load64(p) + k->nh[i], load64(p + 8) + k->nh[i + 1]);
}

/* The first and the last 16 bytes, or the first and the last 32: they overlap, and
 * hold the whole string. */
static uint64_t hash_middle(const struct lrd_universal_key *k, const unsigned char *p, size_t len)
{
  const unsigned char *last = p + len;
  struct lrd_wide s;

  if (len <= 32) {
    s = lrd_wide_sum(nh_pair(k, 0, p), nh_pair(k, 2, last - 16));
  } else {
    s = lrd_wide_sum(nh_pair(k, 0, p), nh_pair(k, 2, p + 16));
    s = lrd_wide_sum(s, lrd_wide_sum(nh_pair(k, 4, last - 32), nh_pair(k, 6, last - 16)));
  }
  return lrd_universal_words(k, s.low, s.high, lrd_universal_length(k, len));
}

static uint64_t hash_short(const struct lrd_universal_key *k, const unsigned char *p, size_t len)
{
  uint64_t x = 0;

  if (len >= 4)
    x = load32(p) << 32 | load32(p + len - 4);
  else if (len)
    x = (uint64_t)p[0] << 16 | (uint64_t)p[len / 2] << 8 | p[len - 1];
  return lrd_universal_words(k, x, 0,
                             (struct lrd_wide){ k->length[len][0], k->length[len][1] });
}

uint64_t lrd_universal_other(const struct lrd_universal_key *k, const void *bytes, size_t len)
{
  const unsigned char *p = bytes;

  if (len < 8)
    return hash_short(k, p, len);
  if (len <= 64)
    return hash_middle(k, p, len);
  return lrd_universal_words(k, lrd_hash(&k->longer, p, len), 0, lrd_universal_length(k, len));
}

int lrd_universal_init(struct lrd_universal_key *k)
{
  return lrd_random(k, sizeof *k);
}
