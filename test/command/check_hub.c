/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "command/hub.h"
#include "command/inbox.h"
#include "support/check.h"
#include "util/heap.h"

/* What an ear heard, as one line: "x:1" a message, "p*>x:1" by a pattern, "+x" READY,
 * "!why" GAP, "?" MISSED, "-x why" REFUSED, "." CLOSED. */
struct listener {
  struct lrd_ear ear;
  char heard[512];
};

static void note(struct lrd_ear *ear, const char *text)
{
  struct listener *l = (struct listener *)(void *)ear;
  size_t n = strlen(l->heard);

  snprintf(l->heard + n, sizeof l->heard - n, "%s%s", n ? " " : "", text);
}

static void hear(struct lrd_ear *ear, enum lrd_hub_kind kind, struct lrd_name *name,
                 struct lrd_message *m)
{
  char text[128];
  int pattern = kind == LRD_HUB_PATTERN;

  snprintf(text, sizeof text, "%.*s%s%.*s:%.*s", pattern ? (int)name->len : 0, name->bytes,
           pattern ? ">" : "", (int)m->channel, m->bytes, (int)m->payload, lrd_message_payload(m));
  note(ear, text);
}

static void changed(struct lrd_ear *ear, enum lrd_hub_state state, enum lrd_hub_kind kind,
                    struct lrd_name *name, const char *why)
{
  static const char sign[] = { '+', '!', '?', '-', '.' };
  char text[128];

  (void)kind;
  snprintf(text, sizeof text, "%c%.*s%s%s", sign[state], name ? (int)name->len : 0,
           name ? name->bytes : "", name && why ? " " : "", why ? why : "");
  note(ear, text);
}

static struct heap heap;
static struct lrd_hub *hub;
static struct listener a, b;
static int woken;

static void open_listener(struct listener *l)
{
  *l = (struct listener){ .ear = { .hear = hear, .changed = changed } };
  ck_assert_int_eq(lrd_ear_open(hub, &l->ear), LARDER_OK);
}

static void setup(void)
{
  heap_init(&heap, 0);
  hub = lrd_hub_new(&heap.memory);
  ck_assert_ptr_nonnull(hub);
  open_listener(&a);
  open_listener(&b);
  woken = 0;
}

static void teardown(void)
{
  heap.fail_at = 0;
  lrd_ear_close(hub, &a.ear, 0);
  lrd_hub_close(hub, 0);
  lrd_ear_close(hub, &b.ear, 0);
  ck_assert_uint_eq(heap.blocks, 0);
  ck_assert_int_eq(heap.wrong_size, 0);
}

static larder_bytes bytes(const char *s)
{
  return (larder_bytes){ s, strlen(s) };
}

static larder_outcome join(struct listener *l, enum lrd_hub_kind kind, const char *name)
{
  return lrd_hub_subscribe(hub, &l->ear, kind, bytes(name));
}

static larder_outcome part(struct listener *l, enum lrd_hub_kind kind, const char *name)
{
  return lrd_hub_unsubscribe(hub, &l->ear, kind, bytes(name));
}

static int64_t publish(const char *channel, const char *payload)
{
  return lrd_hub_publish(hub, LRD_HUB_CHANNEL, bytes(channel), bytes(payload));
}

static void ck_heard(struct listener *l, const char *text)
{
  ck_assert_str_eq(l->heard, text);
  l->heard[0] = '\0';
}

/* --- without a source ------------------------------------------------------ */

