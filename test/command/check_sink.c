/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "command/sink.h"
#include "support/check.h"
#include "util/heap.h"

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

/* --- tree ---------------------------------------------------------------- */

/* A tree written again gives the bytes that writing at once gave. */
static void check_tree_bytes(const larder_value *value)
{
  struct lrd_buffer b;
  struct lrd_resp r;
  struct heap h;

  heap_init(&h, 0);
  lrd_buffer_init(&b, &h.memory, 0);
  lrd_resp_init(&r, &b, 2);
  lrd_sink_value(&r.sink, value);
  lrd_sink_end(&r.sink, &ok);
  output_is(&b, everything_2, sizeof everything_2 - 1);
  lrd_buffer_consume(&b, b.len);
  lrd_resp_init(&r, &b, 3);
  lrd_sink_value(&r.sink, value);
  lrd_sink_end(&r.sink, &ok);
  output_is(&b, everything_3, sizeof everything_3 - 1);
  lrd_buffer_free(&b);
}

/* Texts have a NUL behind them and are never NULL. */
static void check_texts(const larder_value *v)
{
  size_t i;

  if (v->type >= LARDER_ARRAY) {
    for (i = 0; i < v->len; i++)
      check_texts(&v->element[i]);
  } else if (v->type != LARDER_NIL && v->type != LARDER_INTEGER && v->type != LARDER_BOOLEAN) {
    ck_assert_ptr_nonnull(v->str);
    ck_assert_int_eq(v->str[v->len], '\0');
  }
}

START_TEST(tree_holds_everything)
{
  struct lrd_arena a;
  struct lrd_tree t;
  struct heap h;
  const larder_value *v;
  size_t i;

  heap_init(&h, 0);
  lrd_arena_init(&a, &h.memory);
  ck_assert_int_eq(lrd_tree_init(&t, &a, 2), 0);
  for (i = 0; i < 9; i++) { /* more than were expected */
    write_everything(&t.sink);
    t.sink.type->rewind(&t.sink);
    write_everything(&t.sink);
    lrd_sink_end(&t.sink, &ok);
  }
  ck_assert_uint_eq(t.replies, 9);
  for (i = 0; i < 9; i++) {
    v = &t.reply[i].value;
    ck_assert(!memcmp(&t.reply[i].verdict, &ok, sizeof ok));
    ck_assert_int_eq(v->type, LARDER_ARRAY);
    ck_assert_uint_eq(v->len, 11);
    ck_assert_int_eq(v->element[1].resp2, LARDER_RESP2_NIL_ARRAY);
    ck_assert_str_eq(v->element[3].str, "0.10000000000000001");
    ck_assert(v->element[3].real == 0.1);
    ck_assert_int_eq(v->element[6].type, LARDER_MAP);
    ck_assert_uint_eq(v->element[6].len, 4);
    ck_assert_int_eq(v->element[7].resp2, LARDER_RESP2_PAIRS);
    ck_assert_int_eq(v->element[7].element[1].resp2, LARDER_RESP2_PAIR);
    ck_assert_uint_eq(v->element[8].len, 3);
    check_texts(v);
    check_tree_bytes(v);
  }
  lrd_arena_free(&a);
  ck_assert_uint_eq(h.bytes, 0);
  ck_assert(!h.wrong_size);
}
END_TEST

START_TEST(tree_grows_long_ones)
{
  struct lrd_arena a;
  struct lrd_tree t;
  struct heap h;
  int64_t i;

  heap_init(&h, 0);
  lrd_arena_init(&a, &h.memory);
  ck_assert_int_eq(lrd_tree_init(&t, &a, 1), 0);
  t.sink.type->open(&t.sink, LARDER_ARRAY);
  for (i = 0; i < 5000; i++) {
    lrd_sink_array(&t.sink, 1);
    lrd_sink_integer(&t.sink, i);
  }
  t.sink.type->close(&t.sink, 5000);
  lrd_sink_end(&t.sink, &ok);
  ck_assert_uint_eq(t.reply->value.len, 5000);
  for (i = 0; i < 5000; i++)
    ck_assert_int_eq(t.reply->value.element[i].element[0].integer, i);
  lrd_arena_free(&a);
}
END_TEST

static void check_no_memory(const struct lrd_tree_reply *r)
{
  ck_assert_int_eq(r->verdict.outcome, LARDER_NO_MEMORY);
  ck_assert_int_eq(r->verdict.origin, LARDER_FROM_LOCAL);
  ck_assert_uint_eq(r->verdict.flags, 0);
  ck_assert_int_eq(r->value.type, LARDER_ERROR);
  check_texts(&r->value);
}

