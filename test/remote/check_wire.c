/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "command/command.h"
#include "remote/report.h"
#include "remote/rig.h"
#include "support/check.h"
#include "support/sanitizer.h"
#include "util/memory.h"

/* The protocol machine alone: bytes in, tickets out. */

enum { WORDS = 4 };

struct one {
  struct lrd_ticket ticket;
  larder_vector vector[4];
  larder_bytes word[4][WORDS];
};

static void add_words(struct one *o, size_t i, const char *a, const char *b, const char *c)
{
  const char *words[] = {a, b, c};
  larder_vector *v = &o->vector[i];
  *v = (larder_vector){.argv = o->word[i]};
  for (int j = 0; j < 3 && words[j]; j++)
    o->word[i][v->argc++] = (larder_bytes){words[j], strlen(words[j])};
  v->command = lrd_command_find(a, strlen(a));
  ck_assert_uint_ne(v->command, LRD_NO_COMMAND);
}

static void make(struct one *o, size_t count, int atomic)
{
  lrd_ticket_init(&o->ticket, &rig_memory, o->vector, count, atomic);
}

static void handed_all(struct lrd_wire *w)
{
  size_t len;
  lrd_wire_out(w, &len);
  lrd_wire_handed(w, len);
}

static const char two_replies[] =
  "$5\r\nhello\r\n*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n";

static void check_two(struct one *o)
{
  ck_assert_int_eq(o->ticket.state, LRD_TICKET_DONE);
  ck_assert_uint_eq(o->ticket.got, 2);
  ck_assert_int_eq(o->ticket.value[0].type, LARDER_STRING);
  ck_assert_str_eq(o->ticket.value[0].str, "hello");
  const larder_value *map = &o->ticket.value[1];
  ck_assert_int_eq(map->type, LARDER_MAP);
  ck_assert_uint_eq(map->len, 4);
  ck_assert_str_eq(map->element[0].str, "a");
  ck_assert_str_eq(map->element[3].str, "2");
}

static void begin_two(struct lrd_wire *w, struct one *o)
{
  ck_assert_int_eq(lrd_wire_init(w, &rig_memory, 0), 0);
  add_words(o, 0, "GET", "k", NULL);
  add_words(o, 1, "HGETALL", "h", NULL);
  make(o, 2, 0);
  ck_assert_int_eq(lrd_wire_call(w, &o->ticket), 0);
  handed_all(w);
}

START_TEST(encodes_what_it_is_given)
{
  struct lrd_wire w;
  struct one o;
  size_t len;
  ck_assert_int_eq(lrd_wire_init(&w, &rig_memory, 0), 0);
  add_words(&o, 0, "GET", "k", NULL);
  make(&o, 1, 1);
  ck_assert_int_eq(lrd_wire_call(&w, &o.ticket), 0);
  const char *out = lrd_wire_out(&w, &len);
  const char want[] = "*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nEXEC\r\n";
  ck_assert_uint_eq(len, sizeof want - 1);
  ck_assert_mem_eq(out, want, len);
  lrd_wire_fail(&w, LARDER_CAUSE_CUT, "over");
  ck_assert_int_eq(o.ticket.state, LRD_TICKET_FAILED);
  ck_assert_uint_eq(o.ticket.committed, 0);
  lrd_ticket_release(&o.ticket);
  lrd_wire_free(&w);
}
END_TEST

START_TEST(every_cut_gives_the_same_replies)
{
  size_t len = sizeof two_replies - 1;
  for (size_t i = 0; i <= len; i++)
    for (size_t j = i; j <= len; j += 7) {
      struct lrd_wire w;
      struct one o;
      begin_two(&w, &o);
      ck_assert_int_eq(lrd_wire_feed(&w, two_replies, i), 0);
      ck_assert_int_eq(lrd_wire_feed(&w, two_replies + i, j - i), 0);
      ck_assert_int_eq(lrd_wire_feed(&w, two_replies + j, len - j), 0);
      check_two(&o);
      ck_assert_ptr_eq(lrd_wire_ended(&w), &o.ticket);
      lrd_ticket_release(&o.ticket);
      lrd_wire_free(&w);
    }
}
END_TEST

/* A byte replaced anywhere: the calls end in replies or the machine is poisoned, and it
 * never hands out more than was asked for. */
