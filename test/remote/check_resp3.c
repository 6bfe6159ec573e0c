/* SPDX-License-Identifier: BSD-2-Clause */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "remote/rig.h"
#include "remote/wire.h"
#include "support/check.h"
#include "support/directory.h"

/* RESP3 from its bytes on: the sieve alone, with any hiredis; reader and wire where hiredis has it. */

/* --- the sieve ------------------------------------------------------------------------- */

static const struct {
  const char *in, *out;
  size_t in_len, out_len; /* 0: up to a NUL */
} sieved[] = {
  {"|1\r\n+a\r\n:1\r\n$12\r\n0123456789ab\r\n", "$12\r\n0123456789ab\r\n", 0, 0},
  {"+OK\r\n", "+OK\r\n", 0, 0},
  {"$5\r\n|1\r\n!\r\n", "$5\r\n|1\r\n!\r\n", 0, 0},
  {"$-1\r\n*-1\r\n_\r\n", "$-1\r\n*-1\r\n_\r\n", 0, 0},
  {"$0\r\n\r\n*0\r\n", "$0\r\n\r\n*0\r\n", 0, 0},
  {"|1\r\n+a\r\n:1\r\n+OK\r\n", "+OK\r\n", 0, 0},
  {"|0\r\n+OK\r\n", "+OK\r\n", 0, 0},
  {"*2\r\n:1\r\n|1\r\n+ttl\r\n:3600\r\n:2\r\n", "*2\r\n:1\r\n:2\r\n", 0, 0},
  {"|1\r\n$3\r\nk\r\n\r\n%2\r\n+a\r\n*2\r\n$-1\r\n_\r\n+b\r\n~1\r\n,1\r\n#t\r\n", "#t\r\n", 0, 0},
  {"|1\r\n|1\r\n+x\r\n+y\r\n+a\r\n+b\r\n(12\r\n", "(12\r\n", 0, 0},
  {"|1\r\n!5\r\nE bad\r\n=5\r\ntxt:a\r\n>1\r\n+x\r\n", ">1\r\n+x\r\n", 0, 0},
  {"%1\r\n|1\r\n+p\r\n,0.5\r\n+k\r\n|1\r\n+q\r\n,0.5\r\n+v\r\n", "%1\r\n+k\r\n+v\r\n", 0, 0},
  {"!9\r\nERR oh no\r\n:1\r\n", "=13\r\n\0!\0:ERR oh no\r\n:1\r\n", 0, 24},
  {"*1\r\n!0\r\n\r\n:1\r\n", "*1\r\n=4\r\n\0!\0:\r\n:1\r\n", 0, 18},
  {"!x\r\n", "=x\r\n", 0, 0},
};

/* Puts bytes through the sieve in pieces: what goes on, in out; -1: a fault. */
static int sieve(const char *in, size_t len, size_t first, size_t step, char *out, size_t *out_len)
{
  struct lrd_sieve s = {0};
  size_t at = 0, piece = first ? first : step;
  for (*out_len = 0; at < len; piece = step) {
    size_t end = at + piece < len ? at + piece : len;
    while (at < end) {
      const char *run;
      size_t run_len, n = lrd_sieve_take(&s, in + at, end - at, &run, &run_len);
      if (!n)
        return -1;
      ck_assert_uint_le(n, end - at);
      if (run_len)
        memcpy(out + *out_len, run, run_len);
      *out_len += run_len;
      at += n;
    }
  }
  return 0;
}

START_TEST(attributes_are_taken_out)
{
  const char *in = sieved[_i].in, *out = sieved[_i].out;
  size_t len = sieved[_i].in_len ? sieved[_i].in_len : strlen(in), got_len;
  size_t want = sieved[_i].out_len ? sieved[_i].out_len : strlen(out);
  char got[200];
  for (size_t first = 0; first < len; first++)
    for (size_t step = first ? len : 1; step <= len; step++) {
      ck_assert_int_eq(sieve(in, len, first, step, got, &got_len), 0);
      ck_assert_msg(got_len == want && !memcmp(got, out, want), "cut at %zu by %zu: %zu: %.*s",
                    first, step, got_len, (int)got_len, got);
    }
}
END_TEST

