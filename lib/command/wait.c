/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/command.h"

#include <math.h>

#include "command/argv.h"
#include "util/number.h"

/* Where the timeout stands, in seconds; 0: nowhere. */
static int seconds_at(const larder_vector *v)
{
  switch (v->command) {
  case LRD_BLPOP:
  case LRD_BRPOP:
  case LRD_BLMOVE:
  case LRD_BRPOPLPUSH:
  case LRD_BZPOPMIN:
  case LRD_BZPOPMAX:
    return v->argc - 1;
  case LRD_BLMPOP:
  case LRD_BZMPOP:
    return 1;
  default:
    return 0;
  }
}

/* XREAD and XREADGROUP: behind BLOCK, in milliseconds; options end where the keys begin. */
static int milliseconds_at(const larder_vector *v)
{
  for (int i = 1; i + 1 < v->argc; i++) {
    if (lrd_is_word(&v->argv[i], "BLOCK"))
      return i + 1;
    if (lrd_is_word(&v->argv[i], "STREAMS"))
      break;
    i += lrd_is_word(&v->argv[i], "COUNT") ? 1 : lrd_is_word(&v->argv[i], "GROUP") ? 2 : 0;
  }
  return 0;
}

/* What is too large to be counted is negative, as in redis-server 7.0. */
static const char *from_seconds(const larder_bytes *text, int64_t *ms)
{
  long double seconds;

  if (!lrd_parse_long_double(text->data, text->len, &seconds))
    return "ERR timeout is not a float or out of range";
  seconds = ceill(seconds * 1000);
  if (!(seconds >= 0 && seconds < 0x1p63L))
    return "ERR timeout is negative";
  *ms = (int64_t)seconds;
  return NULL;
}

const char *lrd_command_wait(const larder_vector *v, int64_t *ms)
{
  int at = seconds_at(v);

  *ms = -1;
  if (at)
    return from_seconds(&v->argv[at], ms);
  if (v->command != LRD_XREAD && v->command != LRD_XREADGROUP)
    return NULL;
  at = milliseconds_at(v);
  if (!at)
    return NULL;
  if (!lrd_parse_integer(v->argv[at].data, v->argv[at].len, ms))
    return "ERR timeout is not an integer or out of range";
  return *ms < 0 ? "ERR timeout is negative" : NULL;
}
