/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "command/everything.h"
#include "command/sink.h"
#include "support/check.h"
#include "util/heap.h"

/* --- resp ---------------------------------------------------------------- */

static void check_resp(int protocol, const char *expected, size_t len)
{
  struct lrd_buffer b;
  struct lrd_resp r;
  struct heap h;

  heap_init(&h, 0);
  lrd_buffer_init(&b, &h.memory, 0);
  lrd_resp_init(&r, &b, protocol);
  write_everything(&r.sink);
  lrd_sink_end(&r.sink, &ok);
  output_is(&b, expected, len);
  lrd_sink_fail(&r.sink, LARDER_UNKNOWN, LARDER_FROM_REDIS, LARDER_CAUSE_CUT, "UNKNOWN x");
  lrd_sink_ok(&r.sink);
  lrd_sink_end(&r.sink, &ok);
  ck_assert(!memcmp(b.data + len, "-UNKNOWN x\r\n+OK\r\n", 17));
  ck_assert_uint_eq(b.len, len + 17);
  ck_assert_int_eq(r.worst, LARDER_UNKNOWN);
  ck_assert(!r.sink.failed && !b.failed && !r.lost);
  lrd_buffer_free(&b);
  ck_assert_uint_eq(h.bytes, 0);
  ck_assert(!h.wrong_size);
}

START_TEST(resp_bytes)
{
  check_resp(2, everything_2, sizeof everything_2 - 1);
  check_resp(3, everything_3, sizeof everything_3 - 1);
}
END_TEST

START_TEST(resp_rewinds_and_is_consumed_between)
{
  struct lrd_buffer b;
  struct lrd_resp r;
  struct heap h;

  heap_init(&h, 0);
  lrd_buffer_init(&b, &h.memory, 0);
  lrd_resp_init(&r, &b, 2);
  lrd_sink_ok(&r.sink);
  lrd_sink_end(&r.sink, &ok);
  lrd_buffer_consume(&b, 2);
  r.sink.type->rewind(&r.sink);
  output_is(&b, "K\r\n", 3);
  r.sink.type->open(&r.sink, LARDER_ARRAY);
  write_everything(&r.sink);
  r.sink.type->rewind(&r.sink);
  output_is(&b, "K\r\n", 3);
  lrd_sink_integer(&r.sink, 5);
  lrd_sink_end(&r.sink, &ok);
  output_is(&b, "K\r\n:5\r\n", 7);
  lrd_sink_errorf(&r.sink, "ERR %d %s", 7, "x");
  lrd_sink_end(&r.sink, &ok);
  output_is(&b, "K\r\n:5\r\n-ERR 7 x\r\n", 17);
  lrd_buffer_free(&b);
}
END_TEST

START_TEST(resp_opens_to_a_depth)
{
  struct lrd_buffer b;
  struct lrd_resp r;
  struct heap h;
  int i;

  heap_init(&h, 0);
  lrd_buffer_init(&b, &h.memory, 0);
  lrd_resp_init(&r, &b, 3);
  for (i = 0; i < 16; i++)
    r.sink.type->open(&r.sink, LARDER_SET);
  for (i = 0; i < 16; i++)
    r.sink.type->close(&r.sink, i > 0);
  lrd_sink_end(&r.sink, &ok);
  ck_assert_uint_eq(b.len, 64);
  ck_assert(!memcmp(b.data + 56, "~1\r\n~0\r\n", 8));
  for (i = 0; i < 17; i++)
    r.sink.type->open(&r.sink, LARDER_SET);
  ck_assert(r.sink.failed);
  lrd_sink_end(&r.sink, &ok);
  ck_assert_uint_eq(b.len, 64);
  ck_assert(r.lost);
  lrd_buffer_free(&b);
}
END_TEST

START_TEST(resp_leaves_whole_replies_at_each_failure)
{
  struct lrd_buffer b;
  struct lrd_resp r;
  struct heap h;
  size_t n, i;

  for (n = 1; n < 8; n++) {
    heap_init(&h, n);
    lrd_buffer_init(&b, &h.memory, 0);
    lrd_resp_init(&r, &b, 2);
    for (i = 0; i < 20; i++) {
      write_everything(&r.sink);
      lrd_sink_end(&r.sink, &ok);
    }
    ck_assert(b.failed && r.sink.failed && r.lost);
    ck_assert_int_eq(r.worst, LARDER_NO_MEMORY);
    ck_assert_uint_eq(b.len % (sizeof everything_2 - 1), 0);
    for (i = 0; i < b.len; i += sizeof everything_2 - 1)
      ck_assert(!memcmp(b.data + i, everything_2, sizeof everything_2 - 1));
    lrd_buffer_free(&b);
    ck_assert_uint_eq(h.bytes, 0);
  }
}
END_TEST

