/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Key prefixes, for every command of the list: a sample of each is made from its syntax,
 * and a redis-server says which of its arguments are keys (COMMAND GETKEYS).  A command
 * that is added to the list without what a prefix has to know of it fails here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <larder.h>

#include "command/command.h"
#include "conformance/target.h"
#include "support/backend.h"
#include "support/check.h"
#include "support/compare.h"

static const char prefix[] = "app:";
enum { WORDS = 16, WORD = 24 };

/* --- a sample of each command ------------------------------------------------- */

struct sample {
  int argc;
  char word[WORDS][WORD];
  const char *argv[WORDS];
};

static int ends_with(const char *word, const char *end)
{
  size_t n = strlen(word), m = strlen(end);
  return n >= m && strcmp(word + n - m, end) == 0;
}

static int names_key(const char *word)
{
  return strcmp(word, "key") == 0 || strcmp(word, "key1") == 0 || strcmp(word, "key2") == 0 ||
         strcmp(word, "newkey") == 0 || strcmp(word, "source") == 0 ||
         strcmp(word, "destination") == 0 || ends_with(word, "key");
}

static void add(struct sample *s, const char *text)
{
  ck_assert_int_lt(s->argc, WORDS);
  snprintf(s->word[s->argc], WORD, "%s", text);
  s->argv[s->argc] = s->word[s->argc];
  s->argc++;
}

static void add_word(struct sample *s, const char *word, int *keys)
{
  char text[WORD];
  if (names_key(word)) {
    snprintf(text, sizeof text, "k%d", ++*keys);
    add(s, text);
  } else if (strcmp(word, "timeout") == 0) {
    add(s, "0.01");
  } else if (strcmp(word, "cursor") == 0) {
    add(s, "0");
  } else if (word[0] >= 'A' && word[0] <= 'Z') {
    add(s, word);
  } else {
    add(s, "1");
  }
}

/* The shortest form: no options, the first of alternatives. */
static void make_sample(struct sample *s, unsigned id)
{
  const struct lrd_command *c = &lrd_commands[id];
  char syntax[512], *rest = syntax, *word;
  int depth = 0, keys = 0;
  memset(s, 0, sizeof *s);
  add(s, c->name);
  snprintf(syntax, sizeof syntax, "%s", c->syntax);
  while ((word = strsep(&rest, " "))) {
    int level = depth;
    for (char *p = word; *p; p++)
      depth += (*p == '[') - (*p == ']');
    if (strcmp(word, "|") == 0 && level == 0 && word[0] != '<')
      break;
    if (level == 0 && word[0] && word[0] != '[')
      add_word(s, word + strspn(word, "<("), &keys);
  }
  while (s->argc < abs(c->arity))
    add(s, "1");
}

static larder_vector vector_of(const struct sample *s, larder_bytes *bytes)
{
  char error[LARDER_ERROR_SIZE];
  for (int i = 0; i < s->argc; i++)
    bytes[i] = (larder_bytes){s->argv[i], strlen(s->argv[i])};
  larder_vector v = {.argc = s->argc, .argv = bytes};
  ck_assert_msg(lrd_command_check(&v, error, sizeof error) == LARDER_OK,
                "no sample of %s could be made from its syntax: %s", s->argv[0], error);
  return v;
}

/* --- what a store with a prefix sends ------------------------------------------ */

/* The first vector that the backend was given. */
static struct {
  int calls, argc;
  char *argv[WORDS + 4];
  size_t len[WORDS + 4];
} sent;

static void forget_sent(void)
{
  for (int i = 0; i < sent.argc; i++)
    free(sent.argv[i]);
  memset(&sent, 0, sizeof sent);
}

static void capture_execute(larder_backend *b, const larder_call *call, larder_sink *sink)
{
  const larder_vector *v = &call->vector[0];
  larder_verdict verdict = {.outcome = LARDER_REFUSED, .age_ms = -1};
  (void)b;
  for (int i = 0; sent.calls == 0 && i < v->argc; i++) {
    sent.argv[i] = strndup(v->argv[i].data, v->argv[i].len);
    sent.len[i] = v->argv[i].len;
    sent.argc++;
  }
  sent.calls++;
  for (size_t i = 0; i < call->count; i++) {
    sink->type->error(sink, "ERR captured", 12);
    sink->type->end(sink, &verdict);
  }
}

