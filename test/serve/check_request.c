/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "serve/request.h"
#include "support/check.h"
#include "util/memory.h"

/*
 * The parser is fed as a client's input buffer would be: what was consumed is
 * removed, the rest moves, and the buffer is a block of exactly its length, so
 * that a sanitizer sees a read behind it.
 */
struct feed {
  struct lrd_request request;
  char *data;
  size_t len;
  char got[512]; /* "PING|SET a b|" and then the error, if there was one */
  int failed;
};

static void feed_open(struct feed *f)
{
  memset(f, 0, sizeof *f);
  lrd_request_init(&f->request, &lrd_memory_system);
}

static void feed_close(struct feed *f)
{
  lrd_request_free(&f->request);
  free(f->data);
}

static void note(struct feed *f, const char *bytes, size_t len)
{
  size_t at = strlen(f->got);

  ck_assert_uint_lt(at + len, sizeof f->got);
  memcpy(f->got + at, bytes, len);
  f->got[at + len] = '\0';
}

static void note_commands(struct feed *f)
{
  size_t i;
  int j;

  for (i = 0; i < f->request.count; i++) {
    const larder_vector *v = &f->request.vector[i];
    for (j = 0; j < v->argc; j++) {
      if (j > 0)
        note(f, " ", 1);
      note(f, v->argv[j].data, v->argv[j].len);
    }
    note(f, "|", 1);
  }
}

static void replace(struct feed *f, const char *from, size_t len, uintptr_t moved_from)
{
  char *data = malloc(len ? len : 1);

  ck_assert_ptr_nonnull(data);
  if (len)
    memcpy(data, from, len);
  lrd_request_moved(&f->request, moved_from, data);
  free(f->data);
  f->data = data;
  f->len = len;
}

static void add(struct feed *f, const char *bytes, size_t len)
{
  char *joined = malloc(f->len + len);

  ck_assert_ptr_nonnull(joined);
  if (f->len)
    memcpy(joined, f->data, f->len);
  memcpy(joined + f->len, bytes, len);
  replace(f, joined, f->len + len, (uintptr_t)f->data);
  free(joined);
}

static void parse(struct feed *f, size_t max, int stranger)
{
  enum lrd_request_end end = LRD_REQUEST_FULL;
  size_t consumed;

  while (end == LRD_REQUEST_FULL && !f->failed) {
    end = lrd_request_parse(&f->request, f->data, f->len, max, 1 << 20, stranger);
    ck_assert_uint_le(f->request.count, max);
    ck_assert_int_ne(end, LRD_REQUEST_NO_MEMORY);
    note_commands(f);
    if (end == LRD_REQUEST_ERROR) {
      note(f, f->request.text, strlen(f->request.text));
      f->failed = 1;
    }
    consumed = lrd_request_next(&f->request);
    replace(f, f->data + consumed, f->len - consumed, (uintptr_t)f->data + consumed);
  }
}

struct example {
  const char *input;
  size_t len;
  const char *expected;
  int stranger;
};

#define BYTES(s) s, sizeof s - 1
#define FAULT "ERR Protocol error: "

/* The texts are those of redis-server 7.0.15 (check_protocol asks a real one). */
static const struct example examples[] = {
  { BYTES("*1\r\n$4\r\nPING\r\n"), "PING|", 0 },
  { BYTES("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n"), "SET a |PING|", 0 },
  { BYTES("*2\r\n$4\r\nECHO\r\n$7\r\n\r\n*1\r\n$\r\n"), "ECHO \r\n*1\r\n$|", 0 },
  { BYTES("PING\r\n"), "PING|", 0 },
  { BYTES("PING\n"), "PING|", 0 },
  { BYTES("\r\n\n  \r\nPING a\r\n"), "PING a|", 0 },
  { BYTES("  SET \"a b\" 'c'  \r\n*1\r\n$4\r\nPING\r\nECHO \"\\x41\\n\"\r\n"),
    "SET a b c|PING|ECHO A\n|", 0 },
  { BYTES("*0\r\n*-1\r\n*-5\r\nPING\r\n"), "PING|", 0 },
  { BYTES("*2\r\n$4\r\nECHO\r\n"), "", 0 },
  { BYTES("*2147483647\r\n$1\r\na\r\n"), "", 0 },
  { BYTES("PING\r\nSET \"a\r\n"), "PING|" FAULT "unbalanced quotes in request", 0 },
  { BYTES("*abc\r\n"), FAULT "invalid multibulk length", 0 },
  { BYTES("*2147483648\r\n"), FAULT "invalid multibulk length", 0 },
  { BYTES("*01\r\n"), FAULT "invalid multibulk length", 0 },
  { BYTES("*\r\n"), FAULT "invalid multibulk length", 0 },
  { BYTES("*1\r\nPING\r\n"), FAULT "expected '$', got 'P'", 0 },
  { BYTES("*1\r\n\r\n"), FAULT "expected '$', got ' '", 0 },
  { BYTES("*1\r\n$-1\r\n"), FAULT "invalid bulk length", 0 },
  { BYTES("*1\r\n$x\r\n"), FAULT "invalid bulk length", 0 },
  { BYTES("*1\r\n$1048577\r\n"), FAULT "invalid bulk length", 0 },
  { BYTES("*1\r\n$99999999999999999999\r\n"), FAULT "invalid bulk length", 0 },
  { BYTES("*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n"), "PING|PING|", 0 },
  { BYTES("*11\r\n"), FAULT "unauthenticated multibulk length", 1 },
  { BYTES("*1\r\n$16385\r\n"), FAULT "unauthenticated bulk length", 1 },
  { BYTES("*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n"), "AUTH x|", 1 },
};