START_TEST(messages_reach_whom_they_concern)
{
  ck_assert_int_eq(publish("x", "0"), 0);
  ck_assert_int_eq(join(&a, LRD_HUB_CHANNEL, "x"), LARDER_OK);
  ck_assert_int_eq(join(&b, LRD_HUB_CHANNEL, "x"), LARDER_OK);
  ck_assert_int_eq(join(&b, LRD_HUB_PATTERN, "[xy]*"), LARDER_OK);
  ck_assert_int_eq(join(&b, LRD_HUB_SHARD, "x"), LARDER_OK);
  ck_assert_int_eq(publish("x", "1"), 3);
  ck_assert_int_eq(publish("y", "2"), 1);
  ck_assert_int_eq(publish("z", "3"), 0);
  ck_assert_int_eq(lrd_hub_publish(hub, LRD_HUB_SHARD, bytes("x"), bytes("4")), 1);
  ck_heard(&a, "+x x:1");
  ck_heard(&b, "+x +[xy]* +x x:1 [xy]*>x:1 [xy]*>y:2 x:4");
  ck_assert_uint_eq(lrd_hub_ears(hub, LRD_HUB_CHANNEL, bytes("x")), 2);
  ck_assert_uint_eq(lrd_hub_count(hub, LRD_HUB_PATTERN), 1);
  ck_assert_uint_eq(b.ear.count[LRD_HUB_SHARD], 1);
}
END_TEST

START_TEST(names_are_joined_once_and_left)
{
  ck_assert_int_eq(join(&a, LRD_HUB_CHANNEL, "x"), LARDER_OK);
  ck_assert_int_eq(join(&a, LRD_HUB_CHANNEL, "x"), LARDER_OK);
  ck_assert_uint_eq(a.ear.count[LRD_HUB_CHANNEL], 1);
  ck_assert_int_eq(publish("x", "1"), 1);
  ck_assert_int_eq(part(&a, LRD_HUB_PATTERN, "x"), LARDER_ABSENT);
  ck_assert_int_eq(part(&b, LRD_HUB_CHANNEL, "x"), LARDER_ABSENT);
  struct lrd_name *name = lrd_ear_first(hub, &a.ear, LRD_HUB_CHANNEL);
  ck_assert_int_eq(part(&a, LRD_HUB_CHANNEL, "x"), LARDER_OK);
  ck_assert_mem_eq(name->bytes, "x", 1); /* held */
  lrd_name_drop(lrd_hub_memory(hub), name);
  ck_assert_ptr_null(lrd_ear_first(hub, &a.ear, LRD_HUB_CHANNEL));
  ck_assert_int_eq(part(&a, LRD_HUB_CHANNEL, "x"), LARDER_ABSENT);
  ck_assert_int_eq(publish("x", "2"), 0);
  ck_assert_uint_eq(lrd_hub_wanted(hub), 0);
  ck_heard(&a, "+x +x x:1");
}
END_TEST

/* Members of an entry move when one of them leaves. */
START_TEST(many_ears_come_and_go)
{
  static struct listener crowd[100];

  for (int i = 0; i < 100; i++) {
    open_listener(&crowd[i]);
    ck_assert_int_eq(join(&crowd[i], LRD_HUB_CHANNEL, "x"), LARDER_OK);
  }
  for (int i = 0; i < 100; i += 3)
    lrd_ear_close(hub, &crowd[i].ear, 0);
  ck_assert_int_eq(publish("x", "1"), 66);
  for (int i = 0; i < 100; i++) {
    ck_heard(&crowd[i], i % 3 ? "+x x:1" : "+x");
    if (i % 3)
      lrd_ear_close(hub, &crowd[i].ear, 0);
  }
  ck_assert_int_eq(publish("x", "2"), 0);
}
END_TEST

static void count_name(void *context, const struct lrd_name *name)
{
  (void)name;
  ++*(int *)context;
}

START_TEST(names_can_be_listed)
{
  int n = 0;

  join(&a, LRD_HUB_CHANNEL, "news.1");
  join(&b, LRD_HUB_CHANNEL, "news.2");
  join(&b, LRD_HUB_CHANNEL, "other");
  join(&b, LRD_HUB_SHARD, "news.3");
  ck_assert_uint_eq(lrd_hub_names(hub, LRD_HUB_CHANNEL, bytes("news.*"), count_name, &n), 2);
  ck_assert_uint_eq(lrd_hub_names(hub, LRD_HUB_CHANNEL, (larder_bytes){ NULL, 0 }, count_name, &n),
                    3);
  ck_assert_int_eq(n, 5);
}
END_TEST

