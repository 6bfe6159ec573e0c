/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a journal makes of random commands: a store with a fallback loses its
 * redis-server, gets random commands, and gets its server back, again and again.
 * A second redis-server is told the same commands, all but those that the store
 * refused.  Whatever the store answered without a reservation has to be what that
 * server answers, and after each replay both servers have to hold the same.
 *
 *   check_replay [--rounds N] [--commands N] [--seed S] [--without WORD]...
 */
#include <inttypes.h>
#include <larder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conformance/line.h"
#include "conformance/random/generate.h"
#include "conformance/target.h"
#include "support/compare.h"

enum { SESSIONS = 2, BACK_MS = 20000, MAX_QUEUED = 64, SHOWN = 10, SHRINK_SECONDS = 240 };

struct settings {
  uint64_t seed;
  unsigned rounds, commands, withouts;
  const char *without[GENERATOR_WITHOUT];
};

struct conversation {
  int in_multi, queued;
  enum compare_mode mode[MAX_QUEUED];
  const struct command *command[MAX_QUEUED];
};

struct play {
  struct settings settings;
  struct server *server, *second;
  struct target *store;
  struct target *judge; /* the second server */
  struct conversation conversation[SESSIONS];
  uint64_t commands, refused, provisional, known, partial, differences;
  unsigned rounds;
  int quiet;
  char suspect[64]; /* the key of the first difference */
};

static void nap(int ms)
{
  struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&t, NULL);
}

static void complain(struct play *p, int session, int argc, const char *const *argv,
                     const size_t *len, const char *text)
{
  char *line = line_print(argc, argv, len);
  if (!p->suspect[0] && argc > 1 && len[1] < sizeof p->suspect)
    memcpy(p->suspect, argv[1], len[1]);
  if (p->differences++ < SHOWN && !p->quiet)
    printf("%s%s: %s (outcome %s, flags %u)\n", session ? "2> " : "", line, text,
           larder_outcome_name(p->store->outcome), p->store->flags);
  fflush(stdout);
  free(line);
}

/* --- one command ----------------------------------------------------------- */

static int is(const struct command *c, const char *word)
{
  return compare_is_word(c->argv, c->len, 0, word);
}

static enum compare_mode mode_of(const struct command *c)
{
  return is(c, "DBSIZE") ? COMPARE_TYPE : compare_mode_of(c->argc, c->argv, c->len);
}

