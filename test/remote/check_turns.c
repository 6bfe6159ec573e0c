/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "remote/against.h"
#include "remote/report.h"
#include "remote/wire.h"
#include "util/memory.h"

/* Calls that take turns on one connection: what is in flight is bounded, and a small call does not
 * wait for the whole of a huge batch. */

enum { HUGE_COUNT = 20, HUGE_LEN = LRD_WIRE_PIECE, IN_WINDOW = LRD_WIRE_WINDOW_LEAST / HUGE_LEN };

/* So many SETs of values of so many bytes. */
struct bulk {
  pthread_t thread;
  size_t count;
  larder_vector *vector;
  larder_bytes *word;
  char *value;
  int timeout_ms;
  larder_verdict *verdict;
};

static void bulk_init(struct bulk *b, size_t count, size_t len)
{
  memset(b, 0, sizeof *b);
  b->count = count;
  b->timeout_ms = 5000;
  b->vector = calloc(count, sizeof *b->vector);
  b->word = calloc(count * 3, sizeof *b->word);
  b->verdict = calloc(count, sizeof *b->verdict);
  b->value = malloc(len);
  ck_assert(b->vector && b->word && b->verdict && b->value);
  memset(b->value, 'v', len);
  for (size_t i = 0; i < count; i++) {
    larder_bytes *word = b->word + 3 * i;
    word[0] = (larder_bytes){"SET", 3};
    word[1] = (larder_bytes){"huge", 4};
    word[2] = (larder_bytes){b->value, len};
    b->vector[i] = (larder_vector){.command = LRD_SET, .argc = 3, .argv = word};
  }
}

static void bulk_free(struct bulk *b)
{
  free(b->vector);
  free(b->word);
  free(b->verdict);
  free(b->value);
}

static void *bulk_run(void *argument)
{
  struct bulk *b = argument;
  struct lrd_arena arena;
  struct lrd_tree tree;
  lrd_arena_init(&arena, &lrd_memory_system);
  if (lrd_tree_init(&tree, &arena, b->count) != 0)
    abort();
  larder_call call = {.vector = b->vector, .count = b->count,
                      .deadline = lrd_monotonic(&rig.config.clock) +
                                  b->timeout_ms * LRD_NS_PER_MS};
  lrd_remote_table.execute(rig.backend, &call, &tree.sink);
  for (size_t i = 0; i < b->count; i++)
    b->verdict[i] = tree.reply[i].verdict;
  lrd_arena_free(&arena);
  return NULL;
}

static void bulk_start(struct bulk *b)
{
  ck_assert_int_eq(pthread_create(&b->thread, NULL, bulk_run, b), 0);
}

static void bulk_outcomes(struct bulk *b, size_t from, size_t to, larder_outcome outcome)
{
  for (size_t i = from; i < to; i++)
    ck_assert_msg(b->verdict[i].outcome == outcome, "vector %zu: outcome %d, not %d", i,
                  (int)b->verdict[i].outcome, (int)outcome);
}

/* --- the machine alone ----------------------------------------------------------------- */

static void handed_all(struct lrd_wire *w)
{
  size_t len;
  lrd_wire_out(w, &len);
  lrd_wire_handed(w, len);
}

static void ask(struct lrd_ticket *t, const larder_vector *vector, size_t count)
{
  lrd_ticket_init(t, &rig_memory, vector, count, 0);
}

static const larder_bytes get_words[] = {{"GET", 3}, {"small", 5}};
static const larder_vector get_small = {.command = LRD_GET, .argc = 2, .argv = get_words};
static const larder_bytes append_words[] = {{"APPEND", 6}, {"batch", 5}, {"12345678", 8}};

enum { APPENDS = 100000 };

static larder_vector *appends(void)
{
  larder_vector *v = calloc(APPENDS, sizeof *v);
  ck_assert_ptr_nonnull(v);
  for (size_t i = 0; i < APPENDS; i++)
    v[i] = (larder_vector){.command = LRD_APPEND, .argc = 3, .argv = append_words};
  return v;
}