START_TEST(closing_parts_every_ear)
{
  join(&a, LRD_HUB_CHANNEL, "x");
  lrd_hub_close(hub, 0);
  ck_heard(&a, "+x .");
  ck_heard(&b, ".");
  ck_assert_int_eq(join(&a, LRD_HUB_CHANNEL, "x"), LARDER_CLOSED);
  ck_assert_int_eq(part(&a, LRD_HUB_CHANNEL, "x"), LARDER_CLOSED);
  lrd_ear_close(hub, &b.ear, 0);
  lrd_ear_close(hub, &a.ear, 0); /* the last of all */
  ck_assert_uint_eq(heap.blocks, 0);
}
END_TEST

START_TEST(a_failed_request_changes_nothing)
{
  int failed = 0;

  for (size_t at = 1; at < 40; at++) {
    heap.requests = 0;
    heap.fail_at = at;
    larder_outcome outcome = join(&a, LRD_HUB_PATTERN, "pattern*");
    heap.fail_at = 0;
    ck_assert_uint_eq(a.ear.count[LRD_HUB_PATTERN], outcome == LARDER_OK);
    ck_assert_uint_eq(lrd_hub_wanted(hub), outcome == LARDER_OK);
    failed += outcome != LARDER_OK;
    if (outcome == LARDER_OK)
      break;
  }
  ck_assert_int_ge(failed, 4); /* entry, name, two tables, the entry's ears, the member */
  heap.fail_at = 1;
  ck_assert_int_eq(publish("pattern", "1"), -1);
  lrd_hub_relay(hub, LRD_HUB_PATTERN, bytes("pattern*"), bytes("pattern"), bytes("1"));
  ck_heard(&a, "+pattern* ?no memory for a message");
}
END_TEST

/* --- with a source ----------------------------------------------------------- */

static void wake(void *context)
{
  (void)context;
  woken++;
}

static const struct lrd_hub_source source = { wake, NULL };

/* The next change is that. */
static uint64_t ck_change(const char *name, int wanted)
{
  struct lrd_hub_change c;

  ck_assert_int_eq(lrd_hub_take_change(hub, &c), 1);
  ck_assert_uint_eq(c.name->len, strlen(name));
  ck_assert_mem_eq(c.name->bytes, name, c.name->len);
  ck_assert_int_eq(c.wanted, wanted);
  ck_assert_int_eq(c.ticket != 0, wanted);
  lrd_name_drop(lrd_hub_memory(hub), c.name);
  return c.ticket;
}

static void ck_no_change(void)
{
  struct lrd_hub_change c;

  ck_assert_int_eq(lrd_hub_take_change(hub, &c), 0);
}

START_TEST(a_source_says_when_a_name_is_ready)
{
  uint64_t x, y;

  ck_assert_int_eq(lrd_hub_attach(hub, &source), LARDER_OK);
  ck_assert_int_eq(lrd_hub_attach(hub, &source), LARDER_BAD_ARGUMENT);
  join(&a, LRD_HUB_CHANNEL, "x");
  join(&b, LRD_HUB_CHANNEL, "x");
  join(&b, LRD_HUB_PATTERN, "y*");
  ck_assert_int_eq(woken, 1);
  x = ck_change("x", 1);
  y = ck_change("y*", 1);
  ck_no_change();
  ck_heard(&a, "");
  lrd_hub_ready(hub, LRD_HUB_CHANNEL, bytes("x"), x);
  lrd_hub_ready(hub, LRD_HUB_PATTERN, bytes("y*"), y);
  lrd_hub_relay(hub, LRD_HUB_PATTERN, bytes("y*"), bytes("yes"), bytes("1"));
  join(&a, LRD_HUB_PATTERN, "y*"); /* the server has it already */
  ck_no_change();
  ck_heard(&a, "+x +y*");
  ck_heard(&b, "+x +y* y*>yes:1");
  part(&b, LRD_HUB_PATTERN, "y*");
  ck_no_change();
  part(&a, LRD_HUB_PATTERN, "y*");
  ck_assert_int_eq(woken, 2);
  ck_change("y*", 0);
  ck_no_change();
  lrd_hub_detach(hub, &source);
  ck_heard(&a, "!the store is closing");
  ck_assert_int_eq(lrd_hub_subscribe(hub, &a.ear, LRD_HUB_CHANNEL, bytes("z")), LARDER_CLOSED);
  ck_heard(&a, "");
}
END_TEST

