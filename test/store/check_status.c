/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/store_rig.h"

/* What a store tells of itself: status, names, ticks, events. */

/* --- status -------------------------------------------------------------- */

START_TEST(status_counts)
{
  larder_status s = {.size = sizeof s};
  larder *store = open_on(&fake_table);
  run(store, 1, (const char *const[]){"PING"});
  run(store, 2, (const char *const[]){"GET", "a"});
  run(store, 1, (const char *const[]){"NOSUCH"});
  fake.answer = FAKE_ERROR;
  fake.verdict = (larder_verdict){.outcome = LARDER_UNKNOWN,
                                  .origin = LARDER_FROM_REDIS,
                                  .cause = LARDER_CAUSE_SILENT,
                                  .age_ms = -1};
  run(store, 3, (const char *const[]){"SET", "a", "b"});
  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  ck_assert_uint_eq(s.calls[LARDER_OK], 1);
  ck_assert_uint_eq(s.calls[LARDER_ABSENT], 1);
  ck_assert_uint_eq(s.calls[LARDER_BAD_ARGUMENT], 1);
  ck_assert_uint_eq(s.calls[LARDER_UNKNOWN], 1);
  ck_assert_uint_eq(s.origins[LARDER_FROM_LOCAL], 2);
  ck_assert_uint_eq(s.origins[LARDER_FROM_REDIS], 1);
  ck_assert_uint_eq(s.origins[LARDER_FROM_NOWHERE], 1);
  ck_assert_uint_eq(s.deadline_misses, 1);
  ck_assert_uint_eq(s.in_flight, 0);
  ck_assert_str_eq(s.backend, "fake");
  ck_assert_str_eq(s.serving, "memory");
  ck_assert_int_eq(s.state, LARDER_STATE_UP);
  ck_assert_int_eq(s.last_error_ms, -1);
  ck_assert_int_eq(s.journal_oldest_ms, -1);
  larder_close(store, 0);
}
END_TEST

START_TEST(status_of_a_backend)
{
  larder_status s = {.size = sizeof s};
  larder *store = open_on(&fake_table);
  fake.status.link = LARDER_LINK_DOWN;
  strcpy(fake.status.address, "h:1");
  strcpy(fake.status.last_error, "gone");
  fake.status.last_error_at = 1;
  fake.status.keys = 7;
  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  ck_assert_int_eq(s.state, LARDER_STATE_DOWN);
  ck_assert_str_eq(s.serving, "none");
  ck_assert_str_eq(s.address, "h:1");
  ck_assert_str_eq(s.last_error, "gone");
  ck_assert_int_ge(s.last_error_ms, 0);
  ck_assert_str_eq(s.breaker, "");
  ck_assert_uint_eq(s.keys, 7);
  fake.status.state = LARDER_STATE_REPLAYING;
  fake.status.breaker = "trial";
  fake.status.serving = "memory";
  fake.status.fence = 1;
  fake.status.replayed = 5;
  fake.status.journal_oldest_ms = 12;
  ck_assert_int_eq(larder_get_status(store, &s), LARDER_OK);
  ck_assert_int_eq(s.state, LARDER_STATE_REPLAYING);
  ck_assert_str_eq(s.serving, "memory");
  ck_assert_str_eq(s.breaker, "trial");
  ck_assert_str_eq(s.fence, "yes");
  ck_assert_uint_eq(s.replayed, 5);
  ck_assert_int_eq(s.journal_oldest_ms, 12);
  s.size = 8;
  ck_assert_int_eq(larder_get_status(store, &s), LARDER_BAD_ARGUMENT);
  larder_close(store, 0);
}
END_TEST

START_TEST(names)
{
  ck_assert_str_eq(larder_outcome_name(LARDER_OK), "OK");
  ck_assert_str_eq(larder_outcome_name(LARDER_UNSUPPORTED), "UNSUPPORTED");
  ck_assert_str_eq(larder_outcome_name((larder_outcome)99), "?");
  ck_assert_str_eq(larder_origin_name(LARDER_FROM_STALE), "stale");
  ck_assert_str_eq(larder_origin_name((larder_origin)-1), "?");
  ck_assert_str_eq(larder_state_name(LARDER_STATE_CLOSED), "closed");
  ck_assert_str_eq(larder_state_name((larder_state)17), "?");
  ck_assert_str_eq(larder_version(), LARDER_VERSION);
}
END_TEST

START_TEST(tick_converts)
{
  larder *store = open_on(&fake_table);
  ck_assert_int_eq(larder_tick(store, 100), -1);
  fake.tick = 1; /* long ago */
  ck_assert_int_eq(larder_tick(store, -5), 0);
  fake.tick = INT64_MAX / 2;
  ck_assert_int_gt(larder_tick(store, 0), 1000);
  ck_assert_int_eq(fake.ticked, 3);
  larder_close(store, 0);
}
END_TEST

/* --- events -------------------------------------------------------------- */

static char seen[200];

static void on_event(void *context, const larder_event *e)
{
  (void)context;
  strcat(seen, e->name);
  strcat(seen, " ");
}

START_TEST(events)
{
  larder_options o = LARDER_OPTIONS_INIT;
  o.backend = &fake_table;
  o.event = on_event;
  larder *store = larder_open("memory:", &o, error, sizeof error);
  larder_close(store, 0);
  ck_assert_str_eq(seen, "open close ");
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store/status");
  TCase *tc = tcase_create("status");
  tcase_add_checked_fixture(tc, fake_reset, NULL);
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, status_counts);
  tcase_add_test(tc, status_of_a_backend);
  tcase_add_test(tc, names);
  tcase_add_test(tc, tick_converts);
  tcase_add_test(tc, events);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
