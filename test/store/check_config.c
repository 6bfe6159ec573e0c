/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/config_rig.h"
#include "store/heap.h"

/* What a store is opened with: addresses, options, the environment, the struct. */

#define MS INT64_C(1000000)

static int same(const char *a, const char *b)
{
  return a && b ? strcmp(a, b) == 0 : a == b;
}

/* --- addresses ----------------------------------------------------------- */

static const struct {
  const char *url;
  enum lrd_scheme scheme;
  const char *host, *path, *user, *password;
  int port, database;
  const char *address;
} good[] = {
    {"memory:", LRD_SCHEME_MEMORY, NULL, NULL, NULL, NULL, 0, 0, ""},
    {"memory://", LRD_SCHEME_MEMORY, NULL, NULL, NULL, NULL, 0, 0, ""},
    {"MEMORY:", LRD_SCHEME_MEMORY, NULL, NULL, NULL, NULL, 0, 0, ""},
    {"memory:?db=7", LRD_SCHEME_MEMORY, NULL, NULL, NULL, NULL, 0, 7, ""},
    {"memory:?", LRD_SCHEME_MEMORY, NULL, NULL, NULL, NULL, 0, 0, ""},
    {"redis://localhost", LRD_SCHEME_TCP, "localhost", NULL, NULL, NULL, 6379, 0,
     "localhost:6379"},
    {"Redis://localhost/", LRD_SCHEME_TCP, "localhost", NULL, NULL, NULL, 6379, 0,
     "localhost:6379"},
    {"redis://127.0.0.1:7000/15", LRD_SCHEME_TCP, "127.0.0.1", NULL, NULL, NULL, 7000, 15,
     "127.0.0.1:7000"},
    {"redis://h:65535?db=3", LRD_SCHEME_TCP, "h", NULL, NULL, NULL, 65535, 3, "h:65535"},
    {"redis://h:1", LRD_SCHEME_TCP, "h", NULL, NULL, NULL, 1, 0, "h:1"},
    {"redis://my_cache.internal-1.example", LRD_SCHEME_TCP, "my_cache.internal-1.example", NULL,
     NULL, NULL, 6379, 0, "my_cache.internal-1.example:6379"},
    {"redis://%6cocalhost", LRD_SCHEME_TCP, "localhost", NULL, NULL, NULL, 6379, 0,
     "localhost:6379"},
    {"redis://[::1]", LRD_SCHEME_TCP, "::1", NULL, NULL, NULL, 6379, 0, "[::1]:6379"},
    {"redis://[2001:db8::7]:7001/2", LRD_SCHEME_TCP, "2001:db8::7", NULL, NULL, NULL, 7001, 2,
     "[2001:db8::7]:7001"},
    {"redis://[fe80::1%25eth0]:1", LRD_SCHEME_TCP, "fe80::1%eth0", NULL, NULL, NULL, 1, 0,
     "[fe80::1%eth0]:1"},
    {"redis://:secret@h", LRD_SCHEME_TCP, "h", NULL, NULL, "secret", 6379, 0, "h:6379"},
    {"redis://joe:secret@h:7", LRD_SCHEME_TCP, "h", NULL, "joe", "secret", 7, 0, "h:7"},
    {"redis://joe:@h", LRD_SCHEME_TCP, "h", NULL, "joe", "", 6379, 0, "h:6379"},
    {"redis://:@h", LRD_SCHEME_TCP, "h", NULL, NULL, NULL, 6379, 0, "h:6379"},
    {"redis://joe:a%40b%3a%2F%25@h", LRD_SCHEME_TCP, "h", NULL, "joe", "a@b:/%", 6379, 0,
     "h:6379"},
    {"redis://joe:p@ss@h", LRD_SCHEME_TCP, "h", NULL, "joe", "p@ss", 6379, 0, "h:6379"},
    {"redis://joe:a:b@h", LRD_SCHEME_TCP, "h", NULL, "joe", "a:b", 6379, 0, "h:6379"},
    {"redis://h?user=joe&password=x%20y", LRD_SCHEME_TCP, "h", NULL, "joe", "x y", 6379, 0,
     "h:6379"},
    {"rediss://joe:x@redis.example:6380/1", LRD_SCHEME_TLS, "redis.example", NULL, "joe", "x",
     6380, 1, "redis.example:6380"},
    {"unix:///run/redis.sock", LRD_SCHEME_UNIX, NULL, "/run/redis.sock", NULL, NULL, 0, 0,
     "/run/redis.sock"},
    {"unix:///run/a%20b?db=4", LRD_SCHEME_UNIX, NULL, "/run/a b", NULL, NULL, 0, 4, "/run/a b"},
    {"unix:///s?password=p", LRD_SCHEME_UNIX, NULL, "/s", NULL, "p", 0, 0, "/s"},
    {"unix://:p@/s", LRD_SCHEME_UNIX, NULL, "/s", NULL, "p", 0, 0, "/s"},
};