static int is_read(const struct command *c)
{
  static const char *const names[] = {
      "GET",   "STRLEN",  "MGET",      "EXISTS",   "TYPE",  "TTL",   "PTTL",   "HGET",
      "HLEN",  "HGETALL", "SISMEMBER", "SMEMBERS", "SCARD", "LLEN",  "LRANGE", "ZSCORE",
      "ZCARD", "ZRANK",   "ZRANGE",    "KEYS",     "SCAN",  "DBSIZE"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (is(c, names[i]))
      return 1;
  return 0;
}

/* What the store popped at random the judge takes out by name. */
static struct resp *tell_popped(struct play *p, const struct command *c, const struct resp *got)
{
  size_t n = got->element ? got->len : 1, count = 0;
  const char **argv = calloc(n + 2, sizeof *argv);
  size_t *len = calloc(n + 2, sizeof *len);
  if (!argv || !len)
    exit(1);
  argv[0] = "SREM";
  len[0] = 4;
  argv[1] = c->argv[1];
  len[1] = c->len[1];
  for (size_t i = 0; i < n; i++) {
    const struct resp *member = got->element ? &got->element[i] : got;
    argv[2 + i] = member->str;
    len[2 + i] = member->len;
  }
  struct resp *r = p->judge->call(p->judge, c->session, (int)n + 2, argv, len);
  count = r->type == RESP_INTEGER ? (size_t)r->integer : 0;
  if (count != n)
    complain(p, c->session, c->argc, c->argv, c->len, "popped what is not there");
  free(argv);
  free(len);
  return r;
}

static int is_random_pop(const struct command *c, const struct resp *got)
{
  return is(c, "SPOP") && (got->type == RESP_STRING || (got->element && got->len > 0));
}

static void compare_replies(struct play *p, const struct command *c, const struct resp *expected,
                            const struct resp *got)
{
  const struct conversation *v = &p->conversation[c->session];
  char *text = NULL;
  if (!is(c, "EXEC") || !expected->element || !got->element || expected->len != got->len ||
      (int)got->len != v->queued)
    text = compare(expected, got, mode_of(c));
  for (size_t i = 0; !text && is(c, "EXEC") && got->element && i < got->len; i++)
    if (!resp_is_error(&got->element[i], "UNAVAILABLE")) /* what it can't know it says so */
      text = compare(&expected->element[i], &got->element[i], v->mode[i]);
  if (text)
    complain(p, c->session, c->argc, c->argv, c->len, text);
  free(text);
}

static int is_unavailable(const struct resp *r)
{
  return resp_is_error(r, "UNAVAILABLE");
}

/* A command of a transaction that needs what is not known: it is not done, as if
 * it had failed, and the judge must not do it either. */
static int leaves_out(const struct conversation *v, const struct command *c, const struct resp *got)
{
  int some = 0;
  if (!is(c, "EXEC") || !got->element || got->len != (size_t)v->queued)
    return 0;
  for (size_t i = 0; i < got->len; i++)
    some |= is_unavailable(&got->element[i]) && !is_read(v->command[i]);
  return some;
}

static void ask_judge(struct play *p, int session, const char *word)
{
  resp_free(p->judge->call(p->judge, session, 1, &word, NULL));
}

static void do_the_others(struct play *p, const struct command *c, const struct resp *got)
{
  struct conversation *v = &p->conversation[c->session];
  ask_judge(p, c->session, "DISCARD");
  ask_judge(p, c->session, "MULTI");
  for (size_t i = 0; i < got->len; i++) {
    const struct command *q = v->command[i];
    if (!is_unavailable(&got->element[i]))
      resp_free(p->judge->call(p->judge, q->session, q->argc, q->argv, q->len));
  }
  ask_judge(p, c->session, "EXEC");
  v->in_multi = 0;
  p->partial++;
}

static void follow(struct conversation *v, const struct command *c, const struct resp *reply)
{
  if (is(c, "MULTI") && reply->type != RESP_ERROR) {
    v->in_multi = 1;
    v->queued = 0;
  } else if (is(c, "EXEC") || is(c, "DISCARD"))
    v->in_multi = 0;
  else if (v->in_multi && resp_is_text(reply, "QUEUED") && v->queued < MAX_QUEUED) {
    v->command[v->queued] = c;
    v->mode[v->queued++] = mode_of(c);
  }
}

/* Not done by the store: the judge must not do it either. */
static void refuse(struct play *p, const struct command *c)
{
  static const char *const discard[] = {"DISCARD"};
  struct conversation *v = &p->conversation[c->session];
  p->refused++;
  if (!v->in_multi || !is(c, "EXEC"))
    return;
  resp_free(p->judge->call(p->judge, c->session, 1, discard, NULL));
  v->in_multi = 0;
}

static void play_one(struct play *p, const struct command *c)
{
  struct target *s = p->store;
  struct resp *got = s->call(s, c->session, c->argc, c->argv, c->len);
  p->commands++;
  if (s->outcome == LARDER_NOT_SENT || s->outcome == LARDER_UNKNOWN_LOCALLY) {
    refuse(p, c);
    resp_free(got);
    return;
  }
  if (s->outcome == LARDER_UNKNOWN || s->outcome == LARDER_NO_ANSWER)
    complain(p, c->session, c->argc, c->argv, c->len, "nothing was in flight");
  if (leaves_out(&p->conversation[c->session], c, got)) {
    do_the_others(p, c, got);
    resp_free(got);
    return;
  }
  struct resp *expected;
  if (is_random_pop(c, got)) {
    expected = tell_popped(p, c, got);
  } else {
    expected = p->judge->call(p->judge, c->session, c->argc, c->argv, c->len);
    if (s->flags & LARDER_PROVISIONAL)
      p->provisional++;
    else
      compare_replies(p, c, expected, got);
    p->known += !(s->flags & LARDER_PROVISIONAL);
    follow(&p->conversation[c->session], c, expected);
  }
  resp_free(expected);
  resp_free(got);
}

/* --- one round ----------------------------------------------------------------- */

/* What is done while Redis is there, and what while it is not. */
struct round {
  struct history part[2];
};

static void play_commands(struct play *p, const struct history *h)
{
  for (size_t i = 0; i < h->count; i++)
    play_one(p, h->command[i]);
  p->store->fresh(p->store);
  p->judge->fresh(p->judge);
  memset(p->conversation, 0, sizeof p->conversation);
}

/* Until the store has noticed, with a key that nobody looks at. */
static int await_outage(struct play *p)
{
  static const char *const argv[] = {"SET", "noticed", "1"};
  for (int i = 0; i < 1000; i++) {
    resp_free(p->store->call(p->store, 0, 3, argv, NULL));
    if (p->store->outcome == LARDER_OK && (p->store->flags & LARDER_JOURNALED))
      return 1;
  }
  return 0;
}

static int await_back(struct play *p)
{
  larder_status s = {.size = sizeof s};
  for (int waited = 0; waited < BACK_MS; waited += 5) {
    larder_get_status(p->store->store, &s);
    if (s.state == LARDER_STATE_UP && s.journal_keys == 0)
      return 1;
    nap(5);
  }
  printf("not back: state %s, %" PRIu64 " keys in the journal: %s\n", larder_state_name(s.state),
         s.journal_keys, s.last_error);
  return 0;
}

static void compare_key(struct play *p, struct resp_client *ours, struct resp_client *theirs,
                        const struct resp *key)
{
  static const char *const reads[][4] = {
      {"GET", NULL, NULL, NULL},           {"LRANGE", "0", "-1", NULL},
      {"SMEMBERS", NULL, NULL, NULL},      {"HGETALL", NULL, NULL, NULL},
      {"ZRANGE", "0", "-1", "WITHSCORES"}, {"TYPE", NULL, NULL, NULL},
      {"PTTL", NULL, NULL, NULL}};
  for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
    const char *argv[5] = {reads[i][0], key->str, reads[i][1], reads[i][2], reads[i][3]};
    size_t len[5] = {0, key->len, 0, 0, 0};
    int argc = 2;
    for (int k = 0; k < 5; k++)
      if (k != 1 && argv[k])
        len[k] = strlen(argv[k]);
    while (argc < 5 && argv[argc])
      argc++;
    struct resp *a = resp_call(theirs, argc, argv, len), *b = resp_call(ours, argc, argv, len);
    char *text = compare(a, b, compare_mode_of(argc, argv, len));
    if (text) {
      complain(p, 0, argc, argv, len, text);
    }
    free(text);
    resp_free(a);
    resp_free(b);
  }
}

