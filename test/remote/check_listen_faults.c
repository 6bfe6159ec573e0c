/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/ear.h"
#include "remote/instance.h"
#include "remote/listen.h"
#include "remote/through.h"
#include "support/sanitizer.h"
#include "util/memory.h"

/*
 * The connection that listens, through the fault proxy: its stream is cut at every byte of every
 * confirmation and message, in every way.  After each fault: GAP and READY come in turn; of what
 * is published no message is doubled, invented or out of order, and none is missing unless a
 * GAP tells it; what is published at the end arrives; nothing is left over.
 *
 * LARDER_FAULTS=all: also at every byte what costs a wait each time.
 */

enum { NAMES = 3, PUBLISHED = 2 };
static const char *const kinds[NAMES] = {"channel", "channel", "pattern"};
static const char *const names[NAMES] = {"a", "b", "a*"};

static struct ear ear;
static long number; /* of the last message */
static int slow;    /* the handshake takes its time */

static void change(struct lrd_config *config)
{
  config->timeout = 60 * LRD_NS_PER_MS;
  if (slow)
    config->connect_timeout = 5000 * LRD_NS_PER_MS;
}

static void begin(void)
{
  through.hub = lrd_hub_new(&lrd_memory_system);
  through_open(change);
  struct lrd_listen *listen = lrd_remote_of(through.rig.backend)->listen;
  listen->feed.interval = 50 * LRD_NS_PER_MS; /* the loop looks at it later than at the hub */
  ear_open(&ear, through.hub);
  number = 0;
  for (int i = 0; i < NAMES; i++)
    ear_subscribe(&ear, kinds[i], names[i]);
}

static void end(void)
{
  through_close();
  ear_close(&ear);
  lrd_hub_close(through.hub, 0);
  through.hub = NULL;
}

/* All names are ready, as far as the ear has heard. */
static int is_ready(struct ear *e)
{
  int ready[NAMES] = {0};
  char line[64];
  pthread_mutex_lock(&e->mutex);
  for (size_t i = 0; i < e->lines; i++)
    for (int n = 0; n < NAMES; n++) {
      snprintf(line, sizeof line, "ready %s %s", kinds[n], names[n]);
      if (strcmp(e->line[i], line) == 0) {
        ck_assert_msg(!ready[n], "%s twice", line);
        ready[n] = 1;
      } else if (strncmp(e->line[i], "gap", 3) == 0) {
        ready[n] = 0;
      }
    }
  pthread_mutex_unlock(&e->mutex);
  return ready[0] && ready[1] && ready[2];
}

static void wait_ready(const char *what)
{
  for (int i = 0; i < 10000 && !is_ready(&ear); i++)
    rig_sleep(1);
  ck_assert_msg(is_ready(&ear), "%s: not ready any more", what);
}

static void publish(int count)
{
  char words[64];
  while (count--) {
    snprintf(words, sizeof words, "PUBLISH a %ld", ++number);
    through_side(words);
  }
}

/* 1: the last message came, in both ways. */
static int has_come(void)
{
  char line[2][64];
  snprintf(line[0], sizeof line[0], "message a %ld", number);
  snprintf(line[1], sizeof line[1], "pmessage a* a %ld", number);
  return ear_count(&ear, line[0]) && ear_count(&ear, line[1]);
}

/* Publishes until something arrives: what is lost with a connection a GAP tells of. */
static void speak(const char *what)
{
  for (int tries = 0; tries < 20; tries++) {
    wait_ready(what);
    size_t gaps = ear_count(&ear, "gap");
    publish(PUBLISHED);
    for (int i = 0; i < 5000 && !has_come() && ear_count(&ear, "gap") == gaps; i++)
      rig_sleep(1);
    if (has_come())
      return;
    ck_assert_msg(ear_count(&ear, "gap") > gaps, "%s: %ld is missing", what, number);
  }
  ck_abort_msg("%s: nothing arrives", what);
}

