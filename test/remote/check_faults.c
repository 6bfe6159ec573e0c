/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/through.h"
#include "support/sanitizer.h"

/*
 * Every kind of call through the fault proxy: a clean run says how many replies there are and how
 * long each is, then every one of them is cut at every byte, in every way.  After each fault: the
 * class is right, what the server has done fits it, no reply is another's, the deadline was kept and
 * the next call works; at the end nothing is left over.
 *
 * LARDER_FAULTS=all: also at every byte what costs a deadline each time.
 */

enum how { SYNC, ASYNC, WATCHED, TYPED };

/* '#' stands for the number of the run: a reply of another run would be seen. */
struct part {
  const char *words, *reply;
  const char *look, *before, *after; /* asked on the side; NULL: it changes nothing */
};

static const struct call {
  const char *name;
  enum how how;
  unsigned flags;
  size_t count;
  struct part part[4];
} calls[] = {
  {"read", SYNC, 0, 1, {{"GET g", "seed#", NULL, NULL, NULL}}},
  {"read list", SYNC, 0, 1, {{"LRANGE l 0 -1", "x# y#", NULL, NULL, NULL}}},
  {"read hash", SYNC, 0, 1, {{"HGETALL h", "f v#", NULL, NULL, NULL}}},
  {"overwrite", SYNC, 0, 1, {{"SET s v#", "OK", "GET s", "nil", "v#"}}},
  {"count", SYNC, 0, 1, {{"INCRBY n #", "#", "GET n", "nil", "#"}}},
  {"conditional", SYNC, 0, 1, {{"SET c v# NX", "OK", "GET c", "nil", "v#"}}},
  {"consume", SYNC, 0, 1, {{"LPOP l", "x#", "LRANGE l 0 -1", "x# y#", "y#"}}},
  {"batch", SYNC, 0, 4,
   {{"INCRBY n #", "#", "GET n", "nil", "#"},
    {"GET g", "seed#", NULL, NULL, NULL},
    {"APPEND a v#", "+", "GET a", "nil", "v#"},
    {"LPOP l", "x#", "LRANGE l 0 -1", "x# y#", "y#"}}},
  {"atomic", SYNC, LARDER_CALL_ATOMIC, 2,
   {{"INCRBY n #", "# OK", "GET n", "nil", "#"}, {"SET s v#", NULL, "GET s", "nil", "v#"}}},
  {"watched", WATCHED, LARDER_CALL_ATOMIC, 2,
   {{"INCRBY n #", "# OK", "GET n", "nil", "#"}, {"SET s v#", NULL, "GET s", "nil", "v#"}}},
  {"submitted read", ASYNC, 0, 1, {{"GET g", "seed#", NULL, NULL, NULL}}},
  {"submitted count", ASYNC, 0, 1, {{"INCRBY n #", "#", "GET n", "nil", "#"}}},
  {"submitted batch", ASYNC, 0, 3,
   {{"INCRBY n #", "#", "GET n", "nil", "#"},
    {"GET g", "seed#", NULL, NULL, NULL},
    {"LPOP l", "x#", "LRANGE l 0 -1", "x# y#", "y#"}}},
  {"submitted atomic", ASYNC, LARDER_CALL_ATOMIC, 2,
   {{"INCRBY n #", "# OK", "GET n", "nil", "#"}, {"SET s v#", NULL, "GET s", "nil", "v#"}}},
  {"typed get", TYPED, 0, 1, {{"GET g", "seed#", NULL, NULL, NULL}}},
  {"typed set", TYPED, 0, 1, {{"SET s v#", "", "GET s", "nil", "v#"}}},
};

enum { CALLS = sizeof calls / sizeof *calls, PARTS = 4, TIMEOUT = 60 };

static int run_number, is_all;
static larder_hold *hold;
static long classes[LARDER_OUTCOMES], made, ended;

/* Writes text with the run's number in it; a '+' is a reply of any length: APPEND's. */
static const char *fill(const char *text, char *out, size_t size)
{
  size_t n = 0;
  for (; *text && n + 16 < size; text++)
    if (*text == '#')
      n += (size_t)snprintf(out + n, size - n, "%d", run_number);
    else
      out[n++] = *text;
  out[n] = 0;
  return out;
}