START_TEST(addresses)
{
  clear_environment();
  read_good(good[_i].url, NULL);
  ck_assert_int_eq(config.scheme, good[_i].scheme);
  ck_assert(same(config.host, good[_i].host));
  ck_assert(same(config.path, good[_i].path));
  ck_assert(same(config.user, good[_i].user));
  ck_assert(same(config.password, good[_i].password));
  if (good[_i].port)
    ck_assert_int_eq(config.port, good[_i].port);
  ck_assert_int_eq(config.database, good[_i].database);
  ck_assert_str_eq(config.address, good[_i].address);
  done();
}
END_TEST

START_TEST(defaults)
{
  clear_environment();
  read_good("redis://h", NULL);
  ck_assert_int_eq(config.timeout, 250 * MS);
  ck_assert_int_eq(config.connect_timeout, 1000 * MS);
  ck_assert_int_eq(config.max_retries, 3);
  ck_assert(!config.required && config.enabled && config.fallback && config.background);
  ck_assert_int_eq(config.outage, LARDER_OUTAGE_JOURNAL);
  ck_assert_uint_eq(config.connections, 8);
  ck_assert_uint_eq(config.shards, 16);
  ck_assert_uint_eq(config.journal_bytes, 64 << 20);
  ck_assert_uint_eq(config.journal_keys, 1000000);
  ck_assert_int_eq(config.delivery, LARDER_DELIVER_THREAD);
  ck_assert_ptr_null(config.client_name);
  done();
}
END_TEST

START_TEST(every_option)
{
  clear_environment();
  read_good("redis://h?timeout=1s&connect_timeout=0.5s&max_retries=0&required=yes&enabled=off"
            "&fallback=none&outage=strict&connections=256&journal_bytes=1gb&journal_keys=5"
            "&shards=1024&background=no&delivery=dispatch&client_name=app-1&db=9", NULL);
  ck_assert_int_eq(config.timeout, 1000 * MS);
  ck_assert_int_eq(config.connect_timeout, 500 * MS);
  ck_assert_int_eq(config.max_retries, 0);
  ck_assert(config.required && !config.enabled && !config.fallback && !config.background);
  ck_assert_int_eq(config.outage, LARDER_OUTAGE_STRICT);
  ck_assert_uint_eq(config.connections, 256);
  ck_assert_uint_eq(config.journal_bytes, 1 << 30);
  ck_assert_uint_eq(config.journal_keys, 5);
  ck_assert_uint_eq(config.shards, 1024);
  ck_assert_int_eq(config.delivery, LARDER_DELIVER_DISPATCH);
  ck_assert_str_eq(config.client_name, "app-1");
  ck_assert_int_eq(config.database, 9);
  done();
}
END_TEST

/* --- values -------------------------------------------------------------- */

static const struct {
  const char *text;
  int64_t ns;
} durations[] = {{"250ms", 250 * MS}, {"250", 250 * MS},   {"1s", 1000 * MS},
                 {"0.5s", 500 * MS},  {"1.5", 3 * MS / 2}, {"1.000001ms", MS + 1},
                 {"3600s", 3600000 * MS}, {"1ms", MS},     {"2S", 2000 * MS},
                 {"0.001s", MS}, {"3600000", 3600000 * MS}};

