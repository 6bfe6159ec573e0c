/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct fake_script fake;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int blocked, released;

/* A submission that waits, with its copy of the call. */
struct held {
  struct held *next;
  larder_submission *submission;
  size_t count;
  unsigned flags;
};
static struct held *held;

void fake_reset(void)
{
  memset(&fake, 0, sizeof fake);
  fake.status.state = -1;
  fake.status.journal_oldest_ms = -1;
  fake.verdict = (larder_verdict){.outcome = LARDER_OK, .origin = LARDER_FROM_LOCAL, .age_ms = -1};
  fake.text = "ERR fake";
  fake.tick = -1;
  blocked = released = 0;
}

void fake_await(int n)
{
  pthread_mutex_lock(&lock);
  while (blocked < n)
    pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}

/* --- answering ----------------------------------------------------------- */

static int is(const larder_vector *v, const char *name)
{
  return v->argv[0].len == strlen(name) && strncasecmp(v->argv[0].data, name, strlen(name)) == 0;
}

static void answer_ok(const larder_vector *v, larder_sink *sink)
{
  if (v && is(v, "ping"))
    sink->type->status(sink, "PONG", 4);
  else if (v && is(v, "get"))
    sink->type->nil(sink, 0);
  else
    sink->type->status(sink, "OK", 2);
}

static void end(larder_sink *sink, larder_outcome outcome)
{
  larder_verdict v = fake.verdict;
  if (outcome != LARDER_OK)
    v.outcome = outcome;
  sink->type->end(sink, &v);
}

/* One reply: of v, or (v NULL) of an atomic call of count commands. */
static void answer_one(const larder_vector *v, size_t count, enum fake_answer how,
                       larder_sink *sink)
{
  switch (how) {
  case FAKE_OK:
    if (v) {
      answer_ok(v, sink);
    } else {
      sink->type->aggregate(sink, LARDER_ARRAY, count, 0);
      for (size_t i = 0; i < count; i++)
        answer_ok(NULL, sink);
    }
    end(sink, LARDER_OK);
    break;
  case FAKE_NIL:
    sink->type->nil(sink, v == NULL);
    end(sink, LARDER_OK);
    break;
  case FAKE_ERROR:
    sink->type->error(sink, fake.text, strlen(fake.text));
    end(sink, LARDER_OK);
    break;
  case FAKE_BLOCK:
    sink->type->error(sink, "UNAVAILABLE cancelled", 21);
    end(sink, LARDER_CLOSED);
    break;
  case FAKE_NOTHING:
    break;
  }
}

static void answer(const larder_call *call, enum fake_answer how, larder_sink *sink)
{
  if (call->flags & LARDER_CALL_ATOMIC) {
    answer_one(NULL, call->count, how, sink);
    return;
  }
  for (size_t i = 0; i < call->count; i++)
    answer_one(&call->vector[i], 1, how, sink);
}

static void record(const larder_call *call)
{
  size_t used = strlen(fake.log);
  for (size_t i = 0; i < call->count && used + 100 < sizeof fake.log; i++)
    used += (size_t)snprintf(fake.log + used, sizeof fake.log - used, "%s%.*s", i ? " " : "",
                             (int)call->vector[i].argv[0].len, call->vector[i].argv[0].data);
  if (used + 100 < sizeof fake.log)
    snprintf(fake.log + used, sizeof fake.log - used, ";%u@%d%s|", call->flags, call->database,
             call->hold ? "!" : "");
  fake.deadline = call->deadline;
  fake.vectors += (int)call->count;
}

static void fake_execute(larder_backend *b, const larder_call *call, larder_sink *sink)
{
  (void)b;
  fake.executed++;
  pthread_mutex_lock(&lock);
  record(call);
  if (fake.answer == FAKE_BLOCK) {
    blocked++;
    pthread_cond_broadcast(&changed);
    while (!released)
      pthread_cond_wait(&changed, &lock);
    blocked--;
  }
  pthread_mutex_unlock(&lock);
  answer(call, fake.answer, sink);
}

/* --- submissions --------------------------------------------------------- */

static void finish(struct held *h, enum fake_answer how)
{
  larder_submission *s = h->submission;
  for (size_t i = 0; i < (h->flags & LARDER_CALL_ATOMIC ? 1 : h->count); i++) {
    larder_bytes name = {"set", 3};
    larder_vector v = {.argc = 1, .argv = &name};
    answer_one(h->flags & LARDER_CALL_ATOMIC ? NULL : &v, h->count, how, s->sink);
  }
  free(h);
  s->done(s);
}