static void ck_look(const struct part *p, int is_after, const char *what)
{
  char words[64], want[64];
  if (!p->look)
    return;
  fill(is_after ? p->after : p->before, want, sizeof want);
  const char *got = through_side(fill(p->look, words, sizeof words));
  ck_assert_msg(strcmp(got, want) == 0, "%s: %s is %s, not %s", what, words, got, want);
}

/* 1: it has happened, 0: it has not; anything else ends the test. */
static int happened(const struct part *p, const char *what)
{
  char words[64], before[64], after[64];
  const char *got = through_side(fill(p->look, words, sizeof words));
  fill(p->before, before, sizeof before);
  fill(p->after, after, sizeof after);
  ck_assert_msg(strcmp(got, before) == 0 || strcmp(got, after) == 0, "%s: %s is %s", what, words,
                got);
  return strcmp(got, after) == 0;
}

/* --- one call -------------------------------------------------------------------------- */

struct result {
  size_t replies;
  struct {
    larder_outcome outcome;
    char text[256];
  } of[PARTS];
  int64_t took;
};

static void seed(void)
{
  char words[64];
  through_side("FLUSHALL");
  through_side(fill("SET g seed#", words, sizeof words));
  through_side(fill("RPUSH l x# y#", words, sizeof words));
  through_side(fill("HSET h f v#", words, sizeof words));
}

static void join(const struct call *c, char *out, size_t size)
{
  char words[64];
  out[0] = 0;
  for (size_t i = 0; i < c->count; i++)
    snprintf(out + strlen(out), size - strlen(out), "%s%s", i ? "|" : "",
             fill(c->part[i].words, words, sizeof words));
}

static void call_typed(const struct call *c, struct result *out)
{
  char words[64], buffer[256];
  size_t length = 0;
  larder_verdict v;
  int64_t begun = rig_now_ms();
  int64_t deadline = lrd_monotonic(&lrd_clock_system) + TIMEOUT * LRD_NS_PER_MS;
  fill(c->part[0].words, words, sizeof words);
  if (words[0] == 'G')
    lrd_remote_table.get(through.rig.backend, 0, (larder_bytes){"g", 1}, deadline, buffer,
                         sizeof buffer, &length, &v);
  else
    lrd_remote_table.set(through.rig.backend, 0, (larder_bytes){"s", 1},
                         (larder_bytes){words + 6, strlen(words + 6)}, 0, deadline, &v);
  out->of[0].outcome = v.outcome;
  snprintf(out->of[0].text, sizeof out->of[0].text, "%.*s", (int)length, buffer);
  out->took = rig_now_ms() - begun;
}

static void keep(struct result *out, const struct rig_reply *r)
{
  for (size_t i = 0; i < out->replies; i++) {
    out->of[i].outcome = r[i].verdict.outcome;
    snprintf(out->of[i].text, sizeof out->of[i].text, "%.255s", r[i].text);
  }
  out->took = r[0].took_ms;
}

static void call_async(const struct call *c, const char *lines, struct result *out)
{
  struct rig_asked a;
  struct rig_reply r[PARTS];
  rig_ask(&through.rig, &a, c->flags, TIMEOUT, lines);
  ck_assert_int_eq(rig_answers(&a, TIMEOUT + 5000, r), 0);
  ck_assert_int_eq(atomic_load(&a.done), 1);
  keep(out, r);
}

static void perform(const struct call *c, struct result *out)
{
  char lines[256];
  struct rig_reply r[PARTS];
  memset(out, 0, sizeof *out);
  out->replies = c->flags & LARDER_CALL_ATOMIC ? 1 : c->count;
  join(c, lines, sizeof lines);
  through_stall();
  if (c->how == TYPED) {
    call_typed(c, out);
  } else if (c->how == ASYNC) {
    call_async(c, lines, out);
  } else {
    rig_run_many(&through.rig, c->how == WATCHED ? hold : NULL, c->flags, TIMEOUT, lines, r);
    keep(out, r);
  }
  made += (long)out->replies;
  for (size_t i = 0; i < out->replies; i++)
    if ((unsigned)out->of[i].outcome < LARDER_OUTCOMES) {
      classes[out->of[i].outcome]++;
      ended++;
    }
}

