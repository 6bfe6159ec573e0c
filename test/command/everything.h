/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_COMMAND_EVERYTHING_H
#define TEST_COMMAND_EVERYTHING_H

#include <stdint.h>
#include <string.h>

#include "command/sink.h"
#include "support/check.h"

/* A reply with everything in it that there is, and its bytes in both protocols. */

static const larder_verdict ok = { .outcome = LARDER_OK, .origin = LARDER_FROM_LOCAL,
                                   .flags = LARDER_JOURNALED, .age_ms = 7 };

/* One of everything, several levels deep, in known and unknown lengths. */
static void write_everything(larder_sink *s)
{
  char big[700];

  memset(big, 'x', sizeof big);
  lrd_sink_array(s, 11);
  lrd_sink_nil(s);
  lrd_sink_nil_array(s);
  lrd_sink_integer(s, INT64_MIN);
  lrd_sink_real(s, 0.1);
  s->type->boolean(s, 1);
  lrd_sink_string(s, "a\0b", 3);
  lrd_sink_map(s, 2);
  lrd_sink_status(s, "k1");
  lrd_sink_set(s, 0);
  s->type->bignum(s, "123", 3);
  s->type->verbatim(s, "text", 4);
  lrd_sink_pairs(s, 2);
  lrd_sink_pair(s);
  lrd_sink_string(s, "m", 1);
  lrd_sink_real(s, 1);
  lrd_sink_pair(s);
  lrd_sink_string(s, "n", 1);
  lrd_sink_real(s, 2.5);
  s->type->open(s, LARDER_SET);
  lrd_sink_integer(s, 1);
  s->type->open(s, LARDER_MAP);
  lrd_sink_string(s, big, sizeof big);
  lrd_sink_array(s, 1);
  lrd_sink_error(s, "ERR a\r\nb");
  s->type->close(s, 2);
  s->type->open(s, LARDER_ARRAY);
  s->type->close(s, 0);
  s->type->close(s, 3);
  s->type->aggregate(s, LARDER_PUSH, 1, 0);
  lrd_sink_string(s, "", 0);
  lrd_sink_string(s, NULL, 0);
}

#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X700 X100 X100 X100 X100 X100 X100 X100

static const char everything_2[] =
  "*11\r\n$-1\r\n*-1\r\n:-9223372036854775808\r\n$19\r\n0.10000000000000001\r\n:1\r\n"
  "$3\r\na\0b\r\n*4\r\n+k1\r\n*0\r\n$3\r\n123\r\n$4\r\ntext\r\n"
  "*4\r\n$1\r\nm\r\n$1\r\n1\r\n$1\r\nn\r\n$3\r\n2.5\r\n"
  "*3\r\n:1\r\n*2\r\n$700\r\n" X700 "\r\n*1\r\n-ERR a  b\r\n*0\r\n*1\r\n$0\r\n\r\n$0\r\n\r\n";

static const char everything_3[] =
  "*11\r\n_\r\n_\r\n:-9223372036854775808\r\n,0.10000000000000001\r\n#t\r\n"
  "$3\r\na\0b\r\n%2\r\n+k1\r\n~0\r\n(123\r\n=8\r\ntxt:text\r\n"
  "*2\r\n*2\r\n$1\r\nm\r\n,1\r\n*2\r\n$1\r\nn\r\n,2.5\r\n"
  "~3\r\n:1\r\n%1\r\n$700\r\n" X700 "\r\n*1\r\n-ERR a  b\r\n*0\r\n>1\r\n$0\r\n\r\n$0\r\n\r\n";

static void output_is(const struct lrd_buffer *b, const char *expected, size_t len)
{
  size_t i;

  for (i = 0; i < len && i < b->len && b->data[i] == expected[i]; i++)
    ;
  ck_assert_msg(b->len == len && i == len, "length %zu of %zu, first difference at %zu", b->len,
                len, i);
}

#endif
