/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/talk.h"

#include "util/crc64.h"
#include "util/hash.h"
#include "util/lzf.h"

/*
 * DUMP and RESTORE without a server: what travels arrives, what is hostile is refused and
 * changes nothing, and so does a lack of memory.
 */

#define LONG "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz"

static const struct {
  const char *make, *look;
} values[] = {
  { "SET k 12", "GET k" },
  { "SET k -70000", "GET k" },
  { "SET k " LONG, "GET k" },
  { "SET k \"\"", "GET k" },
  { "RPUSH k a 12 \"\" -1 4096 70000 -9999999 99999999999 " LONG, "LRANGE k 0 -1" },
  { "SADD k 1 -2 30000", "SISMEMBER k -2" },
  { "SADD k 1 -2 9999999999", "SISMEMBER k 9999999999" },
  { "SADD k a", "SMEMBERS k" },
  { "SADD k " LONG, "SMEMBERS k" },
  { "HSET k a 1 b x", "HGETALL k" },
  { "HSET k a " LONG, "HGETALL k" },
  { "ZADD k 1.5 a -3 b inf c", "ZRANGE k 0 -1 WITHSCORES" },
  { "ZADD k 1.5 a -0 " LONG, "ZRANGE k 0 -1 WITHSCORES" },
  { "XADD k 1-1 a 1 b " LONG, "XRANGE k - +" },
  { "XGROUP CREATE k g 5-5 MKSTREAM", "XINFO STREAM k FULL" },
};

enum { VALUES = sizeof values / sizeof *values };

/* A payload, and a RESTORE of it. */
struct parcel {
  char bytes[4096];
  size_t len;
  larder_bytes argv[5];
};

static larder_bytes word(const char *s)
{
  return (larder_bytes){ s, strlen(s) };
}

/* The bulk string that is replied. */
static void fill(struct parcel *p, struct talk *t)
{
  const char *head = talk(t, "DUMP k"), *begin = strchr(head, '\n') + 1;

  p->len = strtoul(head + 1, NULL, 10);
  ck_assert_uint_lt(p->len, sizeof p->bytes);
  memcpy(p->bytes, begin, p->len);
}

static const char *restore(struct parcel *p, struct talk *t, const char *key)
{
  p->argv[0] = word("RESTORE");
  p->argv[1] = word(key);
  p->argv[2] = word("0");
  p->argv[3] = (larder_bytes){ p->bytes, p->len };
  p->argv[4] = word("REPLACE");
  return talk_argv(t, 5, p->argv);
}

/* Makes the checksum right again. */
static void sign(struct parcel *p)
{
  uint64_t crc = lrd_crc64(0, p->bytes, p->len - 8);

  for (size_t i = 0; i < 8; i++)
    p->bytes[p->len - 8 + i] = (char)(crc >> (8 * i));
}

START_TEST(what_travels_arrives)
{
  struct talk t;
  struct parcel p, again;
  char *before;

  talk_begin(&t, 0);
  talk(&t, values[_i].make);
  fill(&p, &t);
  before = strdup(talk(&t, values[_i].look));
  talk_expect(&t, "DEL k", ":1\r\n");
  ck_assert_str_eq(restore(&p, &t, "k"), "+OK\r\n");
  ck_assert_str_eq(talk(&t, values[_i].look), before);
  fill(&again, &t);
  ck_assert_uint_eq(p.len, again.len);
  ck_assert_mem_eq(p.bytes, again.bytes, p.len);
  free(before);
  talk_end(&t);
}
END_TEST

/* Each byte changed to each of some others, and cut off anywhere. */
START_TEST(what_is_hostile_is_refused)
{
  static const unsigned char other[] = { 0, 1, 0x3f, 0x7f, 0x80, 0x81, 0xc3, 0xf0, 0xf4, 0xff };
  struct parcel good, p;
  struct talk t;

  talk_begin(&t, 0);
  talk(&t, values[_i].make);
  fill(&good, &t);
  for (size_t at = 0; at + 10 < good.len; at++)
    for (size_t k = 0; k <= sizeof other; k++) {
      const char *reply;

      p = good;
      if (k < sizeof other)
        p.bytes[at] = (char)other[k];
      else
        p.len = at + 10;
      if (k == sizeof other)
        memcpy(p.bytes + at, "\x0a\0", 2);
      sign(&p);
      reply = restore(&p, &t, "hostile");
      ck_assert_msg(!strcmp(reply, "+OK\r\n") || !strcmp(reply, "-ERR Bad data format\r\n"),
                    "byte %zu: %s", at, reply);
    }
  talk_end(&t);
}
END_TEST

