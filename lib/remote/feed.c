/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/feed.h"

#include <stdio.h>
#include <string.h>

#include "command/argv.h"
#include "command/command.h"
#include "util/clock.h"
#include "util/memory.h"

/* What each kind's commands and messages are called. */
static const struct words {
  larder_bytes ask[2]; /* by wanted */
  const char *confirmed[2];
  const char *message;
} words[LRD_HUB_KINDS] = {
  [LRD_HUB_CHANNEL] = {{{"UNSUBSCRIBE", 11}, {"SUBSCRIBE", 9}},
                       {"unsubscribe", "subscribe"},
                       "message"},
  [LRD_HUB_PATTERN] = {{{"PUNSUBSCRIBE", 12}, {"PSUBSCRIBE", 10}},
                       {"punsubscribe", "psubscribe"},
                       "pmessage"},
  [LRD_HUB_SHARD] = {{{"SUNSUBSCRIBE", 12}, {"SSUBSCRIBE", 10}},
                     {"sunsubscribe", "ssubscribe"},
                     "smessage"},
};

static int fail(struct lrd_feed *f, larder_cause cause, const char *text)
{
  f->cause = cause;
  snprintf(f->error, sizeof f->error, "%s", text);
  return -1;
}

static int no_memory(struct lrd_feed *f)
{
  return fail(f, LARDER_CAUSE_CALLER, "no memory for the subscriptions");
}

/* --- the ring -------------------------------------------------------------------------- */

static struct lrd_feed_step *step_at(struct lrd_feed *f, size_t i)
{
  return &f->step[(f->head + i) & (f->capacity - 1)];
}

/* The capacity is a power of two. */
static int reserve(struct lrd_feed *f)
{
  if (f->used < f->capacity)
    return 0;
  size_t capacity = f->capacity ? f->capacity * 2 : 16;
  struct lrd_feed_step *step = lrd_allocate(f->memory, capacity * sizeof *step);
  if (!step)
    return -1;
  for (size_t i = 0; i < f->used; i++)
    step[i] = *step_at(f, i);
  lrd_release(f->memory, f->step, f->capacity * sizeof *f->step);
  f->step = step;
  f->capacity = capacity;
  f->head = 0;
  return 0;
}

/* There is room. */
static void push(struct lrd_feed *f, const struct lrd_feed_step *step)
{
  *step_at(f, f->used++) = *step;
}

static struct lrd_feed_step pop(struct lrd_feed *f)
{
  struct lrd_feed_step step = *step_at(f, 0);
  f->head = (f->head + 1) & (f->capacity - 1);
  f->used--;
  f->asked--;
  return step;
}

static void drop(struct lrd_feed *f, struct lrd_feed_step *step)
{
  lrd_name_drop(lrd_hub_memory(f->hub), step->change.name);
}

static larder_bytes name_of(const struct lrd_feed_step *step)
{
  return (larder_bytes){step->change.name->bytes, step->change.name->len};
}

/* --- life ------------------------------------------------------------------------------ */

void lrd_feed_init(struct lrd_feed *f, const larder_memory *memory, struct lrd_hub *hub,
                   int64_t patience)
{
  memset(f, 0, sizeof *f);
  f->memory = memory;
  f->hub = hub;
  f->interval = LRD_FEED_INTERVAL;
  f->patience = patience;
}

int lrd_feed_up(struct lrd_feed *f, int64_t now)
{
  lrd_buffer_init(&f->out, f->memory, 0);
  lrd_arena_init(&f->arena, f->memory);
  f->out_position = 0;
  f->head = f->used = f->asked = f->confirmed = 0;
  f->pinging = f->doubted = 0;
  f->heard_at = f->progress_at = now;
  f->cause = LARDER_CAUSE_NONE;
  f->error[0] = '\0';
  return lrd_reader_init(&f->reader, 0) == 0 ? 0 : no_memory(f);
}

size_t lrd_feed_down(struct lrd_feed *f, const char *text)
{
  for (size_t i = 0; i < f->used; i++)
    drop(f, step_at(f, i));
  lrd_release(f->memory, f->step, f->capacity * sizeof *f->step);
  f->step = NULL;
  f->used = f->asked = f->capacity = 0;
  lrd_buffer_free(&f->out);
  lrd_reader_free(&f->reader);
  lrd_arena_free(&f->arena);
  return lrd_hub_gap(f->hub, text);
}

/* --- asking ---------------------------------------------------------------------------- */

static size_t waiting(const struct lrd_feed *f)
{
  return f->out.len - f->out_position;
}

/* 1: b may stand in the command that a began. */
static int fits_in(const struct lrd_feed_step *a, const struct lrd_feed_step *b)
{
  return !a->alone && !b->alone && a->change.name && b->change.name &&
         a->change.kind == b->change.kind && a->change.wanted == b->change.wanted;
}

