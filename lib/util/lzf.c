/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/lzf.h"

#include <string.h>

/* A reference: how many bytes it takes itself; 0: it is cut off.  len and back: what it says. */
static size_t read_reference(const unsigned char *in, size_t left, size_t *len, size_t *back)
{
  size_t size = in[0] >> 5 == 7 ? 3 : 2;

  if (left < size)
    return 0;
  *len = (size_t)(in[0] >> 5) + 2 + (size == 3 ? in[1] : 0);
  *back = ((size_t)(in[0] & 31) << 8 | in[size - 1]) + 1;
  return size;
}

int lrd_lzf_expand(const unsigned char *in, size_t in_len, unsigned char *out, size_t out_len)
{
  size_t at = 0, to = 0, len, back;

  while (at < in_len) {
    if (in[at] < 32) {
      len = (size_t)in[at++] + 1;
      if (len > in_len - at || len > out_len - to)
        return -1;
      memcpy(out + to, in + at, len);
      at += len;
    } else {
      size_t size = read_reference(in + at, in_len - at, &len, &back);

      if (!size || back > to || len > out_len - to)
        return -1;
      at += size;
      for (size_t i = 0; i < len; i++) /* byte by byte: it may repeat what it writes */
        out[to + i] = out[to + i - back];
    }
    to += len;
  }
  return to == out_len ? 0 : -1;
}