START_TEST(a_change_taken_back_is_none)
{
  lrd_hub_attach(hub, &source);
  join(&a, LRD_HUB_CHANNEL, "x");
  part(&a, LRD_HUB_CHANNEL, "x");
  ck_no_change();
  join(&a, LRD_HUB_CHANNEL, "x");
  uint64_t ticket = ck_change("x", 1);
  lrd_hub_ready(hub, LRD_HUB_CHANNEL, bytes("x"), ticket);
  part(&a, LRD_HUB_CHANNEL, "x");
  join(&b, LRD_HUB_CHANNEL, "x"); /* before the source knew */
  ck_no_change();
  ck_heard(&b, "+x");
}
END_TEST

START_TEST(an_old_confirmation_is_ignored)
{
  lrd_hub_attach(hub, &source);
  join(&a, LRD_HUB_CHANNEL, "x");
  uint64_t first = ck_change("x", 1);
  part(&a, LRD_HUB_CHANNEL, "x");
  ck_change("x", 0);
  join(&a, LRD_HUB_CHANNEL, "x");
  uint64_t second = ck_change("x", 1);
  lrd_hub_ready(hub, LRD_HUB_CHANNEL, bytes("x"), first);
  lrd_hub_refuse(hub, LRD_HUB_CHANNEL, bytes("x"), first, "no");
  ck_heard(&a, "");
  lrd_hub_ready(hub, LRD_HUB_CHANNEL, bytes("x"), second);
  ck_heard(&a, "+x");
}
END_TEST

START_TEST(a_loss_makes_every_name_a_change)
{
  lrd_hub_attach(hub, &source);
  join(&a, LRD_HUB_CHANNEL, "x");
  lrd_hub_ready(hub, LRD_HUB_CHANNEL, bytes("x"), ck_change("x", 1));
  join(&a, LRD_HUB_CHANNEL, "y");
  uint64_t y = ck_change("y", 1);
  join(&b, LRD_HUB_CHANNEL, "y"); /* pending: it has nothing to miss */
  join(&a, LRD_HUB_CHANNEL, "z");
  lrd_hub_ready(hub, LRD_HUB_CHANNEL, bytes("z"), ck_change("z", 1));
  part(&a, LRD_HUB_CHANNEL, "z"); /* nobody needs to be told that */
  ck_assert_uint_eq(lrd_hub_gap(hub, "cut"), 1);
  ck_assert_uint_eq(lrd_hub_gap(hub, "still"), 0);
  ck_heard(&a, "+x +z !cut");
  ck_heard(&b, "");
  lrd_hub_ready(hub, LRD_HUB_CHANNEL, bytes("y"), y); /* from before the loss */
  ck_heard(&a, "");
  uint64_t again = ck_change("x", 1);
  y = ck_change("y", 1);
  ck_no_change();
  lrd_hub_ready(hub, LRD_HUB_CHANNEL, bytes("x"), again);
  lrd_hub_ready(hub, LRD_HUB_CHANNEL, bytes("y"), y);
  ck_heard(&a, "+x +y");
  ck_heard(&b, "+y");
}
END_TEST

