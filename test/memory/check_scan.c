/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/rig.h"

/* SCAN as a command: over shards, while keys come and go. */

enum { KEYS = 3000 };

struct fixture {
  struct rig rig;
  struct lrd_prng prng;
  unsigned char in[KEYS], throughout[KEYS], seen[KEYS];
};

static void add(struct fixture *f, unsigned i)
{
  char line[40];

  snprintf(line, sizeof line, "SET key-%u v", i);
  EXPECT(&f->rig, line, "+OK");
  f->in[i] = 1;
}

static void drop(struct fixture *f, unsigned i)
{
  char line[40];

  snprintf(line, sizeof line, "DEL key-%u", i);
  EXPECT(&f->rig, line, f->in[i] ? ":1" : ":0");
  f->in[i] = f->throughout[i] = 0;
}

/* One call; what it gave is marked as seen. */
static unsigned long long step(struct fixture *f, unsigned long long cursor, unsigned count)
{
  char line[80], text[RIG_TEXT], *at;
  unsigned i;
  int n;

  snprintf(line, sizeof line, "SCAN %llu COUNT %u MATCH key-*", cursor, count);
  rig_call(&f->rig, 0, line, text);
  ck_assert_int_eq(sscanf(text, "[$%llu [", &cursor), 1);
  for (at = text; (at = strstr(at, "$key-")); at += n) {
    ck_assert_int_eq(sscanf(at, "$key-%u%n", &i, &n), 1);
    ck_assert_uint_lt(i, KEYS);
    f->seen[i] = 1;
  }
  return cursor;
}

START_TEST(every_key_that_stays_is_found)
{
  static struct fixture f;
  unsigned calls;

  memset(&f, 0, sizeof f);
  rig_open(&f.rig, (struct rig_setup){ .shards = _i ? 8 : 1 });
  seed_prng(&f.prng, "scan");
  for (unsigned round = 0; round < 8; round++) {
    unsigned long long cursor = 0;
    unsigned grows = roll(&f.prng, 2), changes = roll(&f.prng, 40);

    for (unsigned i = 0; i < KEYS; i++)
      if (!f.in[i] && roll(&f.prng, 2))
        add(&f, i);
    memset(f.seen, 0, sizeof f.seen);
    memcpy(f.throughout, f.in, sizeof f.in);
    calls = 0;
    do {
      cursor = step(&f, cursor, 1 + roll(&f.prng, 30));
      for (unsigned i = 0; i < changes; i++) {
        unsigned which = roll(&f.prng, KEYS);

        if (grows && !f.in[which])
          add(&f, which);
        else if (!grows && f.in[which])
          drop(&f, which);
      }
      ck_assert_uint_lt(++calls, 20000);
    } while (cursor);
    for (unsigned i = 0; i < KEYS; i++)
      ck_assert_msg(!f.throughout[i] || f.seen[i], "key-%u was missed", i);
  }
  rig_close(&f.rig);
}
END_TEST

START_TEST(any_cursor_leads_to_the_end)
{
  static struct fixture f;
  char line[80], text[RIG_TEXT];

  memset(&f, 0, sizeof f);
  rig_open(&f.rig, (struct rig_setup){ .shards = 8 });
  seed_prng(&f.prng, "cursors");
  for (unsigned i = 0; i < 300; i++)
    add(&f, i);
  for (unsigned i = 0; i < 200; i++) {
    unsigned long long cursor = lrd_prng_next(&f.prng) >> roll(&f.prng, 64);
    unsigned calls = 0;

    while ((cursor = step(&f, cursor, 10)))
      ck_assert_uint_lt(++calls, 1000);
  }
  EXPECT(&f.rig, "SCAN 18446744073709551615 MATCH none", "[$0 []]");
  snprintf(line, sizeof line, "SCAN 18446744073709551616");
  rig_call(&f.rig, 0, line, text);
  ck_assert_str_eq(text, "-ERR invalid cursor");
  rig_close(&f.rig);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("scan");
  TCase *tests = tcase_create("scan");

  tcase_add_loop_test(tests, every_key_that_stays_is_found, 0, 2);
  tcase_add_test(tests, any_cursor_leads_to_the_end);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
