/* SPDX-License-Identifier: BSD-2-Clause */
#include "proof/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/compare.h"

enum { AT_ONCE = 40, TURN = 20, BATCH = 8, GATE_MS = 20000 };

struct guest {
  struct crowd *crowd;
  pthread_t thread;
  struct generator generator;
  struct history history; /* what comes next; read of it so far */
  size_t read;
  larder_session *session[2];
  int in_transaction[2];
  uint64_t calls, started, outcomes[LARDER_OUTCOMES];
  char wrong[200];
};

static unsigned roll(struct guest *g, unsigned n)
{
  return dice_below(&g->generator.dice, n);
}

static void nap(int ms)
{
  struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
  nanosleep(&t, NULL);
}

/* --- outcomes -------------------------------------------------------------------- */

/* In process a call is done or refused.  NOT_SENT: EXEC after a WATCH that failed;
 * CLOSED: the store is being closed. */
static int may_be(larder_outcome outcome)
{
  return outcome == LARDER_OK || outcome == LARDER_ABSENT || outcome == LARDER_REFUSED ||
         outcome == LARDER_BAD_ARGUMENT || outcome == LARDER_NOT_SENT ||
         outcome == LARDER_CLOSED || outcome == LARDER_UNSUPPORTED;
}

static void took(struct guest *g, larder_outcome outcome, const char *what)
{
  g->calls++;
  g->outcomes[outcome]++;
  if (g->crowd->local && !may_be(outcome))
    snprintf(g->wrong, sizeof g->wrong, "%.100s is %s", what, larder_outcome_name(outcome));
}

static void took_reply(struct guest *g, larder_reply *r, const char *what)
{
  took(g, r->outcome, what);
  larder_reply_free(r);
}

/* --- the generator's commands ------------------------------------------------------ */

static const struct command *next_command(struct guest *g)
{
  if (g->read == g->history.count) {
    history_free(&g->history);
    g->read = 0;
    if (roll(g, TURN) == 0)
      generator_turn(&g->generator);
    generate(&g->generator, &g->history, AT_ONCE);
  }
  return g->history.command[g->read++];
}

static int is_word(const struct command *c, const char *word)
{
  return compare_is_word(c->argv, c->len, 0, word);
}

static int belongs_to_session(const struct command *c)
{
  static const char *const words[] = { "MULTI", "EXEC",    "DISCARD", "WATCH",
                                       "UNWATCH", "SELECT", "QUIT",    "RESET" };

  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (is_word(c, words[i]))
      return 1;
  return 0;
}

static void say_in_session(struct guest *g, const struct command *c)
{
  int which = c->session & 1;

  if (is_word(c, "MULTI"))
    g->in_transaction[which] = 1;
  if (is_word(c, "EXEC") || is_word(c, "DISCARD"))
    g->in_transaction[which] = 0;
  took_reply(g, larder_session_argv(g->session[which], c->argc, c->argv, c->len), c->argv[0]);
}

static void completed(void *context, larder_reply *reply)
{
  struct crowd *crowd = context;

  larder_reply_free(reply);
  atomic_fetch_add(&crowd->done, 1);
}

static void say_later(struct guest *g, const struct command *c)
{
  g->started += larder_async_argv(g->crowd->store, c->argc, c->argv, c->len, 0, completed,
                                  g->crowd, NULL) == LARDER_OK;
}

/* This command and those that follow, as far as they may. */
static void say_together(struct guest *g, const struct command *c)
{
  larder_batch *b = larder_batch_new(g->crowd->store);
  unsigned n = 1 + roll(g, BATCH);

  if (!b)
    return; /* closed */
  do {
    if (belongs_to_session(c))
      break;
    larder_batch_argv(b, c->argc, c->argv, c->len);
    c = n > 1 ? next_command(g) : NULL;
  } while (--n);
  took(g, larder_batch_run(b, (int)roll(g, 2), 0), "a batch");
  larder_batch_free(b);
}

static void say(struct guest *g)
{
  const struct command *c = next_command(g);
  unsigned how = roll(g, 10);

  if (g->session[0] &&
      (belongs_to_session(c) || g->in_transaction[c->session & 1] || how < 4))
    say_in_session(g, c);
  else if (how < 5)
    say_later(g, c);
  else if (how < 7)
    say_together(g, c);
  else
    took_reply(g, larder_argv(g->crowd->store, c->argc, c->argv, c->len), c->argv[0]);
}