START_TEST(garbage_at_every_byte_is_contained)
{
  size_t len = sizeof two_replies - 1;
  static const char garbage[] = {0, '\r', '\n', '*', '$', '-', '9', (char)0xff, ':', '!'};
  int poisoned = 0;
  for (size_t i = 0; i < len; i++)
    for (size_t g = 0; g < sizeof garbage; g++) {
      struct lrd_wire w;
      struct one o;
      char bytes[sizeof two_replies];
      memcpy(bytes, two_replies, sizeof bytes);
      if (bytes[i] == garbage[g])
        continue;
      bytes[i] = garbage[g];
      begin_two(&w, &o);
      int dead = lrd_wire_feed(&w, bytes, len);
      poisoned += dead != 0;
      ck_assert_int_eq(dead != 0, w.poisoned);
      if (dead)
        ck_assert_int_ne(w.error[0], 0);
      lrd_wire_fail(&w, LARDER_CAUSE_PROTOCOL, "over");
      ck_assert_int_ne(o.ticket.state, LRD_TICKET_PENDING);
      ck_assert_uint_le(o.ticket.got, 2);
      lrd_ticket_release(&o.ticket);
      lrd_wire_free(&w);
    }
  ck_assert_int_gt(poisoned, 100);
}
END_TEST

static int feeds_to(const char *command, const char *bytes, size_t len, size_t limit)
{
  struct lrd_wire w;
  struct one o;
  ck_assert_int_eq(lrd_wire_init(&w, &rig_memory, limit), 0);
  add_words(&o, 0, command, "k", "0");
  make(&o, 1, 0);
  ck_assert_int_eq(lrd_wire_call(&w, &o.ticket), 0);
  handed_all(&w);
  int dead = lrd_wire_feed(&w, bytes, len);
  lrd_wire_fail(&w, LARDER_CAUSE_PROTOCOL, "over");
  lrd_ticket_release(&o.ticket);
  lrd_wire_free(&w);
  return dead;
}

/* To a command that may have a reply of that type: nothing is wrong but what the test is about. */
static int feeds(const char *bytes, size_t len, size_t limit)
{
  const char *command = "LRANGE";
  if (*bytes == '$')
    command = "GET";
  else if (*bytes == '+')
    command = "SET";
  else if (*bytes == ':')
    command = "APPEND";
  return feeds_to(command, bytes, len, limit);
}

static const char *const poisons[] = {
  "$-2\r\n", "$+1\r\n", "$007\r\nabcdefg\r\n", "$2147483648\r\n", "$4611686018427387904\r\n",
  "$9223372036854775807\r\n", "$9223372036854775808\r\n",
  "$1111111111111111111111111111111111111111\r\n",
  "*9223372036854775807\r\n", "*-2\r\n", "*4294967296\r\n", ":12a\r\n", ":\r\n", "hello\r\n",
  "\r\n", "$1\r\nabc\r\n", "$3\r\nabcde", "+a\nb\r\n", ",1.5x\r\n", "@1\r\n"};

START_TEST(what_is_no_protocol_poisons)
{
  ck_assert_msg(feeds(poisons[_i], strlen(poisons[_i]), 0) != 0, "%s", poisons[_i]);
}
END_TEST

/* Over RESP2 there are no pushes: a protocol error, or, where the reader knows them, dropped; the
 * reply of nobody. */
START_TEST(a_push_is_nobodys_reply)
{
  struct lrd_wire w;
  struct one o;
  begin_two(&w, &o);
  int dead = lrd_wire_feed(&w, ">1\r\n$5\r\nhello\r\n", 16);
#ifndef HAVE_HIREDIS_RESP3
  ck_assert_int_ne(dead, 0);
#endif
  ck_assert(dead == 0 || w.poisoned);
  ck_assert_uint_eq(o.ticket.got, 0);
  lrd_wire_fail(&w, LARDER_CAUSE_PROTOCOL, "over");
  lrd_ticket_release(&o.ticket);
  lrd_wire_free(&w);
}
END_TEST

START_TEST(promises_cost_no_memory)
{
  /* Lengths that are allowed, and then silence: what is held follows what was received. */
  static const char *const promises[] = {"*60000000\r\n", "$1073741823\r\n", "*60000000\r\n:1\r\n"};
  struct rlimit limit = {.rlim_cur = 256 << 20, .rlim_max = 256 << 20};
  if (!TEST_SANITIZED)
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
  for (size_t i = 0; i < 3; i++)
    ck_assert_int_eq(feeds(promises[i], strlen(promises[i]), 0), 0);
}
END_TEST

