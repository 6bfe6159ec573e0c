/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/stream.h"

#include "memory/packed.h"
#include "memory/pool.h"
#include "memory/talk.h"

enum { MODEL = 4000, FIELDS = 3 };

/* The model: ids of the entries, in order; what is in them follows from the id. */
struct fixture {
  struct pool pool;
  struct lrd_xstream *stream;
  struct lrd_prng prng;
  struct lrd_xid row[MODEL], last;
  size_t count;
};

static unsigned below(struct fixture *f, unsigned n)
{
  return (unsigned)(lrd_prng_next(&f->prng) % n);
}

static void begin(struct fixture *f, const char *name)
{
  memset(f, 0, sizeof *f);
  pool_init(&f->pool);
  seed_prng(&f->prng, name);
  f->stream = lrd_xstream_new(&f->pool.memory);
  ck_assert_ptr_nonnull(f->stream);
}

static void end(struct fixture *f)
{
  (void)lrd_xstream_free_some(f->stream, &f->pool.memory, SIZE_MAX);
  pool_check_empty(&f->pool);
}

/* Every third entry has a field more than the others. */
static size_t fields_of(struct lrd_xid id, larder_bytes part[2 * FIELDS], char text[64])
{
  size_t n = id.seq % 3 ? 2 : 3;
  int len = snprintf(text, 64, "%llu-%llu", (unsigned long long)id.ms, (unsigned long long)id.seq);

  for (size_t i = 0; i < n; i++) {
    part[2 * i] = (larder_bytes){ &"abc"[i], 1 };
    part[2 * i + 1] = (larder_bytes){ text, (size_t)len };
  }
  return n;
}

static void check_entry(struct lrd_xid id, struct lrd_xentry *e)
{
  larder_bytes part[2 * FIELDS], field, value;
  char text[64];
  size_t n = fields_of(id, part, text);

  ck_assert_int_eq(lrd_xid_compare(e->id, id), 0);
  ck_assert_uint_eq(e->count, n);
  for (size_t i = 0; i < n; i++) {
    ck_assert(lrd_xentry_next(e, &field, &value));
    ck_assert(lrd_bytes_equal(field, part[2 * i]) && lrd_bytes_equal(value, part[2 * i + 1]));
  }
  ck_assert(!lrd_xentry_next(e, &field, &value));
}

static void compare(struct fixture *f)
{
  const char *wrong = lrd_xstream_check(f->stream);
  struct lrd_xcursor c;
  struct lrd_xentry e;

  ck_assert_msg(!wrong, "%s", wrong);
  ck_assert_uint_eq(f->stream->length, f->count);
  lrd_xstream_seek(f->stream, (struct lrd_xid){ 0, 0 }, &c);
  for (size_t i = 0; i < f->count; i++) {
    ck_assert(lrd_xstream_next(&c, &e));
    check_entry(f->row[i], &e);
  }
  ck_assert(!lrd_xstream_next(&c, &e));
  lrd_xstream_seek_back(f->stream, LRD_XID_MAX, &c);
  for (size_t i = f->count; i--;) {
    ck_assert(lrd_xstream_previous(&c, &e));
    check_entry(f->row[i], &e);
  }
  ck_assert(!lrd_xstream_previous(&c, &e));
}

static void add(struct fixture *f)
{
  const struct lrd_xlimits limits = { 4096, 1 + below(f, 100) };
  struct lrd_xid id = f->last;
  larder_bytes part[2 * FIELDS];
  char text[64];
  struct lrd_xfields fields = { 0, part };

  if (f->count == MODEL)
    return;
  id = below(f, 2) ? (struct lrd_xid){ id.ms + 1 + below(f, 300), below(f, 5) }
                   : (struct lrd_xid){ id.ms, id.seq + 1 + below(f, 200) };
  fields.count = fields_of(id, part, text);
  f->pool.fail_in = below(f, 20) ? -1 : (long)below(f, 2);
  if (!lrd_xstream_add(f->stream, &f->pool.memory, limits, id, fields))
    f->last = f->row[f->count++] = id;
  f->pool.fail_in = -1;
}