/* One wrong bit anywhere. */
START_TEST(what_is_damaged_is_refused)
{
  struct parcel p;
  struct talk t;

  talk_begin(&t, 0);
  talk(&t, values[_i].make);
  fill(&p, &t);
  talk(&t, "SET there before");
  for (size_t bit = 0; bit < 8 * p.len; bit++) {
    p.bytes[bit / 8] ^= (char)(1 << bit % 8);
    ck_assert_str_eq(restore(&p, &t, "there"),
                     "-ERR DUMP payload version or checksum are wrong\r\n");
    p.bytes[bit / 8] ^= (char)(1 << bit % 8);
  }
  talk_expect(&t, "GET there", "$6\r\nbefore\r\n");
  talk_end(&t);
}
END_TEST

/* Allocation 1, 2, 3, ... fails, until all is well. */
START_TEST(without_memory)
{
  struct parcel p, other;
  struct talk t;

  talk_begin(&t, 0);
  talk(&t, values[_i].make);
  fill(&p, &t);
  talk(&t, "SET there before");
  for (long n = 0;; n++) {
    ck_assert_int_lt(n, 1000);
    t.pool.fail_in = n;
    restore(&p, &t, "there");
    t.pool.fail_in = -1;
    if (t.verdict.outcome == LARDER_OK)
      break;
    ck_assert_int_eq(t.verdict.outcome, LARDER_NO_MEMORY);
    talk_expect(&t, "GET there", "$6\r\nbefore\r\n");
  }
  for (long n = 0;; n++) {
    ck_assert_int_lt(n, 1000);
    t.pool.fail_in = n;
    talk(&t, "DUMP k");
    t.pool.fail_in = -1;
    if (t.verdict.outcome == LARDER_OK)
      break;
    ck_assert_int_eq(t.verdict.outcome, LARDER_NO_MEMORY);
  }
  fill(&other, &t);
  ck_assert_mem_eq(p.bytes, other.bytes, p.len);
  talk_end(&t);
}
END_TEST

/* Compressed strings, as Redis writes them, and what looks like one. */
START_TEST(expanding)
{
  static const struct {
    const char *in;
    size_t len;
    const char *out;
  } row[] = {
    { "\x01" "aa\xe0\x1e\x00\x01" "aa", 9, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
    { "\x02" "abc\x20\x02", 6, "abcabc" },
    { "\x02" "abc\x20\x03", 6, NULL }, /* from before the beginning */
    { "\x02" "ab", 3, NULL },          /* cut off */
    { "\x02" "abc\x20", 5, NULL },
    { "\x02" "abc\xe0\x01", 6, NULL },
    { "\x00" "a", 2, "a" },
  };

  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    unsigned char out[64];
    size_t len = row[i].out ? strlen(row[i].out) : 6;
    int done = lrd_lzf_expand((const unsigned char *)row[i].in, row[i].len, out, len);

    ck_assert_int_eq(done, row[i].out ? 0 : -1);
    if (row[i].out)
      ck_assert_mem_eq(out, row[i].out, len);
    ck_assert_int_eq(lrd_lzf_expand((const unsigned char *)row[i].in, row[i].len, out, len - 1),
                     -1);
  }
  ck_assert_uint_eq(lrd_crc64(0, "123456789", 9), UINT64_C(0xe9c6d914c4b8d9ca));
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("dump");
  TCase *t = tcase_create("dump");

  tcase_add_loop_test(t, what_travels_arrives, 0, VALUES);
  tcase_add_loop_test(t, what_is_hostile_is_refused, 0, VALUES);
  tcase_add_loop_test(t, what_is_damaged_is_refused, 0, VALUES);
  tcase_add_loop_test(t, without_memory, 0, VALUES);
  tcase_add_test(t, expanding);
  tcase_set_timeout(t, 60);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