START_TEST(an_attribute_that_is_none_is_a_fault)
{
  static const char *const bad[] = {"|x\r\n", "|-1\r\n", "|\r\n", "|1x\r\n", "|99999999999\r\n",
                                    "|184467440737095516150\r\n", "|9\r\n*67108864\r\n",
                                    "|33554433\r\n", "|1\r\n%33554432\r\n", "|?\r\n"};
  char out[64];
  size_t len;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    for (size_t step = 1; step < 32; step += 30)
      ck_assert_msg(sieve(bad[i], strlen(bad[i]), 0, step, out, &len) != 0, "%s", bad[i]);
}
END_TEST

/* --- the wire -------------------------------------------------------------------------- */

struct call {
  struct lrd_ticket ticket;
  larder_vector vector;
  larder_bytes word[2];
};

static void ask(struct lrd_wire *w, struct call *c, const char *name)
{
  c->word[0] = (larder_bytes){name, strlen(name)};
  c->word[1] = (larder_bytes){"k", 1};
  c->vector = (larder_vector){.argv = c->word, .argc = 2};
  c->vector.command = lrd_command_find(name, strlen(name));
  lrd_ticket_init(&c->ticket, &rig_memory, &c->vector, 1, 0);
  ck_assert_int_eq(lrd_wire_call(w, &c->ticket), 0);
  size_t len;
  lrd_wire_out(w, &len);
  lrd_wire_handed(w, len);
}

static void open_wire(struct lrd_wire *w)
{
  ck_assert_int_eq(lrd_wire_init(w, &rig_memory, 0), 0);
  lrd_reader_speak(&w->reader, 1);
}

static void close_wire(struct lrd_wire *w, struct call *c, size_t calls)
{
  lrd_wire_fail(w, LARDER_CAUSE_CUT, "over");
  for (size_t i = 0; i < calls; i++)
    lrd_ticket_release(&c[i].ticket);
  lrd_wire_free(w);
}

/* One reply with every type in it, attributes all over, and what it is. */
static const char everything[] =
  "|1\r\n+for\r\n+all\r\n%5\r\n"
  "+set\r\n~2\r\n$1\r\na\r\n_\r\n"
  "+doubles\r\n*5\r\n,1.25\r\n,inf\r\n,-inf\r\n,nan\r\n|1\r\n$3\r\nttl\r\n*1\r\n:5\r\n,1e300\r\n"
  "$5\r\ntruth\r\n*3\r\n#t\r\n#f\r\n$-1\r\n"
  "|0\r\n+texts\r\n*3\r\n=8\r\ntxt:a\nb\r\r\n=4\r\nmkd:\r\n(-3492890328409238509324850943850943825024385\r\n"
  "+faults\r\n*3\r\n-ERR a\r\n!5\r\nERR b\r\n*-1\r\n";

static void check_everything(const larder_value *v)
{
  const larder_value *e = v->element;
  ck_assert_int_eq(v->type, LARDER_MAP);
  ck_assert_uint_eq(v->len, 10);
  ck_assert_int_eq(e[1].type, LARDER_SET);
  ck_assert_int_eq(e[1].element[1].type, LARDER_NIL);
  const larder_value *d = e[3].element;
  for (int i = 0; i < 5; i++)
    ck_assert_int_eq(d[i].type, LARDER_DOUBLE);
  ck_assert(d[0].real == 1.25 && d[1].real == INFINITY && d[2].real == -INFINITY);
  ck_assert(isnan(d[3].real) && d[4].real == 1e300);
  ck_assert_str_eq(d[0].str, "1.25");
  const larder_value *b = e[5].element;
  ck_assert(b[0].type == LARDER_BOOLEAN && b[0].integer == 1);
  ck_assert(b[1].type == LARDER_BOOLEAN && b[1].integer == 0);
  ck_assert_int_eq(b[2].type, LARDER_NIL);
  const larder_value *t = e[7].element;
  ck_assert_int_eq(t[0].type, LARDER_VERBATIM);
  ck_assert_str_eq(t[0].str, "a\nb\r");
  ck_assert(t[1].type == LARDER_VERBATIM && t[1].len == 0);
  ck_assert_int_eq(t[2].type, LARDER_BIGNUM);
  ck_assert_str_eq(t[2].str, "-3492890328409238509324850943850943825024385");
  const larder_value *f = e[9].element;
  ck_assert(f[0].type == LARDER_ERROR && f[1].type == LARDER_ERROR && f[2].type == LARDER_NIL);
  ck_assert_str_eq(f[1].str, "ERR b");
}