static void drop(struct fixture *f, size_t at, size_t n)
{
  f->count -= n;
  memmove(f->row + at, f->row + at + n, (f->count - at) * sizeof *f->row);
}

static void delete_one(struct fixture *f)
{
  size_t at = f->count ? below(f, (unsigned)f->count) : 0;
  struct lrd_xid id = f->row[at];

  ck_assert(!f->count || lrd_xstream_delete(f->stream, &f->pool.memory, id));
  ck_assert(!lrd_xstream_delete(f->stream, &f->pool.memory, id));
  if (f->count)
    drop(f, at, 1);
}

static void trim(struct fixture *f)
{
  size_t n = f->count ? below(f, (unsigned)f->count) / 4 : 0;
  struct lrd_xtrim t = { .by = below(f, 2) ? LRD_XTRIM_LENGTH : LRD_XTRIM_ID,
                         .length = f->count - n, .id = f->row[n] };

  if (!f->count)
    return;
  ck_assert_uint_eq(lrd_xstream_trim(f->stream, &f->pool.memory, &t), n);
  drop(f, 0, n);
}

START_TEST(a_stream_is_its_model)
{
  static const char *const names[] = { "stream 1", "stream 2", "stream 3" };
  struct fixture f;

  begin(&f, names[_i]);
  for (int i = 0; i < 20000; i++) {
    unsigned r = below(&f, 1000);

    if (r < 700)
      add(&f);
    else if (r < 990)
      delete_one(&f);
    else
      trim(&f);
    if (i % 500 == 0)
      compare(&f);
  }
  compare(&f);
  end(&f);
}
END_TEST

/* Ids in the map, in any order. */
START_TEST(a_map_is_its_model)
{
  static unsigned char there[3000];
  struct lrd_xmap map = { 0 };
  struct fixture f;
  size_t count = 0;

  memset(there, 0, sizeof there);
  begin(&f, "map");
  for (int i = 0; i < 30000; i++) {
    unsigned n = below(&f, sizeof there);
    struct lrd_xid id = { n / 7, n % 7 };

    if (below(&f, 100) < (i < 15000 ? 70u : 30u)) {
      ck_assert_int_eq(lrd_xmap_add(&map, &f.pool.memory, id, &there[n]), !there[n]);
      count += !there[n];
      there[n] = 1;
    } else {
      ck_assert_ptr_eq(lrd_xmap_remove(&map, &f.pool.memory, id), there[n] ? &there[n] : NULL);
      count -= there[n];
      there[n] = 0;
    }
    ck_assert_uint_eq(map.count, count);
    if (i % 100 == 0)
      ck_assert_msg(!lrd_xmap_check(&map), "%s", lrd_xmap_check(&map));
  }
  lrd_xmap_free(&map, &f.pool.memory);
  end(&f);
}
END_TEST

/* Each allocation fails in turn: a command on groups changes all or nothing. */
START_TEST(groups_without_memory)
{
  static const char *const lines[] = {
    "XREADGROUP GROUP g d STREAMS k >", "XCLAIM k g d 0 1-1 2-1 9-9 FORCE",
    "XAUTOCLAIM k g d 0 0", "XGROUP CREATECONSUMER k g d", "XREADGROUP GROUP g c STREAMS k 0"
  };
  char before[4096];

  for (long fail = 0, failed = 1; failed; fail++) {
    struct talk t;
    char key[32];

    talk_begin(&t, 0);
    for (int i = 1; i < 6; i++) {
      snprintf(key, sizeof key, "XADD k %d-1 f v", i);
      talk(&t, key);
    }
    talk(&t, "XGROUP CREATE k g 0");
    talk(&t, "XREADGROUP GROUP g c COUNT 3 STREAMS k >");
    talk(&t, "XDEL k 3-1");
    snprintf(before, sizeof before, "%s", talk(&t, "XINFO STREAM k FULL"));
    t.pool.fail_in = fail;
    talk(&t, lines[_i]);
    t.pool.fail_in = -1;
    failed = t.verdict.outcome == LARDER_NO_MEMORY;
    if (failed)
      ck_assert_str_eq(talk(&t, "XINFO STREAM k FULL"), before);
    talk_end(&t);
  }
}
END_TEST