START_TEST(duration_values)
{
  char url[100];
  clear_environment();
  snprintf(url, sizeof url, "redis://h?timeout=%s", durations[_i].text);
  read_good(url, NULL);
  ck_assert_int_eq(config.timeout, durations[_i].ns);
  done();
}
END_TEST

static const struct {
  const char *text;
  size_t bytes;
} sizes[] = {{"4096", 4096}, {"4kb", 4096},        {"1MB", 1 << 20},
             {"1gb", 1 << 30}, {"1024gb", (size_t)1 << 40}, {"1099511627776", (size_t)1 << 40}};

START_TEST(size_values)
{
  char url[100];
  clear_environment();
  snprintf(url, sizeof url, "redis://h?journal_bytes=%s", sizes[_i].text);
  read_good(url, NULL);
  ck_assert_uint_eq(config.journal_bytes, sizes[_i].bytes);
  done();
}
END_TEST

static const struct {
  const char *text;
  int yes;
} choices[] = {{"yes", 1}, {"no", 0},  {"true", 1}, {"false", 0}, {"on", 1},
               {"off", 0}, {"1", 1},   {"0", 0},    {"YES", 1},   {"False", 0}};

START_TEST(yes_no_values)
{
  char url[100];
  clear_environment();
  snprintf(url, sizeof url, "redis://h?required=%s", choices[_i].text);
  read_good(url, NULL);
  ck_assert_int_eq(config.required, choices[_i].yes);
  done();
}
END_TEST

/* --- the environment ----------------------------------------------------- */

START_TEST(environment_url)
{
  clear_environment();
  read_good(NULL, NULL);
  ck_assert_int_eq(config.scheme, LRD_SCHEME_MEMORY);
  done();
  setenv("REDIS_URL", "redis://from-redis-url", 1);
  read_good(NULL, NULL);
  ck_assert_str_eq(config.host, "from-redis-url");
  done();
  setenv("LARDER_URL", "redis://from-larder-url", 1);
  read_good(NULL, NULL);
  ck_assert_str_eq(config.host, "from-larder-url");
  done();
  read_good("memory:", NULL);
  ck_assert_int_eq(config.scheme, LRD_SCHEME_MEMORY);
  done();
  setenv("LARDER_URL", "", 1);
  read_good(NULL, NULL);
  ck_assert_str_eq(config.host, "from-redis-url");
  done();
  setenv("LARDER_URL", "redis://h:0", 1);
  ck_assert_int_eq(lrd_config_read(&config, NULL, NULL, error, sizeof error),
                   LARDER_BAD_ARGUMENT);
  expect_parts("LARDER_URL: |port '0'");
}
END_TEST

START_TEST(environment_options)
{
  clear_environment();
  setenv("REDIS_ENABLED", "0", 1);
  setenv("REDIS_REQUIRED", "true", 1);
  setenv("REDIS_CONNECT_TIMEOUT", "2", 1);
  setenv("REDIS_SOCKET_TIMEOUT", "0.125", 1);
  setenv("REDIS_MAX_RETRIES", "7", 1);
  read_good("redis://h", NULL);
  ck_assert(!config.enabled && config.required);
  ck_assert_int_eq(config.connect_timeout, 2000 * MS);
  ck_assert_int_eq(config.timeout, 125 * MS);
  ck_assert_int_eq(config.max_retries, 7);
  done();
  /* The URL is stronger, and the struct stronger still. */
  larder_options o = LARDER_OPTIONS_INIT;
  o.timeout_ms = 3;
  read_good("redis://h?timeout=9&connect_timeout=8&max_retries=6", &o);
  ck_assert_int_eq(config.timeout, 3 * MS);
  ck_assert_int_eq(config.connect_timeout, 8 * MS);
  ck_assert_int_eq(config.max_retries, 6);
  done();
  setenv("REDIS_USERNAME", "joe", 1);
  setenv("REDIS_PASSWORD", "x", 1);
  read_good("redis://h", NULL);
  ck_assert_str_eq(config.user, "joe");
  ck_assert_str_eq(config.password, "x");
  done();
  read_good("redis://ann@h", NULL);
  ck_assert_str_eq(config.user, "ann");
  ck_assert_str_eq(config.password, "x");
  done();
  read_good("redis://:y@h", NULL); /* joe's is another password */
  ck_assert_ptr_null(config.user);
  ck_assert_str_eq(config.password, "y");
  done();
  setenv("LARDER_TLS_CA", "/ca", 1);
  setenv("LARDER_TLS_CERT", "/cert", 1);
  setenv("LARDER_TLS_KEY", "/key", 1);
  read_good("rediss://h?tls_ca=/mine&tls_name=n", NULL);
  ck_assert_str_eq(config.tls_ca, "/mine");
  ck_assert_str_eq(config.tls_cert, "/cert");
  ck_assert_str_eq(config.tls_key, "/key");
  ck_assert_str_eq(config.tls_name, "n");
  ck_assert(!config.tls_insecure);
  done();
  read_good("redis://h", NULL);
  ck_assert_ptr_null(config.tls_ca);
  done();
  /* They speak of a Redis. */
  setenv("REDIS_SOCKET_TIMEOUT", "x", 1);
  read_good("memory:", NULL);
  ck_assert_int_eq(config.timeout, 250 * MS);
  done();
}
END_TEST