START_TEST(replies_over_the_limit_poison)
{
  char *big = malloc(100000);
  ck_assert_ptr_nonnull(big);
  memset(big, 'x', 100000);
  memcpy(big, "+", 1);
  ck_assert_int_ne(feeds(big, 100000, 0), 0); /* a line of 100 kB */
  memcpy(big, "$90000\r\n", 8);
  ck_assert_int_eq(feeds(big, 50000, 0), 0);
  ck_assert_int_ne(feeds(big, 50000, 40000), 0);
  ck_assert_int_ne(feeds(big, 8, 40000), 0); /* the length alone says so */
  memset(big, 0, 100000);
  memcpy(big, "*60000\r\n", 8);
  for (size_t i = 8; i + 4 < 100000; i += 4)
    memcpy(big + i, ":1\r\n", 4);
  ck_assert_int_ne(feeds(big, 99000, 50000), 0);
  free(big);
}
END_TEST

START_TEST(a_reply_of_another_type_poisons)
{
  static const char *const wrong[] = {":1\r\n", "+OK\r\n", "$1\r\n1\r\n", "$-1\r\n"};
  for (size_t i = 0; i < 4; i++)
    ck_assert_int_ne(feeds_to("LRANGE", wrong[i], strlen(wrong[i]), 0), 0); /* to LRANGE */
  ck_assert_int_eq(feeds("*0\r\n", 4, 0), 0);
  ck_assert_int_eq(feeds("-ERR\r\n", 6, 0), 0);
}
END_TEST

START_TEST(deep_nesting_ends)
{
  size_t depth = 1000000;
  char *deep = malloc(depth * 4 + 1);
  ck_assert_ptr_nonnull(deep);
  for (size_t i = 0; i < depth; i++)
    memcpy(deep + i * 4, "*1\r\n", 5);
  ck_assert_int_ne(feeds(deep, depth * 4, 0), 0);
  free(deep);
}
END_TEST

START_TEST(a_reply_that_nobody_asked_for_poisons)
{
  struct lrd_wire w;
  struct one o;
  begin_two(&w, &o);
  ck_assert_int_eq(lrd_wire_feed(&w, two_replies, sizeof two_replies - 1), 0);
  check_two(&o);
  ck_assert_int_ne(lrd_wire_feed(&w, "+", 1), 0);
  lrd_ticket_release(&o.ticket);
  lrd_wire_free(&w);
  /* Also in the same bytes as the last one owed, or before anything was sent. */
  begin_two(&w, &o);
  ck_assert_int_eq(lrd_wire_feed(&w, "$5\r\nhello\r\n", 11), 0);
  ck_assert_int_ne(lrd_wire_feed(&w, "*0\r\n+OK\r\n", 9), 0);
  ck_assert_int_eq(o.ticket.state, LRD_TICKET_DONE);
  lrd_ticket_release(&o.ticket);
  lrd_wire_free(&w);
  ck_assert_int_eq(lrd_wire_init(&w, &rig_memory, 0), 0);
  add_words(&o, 0, "GET", "k", NULL);
  make(&o, 1, 0);
  ck_assert_int_eq(lrd_wire_call(&w, &o.ticket), 0);
  ck_assert_int_ne(lrd_wire_feed(&w, "$1\r\na\r\n", 7), 0);
  lrd_wire_fail(&w, LARDER_CAUSE_PROTOCOL, "over");
  lrd_ticket_release(&o.ticket);
  lrd_wire_free(&w);
}
END_TEST

