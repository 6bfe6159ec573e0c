/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/heap.h"
#include "store/store_rig.h"
#include "util/slab.h"

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

/* --- INFO ---------------------------------------------------------------- */

/* The value of a line, in text; "": there is none. */
static const char *info(larder *store, const char *name, char text[100])
{
  larder_reply *r = larder_command(store, "INFO memory");
  char start[60];
  const char *at;

  ck_assert_int_eq(r->outcome, LARDER_OK);
  snprintf(start, sizeof start, "\r\n%s:", name);
  at = strstr(r->value.str, start);
  snprintf(text, 100, "%.*s", at ? (int)strcspn(at + strlen(start), "\r") : 0,
           at ? at + strlen(start) : "");
  larder_reply_free(r);
  return text;
}

static size_t info_bytes(larder *store, const char *name)
{
  char text[100];

  ck_assert_msg(*info(store, name, text) != '\0', "INFO has no %s", name);
  return (size_t)strtoull(text, NULL, 10);
}

static void store_values(larder *store, unsigned count)
{
  static const char value[200];

  for (unsigned i = 0; i < count; i++)
    larder_reply_free(larder_command(store, "SET k%u %b", i, value, sizeof value));
}

/* What the keys take is allocated, what is allocated is active, that is resident; what goes is
 * no longer counted. */
START_TEST(info_of_its_own_allocator)
{
  char text[100];
  larder *store = larder_open("memory:?shards=1", NULL, error, sizeof error);
  size_t empty = info_bytes(store, "used_memory"), allocated, active;

  if (!LRD_SLAB_BY_DEFAULT) {
    ck_assert_str_eq(info(store, "mem_allocator", text), "libc");
    larder_close(store, 0);
    return;
  }
  ck_assert_str_eq(info(store, "mem_allocator", text), "larder");
  store_values(store, 20000);
  allocated = info_bytes(store, "allocator_allocated");
  active = info_bytes(store, "allocator_active");
  ck_assert_uint_ge(allocated, empty + 20000 * 200);
  ck_assert_uint_ge(info_bytes(store, "used_memory"), allocated - allocated / 50);
  ck_assert_uint_le(info_bytes(store, "used_memory"), allocated + allocated / 50);
  ck_assert_uint_ge(active, allocated);
  ck_assert_uint_le(active, allocated + allocated / 4);
  ck_assert_uint_ge(info_bytes(store, "allocator_resident"), active);
  larder_reply_free(larder_command(store, "FLUSHALL"));
  ck_assert_uint_lt(info_bytes(store, "allocator_allocated"), allocated / 10);
  ck_assert_uint_lt(info_bytes(store, "allocator_active"), active / 2);
  larder_close(store, 0);
}
END_TEST

/* Of an allocator of the application only what it was asked for is known. */
START_TEST(info_of_the_applications_allocator)
{
  larder_options o = LARDER_OPTIONS_INIT;
  char text[100];
  struct heap heap;
  larder *store;

  heap_init(&heap);
  o.memory = &heap.memory;
  store = larder_open("memory:", &o, error, sizeof error);
  store_values(store, 1000);
  ck_assert_str_eq(info(store, "mem_allocator", text), "application");
  ck_assert_str_eq(info(store, "allocator_active", text), "");
  ck_assert_uint_ge(info_bytes(store, "used_memory"), 1000 * 200);
  ck_assert_uint_le(info_bytes(store, "used_memory"), (size_t)atomic_load(&heap.bytes));
  larder_close(store, 0);
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
  tcase_add_test(tc, info_of_its_own_allocator);
  tcase_add_test(tc, info_of_the_applications_allocator);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