static void answer(struct lrd_wire *w, size_t number)
{
  char reply[32];
  int len = snprintf(reply, sizeof reply, ":%zu\r\n", number);
  ck_assert_int_eq(lrd_wire_feed(w, reply, (size_t)len), 0);
  lrd_wire_turn(w, (int64_t)number * 1000);
  ck_assert_uint_lt(lrd_wire_flight(w), LRD_WIRE_FLIGHT_MOST + LRD_WIRE_PIECE + 64);
  handed_all(w);
}

/* A hundred thousand writes keep their order; small calls that come behind them are answered soon,
 * in the order in which they came. */
START_TEST(a_huge_batch_goes_in_pieces)
{
  struct lrd_wire w;
  struct lrd_ticket huge, small[2];
  larder_vector *v = appends();
  ck_assert_int_eq(lrd_wire_init(&w, &rig_memory, 0), 0);
  ask(&huge, v, APPENDS);
  ck_assert_int_eq(lrd_wire_enter(&w, &huge), 0);
  lrd_wire_turn(&w, 0);
  ck_assert_uint_ge(lrd_wire_flight(&w), LRD_WIRE_WINDOW_LEAST);
  ck_assert_uint_lt(lrd_wire_flight(&w), LRD_WIRE_WINDOW_LEAST + LRD_WIRE_PIECE + 64);
  for (int i = 0; i < 2; i++) {
    ask(&small[i], &get_small, 1);
    ck_assert_int_eq(lrd_wire_enter(&w, &small[i]), 0);
    lrd_wire_turn(&w, 0);
  }
  handed_all(&w);
  size_t before = huge.put, got = 0;
  while (got < before)
    answer(&w, got++);
  ck_assert_uint_lt(before, APPENDS / 50);
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(small[i].state, LRD_TICKET_PENDING);
    ck_assert_int_eq(lrd_wire_feed(&w, i ? "$1\r\nb\r\n" : "$1\r\na\r\n", 7), 0);
    ck_assert_int_eq(small[i].state, LRD_TICKET_DONE);
    ck_assert_str_eq(small[i].value->str, i ? "b" : "a");
  }
  while (got < APPENDS)
    answer(&w, got++);
  ck_assert_int_eq(huge.state, LRD_TICKET_DONE);
  for (size_t i = 0; i < APPENDS; i++)
    ck_assert_int_eq(huge.value[i].integer, (int64_t)i);
  ck_assert_ptr_eq(lrd_wire_ended(&w), &small[0]);
  ck_assert_ptr_null(lrd_wire_head(&w));
  ck_assert_uint_eq(huge.flight, 0);
  lrd_ticket_release(&huge);
  for (int i = 0; i < 2; i++)
    lrd_ticket_release(&small[i]);
  lrd_wire_free(&w);
  free(v);
}
END_TEST

/* Handed over up to every odd place: what had not begun is cut out, and the call behind is whole;
 * a cut of the connection counts what left whole.  Some of it has been answered before. */
