/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_BYTES_H
#define TEST_SUPPORT_BYTES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes that grow, for the test client; without memory the process ends.  All zero: none. */

struct bytes {
  char *data;
  size_t len, room;
};

static inline void *need(void *block)
{
  if (!block) {
    fprintf(stderr, "test client: out of memory\n");
    _exit(1);
  }
  return block;
}

static inline void bytes_reserve(struct bytes *b, size_t more)
{
  if (b->len + more <= b->room)
    return;
  b->room = (b->len + more) * 2;
  b->data = need(realloc(b->data, b->room));
}

static inline void bytes_add(struct bytes *b, const char *data, size_t len)
{
  if (len == 0)
    return;
  bytes_reserve(b, len);
  memcpy(b->data + b->len, data, len);
  b->len += len;
}

#endif