START_TEST(tree_survives_each_failure)
{
  struct lrd_arena a;
  struct lrd_tree t;
  struct heap h;
  size_t n, i, whole = 0, spoiled = 0;

  for (n = 1; whole < 6; n++) {
    heap_init(&h, n);
    lrd_arena_init(&a, &h.memory);
    whole = 0;
    if (!lrd_tree_init(&t, &a, 6)) {
      for (i = 0; i < 6; i++) {
        write_everything(&t.sink);
        lrd_sink_end(&t.sink, &ok);
        ck_assert(!t.sink.failed);
      }
      ck_assert_uint_eq(t.replies, 6);
      for (i = 0; i < 6; i++)
        if (t.reply[i].verdict.outcome == LARDER_OK) {
          whole++;
          check_tree_bytes(&t.reply[i].value);
        } else {
          spoiled++;
          check_no_memory(&t.reply[i]);
        }
    }
    lrd_arena_free(&a);
    ck_assert_uint_eq(h.blocks, 0);
    ck_assert_uint_eq(h.bytes, 0);
    ck_assert(!h.wrong_size);
    ck_assert_uint_lt(n, 100);
  }
  ck_assert_uint_gt(n, 3);
  ck_assert_uint_gt(spoiled, 3);
}
END_TEST

START_TEST(tree_small_scalars_never_fail)
{
  struct lrd_arena a;
  struct lrd_tree t;
  struct heap h;
  char text[LARDER_SINK_RESERVE];
  size_t i;

  memset(text, 'y', sizeof text);
  heap_init(&h, 0);
  lrd_arena_init(&a, &h.memory);
  ck_assert_int_eq(lrd_tree_init(&t, &a, 400), 0);
  h.fail_at = 1; /* nothing more from here on */
  lrd_sink_string(&t.sink, text, sizeof text - 1);
  lrd_sink_end(&t.sink, &ok);
  for (i = 1; i < 400; i++) {
    lrd_sink_integer(&t.sink, (int64_t)i);
    lrd_sink_end(&t.sink, &ok);
  }
  ck_assert_uint_eq(t.replies, 400);
  ck_assert_int_eq(t.reply[0].verdict.outcome, LARDER_OK);
  ck_assert_uint_eq(t.reply[0].value.len, sizeof text - 1);
  for (i = 1; i < 400; i++) {
    ck_assert_int_eq(t.reply[i].verdict.outcome, LARDER_OK);
    ck_assert_int_eq(t.reply[i].value.integer, (int64_t)i);
  }
  lrd_arena_free(&a);
}
END_TEST

START_TEST(tree_failure_is_sticky_until_rewind)
{
  struct lrd_arena a;
  struct lrd_tree t;
  struct heap h;

  heap_init(&h, 0);
  lrd_arena_init(&a, &h.memory);
  ck_assert_int_eq(lrd_tree_init(&t, &a, 3), 0);
  lrd_sink_array(&t.sink, SIZE_MAX / 4);
  ck_assert(t.sink.failed);
  lrd_sink_integer(&t.sink, 1);
  lrd_sink_array(&t.sink, 1);
  t.sink.type->open(&t.sink, LARDER_SET);
  t.sink.type->close(&t.sink, 0);
  ck_assert(t.sink.failed);
  lrd_sink_end(&t.sink, &ok);
  check_no_memory(&t.reply[0]);
  lrd_sink_array(&t.sink, SIZE_MAX);
  ck_assert(t.sink.failed);
  lrd_sink_fail(&t.sink, LARDER_NOT_SENT, LARDER_FROM_NOWHERE, LARDER_CAUSE_REFUSED, "NOTSENT x");
  ck_assert_int_eq(t.reply[1].verdict.outcome, LARDER_NOT_SENT);
  ck_assert_int_eq(t.reply[1].verdict.cause, LARDER_CAUSE_REFUSED);
  ck_assert_int_eq(t.reply[1].verdict.age_ms, -1);
  ck_assert_str_eq(t.reply[1].value.str, "NOTSENT x");
  ck_assert_int_eq(lrd_tree_init(&t, &a, SIZE_MAX / 8), -1);
  lrd_arena_free(&a);
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
  SRunner *r;
  int failed;

  tcase_add_test(t, resp_bytes);
  tcase_add_test(t, resp_rewinds_and_is_consumed_between);
  tcase_add_test(t, resp_opens_to_a_depth);
  tcase_add_test(t, resp_leaves_whole_replies_at_each_failure);
  tcase_add_test(t, resp_recovers_by_rewind);
  tcase_add_test(t, tree_holds_everything);
  tcase_add_test(t, tree_grows_long_ones);
  tcase_add_test(t, tree_survives_each_failure);
  tcase_add_test(t, tree_small_scalars_never_fail);
  tcase_add_test(t, tree_failure_is_sticky_until_rewind);
  tcase_add_test(t, endings_are_told);
  tcase_add_test(t, count_counts);
  suite_add_tcase(s, t);
  r = srunner_create(s);
  srunner_run_all(r, CK_ENV);
  failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
