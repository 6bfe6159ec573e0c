/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/config_rig.h"

#include <unistd.h>

/* URLs that are refused: what the line says, and what it never says. */

/* says: what the line must hold; each a part, separated by '|'. */
static const struct {
  const char *url, *says;
} bad[] = {
    {"", "scheme|memory:|redis://"},
    {"localhost", "scheme"},
    {"http://h", "scheme"},
    {"redis:h", "'//'|redis:"},
    {"redis:", "'//'"},
    {"redis://", "host|empty"},
    {"redis:///0", "host|empty"},
    {"redis://:secret@", "host|empty"},
    {"redis://:secret@/0", "host|empty"},
    {"redis://:7000", "host|empty"},
    {"redis://joe@h", "user:|password"},
    {"redis://h:", "port|1 to 65535"},
    {"redis://h:0", "port '0'|1 to 65535"},
    {"redis://h:65536", "port '65536'|1 to 65535"},
    {"redis://h:99999999999999999999", "port|1 to 65535"},
    {"redis://h:12x", "port '12x'"},
    {"redis://h:-1", "port '-1'"},
    {"redis://h:+1", "port '+1'"},
    {"redis://h:6379/16", "db=16|0 to 15"},
    {"redis://h/-1", "db=-1"},
    {"redis://h/x", "db=x|0 to 15"},
    {"redis://h/1/2", "db=1/2"},
    {"redis://h/1?db=1", "db|twice"},
    {"redis://h%00x", "host"},
    {"redis://h%0ax", "host"},
    {"redis://h%zz", "host|hex"},
    {"redis://h%2", "host|hex"},
    {"redis://h x", "host 'h x'"},
    {"redis://h\nx", "host"},
    {"redis://h\x7f", "host"},
    {"redis://h\xc3\xa9", "host"},
    {"redis://h,i", "host"},
    {"redis://::1", "host"},
    {"redis://[::1", "']'"},
    {"redis://[::1]x", "port"},
    {"redis://[]", "host|empty"},
    {"redis://[zz]", "IPv6"},
    {"redis://[127.0.0.1]", "IPv6"},
    {"redis://[::1%25]", "IPv6"},
    {"redis://[::1%00]", "IPv6"},
    {"redis://h#1", "#|%23"},
    {"redis://h?#", "#"},
    {"redis://u:%zz@h", "password|hex"},
    {"redis://u:a%00b@h", "password"},
    {"redis://u%20v:p@h", "user=u v"},
    {"redis://h?nosuch=1", "nosuch|unknown"},
    {"redis://h?Timeout=1", "Timeout|unknown"},
    {"redis://h?=1", "unknown"},
    {"redis://h?&", "unknown"},
    {"redis://h?timeout=1&", "unknown"},
    {"redis://h?timeout", "timeout|no value"},
    {"redis://h?timeout=", "timeout=|allowed"},
    {"redis://h?timeout=1&timeout=1", "timeout|twice"},
    {"redis://h?timeout=0", "timeout=0|1ms to 3600s"},
    {"redis://h?timeout=0.5ms", "timeout=0.5ms|1ms"},
    {"redis://h?timeout=3601s", "timeout=3601s"},
    {"redis://h?timeout=3600.000001s", "timeout"},
    {"redis://h?timeout=-1", "timeout=-1"},
    {"redis://h?timeout=1m", "timeout=1m"},
    {"redis://h?timeout=1%20s", "timeout=1 s"},
    {"redis://h?timeout=.5s", "timeout"},
    {"redis://h?timeout=5.s", "timeout"},
    {"redis://h?timeout=s", "timeout=s"},
    {"redis://h?timeout=ms", "timeout=ms"},
    {"redis://h?timeout=1e3", "timeout=1e3"},
    {"redis://h?timeout=0x10", "timeout=0x10"},
    {"redis://h?timeout=99999999999999999999999s", "timeout"},
    {"redis://h?timeout=1%00", "timeout=1?"},
    {"redis://h?connect_timeout=x", "connect_timeout=x"},
    {"redis://h?max_retries=101", "max_retries=101|0 to 100"},
    {"redis://h?max_retries=-1", "max_retries=-1"},
    {"redis://h?required=maybe", "required=maybe|yes, no"},
    {"redis://h?required=", "required="},
    {"redis://h?fallback=redis", "fallback=redis|memory, none"},
    {"redis://h?fallback=yes", "fallback=yes|memory, none"},
    {"redis://h?outage=panic", "outage=panic|journal, cache, strict"},
    {"redis://h?delivery=pigeon", "delivery=pigeon|thread, dispatch"},
    {"redis://h?connections=0", "connections=0|1 to 256"},
    {"redis://h?connections=257", "connections=257"},
    {"redis://h?shards=0", "shards=0|1 to 1024"},
    {"redis://h?shards=1025", "shards=1025"},
    {"redis://h?journal_bytes=4095", "journal_bytes=4095|4kb"},
    {"redis://h?journal_bytes=1025gb", "journal_bytes=1025gb"},
    {"redis://h?journal_bytes=9999999999gb", "journal_bytes"},
    {"redis://h?journal_bytes=kb", "journal_bytes=kb"},
    {"redis://h?journal_bytes=1tb", "journal_bytes=1tb"},
    {"redis://h?journal_keys=0", "journal_keys=0"},
    {"redis://h?client_name=a%20b", "client_name=a b"},
    {"redis://h?client_name=", "client_name="},
    {"redis://h?db=16", "db=16|0 to 15"},
    {"redis://h?tls_ca=/ca", "tls_ca|rediss://"},
    {"unix:///s?tls_insecure_accept_any_certificate=yes", "tls_insecure_accept_any|rediss://"},
    {"rediss://h?tls_key=/key", "tls_key|tls_cert"},
    {"rediss://h?tls_ca=", "tls_ca=|4095"},
    {"rediss://h?tls_ca=a%0ab", "tls_ca=a?b|control"},
    {"rediss://h?tls_name=a%20b", "tls_name=a b"},
    {"rediss://h?tls_insecure_accept_any_certificate=perhaps", "yes, no"},
    {"memory:?nosuch=1", "nosuch"},
    {"memory:x", "memory:"},
    {"memory://host", "memory:"},
    {"memory://u:p@", "memory:"},
    {"unix:/run/x", "'//'"},
    {"unix://", "path"},
    {"unix:///", "path"},
    {"unix://run/x", "unix:///path"},
    {"unix:///a%00b", "path"},
    {"unix:///a%0ab", "path|control"},
    {"unix:///a%g", "path|hex"},
};