static uint64_t compare_database(struct play *p, const char *database)
{
  struct resp_client *ours = server_connect(p->server, 3), *theirs = server_connect(p->second, 3);
  struct resp_client *both[] = {ours, theirs};
  uint64_t before = p->differences;
  for (int i = 0; i < 2; i++) {
    resp_free(resp_words(both[i], "SELECT", database, NULL));
    resp_free(resp_words(both[i], "SCAN", "0", "COUNT", "1000000", NULL));
  }
  for (int i = 0; i < 2; i++) {
    struct resp *keys = resp_words(both[i], "KEYS", "*", NULL);
    for (size_t k = 0; keys && k < keys->len; k++)
      if (!resp_is_text(&keys->element[k], "noticed") && strncmp(keys->element[k].str, "larder", 6))
        compare_key(p, ours, theirs, &keys->element[k]);
    resp_free(keys);
  }
  resp_close(ours);
  resp_close(theirs);
  return p->differences - before;
}

static void begin(struct play *p)
{
  static const char *const argv[] = {"FLUSHALL"};
  struct resp *r = p->store->call(p->store, 0, 1, argv, NULL);
  if (p->store->outcome != LARDER_OK) {
    char *text = resp_text(r);
    printf("FLUSHALL with Redis up: %s\n", text);
    free(text);
  }
  resp_free(r);
  resp_free(p->judge->call(p->judge, 0, 1, argv, NULL));
}

/* 0: as it should be. */
static int play_round(struct play *p, const struct round *r)
{
  uint64_t before = p->differences;
  begin(p);
  play_commands(p, &r->part[0]);
  server_kill(p->server);
  if (!await_outage(p)) {
    printf("the outage is not noticed\n");
    exit(1);
  }
  play_commands(p, &r->part[1]);
  server_restart(p->server);
  if (!await_back(p))
    exit(1);
  if (compare_database(p, "0") + compare_database(p, "1") > 0 && !p->quiet)
    printf("  ... in what the servers hold after the replay\n");
  return p->differences != before;
}

/* --- shrinking -------------------------------------------------------------------- */

static double seconds_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Tries to do without n commands from there on: 1, they are gone. */
static int try_without(struct play *p, struct round *r, struct history *h, size_t from, size_t n)
{
  struct history all = *h;
  struct command **part = malloc(all.count * sizeof *part);
  if (!part)
    exit(1);
  memcpy(part, all.command, from * sizeof *part);
  memcpy(part + from, all.command + from + n, (all.count - from - n) * sizeof *part);
  *h = (struct history){part, all.count - n, all.count};
  int still = play_round(p, r);
  struct history *gone = still ? &all : h;
  for (size_t i = from; still && i < from + n; i++)
    free(all.command[i]);
  free(gone->command);
  if (!still)
    *h = all;
  return still;
}

static void shrink_part(struct play *p, struct round *r, struct history *h, double end)
{
  for (size_t size = (h->count + 1) / 2; size; size = size > 1 ? (size + 1) / 2 : 0)
    for (size_t from = 0; from < h->count && seconds_now() < end;) {
      size_t n = h->count - from < size ? h->count - from : size;
      if (!try_without(p, r, h, from, n))
        from += n;
    }
}