START_TEST(every_type_comes_through_every_cut)
{
  size_t len = sizeof everything - 1;
  for (size_t cut = 0; cut <= len; cut++) {
    struct lrd_wire w;
    struct call c;
    open_wire(&w);
    ask(&w, &c, "EVAL");
    ck_assert_int_eq(lrd_wire_feed(&w, everything, cut), 0);
    ck_assert_msg(lrd_wire_feed(&w, everything + cut, len - cut) == 0, "cut at %zu: %s", cut,
                  w.error);
    ck_assert_int_eq(c.ticket.state, LRD_TICKET_DONE);
    check_everything(c.ticket.value);
    close_wire(&w, &c, 1);
  }
}
END_TEST

/* A push anywhere between replies, cut anywhere: each call gets its own. */
START_TEST(a_push_takes_nobodys_place)
{
  static const char *const part[] = {"$1\r\na\r\n", "*2\r\n:1\r\n:2\r\n", "_\r\n"};
  static const char push[] = "|1\r\n+x\r\n+y\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n*1\r\n>1\r\n:1\r\n";
  for (size_t place = 0; place <= 3; place++) {
    char bytes[200] = "";
    for (size_t i = 0; i <= 3; i++) {
      strcat(bytes, i == place ? push : "");
      strcat(bytes, i < 3 ? part[i] : "");
    }
    size_t len = strlen(bytes);
    for (size_t cut = 0; cut <= len; cut++) {
      struct lrd_wire w;
      struct call c[3];
      open_wire(&w);
      ask(&w, &c[0], "GET");
      ask(&w, &c[1], "SMEMBERS");
      ask(&w, &c[2], "GET");
      ck_assert_int_eq(lrd_wire_feed(&w, bytes, cut), 0);
      ck_assert_msg(lrd_wire_feed(&w, bytes + cut, len - cut) == 0, "%zu %zu: %s", place, cut,
                    w.error);
      for (int i = 0; i < 3; i++)
        ck_assert_int_eq(c[i].ticket.state, LRD_TICKET_DONE);
      ck_assert_str_eq(c[0].ticket.value->str, "a");
      ck_assert_uint_eq(c[1].ticket.value->len, 2);
      ck_assert_int_eq(c[2].ticket.value->type, LARDER_NIL);
      ck_assert_int_eq(lrd_wire_feed(&w, push, sizeof push - 1), 0); /* with nothing owed */
      ck_assert_int_eq(lrd_wire_feed(&w, ">1", 2), 0);
      ck_assert_int_eq(lrd_wire_feed(&w, "\r\n:1\r\n", 6), 0);
      ck_assert_int_ne(lrd_wire_feed(&w, ":1\r\n", 4), 0);
      close_wire(&w, c, 3);
    }
  }
}
END_TEST

/* A call is withdrawn with a push half there. */
START_TEST(a_push_beside_a_tombstone)
{
  static const char bytes[] = ">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n$3\r\nold\r\n$3\r\nnew\r\n";
  size_t len = sizeof bytes - 1;
  for (size_t cut = 0; cut + 9 < len; cut++) {
    struct lrd_wire w;
    struct call old, young;
    open_wire(&w);
    ask(&w, &old, "GET");
    ask(&w, &young, "GET");
    ck_assert_int_eq(lrd_wire_feed(&w, bytes, cut), 0);
    lrd_wire_withdraw(&w, &old.ticket, LARDER_CAUSE_SILENT, "late");
    lrd_ticket_release(&old.ticket);
    ck_assert_int_eq(lrd_wire_feed(&w, bytes + cut, len - cut), 0);
    ck_assert_int_eq(young.ticket.state, LRD_TICKET_DONE);
    ck_assert_str_eq(young.ticket.value->str, "new");
    close_wire(&w, &young, 1);
  }
}
END_TEST