START_TEST(refused_urls)
{
  clear_environment();
  ck_assert_msg(lrd_config_read(&config, bad[_i].url, NULL, error, sizeof error) ==
                    LARDER_BAD_ARGUMENT, "%s was taken", bad[_i].url);
  expect_parts(bad[_i].says);
}
END_TEST

START_TEST(too_long)
{
  static char url[9000];
  clear_environment();
  memset(url, 'a', sizeof url - 1);
  memcpy(url, "redis://", 8);
  ck_assert_int_eq(lrd_config_read(&config, url, NULL, error, sizeof error), LARDER_BAD_ARGUMENT);
  url[8 + 254] = '\0';
  ck_assert_int_eq(lrd_config_read(&config, url, NULL, error, sizeof error), LARDER_BAD_ARGUMENT);
  url[8 + 253] = '\0';
  read_good(url, NULL);
  done();
  memcpy(url, "unix:///", 8);
  url[8 + 107] = '\0';
  ck_assert_int_eq(lrd_config_read(&config, url, NULL, error, sizeof error), LARDER_BAD_ARGUMENT);
  url[8 + 106] = '\0';
  read_good(url, NULL);
  done();
}
END_TEST

/* Whatever is wrong with it, the password is in no error line. */
static const char *const with_secret[] = {
    "redis://joe:hush-hush@h:99999", "redis://joe:hush/hush@h",     "redis://joe:hush?hush@h",
    "redis://joe:hush#hush@h",       "redis://joe:hush%hush@h",     "redis://:hush@h/hush@h",
    "redis://joe:hu/sh?hush@h",      "redis://:hush@",              "redis://hush:hush@h?x=1",
    "rediss//joe:hush@h",            "joe:hush@h",                  "redis://joe:12/hush@h",
    "redis://joe:1?hush@h",          "unix://joe:hush@host/x",      "memory://joe:hush@",
    "redis://h?password=hush%00",    "redis://h?password=%zzhush",
    "redis://joe:hush@[h",           "redis://joe:@hush@@h:0",      "redis://joe:1/2hush@h",
    "redis://h?password=hush&password=hush",
    "redis://hush@h",               "redis://h?user=hush"};