/* The next command; there is one. */
static int encode(struct lrd_feed *f)
{
  larder_bytes argv[1 + LRD_FEED_BATCH] = {{"PING", 4}};
  struct lrd_feed_step *first = step_at(f, f->asked);
  size_t n = 1, bytes = 0;
  int argc = 1;
  if (first->change.name) {
    argv[0] = words[first->change.kind].ask[first->change.wanted != 0];
    argv[argc++] = name_of(first);
    bytes = argv[1].len;
    while (n < LRD_FEED_BATCH && f->asked + n < f->used && bytes < LRD_FEED_OUT / 4 &&
           fits_in(first, step_at(f, f->asked + n))) {
      argv[argc] = name_of(step_at(f, f->asked + n++));
      bytes += argv[argc++].len;
    }
  }
  size_t len = f->out.len;
  if (lrd_argv_encode(&f->out, argc, argv) != 0) {
    f->out.len = len;
    return no_memory(f);
  }
  f->commands++;
  step_at(f, f->asked + n - 1)->last = 1;
  f->asked += n;
  return 0;
}

int lrd_feed_fill(struct lrd_feed *f, int64_t now)
{
  struct lrd_feed_step step = {0};
  while (f->used < LRD_FEED_WINDOW) {
    if (reserve(f) != 0)
      return no_memory(f);
    if (!lrd_hub_take_change(f->hub, &step.change))
      break;
    push(f, &step);
  }
  if (!f->asked)
    f->progress_at = now;
  while (f->asked < f->used && waiting(f) < LRD_FEED_OUT)
    if (encode(f) != 0)
      return -1;
  return 0;
}

void lrd_feed_handed(struct lrd_feed *f, size_t len)
{
  f->out_position += len;
  if (f->out_position == f->out.len) {
    f->out.len = f->out_position = 0;
    if (f->out.capacity > 2 * LRD_FEED_OUT)
      lrd_buffer_free(&f->out);
  } else if (f->out_position > f->out.len / 2) {
    lrd_buffer_consume(&f->out, f->out_position);
    f->out_position = 0;
  }
}

/* --- hearing --------------------------------------------------------------------------- */

static int is_word(const larder_value *v, const char *word)
{
  return v->len == strlen(word) && memcmp(v->str, word, v->len) == 0;
}

static larder_bytes bytes_of(const larder_value *v)
{
  return (larder_bytes){v->str, v->len};
}

/* Something was asked for later about the same name. */
static int is_superseded(struct lrd_feed *f, const struct lrd_feed_step *step)
{
  for (size_t i = 0; i < f->used; i++) {
    const struct lrd_feed_step *other = step_at(f, i);
    if (other->change.name && other->change.kind == step->change.kind &&
        other->change.name->len == step->change.name->len &&
        memcmp(other->change.name->bytes, step->change.name->bytes, step->change.name->len) == 0)
      return 1;
  }
  return 0;
}

/* What an error says of the names, not of us or the server. */
static int concerns_names(const char *text, larder_cause cause)
{
  return cause == LARDER_CAUSE_CALLER ||
         (cause == LARDER_CAUSE_AUTH && strncmp(text, "NOPERM", 6) == 0);
}

/* An error is the reply of the oldest command, to its first name. */
static int take_error(struct lrd_feed *f, const larder_value *v)
{
  char text[sizeof f->error];
  larder_cause cause = lrd_error_cause(v->str, v->len);
  snprintf(text, sizeof text, "%.*s", (int)(v->len < 190 ? v->len : 190), v->str);
  if (!f->asked || !step_at(f, 0)->change.name || !step_at(f, 0)->change.wanted ||
      !concerns_names(text, cause))
    return fail(f, cause == LARDER_CAUSE_CALLER ? LARDER_CAUSE_PROTOCOL : cause, text);
  if (step_at(f, 0)->last) {
    struct lrd_feed_step step = pop(f);
    lrd_hub_refuse(f->hub, step.change.kind, name_of(&step), step.change.ticket, text);
    drop(f, &step);
    return 0;
  }
  for (int last = 0; !last;) {
    struct lrd_feed_step step = pop(f);
    last = step.last;
    step.last = 0;
    step.alone = 1;
    if (is_superseded(f, &step))
      drop(f, &step);
    else
      push(f, &step);
  }
  return 0;
}

static int take_pong(struct lrd_feed *f)
{
  if (!f->asked || step_at(f, 0)->change.name)
    return fail(f, LARDER_CAUSE_PROTOCOL, "a PONG where a subscription was to be confirmed");
  pop(f);
  f->pinging = 0;
  return 0;
}

