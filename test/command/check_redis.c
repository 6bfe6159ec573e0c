/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/argv.h"
#include "command/beside.h"
#include "util/number.h"
#include "util/seed.h"

/* lib/command against a real redis-server: rows, error texts, globs, inline commands, scores. */

/* --- rows ---------------------------------------------------------------- */

static const struct {
  unsigned flag;
  const char *name;
} flag_names[] = {
  { LRD_WRITE, "write" },
  { LRD_READONLY, "readonly" },
  { LRD_DENYOOM, "denyoom" },
  { LRD_ADMIN, "admin" },
  { LRD_NOSCRIPT, "noscript" },
  { LRD_LOADING, "loading" },
  { LRD_STALE, "stale" },
  { LRD_FAST, "fast" },
  { LRD_NO_AUTH, "no_auth" },
  { LRD_NO_MULTI, "no_multi" },
  { LRD_SKIP_MONITOR, "skip_monitor" },
  { LRD_SKIP_SLOWLOG, "skip_slowlog" },
  { LRD_ALLOW_BUSY, "allow_busy" },
  { LRD_NO_MANDATORY_KEYS, "no_mandatory_keys" },
  { LRD_MAY_REPLICATE, "may_replicate" },
  { LRD_CHANNELS, "pubsub" },
  { LRD_BLOCKING, "blocking" },
  { LRD_NO_ASYNC_LOADING, "no_async_loading" },
  { LRD_MOVABLE_KEYS, "movablekeys" },
};

static unsigned flags_of(const struct resp *set)
{
  unsigned flags = 0;
  size_t i, k;

  for (i = 0; i < set->len; i++) {
    for (k = 0; k < sizeof flag_names / sizeof flag_names[0]; k++)
      if (resp_is_text(&set->element[i], flag_names[k].name))
        break;
    ck_assert_msg(k < sizeof flag_names / sizeof flag_names[0], "flag %s", set->element[i].str);
    flags |= flag_names[k].flag;
  }
  return flags;
}

static void join(const struct resp *set, char *out)
{
  size_t i;

  for (i = 0, *out = '\0'; i < set->len; i++) {
    if (i)
      strcat(out, " ");
    strcat(out, set->element[i].str);
  }
}

static const struct resp *field(const struct resp *map, const char *name)
{
  size_t i;

  for (i = 0; i + 1 < map->len; i += 2)
    if (resp_is_text(&map->element[i], name))
      return &map->element[i + 1];
  ck_abort_msg("no field %s", name);
  return NULL;
}

static void check_row(const struct lrd_command *c)
{
  struct resp *reply = resp_words(client[2], "COMMAND", "INFO", c->name, (char *)NULL);
  struct resp *docs = resp_words(client[3], "COMMAND", "DOCS", c->name, (char *)NULL);
  const struct resp *e = reply->element[0].element;
  const unsigned ours = LRD_SESSION | LRD_KEYSPACE | LRD_INTERNAL | LRD_FRONT | LRD_PARTS;
  char acl[200];

  ck_assert_msg(reply->element[0].len >= 7, "%s is not a command", c->name);
  ck_assert_msg(resp_is_text(&e[0], c->name), "%s", c->name);
  ck_assert_msg(e[1].integer == c->arity, "%s: arity", c->name);
  ck_assert_msg(flags_of(&e[2]) == (c->flags & ~ours), "%s: flags", c->name);
  ck_assert_msg(e[3].integer == c->first, "%s: first key", c->name);
  ck_assert_msg(e[4].integer == c->last, "%s: last key", c->name);
  ck_assert_msg(e[5].integer == c->step, "%s: step", c->name);
  join(&e[6], acl);
  ck_assert_msg(!strcmp(acl, c->acl), "%s: ACL %s", c->name, acl);
  ck_assert_msg(resp_is_text(field(&docs->element[1], "group"), c->group), "%s: group", c->name);
  ck_assert_msg(resp_is_text(field(&docs->element[1], "since"), c->since), "%s: since", c->name);
  resp_free(reply);
  resp_free(docs);
}