static const struct {
  const char *name, *value;
} bad_variables[] = {
    {"REDIS_ENABLED", "2"},          {"REDIS_REQUIRED", "please"},
    {"REDIS_CONNECT_TIMEOUT", "0"},  {"REDIS_CONNECT_TIMEOUT", "5s"},
    {"REDIS_SOCKET_TIMEOUT", "-1"},  {"REDIS_SOCKET_TIMEOUT", "3601"},
    {"REDIS_SOCKET_TIMEOUT", "1,5"}, {"REDIS_MAX_RETRIES", "101"},
    {"REDIS_MAX_RETRIES", "many"},   {"REDIS_SOCKET_TIMEOUT", " 1"},
};

START_TEST(bad_environment)
{
  char expected[100];
  clear_environment();
  setenv(bad_variables[_i].name, bad_variables[_i].value, 1);
  ck_assert_int_eq(lrd_config_read(&config, "redis://h?timeout=1&max_retries=1", NULL, error,
                                   sizeof error), LARDER_BAD_ARGUMENT);
  snprintf(expected, sizeof expected, "%s=%s|allowed", bad_variables[_i].name,
           bad_variables[_i].value);
  expect_parts(expected);
}
END_TEST

/* --- the struct ---------------------------------------------------------- */

START_TEST(struct_wins)
{
  clear_environment();
  larder_options o = LARDER_OPTIONS_INIT;
  o.user = "amy";
  o.password = "other";
  o.client_name = "me";
  o.timeout_ms = 11;
  o.connect_timeout_ms = 12;
  o.max_retries = 0;
  o.required = LARDER_NO;
  o.enabled = LARDER_NO;
  o.fallback = LARDER_NO;
  o.outage = LARDER_OUTAGE_CACHE;
  o.connections = 3;
  o.journal_bytes = 5000;
  o.journal_keys = 6;
  o.shards = 2;
  o.background = LARDER_NO;
  o.delivery = LARDER_DELIVER_DISPATCH;
  read_good("redis://joe:secret@h?timeout=1&required=yes&outage=strict&client_name=you", &o);
  ck_assert_str_eq(config.user, "amy");
  ck_assert_str_eq(config.password, "other");
  ck_assert_str_eq(config.client_name, "me");
  ck_assert_int_eq(config.timeout, 11 * MS);
  ck_assert_int_eq(config.connect_timeout, 12 * MS);
  ck_assert_int_eq(config.max_retries, 0);
  ck_assert(!config.required && !config.enabled && !config.fallback && !config.background);
  ck_assert_int_eq(config.outage, LARDER_OUTAGE_CACHE);
  ck_assert_uint_eq(config.connections, 3);
  ck_assert_uint_eq(config.journal_bytes, 5000);
  ck_assert_uint_eq(config.journal_keys, 6);
  ck_assert_uint_eq(config.shards, 2);
  ck_assert_int_eq(config.delivery, LARDER_DELIVER_DISPATCH);
  done();
}
END_TEST

