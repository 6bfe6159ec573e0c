/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/talk.h"

#include "command/argv.h"
#include "command/command.h"
#include "command/sink.h"
#include "memory/check.h"
#include "util/memory.h"

static void add(struct lrd_buffer *b, const void *bytes, size_t len)
{
  ck_assert_int_eq(lrd_buffer_append(b, bytes, len), 0);
}

static void changed(void *context, const larder_intent *intent)
{
  struct talk *t = context;
  int i;

  for (i = 0; i < intent->argc; i++) {
    if (i)
      add(&t->intents, "|", 1);
    add(&t->intents, intent->argv[i].data, intent->argv[i].len);
  }
  if (!intent->argc)
    add(&t->intents, intent->key.data, intent->key.len);
  add(&t->intents, ";", 1);
}

void talk_begin(struct talk *t, int partial)
{
  larder_observer observer = { changed, NULL, t };
  larder_backend_options options = { &t->config, partial ? &observer : NULL, partial, NULL };
  char error[256] = "";

  memset(t, 0, sizeof *t);
  pool_init(&t->pool);
  t->protocol = 2;
  t->config.shards = 4;
  lrd_buffer_init(&t->reply, &lrd_memory_system, 0);
  lrd_buffer_init(&t->intents, &lrd_memory_system, 0);
  t->engine = calloc(1, lrd_memory_table.size);
  t->engine->table = &lrd_memory_table;
  t->engine->memory = t->pool.memory;
  t->engine->clock = lrd_clock_system;
  ck_assert_msg(lrd_memory_table.open(t->engine, &options, error, sizeof error) == LARDER_OK, "%s",
                error);
}

void talk_end(struct talk *t)
{
  check_ok(lrd_engine_check((struct lrd_engine *)t->engine));
  lrd_memory_table.close(t->engine, 0, 0);
  pool_check_empty(&t->pool);
  lrd_buffer_free(&t->reply);
  lrd_buffer_free(&t->intents);
  free(t->engine);
}

/* The resp sink, and the verdict beside it. */
struct ear {
  struct lrd_resp resp;
  larder_sink_type type;
  void (*end)(larder_sink *, const larder_verdict *);
  struct talk *talk;
};

static void hear_end(larder_sink *sink, const larder_verdict *verdict)
{
  struct ear *e = (struct ear *)sink;

  e->talk->verdict = *verdict;
  e->end(sink, verdict);
}

const char *talk_argv(struct talk *t, int argc, const larder_bytes *argv)
{
  larder_vector v = { 0, t->vector_flags, argc, argv };
  larder_call call = { .vector = &v, .count = 1, .flags = t->call_flags, .deadline = INT64_MAX };
  char error[256] = "";
  struct ear e;

  t->reply.len = t->intents.len = 0;
  if (lrd_command_check(&v, error, sizeof error) != LARDER_OK) {
    add(&t->reply, "-", 1);
    add(&t->reply, error, strlen(error));
    add(&t->reply, "\r\n", 2);
  } else {
    lrd_resp_init(&e.resp, &t->reply, t->protocol);
    e.type = *e.resp.sink.type;
    e.end = e.type.end;
    e.type.end = hear_end;
    e.resp.sink.type = &e.type;
    e.talk = t;
    lrd_memory_table.execute(t->engine, &call, &e.resp.sink);
  }
  add(&t->reply, "", 1);
  add(&t->intents, "", 1);
  return t->reply.data;
}

const char *talk(struct talk *t, const char *line)
{
  struct lrd_arena arena;
  larder_bytes *argv;
  const char *reply;
  int argc;

  lrd_arena_init(&arena, &lrd_memory_system);
  ck_assert_int_eq(lrd_argv_split(&arena, line, strlen(line), &argc, &argv), LARDER_OK);
  reply = talk_argv(t, argc, argv);
  lrd_arena_free(&arena);
  return reply;
}

void talk_expect(struct talk *t, const char *line, const char *reply)
{
  const char *given = talk(t, line);

  ck_assert_msg(strcmp(given, reply) == 0, "%s\n gave %s\n instead of %s", line, given, reply);
}

void talk_expect_intent(struct talk *t, const char *line, const char *reply, const char *intents,
                        int provisional)
{
  talk_expect(t, line, reply);
  ck_assert_msg(strcmp(t->intents.data, intents) == 0, "%s\n told %s\n instead of %s", line,
                t->intents.data, intents);
  ck_assert_msg(!(t->verdict.flags & LARDER_PROVISIONAL) == !provisional, "%s\n is %sprovisional",
                line, provisional ? "not " : "");
}

void talk_lines(const struct talk_line *line, size_t n)
{
  struct talk t;
  size_t i;
  int protocol;

  for (protocol = 2; protocol <= 3; protocol++) {
    talk_begin(&t, 0);
    t.protocol = protocol;
    for (i = 0; i < n; i++)
      talk_expect(&t, line[i].line,
                  protocol == 3 && line[i].resp3 ? line[i].resp3 : line[i].resp2);
    talk_end(&t);
  }
}