START_TEST(a_push_in_place_of_a_reply_answers_nobody)
{
  struct lrd_wire w;
  struct call c;
  open_wire(&w);
  ask(&w, &c, "SMEMBERS");
  ck_assert_int_eq(lrd_wire_feed(&w, ">2\r\n:1\r\n:2\r\n", 12), 0);
  ck_assert_int_eq(c.ticket.state, LRD_TICKET_PENDING);
  ck_assert_int_eq(lrd_wire_feed(&w, "~1\r\n:3\r\n", 8), 0);
  ck_assert_int_eq(c.ticket.state, LRD_TICKET_DONE);
  ck_assert_int_eq(c.ticket.value->type, LARDER_SET);
  close_wire(&w, &c, 1);
}
END_TEST

/* Bytes changed, cut out, doubled: replies or a poisoned machine, never more than was asked. */
START_TEST(mutated_bytes_are_contained)
{
  static const char alphabet[] = "\r\n|!>~%=*$-+:,_#(0129?t\0x";
  char bytes[2 * sizeof everything];
  unsigned seed = 12345u + (unsigned)_i, done = 0;
  for (int round = 0; round < 20000; round++) {
    size_t len = sizeof everything - 1;
    memcpy(bytes, everything, len);
    for (int changes = 1 + round % 3; changes; changes--) {
      seed = seed * 1103515245u + 12345u;
      size_t at = (seed >> 8) % len, end = at + 1 + (seed >> 4) % 8;
      if ((seed >> 28) % 3 == 0) {
        bytes[at] = alphabet[(seed >> 20) % (sizeof alphabet - 1)];
      } else if ((seed >> 28) % 3 == 1 && end < len) {
        memmove(bytes + at, bytes + end, len - end);
        len -= end - at;
      } else if (end < len && len + (end - at) < sizeof bytes) {
        memmove(bytes + end, bytes + at, len - at);
        len += end - at;
      }
    }
    struct lrd_wire w;
    struct call c[2];
    open_wire(&w);
    ask(&w, &c[0], "EVAL");
    ask(&w, &c[1], "GET");
    size_t cut = (seed >> 5) % len;
    char *exact = malloc(len); /* so that a sanitizer sees each byte too far */
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, bytes, len);
    int dead = lrd_wire_feed(&w, exact, cut) || lrd_wire_feed(&w, exact + cut, len - cut);
    free(exact);
    ck_assert_int_eq(dead, w.poisoned);
    done += c[0].ticket.state == LRD_TICKET_DONE;
    close_wire(&w, c, 2);
  }
  ck_assert_uint_gt(done, 500);
}
END_TEST

static int feeds(const char *bytes, size_t len, size_t limit)
{
  struct lrd_wire w;
  struct call c;
  ck_assert_int_eq(lrd_wire_init(&w, &rig_memory, limit), 0);
  lrd_reader_speak(&w.reader, 1);
  ask(&w, &c, "EVAL");
  int dead = lrd_wire_feed(&w, bytes, len);
  ck_assert(!dead || w.error[0]);
  close_wire(&w, &c, 1);
  return dead;
}

