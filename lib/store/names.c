/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/names.h"

#include <string.h>

#include "util/memory.h"

void lrd_names_init(struct lrd_names *n, const char *prefix)
{
  n->len = n->escaped_len = 0;
  for (; prefix && *prefix && n->len < LRD_NAMES_PREFIX; prefix++) {
    if (strchr("*?[]^-\\", *prefix))
      n->escaped[n->escaped_len++] = '\\';
    n->escaped[n->escaped_len++] = *prefix;
    n->text[n->len++] = *prefix;
  }
}

static larder_bytes head(const struct lrd_names *n, enum lrd_hub_kind kind)
{
  return kind == LRD_HUB_PATTERN ? (larder_bytes){n->escaped, n->escaped_len}
                                 : (larder_bytes){n->text, n->len};
}

int lrd_names_join(const struct lrd_names *n, const larder_memory *m, enum lrd_hub_kind kind,
                   larder_bytes name, larder_bytes *whole)
{
  const larder_bytes front = head(n, kind);
  *whole = name;
  if (front.len == 0)
    return 0;
  char *joined = name.len < SIZE_MAX / 2 ? lrd_allocate(m, front.len + name.len) : NULL;
  if (!joined)
    return -1;
  memcpy(joined, front.data, front.len);
  if (name.len)
    memcpy(joined + front.len, name.data, name.len);
  *whole = (larder_bytes){joined, front.len + name.len};
  return 0;
}

void lrd_names_release(const struct lrd_names *n, const larder_memory *m, larder_bytes *whole)
{
  if (n->len)
    lrd_release(m, (char *)(uintptr_t)whole->data, whole->len);
}

larder_bytes lrd_names_strip(const struct lrd_names *n, enum lrd_hub_kind kind,
                             const struct lrd_name *name)
{
  size_t front = head(n, kind).len;
  return front <= name->len ? (larder_bytes){name->bytes + front, name->len - front}
                            : (larder_bytes){name->bytes, name->len};
}

larder_bytes lrd_names_channel(const struct lrd_names *n, const struct lrd_message *m)
{
  return n->len <= m->channel ? (larder_bytes){m->bytes + n->len, m->channel - n->len}
                              : (larder_bytes){m->bytes, m->channel};
}