/* Before each run: the connection that the call takes is up, the keys are as they were. */
static void ready(const struct call *c)
{
  run_number++;
  proxy_arm(through.proxy, NULL, 0);
  seed();
  char text[64];
  through_heals("GET g", fill("seed#", text, sizeof text), 3000);
  if (c->how == ASYNC) {
    struct rig_submission s;
    for (int i = 0; i < 100; i++) {
      rig_submit(&through.rig, &s, LARDER_CALL_PROBE, 1000, "GET g");
      ck_assert_int_eq(rig_wait(&s, 5000), 0);
      if (s.count.last.outcome == LARDER_OK)
        break;
    }
    ck_assert_int_eq(s.count.last.outcome, LARDER_OK);
  }
  for (int i = 0; c->how == WATCHED && i < 100; i++) {
    if (!hold)
      hold = lrd_remote_table.hold_open(through.rig.backend);
    struct rig_reply r = rig_run_with(&through.rig, hold, LARDER_CALL_PROBE, 1000, "WATCH g");
    if (r.verdict.outcome == LARDER_OK)
      break;
    lrd_remote_table.hold_close(through.rig.backend, hold);
    hold = NULL;
  }
}

/* --- what must hold -------------------------------------------------------------------- */

enum fate { SURE, LOST, EITHER }; /* of a reply: it came, it did not, the race decides */

static void ck_reply_ok(const struct call *c, const struct result *r, size_t i, const char *what)
{
  char want[64];
  if (c->part[i].reply[0] == '+') {
    snprintf(want, sizeof want, "%d", snprintf(NULL, 0, "v%d", run_number));
  } else {
    fill(c->part[i].reply, want, sizeof want);
  }
  ck_assert_msg(strcmp(r->of[i].text, want) == 0, "%s: reply %zu is %s, not %s", what, i,
                r->of[i].text, want);
}

static int any_write(const struct call *c, size_t i)
{
  int writes = 0;
  if (!(c->flags & LARDER_CALL_ATOMIC))
    return c->part[i].look != NULL;
  for (size_t j = 0; j < c->count; j++)
    writes |= c->part[j].look != NULL;
  return writes;
}

static void ck_class(const struct call *c, const struct result *r, size_t i, enum fate fate,
                     const char *what)
{
  larder_outcome o = r->of[i].outcome;
  larder_outcome lost = any_write(c, i) ? LARDER_UNKNOWN : LARDER_NO_ANSWER;
  int fits = (fate != LOST && o == LARDER_OK) || (fate != SURE && o == lost);
  ck_assert_msg(fits, "%s: reply %zu: outcome %d (%s)", what, i, (int)o, r->of[i].text);
  if (o == LARDER_OK)
    ck_reply_ok(c, r, i, what);
}

/* What the server has done agrees with what was said; untouched: the first part that the server
 * can't have seen. */
static void ck_truth(const struct call *c, const struct result *r, size_t untouched,
                     const char *what)
{
  int first = -1;
  for (size_t i = 0; i < c->count; i++) {
    size_t reply = c->flags & LARDER_CALL_ATOMIC ? 0 : i;
    if (!c->part[i].look)
      continue;
    int is_so = happened(&c->part[i], what);
    if (r->of[reply].outcome == LARDER_OK)
      ck_look(&c->part[i], 1, what);
    if (r->of[reply].outcome == LARDER_NOT_SENT || r->of[reply].outcome == LARDER_REFUSED ||
        i >= untouched)
      ck_look(&c->part[i], 0, what);
    if (c->flags & LARDER_CALL_ATOMIC) {
      ck_assert_msg(first < 0 || first == is_so, "%s: a half transaction", what);
      first = is_so;
    }
  }
}

/* --- the loop -------------------------------------------------------------------------- */

static const struct way {
  const char *name;
  enum proxy_verb verb;
  enum { EVERY, EDGES, ONE } where; /* ONE: it costs a deadline each time */
} ways[] = {
  {"cut", PROXY_CUT, EVERY},
  {"reset", PROXY_RESET, EVERY},
  {"half-closed", PROXY_HALF, EDGES},
  {"short request", PROXY_SHORT, EVERY},
  {"hung", PROXY_HANG, ONE},
  {"delayed", PROXY_DELAY, ONE},
  {"swallowed", PROXY_SWALLOW, ONE},
};

