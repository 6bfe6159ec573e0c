/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "remote/ear.h"
#include "remote/feed.h"
#include "remote/rig.h"
#include "support/check.h"
#include "util/clock.h"

/* The protocol machine that listens: a hub above, bytes below, a clock that the test turns. */

static struct lrd_hub *hub;
static struct lrd_feed feed;
static struct ear ear;
static int64_t now;
static int wakes;

static void wake(void *context)
{
  (void)context;
  wakes++;
}

static const struct lrd_hub_source source = {wake, NULL};
enum { PATIENCE = 1000 };

static void set_up(void)
{
  hub = lrd_hub_new(&rig_memory);
  ck_assert(hub != NULL);
  ck_assert_int_eq(lrd_hub_attach(hub, &source), LARDER_OK);
  ear_open(&ear, hub);
  now = 1;
  lrd_feed_init(&feed, &rig_memory, hub, PATIENCE * LRD_NS_PER_MS);
  ck_assert_int_eq(lrd_feed_up(&feed, now), 0);
}

static void tear_down(void)
{
  lrd_feed_down(&feed, "the end");
  lrd_hub_detach(hub, &source);
  ear_close(&ear);
  lrd_hub_close(hub, 0);
}

/* Everything that would be sent now, its CR and LF as spaces. */
static const char *sent(void)
{
  static char text[400000];
  size_t len;
  ck_assert_int_eq(lrd_feed_fill(&feed, now), 0);
  const char *bytes = lrd_feed_out(&feed, &len);
  ck_assert(len < sizeof text);
  for (size_t i = 0; i < len; i++)
    text[i] = bytes[i];
  text[len] = '\0';
  lrd_feed_handed(&feed, len);
  return text;
}

/* The words of what would be sent: without lengths. */
static const char *asked(void)
{
  static char words[400000];
  const char *p = sent();
  size_t n = 0;
  for (const char *end; *p; p = end + 2) {
    end = strstr(p, "\r\n");
    if (*p == '*' && n)
      words[n - 1] = '|';
    if (*p != '*' && *p != '$') {
      memcpy(words + n, p, (size_t)(end - p));
      n += (size_t)(end - p);
      words[n++] = ' ';
    }
  }
  words[n ? n - 1 : 0] = '\0';
  return words;
}

static int got(const char *bytes)
{
  return lrd_feed_take(&feed, bytes, strlen(bytes), now);
}

/* "subscribe a 1", "message a hello", ... as RESP. */
static int says(const char *words)
{
  char copy[300], out[700], *next;
  int n = 0, len = 0;
  snprintf(copy, sizeof copy, "%s", words);
  char *word[8];
  for (char *w = strtok_r(copy, " ", &next); w; w = strtok_r(NULL, " ", &next))
    word[n++] = w;
  int counted = strstr(word[0], "subscribe") != NULL;
  len = snprintf(out, sizeof out, "*%d\r\n", n);
  for (int i = 0; i < n; i++)
    if (counted && i == n - 1)
      len += snprintf(out + len, sizeof out - (size_t)len, ":%s\r\n", word[i]);
    else
      len += snprintf(out + len, sizeof out - (size_t)len, "$%zu\r\n%s\r\n", strlen(word[i]),
                      word[i]);
  return got(out);
}

#define ck_heard(text) ck_assert_str_eq(ear_next(&ear, 0), text)
#define ck_heard_no_more() ck_assert(ear_next(&ear, 0) == NULL)

START_TEST(names_become_ready_in_order)
{
  ear_subscribe(&ear, "channel", "a");
  ear_subscribe(&ear, "channel", "b");
  ear_subscribe(&ear, "pattern", "a");
  ear_subscribe(&ear, "shard", "a");
  ck_assert_str_eq(asked(), "SUBSCRIBE a b|PSUBSCRIBE a|SSUBSCRIBE a");
  ck_assert_int_eq(says("subscribe a 1"), 0);
  ck_assert_int_eq(says("message a 1"), 0);
  ck_assert_int_eq(says("subscribe b 2"), 0);
  ck_assert_int_eq(says("psubscribe a 3"), 0);
  ck_assert_int_eq(says("pmessage a a 2"), 0);
  ck_assert_int_eq(says("ssubscribe a 1"), 0);
  ck_assert_int_eq(says("smessage a 3"), 0);
  ck_heard("ready channel a");
  ck_heard("message a 1");
  ck_heard("ready channel b");
  ck_heard("ready pattern a");
  ck_heard("pmessage a a 2");
  ck_heard("ready shard a");
  ck_heard("smessage a 3");
  ck_assert(lrd_feed_idle(&feed));
  ck_assert_str_eq(sent(), "");
}
END_TEST