static void *finish_later(void *argument)
{
  finish(argument, fake.answer);
  return NULL;
}

static void fake_submit(larder_backend *b, const larder_call *call, larder_submission *s)
{
  fake.submitted++;
  if (fake.submit == FAKE_INLINE) {
    larder_backend_default_submit(b, call, s);
    return;
  }
  struct held *h = malloc(sizeof *h);
  *h = (struct held){.submission = s, .count = call->count, .flags = call->flags};
  pthread_t thread;
  switch (fake.submit) {
  case FAKE_THREAD:
    pthread_create(&thread, NULL, finish_later, h);
    pthread_detach(thread);
    return;
  case FAKE_HELD:
    pthread_mutex_lock(&lock);
    h->next = held;
    held = h;
    blocked++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return;
  case FAKE_INLINE:
  case FAKE_FORGOTTEN:
    free(h);
    return;
  }
}

/* Takes one submission (NULL: all) off the list and ends it. */
static void finish_held(const larder_submission *s, enum fake_answer how)
{
  for (;;) {
    pthread_mutex_lock(&lock);
    struct held **p = &held;
    while (*p && s && (*p)->submission != s)
      p = &(*p)->next;
    struct held *h = *p;
    if (h) {
      *p = h->next;
      blocked--;
    }
    pthread_mutex_unlock(&lock);
    if (!h)
      return;
    finish(h, how);
  }
}

void fake_release(void)
{
  pthread_mutex_lock(&lock);
  released = 1;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  finish_held(NULL, fake.answer);
}

static void fake_cancel(larder_backend *b, larder_submission *s)
{
  (void)b;
  fake.cancelled += s != NULL;
  fake.cancelled_all += s == NULL;
  if (!s) {
    pthread_mutex_lock(&lock);
    released = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
  }
  finish_held(s, FAKE_BLOCK);
}

/* --- the rest ------------------------------------------------------------ */

static larder_outcome fake_open(larder_backend *b, const larder_backend_options *options,
                                char *error, size_t error_size)
{
  (void)b;
  (void)options;
  fake.opened++;
  if (fake.open_error)
    snprintf(error, error_size, "%s", fake.open_error);
  return fake.open_outcome;
}

static uint64_t fake_close(larder_backend *b, int64_t deadline, int forked)
{
  (void)b;
  (void)deadline;
  fake.closed++;
  fake.closed_forked += forked;
  if (!forked)
    finish_held(NULL, FAKE_BLOCK);
  return fake.lost;
}

struct larder_hold {
  larder_backend *owner;
};

static larder_hold *fake_hold_open(larder_backend *b)
{
  if (fake.hold_fails)
    return NULL;
  larder_hold *h = b->memory.allocate(b->memory.context, sizeof *h);
  if (h) {
    fake.holds_opened++;
    h->owner = b;
  }
  return h;
}

static void fake_hold_close(larder_backend *b, larder_hold *h)
{
  fake.holds_closed++;
  b->memory.release(b->memory.context, h, sizeof *h);
}

static void fake_status(larder_backend *b, larder_backend_status *status)
{
  (void)b;
  *status = fake.status;
}

static int64_t fake_tick(larder_backend *b, int64_t budget)
{
  (void)b;
  (void)budget;
  fake.ticked++;
  return fake.tick;
}

const larder_backend_table fake_table = {
    LARDER_BACKEND_VERSION,
    "fake",
    LARDER_CAN_SUBMIT | LARDER_CAN_WATCH | LARDER_CAN_ATOMIC,
    sizeof(larder_backend),
    fake_open,
    fake_close,
    fake_execute,
    fake_submit,
    fake_cancel,
    fake_hold_open,
    fake_hold_close,
    fake_status,
    fake_tick,
    larder_backend_default_get,
    larder_backend_default_set};

const larder_backend_table fake_poor_table = {
    LARDER_BACKEND_VERSION,
    "poor",
    0,
    sizeof(larder_backend),
    fake_open,
    fake_close,
    fake_execute,
    larder_backend_default_submit,
    larder_backend_default_cancel,
    larder_backend_default_hold_open,
    larder_backend_default_hold_close,
    larder_backend_default_status,
    larder_backend_default_tick,
    larder_backend_default_get,
    larder_backend_default_set};