static const larder_backend_table capture =
  BARE_BACKEND("capture", LARDER_CAN_WATCH | LARDER_CAN_ATOMIC, capture_execute);

static larder *open_capture(void)
{
  char error[LARDER_ERROR_SIZE];
  larder_options options = LARDER_OPTIONS_INIT;
  options.backend = &capture;
  options.prefix = prefix;
  larder *store = larder_open("memory:", &options, error, sizeof error);
  ck_assert_msg(store != NULL, "%s", error);
  return store;
}

/* --- which arguments are keys ---------------------------------------------------- */

/* By redis-server; NULL: it has none. */
static struct resp *keys_of(struct resp_client *c, int argc, const char *const *argv)
{
  const char *words[WORDS + 6] = {"COMMAND", "GETKEYS"};
  memcpy(words + 2, argv, (size_t)argc * sizeof *argv);
  struct resp *r = resp_call(c, argc + 2, words, NULL);
  ck_assert_msg(r != NULL, "%s", resp_fault(c));
  if (r->type == RESP_ARRAY)
    return r;
  resp_free(r);
  return NULL;
}

static int begins(const char *text, size_t len)
{
  return len >= strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0;
}

static void check_keys(struct resp_client *c, const struct sample *s, const char *word)
{
  struct resp *before = keys_of(c, s->argc, s->argv);
  struct resp *after = keys_of(c, sent.argc, (const char *const *)sent.argv);
  if (before) {
    ck_assert_msg(after && after->len == before->len, "%s: keys were lost", word);
    for (size_t i = 0; i < after->len; i++)
      ck_assert_msg(begins(after->element[i].str, after->element[i].len) &&
                        strcmp(after->element[i].str + strlen(prefix), before->element[i].str) == 0,
                    "%s: key %zu was sent as %s", word, i, after->element[i].str);
  }
  resp_free(before);
  resp_free(after);
}

/* What has no key is as it was given, or bound to the prefix by a pattern, or refused. */
static void check_keyless(const struct sample *s, const char *word, larder_outcome outcome)
{
  unsigned flags = lrd_commands[lrd_command_find(s->argv[0], strlen(s->argv[0]))].flags;
  if (sent.calls == 0) {
    int others = strcmp(s->argv[0], "swapdb") == 0; /* nothing can keep it off others' keys */
    ck_assert_msg(outcome == LARDER_UNSUPPORTED && (others || !(flags & LRD_KEYSPACE)),
                  "%s was not sent, and is %s: it has no rule", word,
                  larder_outcome_name(outcome));
    return;
  }
  int same = sent.argc == s->argc, bound = strcmp(sent.argv[0], "RANDOMKEY") == 0;
  for (int i = 0; i < sent.argc; i++) {
    same = same && strcmp(sent.argv[i], s->argv[i]) == 0;
    bound |= i > 0 && begins(sent.argv[i], sent.len[i]) && strchr("*1", sent.argv[i][4]);
  }
  ck_assert_msg(flags & LRD_KEYSPACE ? bound : same || bound, "%s was sent without the prefix",
                word);
}

static void check_command(larder *store, struct resp_client *c, unsigned id)
{
  struct sample s;
  larder_bytes bytes[WORDS];
  make_sample(&s, id);
  vector_of(&s, bytes);
  forget_sent();
  larder_reply *r = larder_argv(store, s.argc, s.argv, NULL);
  struct resp *keys = keys_of(c, s.argc, s.argv);
  ck_assert_msg(!keys || sent.calls, "%s: redis-server knows its keys, the prefix does not",
                s.argv[0]);
  if (keys)
    check_keys(c, &s, s.argv[0]);
  else
    check_keyless(&s, s.argv[0], r->outcome);
  resp_free(keys);
  larder_reply_free(r);
}