#ifdef HAVE_HIREDIS_RESP3
START_TEST(pushes_are_the_same)
{
  ear_subscribe(&ear, "channel", "a");
  asked();
  ck_assert_int_eq(got(">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"), 0);
  ck_assert_int_eq(got(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n1\r\n"), 0);
  ck_heard("ready channel a");
  ck_heard("message a 1");
}
END_TEST
#endif

/* Away and back while confirmations are on their way: the old ones are nobody's. */
START_TEST(quick_changes_of_mind)
{
  ear_subscribe(&ear, "channel", "a");
  ck_assert_str_eq(asked(), "SUBSCRIBE a");
  ear_unsubscribe(&ear, "channel", "a");
  ck_assert_str_eq(asked(), "UNSUBSCRIBE a");
  ear_subscribe(&ear, "channel", "a");
  ck_assert_str_eq(asked(), "SUBSCRIBE a");
  ck_assert_int_eq(says("subscribe a 1"), 0);
  ck_assert_int_eq(says("unsubscribe a 0"), 0);
  ck_heard_no_more();
  ck_assert_int_eq(says("subscribe a 1"), 0);
  ck_heard("ready channel a");
  ck_heard_no_more();
}
END_TEST

static const char noperm[] = "-NOPERM this user has no permissions to access one of the channels\r\n";

START_TEST(a_refused_name_is_found_in_its_company)
{
  ear_subscribe(&ear, "channel", "a");
  ear_subscribe(&ear, "channel", "bad");
  ear_subscribe(&ear, "channel", "c");
  ck_assert_str_eq(asked(), "SUBSCRIBE a bad c");
  ck_assert_int_eq(got(noperm), 0);
  ck_heard_no_more();
  ck_assert_str_eq(asked(), "SUBSCRIBE a|SUBSCRIBE bad|SUBSCRIBE c");
  ck_assert_int_eq(says("subscribe a 1"), 0);
  ck_assert_int_eq(got(noperm), 0);
  ck_assert_int_eq(says("subscribe c 2"), 0);
  ck_heard("ready channel a");
  ck_heard("refused channel bad NOPERM this user has no permissions to access one of the channels");
  ck_heard("ready channel c");
  ck_assert_str_eq(sent(), ""); /* not asked again */
}
END_TEST

/* What was asked for later decides; it must not be overtaken by what is asked for again. */
START_TEST(a_refused_company_does_not_overtake)
{
  ear_subscribe(&ear, "channel", "a");
  ear_subscribe(&ear, "channel", "b");
  ck_assert_str_eq(asked(), "SUBSCRIBE a b");
  ear_unsubscribe(&ear, "channel", "a");
  ck_assert_str_eq(asked(), "UNSUBSCRIBE a");
  ck_assert_int_eq(got(noperm), 0);
  ck_assert_str_eq(asked(), "SUBSCRIBE b");
  ck_assert_int_eq(says("unsubscribe a 0"), 0);
  ck_assert_int_eq(says("subscribe b 1"), 0);
  ck_heard("ready channel b");
  ck_heard_no_more();
}
END_TEST

START_TEST(what_is_about_the_server_is_no_refusal)
{
  static const char *const texts[] = {"-LOADING Redis is loading the dataset in memory\r\n",
                                      "-NOAUTH Authentication required.\r\n",
                                      "-ERR max daily request limit exceeded\r\n"};
  for (size_t i = 0; i < 3; i++) {
    ear_subscribe(&ear, "channel", "a");
    asked();
    ck_assert_int_eq(got(texts[i]), -1);
    ck_assert(feed.cause != LARDER_CAUSE_CALLER && feed.cause != LARDER_CAUSE_PROTOCOL);
    ck_heard_no_more();
    lrd_feed_down(&feed, feed.error);
    ck_assert_int_eq(lrd_feed_up(&feed, now), 0);
    ck_assert_str_eq(asked(), "SUBSCRIBE a");
    ear_unsubscribe(&ear, "channel", "a");
    ck_assert_str_eq(asked(), "UNSUBSCRIBE a");
    lrd_feed_down(&feed, "again");
    ck_assert_int_eq(lrd_feed_up(&feed, now), 0);
  }
}
END_TEST

START_TEST(what_nobody_asked_for_ends_it)
{
  static const char *const lines[] = {"subscribe b 1", "unsubscribe a 0", "psubscribe a 1", "pong x",
                                      "message a", "what a b"};
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    ear_subscribe(&ear, "channel", "a");
    asked();
    ck_assert_msg(says(lines[i]) == -1, "%s", lines[i]);
    ck_assert_int_eq(feed.cause, LARDER_CAUSE_PROTOCOL);
    lrd_feed_down(&feed, feed.error);
    ck_assert_int_eq(lrd_feed_up(&feed, now), 0);
    ear_unsubscribe(&ear, "channel", "a");
  }
  ck_assert_int_eq(got("+OK\r\n"), -1);
  lrd_feed_down(&feed, feed.error);
  ck_assert_int_eq(lrd_feed_up(&feed, now), 0);
  ck_assert_int_eq(got("!!\r\n"), -1);
  lrd_feed_down(&feed, feed.error);
  ck_assert_int_eq(lrd_feed_up(&feed, now), 0);
  ck_heard_no_more();
}
END_TEST

START_TEST(a_gap_and_everything_again)
{
  ear_subscribe(&ear, "channel", "a");
  ear_subscribe(&ear, "pattern", "b*");
  asked();
  ck_assert_int_eq(says("subscribe a 1"), 0);
  ck_assert_int_eq(says("psubscribe b* 2"), 0);
  ear_subscribe(&ear, "channel", "late");
  asked();
  ck_assert_uint_eq(lrd_feed_down(&feed, "cut"), 2);
  ck_heard("ready channel a");
  ck_heard("ready pattern b*");
  ck_heard("gap cut");
  ck_heard_no_more();
  ck_assert_int_eq(lrd_feed_up(&feed, now), 0);
  const char *all = asked();
  ck_assert(strstr(all, " a") && strstr(all, "PSUBSCRIBE b*") && strstr(all, "late"));
}
END_TEST

/* Every cut of the stream in two, and byte by byte. */
START_TEST(every_slice_is_the_same)
{
  static const char stream[] = "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
                               "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhello\r\n"
                               "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$0\r\n\r\n"
                               "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\n\r\n\r\n";
  size_t len = sizeof stream - 1;
  ear_subscribe(&ear, "channel", "a");
  for (size_t cut = 0; cut <= len; cut++) {
    asked();
    if (cut < len) {
      ck_assert_int_eq(lrd_feed_take(&feed, stream, cut, now), 0);
      ck_assert_int_eq(lrd_feed_take(&feed, stream + cut, len - cut, now), 0);
    } else {
      for (size_t i = 0; i < len; i++)
        ck_assert_int_eq(lrd_feed_take(&feed, stream + i, 1, now), 0);
    }
    ck_heard("ready channel a");
    ck_heard("message a hello");
    ck_heard("message a \r\n");
    lrd_feed_down(&feed, "next");
    ck_heard("gap next");
    ck_assert_int_eq(lrd_feed_up(&feed, now), 0);
  }
}
END_TEST

/* Thousands of names: never more than a window of them on their way, never many bytes. */
START_TEST(thousands_of_names_in_a_window)
{
  enum { NAMES = 5000 };
  char name[100], line[120];
  for (int i = 0; i < NAMES; i++) {
    snprintf(name, sizeof name, "%060d", i);
    ear_subscribe(&ear, "channel", name);
  }
  int confirmed = 0;
  size_t len, most = 0;
  while (confirmed < NAMES) {
    ck_assert_int_eq(lrd_feed_fill(&feed, now), 0);
    ck_assert(feed.used <= LRD_FEED_WINDOW);
    lrd_feed_out(&feed, &len);
    ck_assert(len <= LRD_FEED_OUT + 32 * 1024);
    most = len > most ? len : most;
    lrd_feed_handed(&feed, len < 1000 ? len : 1000);
    for (size_t i = 0; i < 10 && feed.asked; i++) {
      snprintf(line, sizeof line, "subscribe %060d %d", confirmed, confirmed + 1);
      confirmed++;
      ck_assert_int_eq(says(line), 0);
    }
  }
  ck_assert(most > 1000);
  ck_assert_uint_eq(ear_count(&ear, "ready"), NAMES);
  ck_assert_uint_eq(feed.confirmed, NAMES);
}
END_TEST

START_TEST(quiet_is_asked_and_silence_ends_it)
{
  ear_subscribe(&ear, "channel", "a");
  asked();
  ck_assert_int_eq(says("subscribe a 1"), 0);
  int64_t at = lrd_feed_tick(&feed, now);
  ck_assert_int_eq(at, now + LRD_FEED_INTERVAL);
  now = at - 1;
  ck_assert_int_eq(lrd_feed_tick(&feed, now), at);
  ck_assert_int_eq(says("message a 1"), 0); /* heard: later */
  at = lrd_feed_tick(&feed, now);
  ck_assert_int_eq(at, now + LRD_FEED_INTERVAL);
  now = at;
  at = lrd_feed_tick(&feed, now);
  ck_assert_int_eq(at, now + PATIENCE * LRD_NS_PER_MS);
  ck_assert_str_eq(asked(), "PING");
  ck_assert_int_eq(says("message a 2"), 0);
  ck_assert_int_eq(got("*2\r\n$4\r\npong\r\n$0\r\n\r\n"), 0);
  now = lrd_feed_tick(&feed, now);
  now = lrd_feed_tick(&feed, now);
  ck_assert_str_eq(asked(), "PING");
  ck_assert_int_eq(lrd_feed_tick(&feed, now - 1), now);
  ck_assert_int_eq(lrd_feed_tick(&feed, now), -1);
  ck_assert_int_eq(feed.cause, LARDER_CAUSE_SILENT);
}
END_TEST

START_TEST(a_doubt_is_asked_at_once)
{
  lrd_feed_doubt(&feed);
  ck_assert_int_eq(lrd_feed_tick(&feed, now), now + PATIENCE * LRD_NS_PER_MS);
  ck_assert_str_eq(asked(), "PING");
  lrd_feed_doubt(&feed); /* it is on its way */
  lrd_feed_tick(&feed, now);
  ck_assert_str_eq(asked(), "");
  ck_assert_int_eq(got("+PONG\r\n"), 0); /* nothing is subscribed: Redis's other form */
  ck_assert(lrd_feed_idle(&feed));
}
END_TEST

/* A confirmation that vanished among messages: the PONG comes in its place. */
START_TEST(a_lost_confirmation_is_found)
{
  ear_subscribe(&ear, "channel", "a");
  asked();
  ck_assert_int_eq(says("subscribe a 1"), 0);
  ear_subscribe(&ear, "channel", "b");
  asked();
  int64_t until = now + LRD_FEED_INTERVAL;
  while (now < until) {
    now += PATIENCE * LRD_NS_PER_MS / 2;
    ck_assert_int_eq(says("message a 1"), 0);
    ck_assert(lrd_feed_tick(&feed, now) > 0);
  }
  ck_assert_str_eq(asked(), "PING");
  ck_assert_int_eq(got("*2\r\n$4\r\npong\r\n$0\r\n\r\n"), -1);
}
END_TEST

/* Whatever can't be allocated: the connection ends, nothing is forgotten, and it goes again. */
START_TEST(no_memory_is_a_gap)
{
  ear_subscribe(&ear, "channel", "a");
  for (long n = 1; n < 40; n++) {
    lrd_feed_down(&feed, "again");
    rig_fail_allocation(n);
    int failed = lrd_feed_up(&feed, now) != 0 || lrd_feed_fill(&feed, now) != 0;
    size_t len;
    lrd_feed_out(&feed, &len);
    lrd_feed_handed(&feed, len);
    failed = failed || says("subscribe a 1") != 0 || says("message a 1") != 0;
    rig_fail_allocation(0);
    lrd_feed_down(&feed, "and again");
    ck_assert_uint_eq(lrd_hub_wanted(hub), 1);
    ck_assert_int_eq(lrd_feed_up(&feed, now), 0);
    ck_assert_str_eq(asked(), "SUBSCRIBE a");
    if (!failed && ear_count(&ear, "missed") && ear_count(&ear, "message"))
      return;
  }
  ck_abort_msg("it never ran through");
}
END_TEST

int main(void)
{
  Suite *s = suite_create("feed");
  TCase *c = tcase_create("feed");
  tcase_add_checked_fixture(c, set_up, tear_down);
  tcase_add_test(c, names_become_ready_in_order);
#ifdef HAVE_HIREDIS_RESP3
  tcase_add_test(c, pushes_are_the_same);
#endif
  tcase_add_test(c, quick_changes_of_mind);
  tcase_add_test(c, a_refused_name_is_found_in_its_company);
  tcase_add_test(c, a_refused_company_does_not_overtake);
  tcase_add_test(c, what_is_about_the_server_is_no_refusal);
  tcase_add_test(c, what_nobody_asked_for_ends_it);
  tcase_add_test(c, a_gap_and_everything_again);
  tcase_add_test(c, every_slice_is_the_same);
  tcase_add_test(c, thousands_of_names_in_a_window);
  tcase_add_test(c, quiet_is_asked_and_silence_ends_it);
  tcase_add_test(c, a_doubt_is_asked_at_once);
  tcase_add_test(c, a_lost_confirmation_is_found);
  tcase_add_test(c, no_memory_is_a_gap);
  suite_add_tcase(s, c);
  return run_suite(s);
}