static int take_confirmation(struct lrd_feed *f, const larder_value *v)
{
  const larder_value *e = v->element;
  struct lrd_feed_step *head = f->asked ? step_at(f, 0) : NULL;
  if (!head || !head->change.name || v->len != 3 || e[1].type != LARDER_STRING ||
      e[2].type != LARDER_INTEGER ||
      !is_word(e, words[head->change.kind].confirmed[head->change.wanted != 0]) ||
      e[1].len != head->change.name->len ||
      memcmp(e[1].str, head->change.name->bytes, e[1].len) != 0)
    return fail(f, LARDER_CAUSE_PROTOCOL, "a reply that no subscription has");
  struct lrd_feed_step step = pop(f);
  if (step.change.wanted) {
    f->confirmed++;
    lrd_hub_ready(f->hub, step.change.kind, name_of(&step), step.change.ticket);
  }
  drop(f, &step);
  return 0;
}

/* 1: v was a message. */
static int take_message(struct lrd_feed *f, const larder_value *v)
{
  const larder_value *e = v->element;
  for (int kind = 0; kind < LRD_HUB_KINDS; kind++) {
    size_t len = kind == LRD_HUB_PATTERN ? 4 : 3;
    if (v->len != len || !is_word(e, words[kind].message))
      continue;
    for (size_t i = 1; i < len; i++)
      if (e[i].type != LARDER_STRING)
        return 0;
    lrd_hub_relay(f->hub, (enum lrd_hub_kind)kind, bytes_of(&e[1]), bytes_of(&e[len - 2]),
                  bytes_of(&e[len - 1]));
    return 1;
  }
  return 0;
}

static int take(struct lrd_feed *f, const larder_value *v, int64_t now)
{
  /* RESP3 has pushes where RESP2 has arrays. */
  int words_come = (v->type == LARDER_ARRAY || v->type == LARDER_PUSH) && v->len &&
                   v->element[0].type == LARDER_STRING;
  if (words_come && take_message(f, v))
    return 0;
  f->progress_at = now;
  if (v->type == LARDER_ERROR)
    return take_error(f, v);
  if (v->type == LARDER_STATUS && is_word(v, "PONG"))
    return take_pong(f);
  if (!words_come)
    return fail(f, LARDER_CAUSE_PROTOCOL, "a reply that no subscription has");
  if (v->len == 2 && is_word(v->element, "pong"))
    return take_pong(f);
  return take_confirmation(f, v);
}

static int take_slice(struct lrd_feed *f, const char *bytes, size_t len, int64_t now)
{
  if (lrd_reader_feed(&f->reader, bytes, len) != 0)
    return fail(f, LARDER_CAUSE_CALLER, f->reader.error);
  for (;;) {
    larder_value v;
    switch (lrd_reader_next(&f->reader, &f->arena, &v)) {
    case 0:
      return 0;
    case 1:
      break;
    default:
      return fail(f, LARDER_CAUSE_PROTOCOL, f->reader.error);
    }
    int failed = take(f, &v, now);
    lrd_arena_free(&f->arena);
    lrd_arena_init(&f->arena, f->memory);
    if (failed)
      return -1;
  }
}

int lrd_feed_take(struct lrd_feed *f, const char *bytes, size_t len, int64_t now)
{
  f->heard_at = now;
  for (size_t n; len; bytes += n, len -= n) {
    n = lrd_reader_slice(len);
    if (take_slice(f, bytes, n, now) != 0)
      return -1;
  }
  return 0;
}

/* --- time ------------------------------------------------------------------------------ */

static int ping(struct lrd_feed *f, int64_t now)
{
  if (reserve(f) != 0)
    return no_memory(f);
  push(f, &(struct lrd_feed_step){.alone = 1});
  f->pinging = 1;
  f->doubted = 0;
  return lrd_feed_fill(f, now);
}

int64_t lrd_feed_tick(struct lrd_feed *f, int64_t now)
{
  /* While messages come a confirmation that was lost is found by the PONG, which takes its place. */
  int64_t ping_at = f->doubted ? now : (f->asked ? f->progress_at : f->heard_at) + f->interval;
  if (!f->pinging && now >= ping_at && ping(f, now) != 0)
    return -1;
  if (!f->asked)
    return ping_at;
  int64_t since = f->heard_at > f->progress_at ? f->heard_at : f->progress_at;
  if (now < since + f->patience)
    return f->pinging || since + f->patience < ping_at ? since + f->patience : ping_at;
  char text[100];
  snprintf(text, sizeof text, "the server was silent for %lld ms",
           (long long)(f->patience / LRD_NS_PER_MS));
  return fail(f, LARDER_CAUSE_SILENT, text);
}
