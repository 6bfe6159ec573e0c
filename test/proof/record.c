/* SPDX-License-Identifier: BSD-2-Clause */
#include "proof/record.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proof/command.h"

enum { COMMANDS = 3 };

struct thread {
  struct record *record;
  struct maker maker;
  pthread_t thread;
  struct operation *operation[RECORD_KEYS];
  size_t count[RECORD_KEYS], room[RECORD_KEYS];
  const char *wrong;
  struct command command[COMMANDS];
  char buffer[COMMAND_LONGEST];
};

const char *const record_names[RECORD_KEYS] = { "t0", "t1", "t2", "t3", "n0", "n1", "n2" };

static int64_t stamp(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int64_t wall_us(void *context)
{
  return atomic_load(&((struct record *)context)->wall) * 1000;
}

static int64_t monotonic_ns(void *context)
{
  return atomic_load(&((struct record *)context)->wall) * 1000000;
}

/* --- writing down ------------------------------------------------------------------ */

static void begin(struct thread *t, struct operation *o)
{
  *o = (struct operation){ .thread = t->maker.number,
                           .wall_begin = atomic_load(&t->record->wall),
                           .begin = stamp() };
}

static void end(struct thread *t, struct operation *o)
{
  o->end = stamp();
  o->wall_end = atomic_load(&t->record->wall);
}

static void *need(void *block)
{
  if (!block)
    abort();
  return block;
}

static struct operation *append(struct thread *t, unsigned key, const struct operation *when)
{
  struct operation *o;

  if (t->count[key] == t->room[key]) {
    t->room[key] = t->room[key] ? t->room[key] * 2 : 256;
    t->operation[key] = need(realloc(t->operation[key], t->room[key] * sizeof *o));
  }
  o = &t->operation[key][t->count[key]++];
  *o = *when;
  return o;
}

/* Each command is a step of its own, somewhere in that time. */
static void note_each(struct thread *t, unsigned commands, const struct operation *when)
{
  for (unsigned i = 0; i < commands; i++)
    for (unsigned k = 0; k < t->command[i].keys; k++) {
      struct operation *o = append(t, t->command[i].key[k], when);

      o->action[o->actions++] = t->command[i].action[k];
    }
}

/* All commands are one step: what they did to one key is one operation. */
static void note_together(struct thread *t, unsigned commands, const struct operation *when)
{
  struct operation *of[RECORD_KEYS] = { NULL };

  for (unsigned i = 0; i < commands; i++)
    for (unsigned k = 0; k < t->command[i].keys; k++) {
      unsigned key = t->command[i].key[k];

      if (!of[key])
        of[key] = append(t, key, when);
      of[key]->action[of[key]->actions++] = t->command[i].action[k];
    }
}

/* --- calls --------------------------------------------------------------------------- */

static void call_plain(struct thread *t)
{
  struct command *c = &t->command[0];
  struct operation when;
  larder_reply *r;

  command_make(&t->maker, c);
  begin(t, &when);
  r = larder_argv(t->record->store, c->argc, c->argv, c->len);
  end(t, &when);
  if (!command_understand(c, &r->value))
    t->wrong = "a reply is not what it should be";
  larder_reply_free(r);
  note_each(t, 1, &when);
}

static void call_batch(struct thread *t, int atomic)
{
  unsigned commands = 1 + roll(&t->maker, COMMANDS);
  larder_batch *b = larder_batch_new(t->record->store);
  struct operation when;

  for (unsigned i = 0; i < commands; i++) {
    struct command *c = &t->command[i];

    command_make(&t->maker, c);
    if (larder_batch_argv(b, c->argc, c->argv, c->len) != LARDER_OK)
      t->wrong = "a batch takes no command";
  }
  begin(t, &when);
  if (larder_batch_run(b, atomic, 0) != LARDER_OK)
    t->wrong = "a batch failed";
  end(t, &when);
  for (unsigned i = 0; i < commands && !t->wrong; i++)
    if (!command_understand(&t->command[i], &larder_batch_reply(b, i)->value))
      t->wrong = "a batch's reply is not what it should be";
  larder_batch_free(b);
  if (atomic)
    note_together(t, commands, &when);
  else
    note_each(t, commands, &when);
}

static void say(struct thread *t, larder_session *s, struct command *c)
{
  larder_reply *r = larder_session_argv(s, c->argc, c->argv, c->len);

  if (r->value.type != LARDER_STATUS)
    t->wrong = "a transaction takes no command";
  larder_reply_free(r);
}

static void call_transaction(struct thread *t, larder_session *s)
{
  unsigned commands = 1 + roll(&t->maker, COMMANDS);
  struct operation when;
  larder_reply *r;

  larder_reply_free(larder_session_command(s, "MULTI"));
  for (unsigned i = 0; i < commands; i++) {
    command_make(&t->maker, &t->command[i]);
    say(t, s, &t->command[i]);
  }
  begin(t, &when);
  r = larder_session_command(s, "EXEC");
  end(t, &when);
  for (unsigned i = 0; i < commands && !t->wrong; i++)
    if (r->value.type != LARDER_ARRAY || r->value.len != commands ||
        !command_understand(&t->command[i], &r->value.element[i]))
      t->wrong = "EXEC's reply is not what it should be";
  larder_reply_free(r);
  note_together(t, commands, &when);
}

static void call_get(struct thread *t)
{
  struct action a = { .kind = ACTION_READ };
  unsigned key = roll(&t->maker, RECORD_KEYS);
  struct operation when, *o;
  larder_outcome outcome;
  size_t len;

  begin(t, &when);
  outcome = larder_get(t->record->store, record_names[key], 2, t->buffer, sizeof t->buffer, &len);
  end(t, &when);
  if (outcome == LARDER_OK && len > sizeof t->buffer)
    return; /* appended to so often that it was cut off */
  if (outcome != LARDER_OK && outcome != LARDER_ABSENT)
    t->wrong = "larder_get failed";
  a.found = outcome == LARDER_OK;
  if (a.found)
    a.seen = text_of(t->buffer, len);
  o = append(t, key, &when);
  o->action[o->actions++] = a;
}

static void call_set(struct thread *t)
{
  struct command *c = &t->command[0];
  struct action *a = &c->action[0];
  unsigned key = roll(&t->maker, RECORD_KEYS);
  struct operation when, *o;

  *a = (struct action){ .kind = ACTION_WRITE };
  c->argc = 0;
  c->key[0] = key;
  command_give(&t->maker, c, 0);
  a->ttl = t->record->setup.expiry && roll(&t->maker, 2) ? 1 + roll(&t->maker, 10) : 0;
  begin(t, &when);
  if (larder_set(t->record->store, record_names[key], 2, c->argv[0], c->len[0], a->ttl) !=
      LARDER_OK)
    t->wrong = "larder_set failed";
  end(t, &when);
  o = append(t, key, &when);
  o->action[o->actions++] = *a;
}

/* Other keys, of 400 KB in all: there is no room for them. */
static void press(struct thread *t)
{
  char key[16];

  (void)larder_set(t->record->store, key, (size_t)snprintf(key, sizeof key, "crowd%u",
                                                           roll(&t->maker, 100)),
                   t->buffer, 4000, 0);
}

static void beside(struct thread *t)
{
  const struct record_setup *setup = &t->record->setup;

  if (setup->may_vanish && roll(&t->maker, 4) == 0)
    press(t);
  if (roll(&t->maker, 4) == 0)
    atomic_fetch_add(&t->record->wall, 1);
  if (!setup->background && roll(&t->maker, 40) == 0)
    (void)larder_tick(t->record->store, roll(&t->maker, 100));
}

static void *use(void *context)
{
  struct thread *t = context;
  larder_session *s = larder_session_open(t->record->store);

  for (unsigned i = 0; i < t->record->setup.calls && !t->wrong; i++) {
    unsigned r = roll(&t->maker, 100);

    beside(t);
    if (r < 30)
      call_get(t);
    else if (r < 45)
      call_set(t);
    else if (r < 80)
      call_plain(t);
    else if (r < 86)
      call_batch(t, 0);
    else if (r < 93)
      call_batch(t, 1);
    else
      call_transaction(t, s);
  }
  larder_session_close(s);
  return NULL;
}

/* --- a run ------------------------------------------------------------------------------ */

static struct thread *thread_new(struct record *r, unsigned number)
{
  struct thread *t = need(calloc(1, sizeof *t));

  t->record = r;
  t->maker.number = number;
  t->maker.longest = r->setup.longest;
  t->maker.expiry = r->setup.expiry;
  lrd_prng_seed(&t->maker.prng, r->setup.seed * 1000 + number);
  return t;
}

static void collect(struct record *r, struct thread *t)
{
  for (int k = 0; k < RECORD_KEYS; k++) {
    struct operation **all = &r->operation[k];

    *all = need(realloc(*all, (r->count[k] + t->count[k] + 1) * sizeof **all));
    if (t->count[k])
      memcpy(*all + r->count[k], t->operation[k], t->count[k] * sizeof **all);
    r->count[k] += t->count[k];
    free(t->operation[k]);
  }
  free(t);
}

const char *record_run(struct record *r, const struct record_setup *setup)
{
  enum { THREADS = 64 };
  larder_options options = LARDER_OPTIONS_INIT;
  struct thread *thread[THREADS];
  char error[LARDER_ERROR_SIZE];
  const char *wrong = NULL;

  *r = (struct record){ .setup = *setup, .clock = { monotonic_ns, wall_us, r } };
  atomic_store(&r->wall, 1700000000000);
  options.clock = &r->clock;
  options.background = setup->background ? LARDER_YES : LARDER_NO;
  r->store = larder_open(setup->url, &options, error, sizeof error);
  if (!r->store || setup->threads > THREADS || setup->longest * 2 > COMMAND_LONGEST)
    return "the store does not open";
  for (unsigned i = 0; i < setup->threads; i++) {
    thread[i] = thread_new(r, i);
    if (pthread_create(&thread[i]->thread, NULL, use, thread[i]) != 0)
      abort();
  }
  for (unsigned i = 0; i < setup->threads; i++) {
    pthread_join(thread[i]->thread, NULL);
    wrong = thread[i]->wrong ? thread[i]->wrong : wrong;
    collect(r, thread[i]);
  }
  return wrong;
}

void record_free(struct record *r)
{
  larder_close(r->store, 0);
  for (int k = 0; k < RECORD_KEYS; k++)
    free(r->operation[k]);
}

void record_print(const struct record *r, unsigned key, size_t stuck)
{
  static const char *const kinds[ACTION_KINDS] = { "read",   "write",  "write new", "exchange",
                                                   "take",   "delete", "append",    "add" };
  size_t from = stuck > 20 ? stuck - 20 : 0, to = stuck + 20;

  printf("key %s, stuck at %zu of %zu operations:\n", record_names[key], stuck, r->count[key]);
  for (size_t i = from; i < to && i < r->count[key]; i++) {
    const struct operation *o = &r->operation[key][i];

    printf("%6zu [%u] %" PRId64 " +%" PRId64 " wall %" PRId64 "-%" PRId64, i, o->thread,
           o->begin - r->operation[key][0].begin, o->end - o->begin, o->wall_begin % 1000000,
           o->wall_end % 1000000);
    for (unsigned k = 0; k < o->actions; k++) {
      const struct action *a = &o->action[k];

      printf(" | %s found %d given %zu:%" PRIx64 " seen %zu:%" PRIx64 " ttl %" PRId64
             " result %" PRId64,
             kinds[a->kind], a->found, a->given.len, a->given.digest & 0xffff, a->seen.len,
             a->seen.digest & 0xffff, a->ttl, a->result);
    }
    printf("\n");
  }
}