static void ck_stream(const char *what)
{
  const char *fault = ear_fault(&ear, "message a ", number);
  ck_assert_msg(!fault, "%s: %s", what, fault);
  fault = ear_fault(&ear, "pmessage a* a ", number);
  ck_assert_msg(!fault, "%s: %s", what, fault);
  ck_assert_uint_eq(ear_count(&ear, "missed"), 0);
  ck_assert_uint_eq(ear_count(&ear, "refused"), 0);
}

static void run(const struct proxy_fault *f, const char *what)
{
  proxy_arm(through.proxy, f, f ? 1 : 0);
  int before = proxy_struck(through.proxy);
  begin();
  speak(what);
  speak(what); /* the fault may have come with the last byte */
  ck_stream(what);
  ck_assert_msg(f || !ear_count(&ear, "gap"), "%s: a gap", what);
  int struck = proxy_struck(through.proxy) - before;
  ck_assert_msg(!f || struck == 1, "%s: it happened %d times", what, struck);
  end();
}

static const struct way {
  const char *name;
  enum proxy_verb verb;
  int confirmations; /* only of them: of a message nobody could tell */
  int whole;         /* at byte 0 only */
  int costs;         /* a wait each time */
} ways[] = {
  {"cut", PROXY_CUT, 0, 0, 0},           {"reset", PROXY_RESET, 0, 0, 0},
  {"half", PROXY_HALF, 0, 0, 0},         {"hang", PROXY_HANG, 0, 0, 1},
  {"delay", PROXY_DELAY, 0, 0, 1},       {"swallow", PROXY_SWALLOW, 1, 1, 0},
  {"twice", PROXY_TWICE, 1, 1, 0},       {"replace", PROXY_REPLACE, 1, 1, 0},
};

START_TEST(every_byte_in_every_way)
{
  const struct way *w = &ways[_i];
  const char *all = getenv("LARDER_FAULTS");
  int thorough = all && strcmp(all, "all") == 0;
  long length[NAMES + 2 * PUBLISHED], runs = 0;
  through_prepare(NULL, _i & 1);
  run(NULL, "clean");
  for (long k = 0; k < NAMES + 2 * PUBLISHED; k++)
    ck_assert_int_gt(length[k] = proxy_length(through.proxy, PROXY_NEWS + k), 0);
  for (long k = 0; k < (w->confirmations ? NAMES : NAMES + 2 * PUBLISHED); k++) {
    long step = thorough ? 1 : w->costs ? TEST_TIMES(13, 41) : TEST_TIMES(1, 11);
    for (long j = 0; j < (w->whole ? 1 : length[k]); j += step) {
      char what[64];
      struct proxy_fault f = {.verb = w->verb, .k = PROXY_NEWS + k, .j = j, .number = 30,
                              .text = "-LOADING Redis is loading the dataset in memory\r\n"};
      snprintf(what, sizeof what, "%s of %ld at %ld", w->name, k, j);
      run(&f, what);
      runs++;
    }
  }
  if (getenv("LARDER_FAULTS"))
    printf("%s: %ld faults\n", w->name, runs);
  proxy_set_door(through.proxy, PROXY_OPEN);
  through_open(NULL);
  through_end();
}
END_TEST

/* One byte a time. */
START_TEST(dripped)
{
  through_prepare(NULL, 0);
  proxy_set_slice(through.proxy, 1);
  slow = 1;
  run(NULL, "dripped");
  through_open(NULL);
  through_end();
}
END_TEST

int main(void)
{
  server_require();
  Suite *s = suite_create("listen_faults");
  TCase *c = tcase_create("faults");
  tcase_set_timeout(c, getenv("LARDER_FAULTS") ? 900 : 240);
  tcase_add_loop_test(c, every_byte_in_every_way, 0, (int)(sizeof ways / sizeof *ways));
  tcase_add_test(c, dripped);
  suite_add_tcase(s, c);
  return run_suite(s);
}