static void refuse_struct(const larder_options *o, const char *says)
{
  ck_assert_int_eq(lrd_config_read(&config, "redis://h", o, error, sizeof error),
                   LARDER_BAD_ARGUMENT);
  expect_parts(says);
}

#define REFUSE(field, value, says)                                                                 \
  do {                                                                                             \
    larder_options o = LARDER_OPTIONS_INIT;                                                        \
    o.field = (value);                                                                             \
    refuse_struct(&o, says);                                                                       \
  } while (0)

START_TEST(bad_struct)
{
  clear_environment();
  REFUSE(size, 0, "size 0");
  REFUSE(size, sizeof(larder_options) - 1, "size");
  REFUSE(timeout_ms, -1, "timeout=-1");
  REFUSE(timeout_ms, 3600001, "timeout=3600001");
  REFUSE(timeout_ms, INT64_MAX, "timeout=9223372036854775807");
  REFUSE(connect_timeout_ms, -5, "connect_timeout=-5");
  REFUSE(max_retries, -2, "max_retries=-2");
  REFUSE(max_retries, 101, "max_retries=101");
  REFUSE(required, (larder_choice)3, "required=3");
  REFUSE(enabled, (larder_choice)9, "enabled=9");
  REFUSE(fallback, (larder_choice)3, "fallback=3");
  REFUSE(outage, (larder_outage)4, "outage=4");
  REFUSE(connections, 257, "connections=257");
  REFUSE(journal_bytes, 1, "journal_bytes=1");
  REFUSE(journal_bytes, SIZE_MAX, "journal_bytes");
  REFUSE(journal_keys, SIZE_MAX, "journal_keys");
  REFUSE(shards, 4096, "shards=4096");
  REFUSE(background, (larder_choice)3, "background=3");
  REFUSE(delivery, (larder_delivery)2, "delivery=2");
  REFUSE(user, "", "user=");
  REFUSE(user, "a b", "user=a b");
  REFUSE(user, "joe", "user:|password");
  REFUSE(client_name, "a\nb", "client_name=a?b");
  static const larder_memory no_memory;
  static const larder_clock no_clock;
  REFUSE(memory, &no_memory, "memory");
  REFUSE(clock, &no_clock, "clock");
}
END_TEST

/* --- memory -------------------------------------------------------------- */

START_TEST(memory_failures)
{
  clear_environment();
  struct heap heap;
  heap_init(&heap);
  larder_options o = LARDER_OPTIONS_INIT;
  o.memory = &heap.memory;
  o.client_name = "x";
  larder_outcome outcome;
  do {
    heap.calls = 0;
    heap.fail_at++;
    outcome = lrd_config_read(&config, "redis://a:b@h?client_name=y", &o, error, sizeof error);
    ck_assert(outcome == LARDER_OK || outcome == LARDER_NO_MEMORY);
    if (outcome == LARDER_OK)
      done();
    ck_assert_int_eq(heap.blocks, 0);
  } while (outcome != LARDER_OK);
  ck_assert_int_gt(heap.fail_at, 5);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store/config");
  TCase *tc = tcase_create("config");
  tcase_add_loop_test(tc, addresses, 0, COUNT(good));
  tcase_add_test(tc, defaults);
  tcase_add_test(tc, every_option);
  tcase_add_loop_test(tc, duration_values, 0, COUNT(durations));
  tcase_add_loop_test(tc, size_values, 0, COUNT(sizes));
  tcase_add_loop_test(tc, yes_no_values, 0, COUNT(choices));
  tcase_add_test(tc, environment_url);
  tcase_add_test(tc, environment_options);
  tcase_add_loop_test(tc, bad_environment, 0, COUNT(bad_variables));
  tcase_add_test(tc, struct_wins);
  tcase_add_test(tc, bad_struct);
  tcase_add_test(tc, memory_failures);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