static enum fate fate_of(const struct call *c, const struct way *w, size_t i, long k, long j,
                         long length)
{
  long last = c->flags & LARDER_CALL_ATOMIC ? (long)c->count + 1 : (long)i; /* its reply */
  if (w->verb == PROXY_SHORT)
    return k > last ? EITHER : LOST;
  int came = last < k || (last == k && j >= length && w->verb != PROXY_SWALLOW);
  if (w->verb == PROXY_RESET)
    return came ? EITHER : LOST; /* a reset overtakes bytes */
  return came ? SURE : LOST;
}

static void strike(const struct call *c, const struct way *w, long k, long j, long length)
{
  char what[160];
  struct result r;
  snprintf(what, sizeof what, "%s, %s at %ld of reply %ld", c->name, w->name, j, k);
  ready(c);
  struct proxy_fault fault = {.verb = w->verb, .k = k, .j = j, .number = 2 * TIMEOUT};
  proxy_arm(through.proxy, &fault, 1);
  perform(c, &r);
  ck_assert_msg(proxy_struck(through.proxy) == 1, "%s: the fault did not happen", what);
  ck_in_time(r.took, TIMEOUT);
  for (size_t i = 0; i < r.replies; i++)
    ck_class(c, &r, i, fate_of(c, w, i, k, j, length), what);
  size_t untouched = c->count;
  if (w->verb == PROXY_SHORT && j < proxy_question(through.proxy, k))
    untouched = c->flags & LARDER_CALL_ATOMIC ? 0 : (size_t)k;
  ck_truth(c, &r, untouched, what);
}

/* Every byte, or those where something begins or ends. */
static int is_chosen(const struct way *w, long k, long last, long j, long length)
{
  if (is_all || (w->where == EVERY && !TEST_SANITIZED))
    return 1;
  if (w->where != ONE)
    return j < 2 || j >= length - 2;
  return k == last && j == length / 2;
}

START_TEST(every_reply_at_every_byte)
{
  const struct call *c = &calls[_i];
  long length[16], question[16], strikes = 0;
  struct result clean;
  through_begin(NULL, _i % 2, NULL);
  ready(c);
  proxy_arm(through.proxy, NULL, 0);
  perform(c, &clean);
  for (size_t i = 0; i < clean.replies; i++)
    ck_class(c, &clean, i, SURE, "clean");
  ck_truth(c, &clean, c->count, "clean");
  long requests = proxy_requests(through.proxy);
  ck_assert_int_eq(requests, (long)c->count + (c->flags & LARDER_CALL_ATOMIC ? 2 : 0));
  for (long k = 0; k < requests; k++) {
    length[k] = proxy_length(through.proxy, k);
    question[k] = proxy_question(through.proxy, k);
  }
  for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
    for (long k = 0; k < requests; k++) {
      long end = ways[w].verb == PROXY_SHORT ? question[k] : length[k];
      if (ways[w].verb == PROXY_SWALLOW && k != requests - 1)
        continue; /* TCP loses nothing in the middle, and nobody could tell */
      for (long j = 0; j < end + (ways[w].verb == PROXY_RESET); j++)
        if (is_chosen(&ways[w], k, requests - 1, j, end)) {
          strike(c, &ways[w], k, j, length[k]);
          strikes++;
        }
    }
  ck_assert_int_eq(made, ended);
  if (hold)
    lrd_remote_table.hold_close(through.rig.backend, hold);
  if (getenv("LARDER_FAULTS"))
    printf("%s: %ld faults, %ld replies\n", c->name, strikes, ended);
  through_end();
}
END_TEST

int main(void)
{
  const char *faults = getenv("LARDER_FAULTS");
  is_all = faults && strcmp(faults, "all") == 0;
  server_require();
  Suite *suite = suite_create("faults");
  TCase *t = tcase_create("faults");
  tcase_set_timeout(t, is_all ? 600 : TEST_SANITIZED ? 120 : 60);
  tcase_add_loop_test(t, every_reply_at_every_byte, 0, CALLS);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