void talk_expect_unknown(struct talk *t, const char *line)
{
  const char *given = talk(t, line);

  ck_assert_msg(strncmp(given, "-UNAVAILABLE", 12) == 0, "%s\n gave %s", line, given);
  ck_assert_int_eq(t->verdict.outcome, LARDER_UNKNOWN_LOCALLY);
  ck_assert_str_eq(t->intents.data, "");
}

void talk_no_memory(const char *const *lines, const char *look, const char *other_look)
{
  struct talk t;
  long fail;

  talk_begin(&t, 0);
  for (; *lines; lines++) {
    char *before = strdup(talk(&t, look)), *other_before = strdup(talk(&t, other_look));
    for (fail = 0;; fail++) {
      ck_assert_int_lt(fail, 100);
      t.pool.fail_in = fail;
      talk(&t, *lines);
      t.pool.fail_in = -1;
      if (t.verdict.outcome == LARDER_OK)
        break;
      ck_assert_int_eq(t.verdict.outcome, LARDER_NO_MEMORY);
      talk_expect(&t, look, before);
      talk_expect(&t, other_look, other_before);
    }
    free(before);
    free(other_before);
  }
  talk_end(&t);
}

/* --- LARDER.REBUILD ------------------------------------------------------ */

/* "$3\r\nabc\r\n"; the first byte behind it. */
static const char *read_string(const char *at, larder_bytes *b)
{
  char *end;

  ck_assert_int_eq(*at, '$');
  b->len = strtoul(at + 1, &end, 10);
  b->data = end + 2;
  return b->data + b->len + 2;
}

static const char *read_array(const char *at, unsigned long *n)
{
  char *end;

  ck_assert_int_eq(*at, '*');
  *n = strtoul(at + 1, &end, 10);
  return end + 2;
}

/* Executes what the reply of LARDER.REBUILD says, for another key. */
static void obey(struct talk *t, const char *at, const char *key, unsigned expected)
{
  unsigned long calls, argc, i;
  larder_bytes argv[512];

  at = read_array(at, &calls);
  ck_assert(!expected || calls == expected + 1); /* and a DEL */
  while (calls--) {
    at = read_array(at, &argc);
    ck_assert_uint_le(argc, 512);
    for (i = 0; i < argc; i++)
      at = read_string(at, &argv[i]);
    argv[lrd_is_word(&argv[0], "XGROUP") ? 2 : 1] = (larder_bytes){ key, strlen(key) };
    ck_assert_msg(talk_argv(t, (int)argc, argv)[0] != '-', "%s", t->reply.data);
  }
}

static int by_bytes(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The strings of a reply in the order of their bytes. */
static void sort_words(char *reply)
{
  char *copy = strdup(reply), *word[4096], *at;
  size_t n = 0, i;

  for (at = strtok(copy, "\r\n"); at; at = strtok(NULL, "\r\n"))
    if (at[0] != '$' && at[0] != '*')
      word[n++] = at;
  qsort(word, n, sizeof word[0], by_bytes);
  for (i = 0, *reply = '\0'; i < n; i++)
    reply = stpcpy(stpcpy(reply, word[i]), ";");
  free(copy);
}

static char *look_at(struct talk *t, const char *look, const char *key)
{
  int sort = strchr(look, '%') == NULL;
  char line[256], *reply;

  if (sort)
    snprintf(line, sizeof line, "%s %s", look, key);
  else
    snprintf(line, sizeof line, look, key);
  reply = strdup(talk(t, line));
  if (sort)
    sort_words(reply);
  return reply;
}

void talk_copy(struct talk *t, const char *from, const char *to, unsigned calls)
{
  larder_bytes argv[2] = { { "LARDER.REBUILD", 14 }, { from, strlen(from) } };
  larder_vector v = { LRD_LARDER_REBUILD, 0, 2, argv };
  larder_call call = { .vector = &v, .count = 1, .deadline = INT64_MAX };
  struct lrd_resp resp;
  char *said;

  t->reply.len = 0;
  lrd_resp_init(&resp, &t->reply, 2);
  lrd_memory_table.execute(t->engine, &call, &resp.sink);
  add(&t->reply, "", 1);
  said = strdup(t->reply.data);
  obey(t, said, to, calls);
  free(said);
}

void talk_rebuild(const char *format, unsigned n, const char *look, unsigned calls)
{
  char line[256], *was, *is;
  struct talk t;
  unsigned i;

  talk_begin(&t, 0);
  for (i = 0; i < n; i++) {
    snprintf(line, sizeof line, format, "key", i, i);
    ck_assert_int_eq(talk(&t, line)[0], ':');
  }
  talk_copy(&t, "key", "copy", calls);
  was = look_at(&t, look, "key");
  is = look_at(&t, look, "copy");
  ck_assert_uint_gt(strlen(was), n);
  ck_assert_str_eq(is, was);
  free(was);
  free(is);
  talk_end(&t);
}