/* Does it name the key, or hold together the commands that do? */
static int is_about(const struct command *c, const char *key)
{
  if (is(c, "MULTI") || is(c, "EXEC") || is(c, "DISCARD"))
    return 1;
  for (int i = 1; i < c->argc; i++)
    if (compare_is_word(c->argv, c->len, i, key))
      return 1;
  return 0;
}

/* All at once, if the difference is still there without the other keys. */
static void keep_suspect(struct play *p, struct round *r)
{
  struct round few = {0};
  for (int k = 0; k < 2; k++)
    for (size_t i = 0; i < r->part[k].count; i++) {
      const struct command *c = r->part[k].command[i];
      if (is_about(c, p->suspect))
        history_add(&few.part[k], command_new(c->session, c->argc, c->argv, c->len));
    }
  struct round *gone = play_round(p, &few) ? r : &few;
  for (int k = 0; k < 2; k++)
    history_free(&gone->part[k]);
  if (gone == r)
    *r = few;
}

static void report(struct play *p, struct round *r)
{
  double end = seconds_now() + SHRINK_SECONDS;
  p->quiet = 1;
  keep_suspect(p, r);
  for (int i = 0; i < 2; i++) {
    shrink_part(p, r, &r->part[1], end);
    shrink_part(p, r, &r->part[0], end);
  }
  printf("the shortest sequence found; before the outage:\n");
  history_print(&r->part[0]);
  printf("  during it:\n");
  history_print(&r->part[1]);
  p->quiet = 0;
  p->differences = 0;
  printf("  there%s:\n", play_round(p, r) ? "" : " is no difference when it is played again");
}

/* Sums near the ends of their range are replayed as sums (doc/operations.md).  And
 * not -0: whether a server keeps its sign depends on how it stores the set just
 * then, and a journal does not. */
static int run_rounds(struct play *p)
{
  struct generator g = {.dice = {p->settings.seed}, .typed = 1, .far_from_edges = 1};
  int bad = 0;
  memcpy(g.without, p->settings.without, sizeof g.without);
  for (unsigned i = 0; i < p->settings.rounds && !bad; i++) {
    struct round r = {0};
    generator_turn(&g);
    for (int k = 0; k < 2; k++)
      generate(&g, &r.part[k], dice_below(&g.dice, p->settings.commands) + 1);
    bad = play_round(p, &r);
    p->rounds++;
    if (bad)
      report(p, &r);
    history_free(&r.part[0]);
    history_free(&r.part[1]);
  }
  return bad;
}

static int read_settings(struct settings *s, int argc, char **argv)
{
  const char *seed = getenv("LARDER_SEED");
  *s = (struct settings){.rounds = 10, .commands = 400, .withouts = 1, .without = {"-0"}};
  s->seed = seed && *seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--rounds") == 0)
      s->rounds = (unsigned)atoi(argv[i + 1]);
    else if (strcmp(argv[i], "--commands") == 0)
      s->commands = (unsigned)atoi(argv[i + 1]);
    else if (strcmp(argv[i], "--seed") == 0)
      s->seed = strtoull(argv[i + 1], NULL, 10);
    else if (strcmp(argv[i], "--without") == 0 && s->withouts + 1 < GENERATOR_WITHOUT)
      s->without[s->withouts++] = argv[i + 1];
    else
      return -1;
  }
  return argc % 2 == 1 && s->rounds && s->commands ? 0 : -1;
}

int main(int argc, char **argv)
{
  static const struct server_options durable = {.unix_socket = 1, .durable = 1};
  static const struct server_options plain = {.unix_socket = 1};
  static struct play p;
  char url[256];
  if (read_settings(&p.settings, argc, argv) != 0) {
    fprintf(stderr, "usage: check_replay [--rounds N] [--commands N] [--seed S] "
                    "[--without WORD]...\n");
    return 2;
  }
  server_require();
  p.server = server_start(&durable);
  p.second = server_start(&plain);
  snprintf(url, sizeof url, "%s&timeout=5s", server_url(p.server));
  p.store = target_store("store", url);
  p.judge = target_server(p.second, 3);
  int bad = run_rounds(&p);
  printf("seed %" PRIu64 ": %u outages, %" PRIu64 " commands, %" PRIu64 " not served, %" PRIu64
         " provisional, %" PRIu64 " transactions in part, %" PRIu64 " compared: %s\n",
         p.settings.seed, p.rounds, p.commands, p.refused, p.provisional, p.partial, p.known,
         bad ? "DIFFERENT" : "no difference");
  target_close(p.store);
  target_close(p.judge);
  server_stop(p.second);
  server_stop(p.server);
  return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