START_TEST(pieces_end_together)
{
  static const char begun[] = "*3\r\n$6\r\nAPPEND\r\n$5\r\nbatch\r\n$8\r\n12345678\r\n";
  const size_t each = sizeof begun - 1, answered = 1000;
  larder_vector *v = appends();
  for (int withdrawn = 0; withdrawn < 2; withdrawn++)
    for (size_t sent = 0; sent < LRD_WIRE_WINDOW_LEAST / 2; sent += 997) {
      struct lrd_wire w;
      struct lrd_ticket huge, small;
      ck_assert_int_eq(lrd_wire_init(&w, &rig_memory, 0), 0);
      ask(&huge, v, APPENDS);
      ask(&small, &get_small, 1);
      ck_assert_int_eq(lrd_wire_enter(&w, &huge), 0);
      lrd_wire_turn(&w, 0);
      handed_all(&w);
      size_t handed = huge.put;
      for (size_t i = 0; i < answered; i++) {
        ck_assert_int_eq(lrd_wire_feed(&w, ":1\r\n", 4), 0);
        lrd_wire_turn(&w, (int64_t)i);
      }
      ck_assert_uint_gt(huge.put, handed);
      size_t len, most = (huge.put - handed) * each, now = sent < most ? sent : most;
      lrd_wire_out(&w, &len);
      ck_assert_uint_eq(len, most);
      lrd_wire_handed(&w, now);
      ck_assert_int_eq(lrd_wire_enter(&w, &small), 0);
      lrd_wire_turn(&w, 2000);
      if (withdrawn) {
        lrd_wire_withdraw(&w, &huge, LARDER_CAUSE_SLOW, "late");
        size_t owed = handed + (now + each - 1) / each;
        ck_assert_uint_eq(huge.committed, owed);
        handed_all(&w);
        for (size_t i = answered; i < owed; i++)
          ck_assert_int_eq(lrd_wire_feed(&w, ":1\r\n", 4), 0);
        ck_assert_int_eq(lrd_wire_feed(&w, "$1\r\na\r\n", 7), 0);
        ck_assert_int_eq(small.state, LRD_TICKET_DONE);
        ck_assert_ptr_null(lrd_wire_head(&w));
      } else {
        ck_assert_int_eq(lrd_wire_fail(&w, LARDER_CAUSE_CUT, "cut"), 1);
        ck_assert_uint_eq(huge.committed, handed + now / each);
        ck_assert_uint_eq(small.committed, 0);
        ck_assert_ptr_eq(lrd_wire_ended(&w), &huge);
        ck_assert_ptr_eq(huge.next, &small);
        ck_assert_ptr_null(small.next);
      }
      ck_assert_int_eq(huge.state, LRD_TICKET_FAILED);
      ck_assert_uint_eq(huge.got, answered);
      ck_assert_ptr_null(w.turn);
      lrd_ticket_release(&huge);
      lrd_ticket_release(&small);
      lrd_wire_free(&w);
    }
  free(v);
}
END_TEST

/* Every allocation fails once: the batch ends, by itself, and the connection goes on. */
START_TEST(every_failed_allocation_ends_the_batch)
{
  enum { COUNT = 2000 };
  larder_vector *v = appends();
  int done = 0, starved = 0;
  for (long n = 1; !done; n++) {
    struct lrd_wire w;
    struct lrd_ticket huge;
    ck_assert_int_eq(lrd_wire_init(&w, &rig_memory, 0), 0);
    ask(&huge, v, COUNT);
    rig_fail_allocation(n);
    if (lrd_wire_enter(&w, &huge) == 0) {
      lrd_wire_turn(&w, 0);
      handed_all(&w);
      for (size_t i = 0; huge.state == LRD_TICKET_PENDING && !w.poisoned; i++) {
        if (lrd_wire_feed(&w, ":1\r\n", 4) == 0)
          lrd_wire_turn(&w, (int64_t)i);
        handed_all(&w);
      }
      done = huge.state == LRD_TICKET_DONE;
      if (huge.state == LRD_TICKET_FAILED) {
        starved++;
        ck_assert_int_eq(huge.starved, 1);
        ck_assert_ptr_eq(lrd_wire_ended(&w), &huge);
      }
      lrd_wire_fail(&w, LARDER_CAUSE_CALLER, "over");
    }
    rig_fail_allocation(0);
    lrd_ticket_release(&huge);
    lrd_wire_free(&w);
    ck_assert_int_lt(n, 1000);
  }
  ck_assert_int_gt(starved, 0);
  free(v);
}
END_TEST

/* --- at a peer ------------------------------------------------------------------------- */

#define ANY4 PEER_EXPECT(NULL), PEER_EXPECT(NULL), PEER_EXPECT(NULL), PEER_EXPECT(NULL)
#define OK4 PEER_SEND("+OK\r\n+OK\r\n+OK\r\n+OK\r\n")