START_TEST(a_refused_name_is_subscribed_no_more)
{
  lrd_hub_attach(hub, &source);
  join(&a, LRD_HUB_CHANNEL, "x");
  join(&b, LRD_HUB_CHANNEL, "x");
  uint64_t ticket = ck_change("x", 1);
  lrd_hub_refuse(hub, LRD_HUB_CHANNEL, bytes("x"), ticket, "NOPERM");
  ck_heard(&a, "-x NOPERM");
  ck_heard(&b, "-x NOPERM");
  ck_no_change();
  ck_assert_uint_eq(a.ear.count[LRD_HUB_CHANNEL], 0);
  ck_assert_uint_eq(lrd_hub_wanted(hub), 0);
  /* nobody waits for the answer any more */
  join(&a, LRD_HUB_CHANNEL, "x");
  ticket = ck_change("x", 1);
  part(&a, LRD_HUB_CHANNEL, "x");
  lrd_hub_refuse(hub, LRD_HUB_CHANNEL, bytes("x"), ticket, "NOPERM");
  ck_no_change();
  ck_heard(&a, "");
}
END_TEST

/* --- an inbox that nobody takes from -------------------------------------------- */

static void ring(struct lrd_inbox *inbox)
{
  (void)inbox;
  woken++;
}

/* Losses and confirmations without end are folded; what is true at last is told. */
START_TEST(a_flood_of_notices_is_bounded)
{
  enum { NAMES = 100, LOSSES = 2000 };
  struct lrd_inbox inbox;
  struct lrd_hub_change c;
  struct lrd_item item;
  int ready = 0, gaps = 0;
  char name[8];

  ck_assert_int_eq(lrd_inbox_init(&inbox, hub, 4096, ring), LARDER_OK);
  ck_assert_int_eq(lrd_ear_open(hub, &inbox.ear), LARDER_OK);
  lrd_hub_attach(hub, &source);
  for (int i = 0; i < NAMES; i++) {
    snprintf(name, sizeof name, "%d", i);
    ck_assert_int_eq(lrd_hub_subscribe(hub, &inbox.ear, LRD_HUB_CHANNEL, bytes(name)), LARDER_OK);
  }
  for (int i = 0; i < LOSSES; i++) {
    while (lrd_hub_take_change(hub, &c)) {
      lrd_hub_ready(hub, c.kind, (larder_bytes){ c.name->bytes, c.name->len }, c.ticket);
      lrd_name_drop(lrd_hub_memory(hub), c.name);
    }
    lrd_hub_relay(hub, LRD_HUB_CHANNEL, bytes("1"), bytes("1"), bytes("x"));
    ck_assert_uint_le(inbox.count, (1 << 16) + 2 * NAMES + 4096 / 64);
    if (i + 1 < LOSSES)
      lrd_hub_gap(hub, "cut");
  }
  while (lrd_inbox_take(&inbox, &item)) {
    if (item.type == LRD_ITEM_GAP)
      gaps++, ready = 0;
    ready += item.type == LRD_ITEM_READY;
    lrd_item_drop(&inbox.memory, &item);
  }
  ck_assert_int_lt(gaps, LOSSES - 1);
  ck_assert_int_gt(gaps, 1);
  ck_assert_int_eq(ready, NAMES);
  lrd_ear_close(hub, &inbox.ear, 0);
  lrd_inbox_free(&inbox, 0);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("hub");
  TCase *t = tcase_create("ears");

  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, messages_reach_whom_they_concern);
  tcase_add_test(t, names_are_joined_once_and_left);
  tcase_add_test(t, many_ears_come_and_go);
  tcase_add_test(t, names_can_be_listed);
  tcase_add_test(t, a_failed_request_changes_nothing);
  suite_add_tcase(s, t);
  t = tcase_create("closing");
  tcase_add_checked_fixture(t, setup, NULL);
  tcase_add_test(t, closing_parts_every_ear);
  suite_add_tcase(s, t);
  t = tcase_create("source");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, a_source_says_when_a_name_is_ready);
  tcase_add_test(t, a_change_taken_back_is_none);
  tcase_add_test(t, an_old_confirmation_is_ignored);
  tcase_add_test(t, a_loss_makes_every_name_a_change);
  tcase_add_test(t, a_refused_name_is_subscribed_no_more);
  tcase_add_test(t, a_flood_of_notices_is_bounded);
  suite_add_tcase(s, t);
  return run_suite(s);
}