START_TEST(what_is_no_resp3_poisons)
{
  static const char *const bad[] = {
    "#x\r\n", "#\r\n", ",1.5x\r\n", ",\r\n", "_x\r\n", "(12a\r\n", "=3\r\ntxt\r\n", "=5\r\ntxt-a\r\n",
    "%-2\r\n", "~99999999999999\r\n", "%67108864000\r\n", "!x\r\n", "!-5\r\n", "$?\r\n", "*?\r\n", ".\r\n",
    "|x\r\n+a\r\n+b\r\n+c\r\n", ";4\r\n"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ck_assert_msg(feeds(bad[i], strlen(bad[i]), 0) != 0, "%s", bad[i]);
}
END_TEST

/* An attribute, a push, a set without end: the limit of a reply holds for what is dropped, too. */
START_TEST(the_limit_holds_for_what_is_dropped)
{
  static const char *const head[] = {"|1000000\r\n", ">2000000\r\n", "~2000000\r\n"};
  char *bytes = malloc(400000);
  ck_assert_ptr_nonnull(bytes);
  size_t len = (size_t)sprintf(bytes, "%s", head[_i]);
  while (len < 350000)
    len += (size_t)sprintf(bytes + len, "$10\r\n0123456789\r\n");
  ck_assert_int_eq(feeds(bytes, len, 0), 0);
  ck_assert_int_ne(feeds(bytes, len, 100000), 0);
  free(bytes);
}
END_TEST

START_TEST(deep_nesting_ends)
{
  char deep[4 * 400 + 8] = "";
  for (int i = 0; i < 100; i++)
    memcpy(deep + i * 4, i % 2 ? "*1\r\n" : "~1\r\n", 5);
  strcpy(deep + 400, ":1\r\n");
  ck_assert_int_eq(feeds(deep, 404, 0), 0);
  for (int i = 0; i < 400; i++)
    memcpy(deep + i * 4, i % 2 ? "*1\r\n" : "~1\r\n", 5);
  ck_assert_int_ne(feeds(deep, 1600, 0), 0);
}
END_TEST

/* An application that prints numbers as German does. */
START_TEST(a_comma_of_the_callers_locale_changes_nothing)
{
  char command[512], directory[] = "/tmp/larder-locale-XXXXXX";
  ck_assert_ptr_nonnull(mkdtemp(directory));
  snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de >%s/out 2>&1", directory,
           directory);
  int made = system(command) == 0;
  setenv("LOCPATH", directory, 1);
  if (made && setlocale(LC_ALL, "de") && *localeconv()->decimal_point == ',') {
    struct lrd_wire w;
    struct call c;
    open_wire(&w);
    ask(&w, &c, "EVAL");
    ck_assert_msg(lrd_wire_feed(&w, everything, sizeof everything - 1) == 0, "%s", w.error);
    check_everything(c.ticket.value);
    ck_assert_int_eq(*localeconv()->decimal_point, ',');
    close_wire(&w, &c, 1);
  } else {
    printf("no German locale can be made here\n");
  }
  setlocale(LC_ALL, "C");
  directory_remove(directory);
}
END_TEST

START_TEST(every_failed_allocation_is_survived)
{
  for (long n = 1; n < 100; n++) {
    struct lrd_wire w;
    struct call c;
    open_wire(&w);
    ask(&w, &c, "EVAL");
    rig_fail_allocation(n);
    int dead = lrd_wire_feed(&w, everything, sizeof everything - 1);
    rig_fail_allocation(0);
    ck_assert_int_eq(dead != 0, c.ticket.state != LRD_TICKET_DONE);
    close_wire(&w, &c, 1);
    if (!dead)
      return;
  }
  ck_abort_msg("a hundred allocations did not do");
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("resp3");
  TCase *t = tcase_create("sieve");
  tcase_add_loop_test(t, attributes_are_taken_out, 0, sizeof sieved / sizeof *sieved);
  tcase_add_test(t, an_attribute_that_is_none_is_a_fault);
  suite_add_tcase(suite, t);
  if (lrd_reader_knows_resp3(&rig_memory)) {
    t = tcase_create("wire");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, every_type_comes_through_every_cut);
    tcase_add_test(t, a_push_takes_nobodys_place);
    tcase_add_test(t, a_push_beside_a_tombstone);
    tcase_add_test(t, a_push_in_place_of_a_reply_answers_nobody);
    tcase_add_loop_test(t, mutated_bytes_are_contained, 0, 4);
    tcase_add_test(t, what_is_no_resp3_poisons);
    tcase_add_loop_test(t, the_limit_holds_for_what_is_dropped, 0, 3);
    tcase_add_test(t, deep_nesting_ends);
    tcase_add_test(t, a_comma_of_the_callers_locale_changes_nothing);
    tcase_add_test(t, every_failed_allocation_is_survived);
    suite_add_tcase(suite, t);
  } else {
    printf("wire: skipped: hiredis has no RESP3\n");
  }
  return run_suite(suite);
}