START_TEST(rows_are_the_servers)
{
  unsigned id;

  for (id = 1; id < LRD_COMMANDS; id++)
    if (!(lrd_commands[id].flags & LRD_INTERNAL))
      check_row(&lrd_commands[id]);
}
END_TEST

/* --- errors -------------------------------------------------------------- */

START_TEST(errors_are_the_servers)
{
  static const char *const lines[] = { "get", "GET a b", "nope", "NOPE a 'b c' \"\\r\\n\"",
    "\"x\\ny\"", "client", "CLIENT Nope", "client setname", "client setname a b", "client id x",
    "client \"a\\r\\nb\"", "command nope", "command count 1", "config", "config get",
    "config set", "config set a", "object", "object freq",
    "object help a", "object nope a", "object encoding a b",
    "config nope a", "set a", "zadd k 1", "rename a", "mset a", "larder.forget a", "\"\"", "\"\" x",
    "x 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0" };
  char error[512], text[900];
  struct resp *reply;
  larder_vector v;
  size_t i, n;

  for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    v = vector_of(&arena, lines[i]);
    reply = call_vector(client[2], &v);
    ck_assert_int_eq(lrd_command_check(&v, error, sizeof error), LARDER_BAD_ARGUMENT);
    ck_assert_int_eq(reply->type, RESP_ERROR);
    ck_assert_str_eq(error, reply->str);
    resp_free(reply);
  }
  /* lengths around where texts are cut */
  for (n = 100; n < 260; n += 3) {
    memset(text, 'n', sizeof text);
    sprintf(text + n, " ");
    memset(text + n + 1, 'a', n);
    sprintf(text + 2 * n + 1, " bb");
    v = vector_of(&arena, text);
    reply = call_vector(client[2], &v);
    ck_assert_int_eq(lrd_command_check(&v, error, sizeof error), LARDER_BAD_ARGUMENT);
    ck_assert_str_eq(error, reply->str);
    resp_free(reply);
    memmove(text + 7, text, strlen(text) + 1);
    memcpy(text, "client ", 7);
    v = vector_of(&arena, text);
    reply = call_vector(client[2], &v);
    ck_assert_int_eq(lrd_command_check(&v, error, sizeof error), LARDER_BAD_ARGUMENT);
    ck_assert_str_eq(error, reply->str);
    resp_free(reply);
  }
}
END_TEST

/* --- globs --------------------------------------------------------------- */

static void random_text(struct lrd_prng *r, char *out, size_t most, const char *alphabet)
{
  size_t len = lrd_prng_below(r, most), letters = strlen(alphabet);

  for (; len; len--)
    *out++ = alphabet[lrd_prng_below(r, letters)];
  *out = '\0';
}

START_TEST(globs_are_the_servers)
{
  char key[20], pattern[20];
  struct lrd_prng r;
  struct resp *reply;
  size_t i, k, round;
  int found;
  char keys[40][20];

  seed_prng(&r, "globs");
  for (round = 0; round < 40; round++) {
    resp_free(call_line(client[2], "FLUSHALL"));
    for (k = 0; k < 40; k++) {
      random_text(&r, key, 8, "abcAB-]^\\*");
      strcpy(keys[k], key);
      resp_free(resp_words(client[2], "SET", key, "1", (char *)NULL));
    }
    for (i = 0; i < 200; i++) {
      random_text(&r, pattern, 12, i % 2 ? "ab*?[]^-\\c" : "aabb**?[a-c]");
      reply = resp_words(client[2], "KEYS", pattern, (char *)NULL);
      for (k = 0; k < 40; k++) {
        size_t e;

        for (e = 0, found = 0; e < reply->len; e++)
          found |= resp_is_text(&reply->element[e], keys[k]);
        ck_assert_msg(lrd_glob(pattern, strlen(pattern), keys[k], strlen(keys[k]), 0) == found,
                      "pattern %s, key %s: the server says %d", pattern, keys[k], found);
      }
      resp_free(reply);
    }
  }
}
END_TEST

/* --- inline commands ----------------------------------------------------- */