static const int n_examples = (int)(sizeof examples / sizeof *examples);

START_TEST(whole)
{
  const struct example *e = &examples[_i];
  struct feed f;

  feed_open(&f);
  add(&f, e->input, e->len);
  parse(&f, 1000, e->stranger);
  ck_assert_str_eq(f.got, e->expected);
  feed_close(&f);
}
END_TEST

START_TEST(one_command_at_a_time)
{
  const struct example *e = &examples[_i];
  struct feed f;

  feed_open(&f);
  add(&f, e->input, e->len);
  parse(&f, 1, e->stranger);
  ck_assert_str_eq(f.got, e->expected);
  feed_close(&f);
}
END_TEST

START_TEST(byte_by_byte)
{
  const struct example *e = &examples[_i];
  struct feed f;
  size_t i;

  feed_open(&f);
  for (i = 0; i < e->len && !f.failed; i++) {
    add(&f, e->input + i, 1);
    parse(&f, 1000, e->stranger);
  }
  ck_assert_str_eq(f.got, e->expected);
  feed_close(&f);
}
END_TEST

START_TEST(split_in_two)
{
  const struct example *e = &examples[_i];
  size_t i;

  for (i = 1; i < e->len; i++) {
    struct feed f;
    feed_open(&f);
    add(&f, e->input, i);
    parse(&f, 1000, e->stranger);
    if (!f.failed) {
      add(&f, e->input + i, e->len - i);
      parse(&f, 1000, e->stranger);
    }
    ck_assert_msg(strcmp(f.got, e->expected) == 0, "split at %zu: %s, not %s", i, f.got,
                  e->expected);
    feed_close(&f);
  }
}
END_TEST

/* Lines without end, of each kind. */
START_TEST(too_long)
{
  static const struct {
    const char *head, *expected;
  } lines[] = {
    { "P", FAULT "too big inline request" },
    { "*1", FAULT "too big mbulk count string" },
    { "*1\r\n$1", FAULT "too big bulk count string" },
  };
  char *block = malloc(70000);
  struct feed f;

  ck_assert_ptr_nonnull(block);
  memset(block, '1', 70000);
  feed_open(&f);
  add(&f, lines[_i].head, strlen(lines[_i].head));
  add(&f, block, 60000);
  parse(&f, 1000, 0);
  ck_assert_str_eq(f.got, "");
  add(&f, block, 10000);
  parse(&f, 1000, 0);
  ck_assert_str_eq(f.got, lines[_i].expected);
  feed_close(&f);
  free(block);
}
END_TEST

/* --- memory ---------------------------------------------------------------- */

struct budget {
  size_t used, most, left; /* left: allocations until one fails */
};

static void *budget_allocate(void *context, size_t size)
{
  struct budget *b = context;

  if (b->left == 0)
    return NULL;
  b->left--;
  b->used += size;
  if (b->used > b->most)
    b->most = b->used;
  return malloc(size);
}

static void budget_release(void *context, void *block, size_t size)
{
  ((struct budget *)context)->used -= size;
  free(block);
}

static void *budget_resize(void *context, void *block, size_t old_size, size_t size)
{
  struct budget *b = context;
  void *larger;

  if (b->left == 0)
    return NULL;
  b->left--;
  larger = realloc(block, size);
  if (!larger)
    return NULL;
  b->used += size - old_size;
  if (b->used > b->most)
    b->most = b->used;
  return larger;
}

START_TEST(memory_follows_bytes)
{
  struct budget b = { 0, 0, SIZE_MAX };
  const larder_memory memory = { budget_allocate, budget_resize, budget_release, &b };
  static const char huge[] = "*2147483647\r\n$3\r\nSET\r\n$1048576\r\n";
  struct lrd_request r;

  lrd_request_init(&r, &memory);
  ck_assert_int_eq(lrd_request_parse(&r, huge, sizeof huge - 1, 10, 1 << 20, 0), LRD_REQUEST_MORE);
  lrd_request_free(&r);
  ck_assert_uint_lt(b.most, 4096);
  ck_assert_uint_eq(b.used, 0);
}
END_TEST

START_TEST(no_memory)
{
  static const char input[] = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\nECHO \"a b\"\r\n";
  size_t n;
  int worked = 0;

  for (n = 0; !worked; n++) {
    struct budget b = { 0, 0, n };
    const larder_memory memory = { budget_allocate, budget_resize, budget_release, &b };
    struct lrd_request r;
    enum lrd_request_end end;

    lrd_request_init(&r, &memory);
    end = lrd_request_parse(&r, input, sizeof input - 1, 10, 1 << 20, 0);
    worked = end == LRD_REQUEST_MORE && r.count == 2;
    ck_assert(worked || end == LRD_REQUEST_NO_MEMORY);
    lrd_request_free(&r);
    ck_assert_uint_eq(b.used, 0);
  }
  ck_assert_uint_gt(n, 2);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("request");
  TCase *parsing = tcase_create("parsing");
  TCase *memory = tcase_create("memory");

  tcase_add_loop_test(parsing, whole, 0, n_examples);
  tcase_add_loop_test(parsing, one_command_at_a_time, 0, n_examples);
  tcase_add_loop_test(parsing, byte_by_byte, 0, n_examples);
  tcase_add_loop_test(parsing, split_in_two, 0, n_examples);
  tcase_add_loop_test(parsing, too_long, 0, 3);
  tcase_add_test(memory, memory_follows_bytes);
  tcase_add_test(memory, no_memory);
  suite_add_tcase(suite, parsing);
  suite_add_tcase(suite, memory);
  return run_suite(suite);
}