START_TEST(no_secret_shown)
{
  clear_environment();
  ck_assert_int_eq(
      lrd_config_read(&config, with_secret[_i], NULL, error, sizeof error), LARDER_BAD_ARGUMENT);
  ck_assert_msg(!strstr(error, "hush"), "%s -> %s", with_secret[_i], error);
  ck_assert_uint_gt(strlen(error), 10);
}
END_TEST

START_TEST(short_error_buffers)
{
  char little[8];
  clear_environment();
  for (size_t size = 0; size <= sizeof little; size++) {
    memset(little, '#', sizeof little);
    ck_assert_int_eq(lrd_config_read(&config, "redis://h:0", NULL, little, size),
                     LARDER_BAD_ARGUMENT);
    if (size)
      ck_assert_ptr_nonnull(memchr(little, '\0', size));
    for (size_t i = size; i < sizeof little; i++)
      ck_assert_int_eq(little[i], '#');
  }
  ck_assert_int_eq(lrd_config_read(&config, "redis://h:0", NULL, NULL, 0), LARDER_BAD_ARGUMENT);
}
END_TEST

/* Pieces of URLs in any order: taken or refused in one line, never worse. */
START_TEST(random_urls)
{
  static const char *const pieces[] = {
      "redis:", "rediss:", "unix:", "memory:", "//", "/", "@", ":", "[", "]", "::1", "?", "&", "=",
      "#", "%", "%41", "%00", "%zz", "h", "localhost", "6379", "0", "db", "timeout", "1s", "user",
      "password", "client_name", "x", " ", "\n", "\xff", "required", "yes", "99999999999999999999"};
  const char *text = getenv("LARDER_SEED");
  unsigned seed = text ? (unsigned)strtoul(text, NULL, 10) : (unsigned)getpid();
  printf("random_urls: seed %u\n", seed);
  clear_environment();
  for (int i = 0; i < 50000; i++) {
    char url[400] = "";
    unsigned n = 1 + (unsigned)rand_r(&seed) % 14;
    for (unsigned k = 0; k < n; k++)
      strcat(url, pieces[(size_t)rand_r(&seed) % (sizeof pieces / sizeof *pieces)]);
    *error = '\0';
    larder_outcome outcome = lrd_config_read(&config, url, NULL, error, sizeof error);
    if (outcome == LARDER_OK) {
      done();
      continue;
    }
    ck_assert_msg(outcome == LARDER_BAD_ARGUMENT, "%s", url);
    ck_assert_msg(*error && !strchr(error, '\n'), "%s -> %s", url, error);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store/refused");
  TCase *tc = tcase_create("refused");
  tcase_add_loop_test(tc, refused_urls, 0, COUNT(bad));
  tcase_add_test(tc, too_long);
  tcase_add_loop_test(tc, no_secret_shown, 0, COUNT(with_secret));
  tcase_add_test(tc, short_error_buffers);
  tcase_add_test(tc, random_urls);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