/* A tombstone at each byte of its reply: the next call gets its own. */
START_TEST(a_late_reply_is_dropped)
{
  static const char late[] = "*2\r\n$3\r\nold\r\n*1\r\n$5\r\nolder\r\n";
  size_t len = sizeof late - 1;
  for (size_t at = 0; at < len; at++) {
    struct lrd_wire w;
    struct one old, young;
    ck_assert_int_eq(lrd_wire_init(&w, &rig_memory, 0), 0);
    add_words(&old, 0, "LRANGE", "k", "0");
    make(&old, 1, 0);
    add_words(&young, 0, "GET", "k", NULL);
    make(&young, 1, 0);
    ck_assert_int_eq(lrd_wire_call(&w, &old.ticket), 0);
    ck_assert_int_eq(lrd_wire_call(&w, &young.ticket), 0);
    handed_all(&w);
    ck_assert_int_eq(lrd_wire_feed(&w, late, at), 0);
    lrd_wire_withdraw(&w, &old.ticket, LARDER_CAUSE_SILENT, "late");
    ck_assert_int_eq(old.ticket.state, LRD_TICKET_FAILED);
    ck_assert_uint_eq(old.ticket.committed, 1);
    lrd_ticket_release(&old.ticket);
    memset(&old, 0xee, sizeof old);
    ck_assert_int_eq(lrd_wire_feed(&w, late + at, len - at), 0);
    ck_assert_int_eq(young.ticket.state, LRD_TICKET_PENDING);
    ck_assert_int_eq(lrd_wire_feed(&w, "$3\r\nnew\r\n", 9), 0);
    ck_assert_int_eq(young.ticket.state, LRD_TICKET_DONE);
    ck_assert_str_eq(young.ticket.value[0].str, "new");
    lrd_ticket_release(&young.ticket);
    lrd_wire_free(&w);
  }
}
END_TEST

/* After every number of bytes handed over: what did not leave is cut out of the
 * stream, the rest stays, and the call behind is whole. */
START_TEST(withdrawing_cuts_out_what_was_not_sent)
{
  const char young_bytes[] = "*2\r\n$3\r\nGET\r\n$1\r\ny\r\n";
  const size_t each = sizeof "*2\r\n$3\r\nGET\r\n$1\r\na\r\n" - 1;
  for (size_t sent = 0; sent <= 3 * each; sent++) {
    struct lrd_wire w;
    struct one old, young;
    ck_assert_int_eq(lrd_wire_init(&w, &rig_memory, 0), 0);
    for (size_t i = 0; i < 3; i++)
      add_words(&old, i, "GET", "a", NULL);
    make(&old, 3, 0);
    add_words(&young, 0, "GET", "y", NULL);
    make(&young, 1, 0);
    ck_assert_int_eq(lrd_wire_call(&w, &old.ticket), 0);
    ck_assert_int_eq(lrd_wire_call(&w, &young.ticket), 0);
    lrd_wire_handed(&w, sent);
    lrd_wire_withdraw(&w, &old.ticket, LARDER_CAUSE_SLOW, "late");
    size_t begun = (sent + each - 1) / each, len;
    ck_assert_uint_eq(old.ticket.committed, begun);
    const char *out = lrd_wire_out(&w, &len);
    ck_assert_uint_eq(len, begun * each - sent + sizeof young_bytes - 1);
    ck_assert_mem_eq(out + begun * each - sent, young_bytes, sizeof young_bytes - 1);
    handed_all(&w);
    for (size_t i = 0; i < begun; i++)
      ck_assert_int_eq(lrd_wire_feed(&w, "$3\r\nold\r\n", 9), 0);
    ck_assert_int_eq(lrd_wire_feed(&w, "$3\r\nnew\r\n", 9), 0);
    ck_assert_int_eq(young.ticket.state, LRD_TICKET_DONE);
    ck_assert_str_eq(young.ticket.value[0].str, "new");
    ck_assert_ptr_null(lrd_wire_head(&w));
    lrd_ticket_release(&old.ticket);
    lrd_ticket_release(&young.ticket);
    lrd_wire_free(&w);
  }
}
END_TEST

/* The connection ends after every number of bytes: a command is NOT_SENT unless all
 * of it left, a transaction unless its EXEC did. */