START_TEST(resp_recovers_by_rewind)
{
  struct lrd_buffer b;
  struct lrd_resp r;
  struct heap h;

  heap_init(&h, 0);
  lrd_buffer_init(&b, &h.memory, 600);
  lrd_resp_init(&r, &b, 2);
  write_everything(&r.sink);
  ck_assert(r.sink.failed);
  r.sink.type->rewind(&r.sink);
  ck_assert(!r.sink.failed && !b.failed);
  lrd_sink_error(&r.sink, "ERR no");
  lrd_sink_end(&r.sink, &ok);
  output_is(&b, "-ERR no\r\n", 9);
  ck_assert(!r.lost);
  lrd_buffer_free(&b);
}
END_TEST

/* --- endings ---------------------------------------------------------------- */

struct seen {
  struct lrd_ending ending; /* first */
  larder_value head;
};

static void see(struct lrd_ending *e, const larder_value *head, larder_verdict *v)
{
  ((struct seen *)e)->head = *head;
  v->outcome = LARDER_ABSENT;
}

static const struct larder_value heads[] = {
  { .type = LARDER_NIL },
  { .type = LARDER_INTEGER, .integer = 0 },
  { .type = LARDER_INTEGER, .integer = -2 },
  { .type = LARDER_STATUS, .len = 4, .str = "none" },
  { .type = LARDER_ARRAY, .len = 0 },
};

/* Of what can mean absence both sinks tell the same; the verdict is as it was left. */
static void end_one(larder_sink *s, const larder_value *value)
{
  struct seen seen = { .ending = { .call = see } };

  s->ending = &seen.ending;
  lrd_sink_value(s, value);
  lrd_sink_end(s, &ok);
  ck_assert_int_eq(seen.head.type, value->type);
  ck_assert_uint_eq(seen.head.len == 0, value->len == 0);
  if (value->type == LARDER_INTEGER)
    ck_assert_int_eq(seen.head.integer, value->integer);
  if (value->type == LARDER_STATUS)
    ck_assert_mem_eq(seen.head.str, value->str, value->len);
  s->ending = NULL;
}

START_TEST(endings_are_told)
{
  struct heap h;
  struct lrd_arena a;
  struct lrd_tree t;
  struct lrd_buffer b;
  struct lrd_resp r;
  size_t i;

  heap_init(&h, 0);
  lrd_arena_init(&a, &h.memory);
  ck_assert_int_eq(lrd_tree_init(&t, &a, 1), 0);
  lrd_buffer_init(&b, &h.memory, 0);
  for (i = 0; i < sizeof heads / sizeof *heads; i++) {
    end_one(&t.sink, &heads[i]);
    ck_assert_int_eq(t.reply[i].verdict.outcome, LARDER_ABSENT);
    lrd_resp_init(&r, &b, 2 + (int)(i & 1));
    end_one(&r.sink, &heads[i]);
    lrd_resp_init(&r, &b, 3 - (int)(i & 1));
    end_one(&r.sink, &heads[i]);
    ck_assert_int_eq(r.worst, LARDER_ABSENT);
  }
  lrd_arena_free(&a);
  lrd_buffer_free(&b);
  ck_assert_uint_eq(h.bytes, 0);
}
END_TEST

START_TEST(count_counts)
{
  struct lrd_count c;

  lrd_count_init(&c);
  write_everything(&c.sink);
  lrd_sink_end(&c.sink, &ok);
  lrd_sink_fail(&c.sink, LARDER_CLOSED, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE, "x");
  ck_assert_uint_eq(c.replies, 2);
  ck_assert_int_eq(c.last.outcome, LARDER_CLOSED);
  ck_assert(!c.sink.failed);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("sink");
  TCase *t = tcase_create("sink");

  tcase_add_test(t, resp_bytes);
  tcase_add_test(t, resp_rewinds_and_is_consumed_between);
  tcase_add_test(t, resp_opens_to_a_depth);
  tcase_add_test(t, resp_leaves_whole_replies_at_each_failure);
  tcase_add_test(t, resp_recovers_by_rewind);
  tcase_add_test(t, endings_are_told);
  tcase_add_test(t, count_counts);
  suite_add_tcase(s, t);
  return run_suite(s);
}