/* --- everything else ----------------------------------------------------------------- */

static void use_typed(struct guest *g)
{
  char key[16], value[600];
  size_t length;
  int n = snprintf(key, sizeof key, "%c%u", "slh"[roll(g, 12) / 5], roll(g, 8));

  if (roll(g, 3)) {
    larder_outcome outcome =
      larder_get(g->crowd->store, key, (size_t)n, value, roll(g, sizeof value), &length);

    took(g, outcome, "larder_get");
    return;
  }
  memset(value, 'a' + (int)roll(g, 26), sizeof value);
  took(g,
       larder_set(g->crowd->store, key, (size_t)n, value, roll(g, sizeof value),
                  roll(g, 2) ? 1 + (int64_t)roll(g, 20) : 0),
       "larder_set");
}

/* Soon: the generator's deadlines are far away. */
static void expire_something(struct guest *g)
{
  took_reply(g,
             larder_command(g->crowd->store, "PEXPIRE %c%u %u", "slSzh"[roll(g, 5)], roll(g, 8),
                            1 + roll(g, 30)),
             "PEXPIRE");
}

/* Keys enough that tables grow and shrink. */
static void fill_and_scan(struct guest *g)
{
  unsigned first = roll(g, 100000), n = roll(g, 200);
  char cursor[32] = "0";

  for (unsigned i = 0; i < n; i++)
    took_reply(g, larder_command(g->crowd->store, "SET k%u v PX %u", first + i, 1 + roll(g, 500)),
               "SET");
  for (int i = 0; i < 50; i++) {
    larder_reply *r = larder_command(g->crowd->store, "SCAN %s COUNT 20", cursor);

    if (r->value.type == LARDER_ARRAY && r->value.len == 2)
      snprintf(cursor, sizeof cursor, "%s", r->value.element[0].str);
    took_reply(g, r, "SCAN");
    if (!strcmp(cursor, "0"))
      break;
  }
}

static void change_settings(struct guest *g)
{
  static const char *const policies[] = { "noeviction",   "allkeys-lru",    "allkeys-lfu",
                                          "volatile-lru", "volatile-lfu",   "volatile-ttl",
                                          "allkeys-random", "volatile-random", "allkeys-s3fifo" };

  if (roll(g, 2))
    took_reply(g, larder_command(g->crowd->store, "CONFIG SET maxmemory-policy %s",
                                 policies[roll(g, sizeof policies / sizeof *policies)]),
               "CONFIG SET");
  else
    took_reply(g, larder_command(g->crowd->store, "CONFIG SET maxmemory %u",
                                 roll(g, 3) ? 0 : 100000 + roll(g, 400000)),
               "CONFIG SET");
}

static void look_around(struct guest *g)
{
  larder_status status = { .size = sizeof status };

  took(g, larder_get_status(g->crowd->store, &status), "larder_get_status");
  (void)larder_tick(g->crowd->store, roll(g, 200));
  took_reply(g, larder_command(g->crowd->store, roll(g, 2) ? "INFO" : "DBSIZE"), "INFO");
}

static void visit_another(struct guest *g)
{
  char error[LARDER_ERROR_SIZE];
  larder *other = larder_open("memory:?shards=2", NULL, error, sizeof error);

  if (!other) {
    snprintf(g->wrong, sizeof g->wrong, "another store: %.150s", error);
    return;
  }
  for (unsigned i = roll(g, 20); i; i--) {
    const struct command *c = next_command(g);

    if (!belongs_to_session(c))
      took_reply(g, larder_argv(other, c->argc, c->argv, c->len), c->argv[0]);
  }
  larder_close(other, 0);
}

static void change_session(struct guest *g)
{
  unsigned which = roll(g, 2);

  if (!g->session[which])
    return;
  larder_session_close(g->session[which]);
  g->session[which] = larder_session_open(g->crowd->store);
  g->in_transaction[which] = 0;
}

static void clear(struct guest *g)
{
  took_reply(g, larder_command(g->crowd->store, roll(g, 2) ? "FLUSHALL" : "FLUSHDB ASYNC"),
             "FLUSHDB");
}

static void deed(struct guest *g)
{
  static const struct {
    unsigned weight; /* in two thousand; the rest are the generator's commands */
    void (*run)(struct guest *);
  } deeds[] = { { 300, use_typed },   { 100, expire_something }, { 6, fill_and_scan },
                { 6, change_settings }, { 10, look_around },     { 2, visit_another },
                { 4, change_session }, { 1, clear } };
  unsigned r = roll(g, 2000);

  for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
    if (r < deeds[i].weight) {
      deeds[i].run(g);
      return;
    }
    r -= deeds[i].weight;
  }
  say(g);
}