START_TEST(a_cut_says_what_may_have_happened)
{
  for (int atomic = 0; atomic < 2; atomic++)
    for (size_t sent = 0;; sent++) {
      struct lrd_wire w;
      struct one o;
      size_t len;
      ck_assert_int_eq(lrd_wire_init(&w, &rig_memory, 0), 0);
      add_words(&o, 0, "SET", "a", "1");
      add_words(&o, 1, "GET", "a", NULL);
      make(&o, 2, atomic);
      ck_assert_int_eq(lrd_wire_call(&w, &o.ticket), 0);
      size_t first = sizeof "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n" - 1;
      lrd_wire_out(&w, &len);
      lrd_wire_handed(&w, sent);
      int writes = lrd_wire_fail(&w, LARDER_CAUSE_CUT, "cut");
      ck_assert_int_eq(writes, sent > 0);
      larder_verdict v = lrd_ticket_verdict(&o.ticket, 0, LARDER_NOT_SENT);
      if (atomic) {
        ck_assert_int_eq(v.outcome, sent == len ? LARDER_UNKNOWN : LARDER_NOT_SENT);
      } else {
        ck_assert_int_eq(v.outcome, sent >= first ? LARDER_UNKNOWN : LARDER_NOT_SENT);
        v = lrd_ticket_verdict(&o.ticket, 1, LARDER_NOT_SENT);
        ck_assert_int_eq(v.outcome, sent == len ? LARDER_NO_ANSWER : LARDER_NOT_SENT);
      }
      ck_assert_int_eq(v.cause, LARDER_CAUSE_CUT);
      lrd_ticket_release(&o.ticket);
      lrd_wire_free(&w);
      if (sent == len)
        break;
    }
}
END_TEST

/* --- transactions ---------------------------------------------------------------------- */

static struct one transaction;
static struct lrd_wire transaction_wire;

static int transact(const char *replies)
{
  struct lrd_wire *w = &transaction_wire;
  struct one *o = &transaction;
  ck_assert_int_eq(lrd_wire_init(w, &rig_memory, 0), 0);
  add_words(o, 0, "SET", "a", "1");
  add_words(o, 1, "HGETALL", "h", NULL);
  make(o, 2, 1);
  ck_assert_int_eq(lrd_wire_call(w, &o->ticket), 0);
  handed_all(w);
  return lrd_wire_feed(w, replies, strlen(replies));
}

static void end_transaction(void)
{
  lrd_wire_fail(&transaction_wire, LARDER_CAUSE_CUT, "over");
  lrd_ticket_release(&transaction.ticket);
  lrd_wire_free(&transaction_wire);
}

START_TEST(a_transaction_has_one_reply)
{
  ck_assert_int_eq(
    transact("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"), 0);
  const larder_value *v = transaction.ticket.value;
  ck_assert_int_eq(transaction.ticket.state, LRD_TICKET_DONE);
  ck_assert_int_eq(v->type, LARDER_ARRAY);
  ck_assert_uint_eq(v->len, 2);
  ck_assert_int_eq(v->element[0].type, LARDER_STATUS);
  ck_assert_int_eq(v->element[1].type, LARDER_MAP);
  end_transaction();

  ck_assert_int_eq(transact("+OK\r\n+QUEUED\r\n+QUEUED\r\n*-1\r\n"), 0);
  ck_assert_int_eq(transaction.ticket.value->type, LARDER_NIL);
  ck_assert_int_eq(transaction.ticket.value->resp2, LARDER_RESP2_NIL_ARRAY);
  end_transaction();

  ck_assert_int_eq(transact("+OK\r\n-ERR no\r\n+QUEUED\r\n-EXECABORT why\r\n"), 0);
  ck_assert_int_eq(transaction.ticket.value->type, LARDER_ERROR);
  ck_assert_str_eq(transaction.ticket.value->str,
                   "EXECABORT Transaction discarded because of: no");
  ck_assert_int_eq(lrd_ticket_verdict(&transaction.ticket, 0, 0).outcome, LARDER_REFUSED);
  end_transaction();
}
END_TEST

START_TEST(a_refused_multi_is_told)
{
  ck_assert_int_eq(
    transact("-NOPERM multi\r\n-NOPERM set\r\n-NOPERM x\r\n-ERR EXEC without MULTI\r\n"), 0);
  ck_assert_str_eq(transaction.ticket.value->str, "NOPERM multi");
  ck_assert_int_eq(lrd_ticket_verdict(&transaction.ticket, 0, 0).outcome, LARDER_REFUSED);
  end_transaction();
  ck_assert_int_eq(transact("-NOPERM multi\r\n+OK\r\n*0\r\n-ERR EXEC without MULTI\r\n"), 0);
  ck_assert_int_eq(lrd_ticket_verdict(&transaction.ticket, 0, 0).outcome, LARDER_UNKNOWN);
  end_transaction();
}
END_TEST