/* The peer has read a window of the batch and answers nothing: the small call comes next. */
START_TEST(a_small_call_passes_a_huge_batch)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, ANY4, PEER_SYNC, PEER_EXPECT("GET small"), OK4,
    PEER_SEND("$1\r\nx\r\n"), PEER_SYNC, ANY4, OK4, ANY4, OK4, ANY4, OK4, ANY4, OK4};
  struct bulk b;
  struct worker small = {.words = "GET small"};
  ck_assert_int_eq(IN_WINDOW, 4);
  bulk_init(&b, HUGE_COUNT, HUGE_LEN);
  begin(STEPS(script));
  bulk_start(&b);
  ck_assert_int_eq(peer_meet(peer, 5000), 0);
  ck_assert_int_eq(pthread_create(&small.thread, NULL, run_one, &small), 0);
  pthread_join(small.thread, NULL);
  ck_assert_str_eq(small.reply.text, "x");
  ck_assert_int_eq(peer_meet(peer, 5000), 0);
  pthread_join(b.thread, NULL);
  bulk_outcomes(&b, 0, HUGE_COUNT, LARDER_OK);
  end();
  bulk_free(&b);
}
END_TEST

/* What was not put when the deadline passed was not sent; the rest of the connection's life is
 * undisturbed. */
START_TEST(a_batch_that_gives_up_sends_no_more)
{
  static const struct peer_step script[] = {PEER_ACCEPT, PEER_GREET, ANY4, PEER_SYNC, OK4,
                                            PEER_EXPECT("GET small"), PEER_SEND("$1\r\nx\r\n")};
  struct bulk b;
  bulk_init(&b, HUGE_COUNT, HUGE_LEN);
  b.timeout_ms = 300;
  begin(STEPS(script));
  bulk_run(&b);
  bulk_outcomes(&b, 0, IN_WINDOW, LARDER_UNKNOWN);
  bulk_outcomes(&b, IN_WINDOW, HUGE_COUNT, LARDER_NOT_SENT);
  ck_assert_int_eq(peer_meet(peer, 5000), 0);
  ck_reply(rig_run_with(&rig, NULL, 0, 5000, "GET small"), LARDER_OK, LARDER_CAUSE_NONE);
  end();
  bulk_free(&b);
}
END_TEST

/* The connection is full: one call waits until its deadline and was not sent, one gets room. */
START_TEST(a_full_connection_makes_calls_wait)
{
  static const struct peer_step script[] = {
    PEER_ACCEPT, PEER_GREET, PEER_EXPECT(NULL), PEER_SYNC, PEER_SYNC, PEER_SEND("+OK\r\n"),
    PEER_EXPECT("SET b 2"), PEER_SEND("+OK\r\n")};
  struct bulk b;
  struct worker waits = {.words = "SET b 2"};
  bulk_init(&b, 1, LRD_WIRE_FLIGHT_MOST);
  begin(STEPS(script));
  bulk_start(&b);
  ck_assert_int_eq(peer_meet(peer, 5000), 0);
  struct rig_reply late = rig_run_with(&rig, NULL, 0, 100, "SET a 1");
  ck_reply(late, LARDER_NOT_SENT, LARDER_CAUSE_SLOW);
  ck_assert_str_eq(late.text, "NOTSENT no room on the connection within the deadline");
  ck_assert_int_eq(pthread_create(&waits.thread, NULL, run_one, &waits), 0);
  rig_sleep(50); /* it should wait by now: if not, nothing is lost */
  ck_assert_int_eq(peer_meet(peer, 5000), 0);
  pthread_join(waits.thread, NULL);
  pthread_join(b.thread, NULL);
  bulk_outcomes(&b, 0, 1, LARDER_OK);
  ck_assert_str_eq(waits.reply.text, "OK");
  ck_assert_int_eq(peer_saw(peer, "SET a 1"), 0);
  end();
  bulk_free(&b);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("turns");
  TCase *t = tcase_create("turns");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, a_huge_batch_goes_in_pieces);
  tcase_add_test(t, pieces_end_together);
  tcase_add_test(t, every_failed_allocation_ends_the_batch);
  tcase_add_test(t, a_small_call_passes_a_huge_batch);
  tcase_add_test(t, a_batch_that_gives_up_sends_no_more);
  tcase_add_test(t, a_full_connection_makes_calls_wait);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