static int is_ours(unsigned id)
{
  return !(lrd_commands[id].flags & (LRD_SESSION | LRD_FRONT | LRD_INTERNAL));
}

START_TEST(every_command)
{
  struct server *server = server_start(NULL);
  struct resp_client *client = server_connect(server, 2);
  larder *store = open_capture();
  for (unsigned id = 1; id < LRD_COMMANDS; id++)
    if (is_ours(id))
      check_command(store, client, id);
  forget_sent();
  larder_close(store, 0);
  resp_close(client);
  server_stop(server);
}
END_TEST

/* --- the same replies, and no other keys ------------------------------------------ */

static const char *const states[] = {
    NULL,
    "SET k1 5",
    "RPUSH k1 a b c",
    "SADD k1 a",
    "ZADD k1 1 a 2 b",
    "HSET k1 1 2",
};

static struct resp *call_line(struct target *t, const char *line)
{
  char copy[64], *rest = copy, *word;
  const char *argv[8];
  int argc = 0;
  snprintf(copy, sizeof copy, "%s", line);
  while ((word = strsep(&rest, " ")))
    argv[argc++] = word;
  return t->call(t, 0, argc, argv, NULL);
}

/* Its reply is each server's own. */
static int is_incomparable(unsigned id)
{
  static const char *const names[] = {"randomkey", "info", "time", "config", "lastsave",
                                      "spop", "srandmember", "zrandmember", "hrandfield", NULL};
  for (int i = 0; names[i]; i++)
    if (strcmp(lrd_commands[id].name, names[i]) == 0)
      return 1;
  return 0;
}

static void compare_command(struct target *t, struct target *oracle, unsigned id,
                            const char *state)
{
  struct sample s;
  size_t len[WORDS];
  make_sample(&s, id);
  for (int i = 0; i < s.argc; i++)
    len[i] = strlen(s.argv[i]);
  struct target *both[] = {t, oracle};
  for (int i = 0; i < 2; i++) {
    resp_free(call_line(both[i], "FLUSHALL"));
    if (state)
      resp_free(call_line(both[i], state));
  }
  struct resp *got = t->call(t, 0, s.argc, s.argv, len);
  if (t->outcome != LARDER_UNSUPPORTED && !is_incomparable(id)) {
    struct resp *expected = oracle->call(oracle, 0, s.argc, s.argv, len);
    char *text = compare(expected, got, compare_mode_of(s.argc, s.argv, len));
    ck_assert_msg(!text, "%s after %s: %s", s.argv[0], state ? state : "nothing", text);
    resp_free(expected);
  }
  resp_free(got);
}

static void check_raw_keys(struct resp_client *c, const char *word)
{
  struct resp *keys = resp_words(c, "KEYS", "*", NULL);
  ck_assert_int_eq(keys->type, RESP_ARRAY);
  for (size_t i = 0; i < keys->len; i++)
    ck_assert_msg(begins(keys->element[i].str, keys->element[i].len),
                  "after %s there is a key %s in redis-server", word, keys->element[i].str);
  resp_free(keys);
}

START_TEST(every_command_on_redis)
{
  char url[256];
  struct server *server = server_start(NULL), *second = server_start(NULL);
  struct resp_client *client = server_connect(server, 3);
  snprintf(url, sizeof url, "%s?fallback=none&timeout=10s&prefix=%s", server_url(server), prefix);
  struct target *t = target_store("with a prefix", url), *oracle = target_server(second, 3);
  for (unsigned id = 1; id < LRD_COMMANDS; id++)
    for (size_t i = 0; is_ours(id) && i < sizeof states / sizeof *states; i++) {
      compare_command(t, oracle, id, states[i]);
      check_raw_keys(client, lrd_commands[id].name);
    }
  resp_close(client);
  target_close(t);
  target_close(oracle);
  server_stop(server);
  server_stop(second);
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("prefix: every command");
  TCase *c = tcase_create("list");
  tcase_set_timeout(c, 120);
  tcase_add_test(c, every_command);
  tcase_add_test(c, every_command_on_redis);
  suite_add_tcase(suite, c);
  return run_suite(suite);
}