START_TEST(a_transaction_that_is_not_one_poisons)
{
  static const char *const wrong[] = {
    "+OK\r\n+QUEUED\r\n+OK\r\n", "+QUEUED\r\n", ":1\r\n",
    "+OK\r\n+QUEUED\r\n+QUEUED\r\n*1\r\n+OK\r\n", "+OK\r\n+QUEUED\r\n+QUEUED\r\n+OK\r\n",
    "+OK\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n:2\r\n:3\r\n"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    ck_assert_msg(transact(wrong[i]) != 0, "%s", wrong[i]);
    end_transaction();
  }
}
END_TEST

/* --- memory ---------------------------------------------------------------------------- */

/* Every allocation fails once: the call fails whole or the machine is poisoned; no leak. */
START_TEST(every_failed_allocation_is_survived)
{
  int done = 0;
  for (long n = 1; !done; n++) {
    struct lrd_wire w;
    struct one o;
    rig_fail_allocation(n);
    int init = lrd_wire_init(&w, &rig_memory, 0);
    ck_assert_int_eq(init, 0);
    add_words(&o, 0, "GET", "k", NULL);
    add_words(&o, 1, "HGETALL", "h", NULL);
    make(&o, 2, 0);
    if (lrd_wire_call(&w, &o.ticket) == 0) {
      handed_all(&w);
      int dead = lrd_wire_feed(&w, two_replies, sizeof two_replies - 1);
      if (!dead)
        check_two(&o);
      done = !dead;
      lrd_wire_fail(&w, LARDER_CAUSE_CALLER, "over");
    } else {
      size_t len;
      lrd_wire_out(&w, &len);
      ck_assert_uint_eq(len, 0);
      ck_assert_ptr_null(lrd_wire_head(&w));
    }
    rig_fail_allocation(0);
    lrd_ticket_release(&o.ticket);
    lrd_wire_free(&w);
    ck_assert_int_lt(n, 1000);
  }
}
END_TEST

START_TEST(many_calls_share_one_stream)
{
  enum { CALLS = 1000 };
  struct lrd_wire w;
  struct one *o = calloc(CALLS, sizeof *o);
  ck_assert_ptr_nonnull(o);
  ck_assert_int_eq(lrd_wire_init(&w, &rig_memory, 0), 0);
  unsigned seed = 7;
  size_t put = 0, got = 0;
  while (got < CALLS) {
    seed = seed * 1103515245 + 12345;
    if (put < CALLS && (seed >> 16 & 1 || put == got)) {
      add_words(&o[put], 0, "STRLEN", "k", NULL);
      make(&o[put], 1, 0);
      ck_assert_int_eq(lrd_wire_call(&w, &o[put++].ticket), 0);
      handed_all(&w);
    } else {
      char reply[32];
      int len = snprintf(reply, sizeof reply, ":%zu\r\n", got);
      ck_assert_int_eq(lrd_wire_feed(&w, reply, (size_t)len), 0);
      ck_assert_int_eq(o[got].ticket.state, LRD_TICKET_DONE);
      ck_assert_int_eq(o[got].ticket.value->integer, (int64_t)got);
      got++;
    }
  }
  for (size_t i = 0; i < CALLS; i++)
    lrd_ticket_release(&o[i].ticket);
  free(o);
  lrd_wire_free(&w);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("wire");
  TCase *t = tcase_create("wire");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, encodes_what_it_is_given);
  tcase_add_test(t, every_cut_gives_the_same_replies);
  tcase_add_test(t, garbage_at_every_byte_is_contained);
  tcase_add_loop_test(t, what_is_no_protocol_poisons, 0, sizeof poisons / sizeof *poisons);
  tcase_add_test(t, a_push_is_nobodys_reply);
  tcase_add_test(t, promises_cost_no_memory);
  tcase_add_test(t, replies_over_the_limit_poison);
  tcase_add_test(t, a_reply_of_another_type_poisons);
  tcase_add_test(t, deep_nesting_ends);
  tcase_add_test(t, a_reply_that_nobody_asked_for_poisons);
  tcase_add_test(t, a_late_reply_is_dropped);
  tcase_add_test(t, withdrawing_cuts_out_what_was_not_sent);
  tcase_add_test(t, a_cut_says_what_may_have_happened);
  tcase_add_test(t, a_transaction_has_one_reply);
  tcase_add_test(t, a_refused_multi_is_told);
  tcase_add_test(t, a_transaction_that_is_not_one_poisons);
  tcase_add_test(t, every_failed_allocation_is_survived);
  tcase_add_test(t, many_calls_share_one_stream);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