/* A session ends before its store begins to close. */
static void close_sessions(struct guest *g)
{
  if (!g->session[0])
    return;
  for (int i = 0; i < 2; i++) {
    larder_session_close(g->session[i]);
    g->session[i] = NULL;
  }
  atomic_fetch_sub(&g->crowd->sessions, 1);
}

static void *visit(void *context)
{
  struct guest *g = context;

  while (!atomic_load(&g->crowd->stop) && !g->wrong[0]) {
    if (atomic_load(&g->crowd->closing))
      close_sessions(g);
    deed(g);
  }
  close_sessions(g);
  atomic_fetch_sub(&g->crowd->active, 1);
  return NULL;
}

/* --- coming and leaving ---------------------------------------------------------------- */

static struct guest *guest_new(struct crowd *crowd, unsigned number)
{
  struct guest *g = calloc(1, sizeof *g);

  if (!g)
    abort();
  g->crowd = crowd;
  g->generator.dice.state = crowd->seed * 1000003 + number;
  generator_turn(&g->generator);
  for (int i = 0; i < 2; i++)
    if (!(g->session[i] = larder_session_open(crowd->store)))
      abort();
  return g;
}

int crowd_start(struct crowd *crowd, unsigned threads, uint64_t seed)
{
  crowd->threads = threads < CROWD_MAX ? threads : CROWD_MAX;
  crowd->seed = seed;
  atomic_store(&crowd->stop, 0);
  atomic_store(&crowd->closing, 0);
  atomic_store(&crowd->at_gate, 0);
  atomic_store(&crowd->sessions, (int)crowd->threads);
  atomic_store(&crowd->active, (int)crowd->threads);
  for (unsigned i = 0; i < crowd->threads; i++) {
    crowd->guest[i] = guest_new(crowd, i);
    if (pthread_create(&crowd->guest[i]->thread, NULL, visit, crowd->guest[i]) != 0)
      return -1;
  }
  return 0;
}

static void see_off(struct crowd *crowd, struct guest *g)
{
  pthread_join(g->thread, NULL);
  crowd->calls += g->calls;
  crowd->started += g->started;
  for (int i = 0; i < LARDER_OUTCOMES; i++)
    crowd->outcomes[i] += g->outcomes[i];
  if (g->wrong[0])
    memcpy(crowd->wrong, g->wrong, sizeof crowd->wrong);
  history_free(&g->history);
  free(g);
}

void crowd_end(struct crowd *crowd)
{
  atomic_store(&crowd->stop, 1);
  for (unsigned i = 0; i < crowd->threads; i++)
    see_off(crowd, crowd->guest[i]);
  crowd->threads = 0;
  for (int waited = 0; atomic_load(&crowd->done) != crowd->started; waited++) {
    if (waited == GATE_MS) {
      snprintf(crowd->wrong, sizeof crowd->wrong, "asynchronous calls did not complete");
      return;
    }
    nap(1);
  }
}

/* close() may not return before every completion was delivered, and nobody may
 * begin a call after it returned: so this completion lasts until all have stopped. */
static void gate(void *context, larder_reply *reply)
{
  struct crowd *crowd = context;

  larder_reply_free(reply);
  atomic_store(&crowd->at_gate, 1);
  for (int waited = 0; atomic_load(&crowd->active) && waited < GATE_MS; waited++)
    nap(1);
}

static void *say_stop(void *context)
{
  struct crowd *crowd = context;

  nap(50); /* so long they run into a store that is closing */
  atomic_store(&crowd->stop, 1);
  return NULL;
}

uint64_t crowd_close_under_fire(struct crowd *crowd)
{
  pthread_t stopper;
  uint64_t left;

  atomic_store(&crowd->closing, 1);
  while (atomic_load(&crowd->sessions))
    nap(1);
  if (larder_async_command(crowd->store, gate, crowd, "GET gate") != LARDER_OK)
    return UINT64_MAX;
  while (!atomic_load(&crowd->at_gate))
    nap(1);
  if (pthread_create(&stopper, NULL, say_stop, crowd) != 0)
    return UINT64_MAX;
  left = larder_close(crowd->store, 2000);
  pthread_join(stopper, NULL);
  return left;
}