/* What LARDER.REBUILD says of a stream makes the same: ids, marks, groups, what is pending. */
START_TEST(rebuilding)
{
  static const char *const made[][12] = {
    { "XADD k 1-1 a 1", "XADD k 2-1 b 2 c 3", "XGROUP CREATE k g 1-1" },
    { "XGROUP CREATE k g 5 MKSTREAM", "XGROUP DESTROY k g" },
    /* pending and gone: by XDEL, by XTRIM, in front of ids that came back */
    { "XADD k 3-0 a 1", "XADD k 9-0 a 1", "XADD k 12-0 a 1", "XGROUP CREATE k g 0",
      "XGROUP CREATE k h 3-0", "XREADGROUP GROUP g c STREAMS k >",
      "XREADGROUP GROUP h d STREAMS k >", "XDEL k 9-0" },
    { "XADD k 4-1 a 1", "XADD k 5-1 a 1", "XGROUP CREATE k g 0",
      "XREADGROUP GROUP g c STREAMS k >", "XTRIM k MAXLEN 0", "XSETID k 2-1", "XADD k 3-7 z z" },
    { "XADD k 18446744073709551615-18446744073709551615 a 1", "XGROUP CREATE k g 0",
      "XREADGROUP GROUP g c STREAMS k >", "XDEL k 18446744073709551615-18446744073709551615" },
    /* an id was deleted that is above the last one */
    { "XADD k 3-0 a 1", "XADD k 9-0 a 1", "XADD k 12-0 a 1", "XGROUP CREATE k g 0",
      "XREADGROUP GROUP g c STREAMS k >", "XDEL k 9-0 12-0", "XSETID k 5-0" },
  };
  static const char *const looks[] = { "XINFO STREAM %s", "XINFO GROUPS %s", "XRANGE %s - +",
                                       "XPENDING %s g", "XREADGROUP GROUP g c STREAMS %s 0" };
  char line[128], text[4096];
  struct talk t;

  talk_begin(&t, 0);
  for (int i = 0; i < 12 && made[_i][i]; i++)
    ck_assert_int_ne(talk(&t, made[_i][i])[0], '-');
  talk_copy(&t, "k", "j", 0);
  for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
    char *key;

    snprintf(line, sizeof line, looks[i], "k");
    snprintf(text, sizeof text, "%s", talk(&t, line));
    snprintf(line, sizeof line, looks[i], "j");
    (void)talk(&t, line);
    for (key = strstr(text, "\r\nk\r\n"); key; key = strstr(key, "\r\nk\r\n"))
      key[2] = 'j';
    if (text[0] != '-')
      ck_assert_str_eq(t.reply.data, text);
  }
  talk_end(&t);
}
END_TEST

/* A count for a key that is named again and again does not wrap around. */
START_TEST(a_count_that_wraps)
{
  struct talk t;

  talk_begin(&t, 0);
  talk(&t, "XADD k 1-1 a 1");
  talk(&t, "XGROUP CREATE k g 0");
  ck_assert_str_eq(talk(&t, "XREADGROUP GROUP g c COUNT 4611686018427387904 STREAMS k k k k k "
                            "> > > > >"),
                   "*1\r\n*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n"
                   "$1\r\na\r\n$1\r\n1\r\n");
  talk_end(&t);
}
END_TEST

int main(void)
{
  Suite *s = suite_create("stream");
  TCase *t = tcase_create("stream");

  tcase_set_timeout(t, 120);
  tcase_add_loop_test(t, a_stream_is_its_model, 0, 3);
  tcase_add_test(t, a_map_is_its_model);
  tcase_add_loop_test(t, groups_without_memory, 0, 5);
  tcase_add_loop_test(t, rebuilding, 0, 6);
  tcase_add_test(t, a_count_that_wraps);
  suite_add_tcase(s, t);
  return run_suite(s);
}
