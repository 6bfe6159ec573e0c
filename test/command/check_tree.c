/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "command/everything.h"
#include "command/sink.h"
#include "support/check.h"
#include "util/heap.h"

/* Replies as trees. */

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

int main(void)
{
  Suite *s = suite_create("tree");
  TCase *t = tcase_create("tree");

  tcase_add_test(t, tree_holds_everything);
  tcase_add_test(t, tree_grows_long_ones);
  tcase_add_test(t, tree_survives_each_failure);
  tcase_add_test(t, tree_small_scalars_never_fail);
  tcase_add_test(t, tree_failure_is_sticky_until_rewind);
  suite_add_tcase(s, t);
  return run_suite(s);
}