START_TEST(lines_are_split_like_the_servers)
{
  struct resp_client *c = NULL;
  struct lrd_prng r;
  char line[40];
  larder_bytes *argv;
  struct resp *reply;
  larder_outcome outcome;
  int i, argc;

  seed_prng(&r, "lines");
  for (i = 0; i < 3000; i++) {
    strcpy(line, "ECHO ");
    random_text(&r, line + 5, 12, "ab\"\"''\\\\xn41 \t");
    outcome = lrd_argv_split(&arena, line, strlen(line), &argc, &argv);
    if (!c)
      c = server_connect(server, 2);
    resp_append_raw(c, line, strlen(line));
    resp_append_raw(c, "\r\n", 2);
    ck_assert_int_eq(resp_flush(c), 0);
    reply = resp_read(c);
    ck_assert_msg(reply != NULL, "%s", line);
    if (resp_is_error(reply, "ERR Protocol error: unbalanced quotes")) {
      ck_assert_msg(outcome == LARDER_BAD_ARGUMENT, "%s", line);
      resp_close(c); /* the server does, too */
      c = NULL;
    } else {
      ck_assert_msg(outcome == LARDER_OK, "%s", line);
      ck_assert_msg((argc == 2) == (reply->type == RESP_STRING), "%s", line);
      if (argc == 2)
        ck_assert_msg(argv[1].len == reply->len && !memcmp(argv[1].data, reply->str, reply->len),
                      "%s", line);
    }
    resp_free(reply);
  }
  resp_close(c);
}
END_TEST

/* --- scores -------------------------------------------------------------- */

static void check_score(const char *text, size_t len)
{
  const char *argv[] = { "ZADD", "scores", text, "m" };
  const size_t lens[] = { 4, 6, len, 1 };
  char printed[LRD_NUMBER_SIZE];
  struct resp *reply = resp_call(client[2], 4, argv, lens);
  double value;
  int taken = lrd_parse_double(text, len, &value);

  ck_assert_msg(taken == (reply->type == RESP_INTEGER), "%s", text);
  resp_free(reply);
  if (!taken)
    return;
  reply = call_line(client[2], "ZSCORE scores m");
  lrd_print_double(printed, value == 0 ? 0 : value); /* a packed set forgets the sign */
  ck_assert_str_eq(reply->str, printed);
  resp_free(reply);
}

START_TEST(scores_are_the_servers)
{
  static const char *const texts[] = { "", "0", "-0", "1", "+1", ".5", "5.", ".", "1e", "1e+", "-",
    "0x1p3", "0X1P-2", "0x", "0x.8", "0x1p", "inf", "-INF", "+Infinity", "infin", "nan", "NaN",
    "nan(1)", "1e400", "-1e400", "1e-320", "1e-400", "2e-324", "2.5e-324", "0x1p-1075",
    "0x1.8p-1075", "0x1p1024", "0x1.fffffffffffff8p1023", "1.7976931348623159e308", "0e-999",
    "1.7976931348623158e308", "0e99999999999999999999", "1e99999999999999999999", " 1", "1 ",
    "1e17", "123456789012345678", "1e22", "0.0001", "0.00001", "1_0", "1,5", "0x0p-9999" };
  char text[64];
  struct lrd_prng r;
  size_t i;

  for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
    check_score(texts[i], strlen(texts[i]));
  check_score("1\0", 2);
  seed_prng(&r, "scores");
  for (i = 0; i < 3000; i++) {
    random_text(&r, text, 14, i % 2 ? "0123456789.e-+x" : "0123456789.");
    check_score(text, strlen(text));
  }
}
END_TEST

int main(void)
{
  Suite *s = suite_create("redis");
  TCase *t = tcase_create("redis");

  server_require();
  tcase_set_timeout(t, 120);
  tcase_add_unchecked_fixture(t, start_server, stop_server);
  tcase_add_checked_fixture(t, connect_clients, close_clients);
  tcase_add_test(t, rows_are_the_servers);
  tcase_add_test(t, errors_are_the_servers);
  tcase_add_test(t, globs_are_the_servers);
  tcase_add_test(t, lines_are_split_like_the_servers);
  tcase_add_test(t, scores_are_the_servers);
  suite_add_tcase(s, t);
  return run_suite(s);
}
