/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/wire_part.h"

#include <stdio.h>
#include <string.h>

#include "command/argv.h"
#include "command/command.h"
#include "remote/expect.h"
#include "util/memory.h"
#include "util/number.h"

/* --- tickets --------------------------------------------------------------------------- */

void lrd_ticket_init(struct lrd_ticket *t, const larder_memory *memory,
                     const larder_vector *vector, size_t count, int atomic)
{
  memset(t, 0, sizeof *t);
  t->vector = vector;
  t->count = count;
  t->atomic = atomic;
  lrd_arena_init(&t->arena, memory);
}

void lrd_ticket_release(struct lrd_ticket *t)
{
  lrd_arena_free(&t->arena);
}

size_t lrd_ticket_replies(const struct lrd_ticket *t)
{
  return t->atomic ? 1 : t->count;
}

int lrd_is_write(const larder_vector *v)
{
  if (v->command == LRD_NO_COMMAND || v->command == LRD_WATCH || v->command == LRD_UNWATCH)
    return 0;
  enum lrd_class class = lrd_command_class(v);
  if (class == LRD_CLASS_READ || class == LRD_CLASS_CONNECTION)
    return 0;
  return !(lrd_commands[v->command].flags & LRD_READONLY);
}

static int any_write(const struct lrd_ticket *t, size_t from, size_t to)
{
  for (size_t i = from; i < to; i++)
    if (lrd_is_write(&t->vector[i]))
      return 1;
  return 0;
}

void lrd_wire_end_ticket(struct lrd_wire *w, struct lrd_ticket *t, enum lrd_ticket_state state)
{
  t->state = state;
  t->next = NULL;
  *w->ended_tail = t;
  w->ended_tail = &t->next;
}

/* --- the machine ----------------------------------------------------------------------- */

int lrd_wire_init(struct lrd_wire *w, const larder_memory *memory, size_t reply_limit)
{
  memset(w, 0, sizeof *w);
  w->memory = memory;
  w->ended_tail = &w->ended;
  w->turn_tail = &w->turn;
  w->window = LRD_WIRE_WINDOW_LEAST;
  lrd_buffer_init(&w->out, memory, LRD_WIRE_OUT_LIMIT);
  return lrd_reader_init(&w->reader, reply_limit);
}

void lrd_wire_free(struct lrd_wire *w)
{
  if (!w->memory)
    return;
  lrd_buffer_free(&w->out);
  lrd_reader_free(&w->reader);
  lrd_release(w->memory, w->slot, w->capacity * sizeof *w->slot);
  w->slot = NULL;
  w->capacity = w->used = 0;
  w->memory = NULL;
}

/* The ring's capacity is a power of two. */
static int reserve_slot(struct lrd_wire *w)
{
  if (w->used < w->capacity)
    return 0;
  size_t capacity = w->capacity ? w->capacity * 2 : 8;
  struct lrd_slot *slot = lrd_allocate(w->memory, capacity * sizeof *slot);
  if (!slot)
    return -1;
  for (size_t i = 0; i < w->used; i++)
    slot[i] = *lrd_wire_slot_at(w, i);
  lrd_release(w->memory, w->slot, w->capacity * sizeof *w->slot);
  w->slot = slot;
  w->capacity = capacity;
  w->head = 0;
  return 0;
}

static const larder_bytes word_multi = {"MULTI", 5}, word_exec = {"EXEC", 4};

/* An atomic call with a SELECT in it is followed by one that leads back. */
int lrd_ticket_wanders(const struct lrd_ticket *t)
{
  for (size_t i = 0; t->atomic && i < t->count; i++)
    if (t->vector[i].command == LRD_SELECT)
      return 1;
  return 0;
}

static int encode_exec(struct lrd_buffer *out, const struct lrd_ticket *t)
{
  char number[LRD_NUMBER_SIZE];
  larder_bytes back[2] = {{"SELECT", 6}, {number, lrd_print_integer(number, t->home)}};
  if (lrd_argv_encode(out, 1, &word_exec) != 0)
    return -1;
  return lrd_ticket_wanders(t) ? lrd_argv_encode(out, 2, back) : 0;
}

/* The vectors from t->put on, until they are so many bytes; *end: the first one left. */
static int encode(struct lrd_buffer *out, const struct lrd_ticket *t, size_t most, size_t *end)
{
  size_t len = out->len, i = t->put;
  if (t->atomic && lrd_argv_encode(out, 1, &word_multi) != 0)
    return -1;
  for (; i < t->count && (i == t->put || out->len - len < most); i++)
    if (lrd_argv_encode(out, t->vector[i].argc, t->vector[i].argv) != 0)
      return -1;
  *end = i;
  return t->atomic ? encode_exec(out, t) : 0;
}

int lrd_wire_begin(struct lrd_ticket *t)
{
  size_t replies = lrd_ticket_replies(t);
  t->value = &t->one;
  if (replies > 1 && !(t->value = lrd_arena_allocate(&t->arena, replies * sizeof *t->value)))
    return -1;
  t->got = t->committed = t->put = t->flight = 0;
  return 0;
}

int lrd_wire_put(struct lrd_wire *w, struct lrd_ticket *t, size_t most)
{
  if (reserve_slot(w) != 0)
    return -1;
  size_t len = w->out.len, end;
  if (encode(&w->out, t, t->atomic ? SIZE_MAX : most, &end) != 0) {
    w->out.len = len;
    w->out.failed = 0;
    return -1;
  }
  uint64_t begin = w->handed + (len - w->out_position);
  *lrd_wire_slot_at(w, w->used++) = (struct lrd_slot){
    .ticket = t,
    .first = t->put,
    .begin = begin,
    .end = begin + (w->out.len - len),
    .replies = t->atomic ? t->count + 2 + (size_t)lrd_ticket_wanders(t) : end - t->put,
    .deadline = t->deadline,
    .writes = any_write(t, t->put, end),
  };
  t->put = end;
  t->flight += w->out.len - len;
  t->state = LRD_TICKET_PENDING;
  return 0;
}

int lrd_wire_call(struct lrd_wire *w, struct lrd_ticket *t)
{
  return lrd_wire_begin(t) == 0 ? lrd_wire_put(w, t, SIZE_MAX) : -1;
}

void lrd_wire_handed(struct lrd_wire *w, size_t len)
{
  w->handed += len;
  w->out_position += len;
  if (w->out_position == w->out.len) {
    w->out.len = w->out_position = 0;
    if (w->out.capacity > 1 << 20)
      lrd_buffer_free(&w->out);
  } else if (w->out_position > w->out.len / 2) {
    lrd_buffer_consume(&w->out, w->out_position);
    w->out_position = 0;
  }
}

/* --- replies --------------------------------------------------------------------------- */

int lrd_wire_poison(struct lrd_wire *w, const char *what)
{
  w->poisoned = 1;
  snprintf(w->error, sizeof w->error, "%s", what);
  return -1;
}

static int is_status(const larder_value *v, const char *word)
{
  return v->type == LARDER_STATUS && v->len == strlen(word) && memcmp(v->str, word, v->len) == 0;
}

static int shape(struct lrd_wire *w, struct lrd_ticket *t, const larder_vector *vector,
                 larder_value *v)
{
  if (vector->command == LRD_NO_COMMAND || v->type == LARDER_ERROR)
    return 0;
  if (!lrd_reply_fits(vector, v))
    return lrd_wire_poison(w, "a reply of a type that its command does not have");
  return lrd_command_shape(vector, v, &t->arena) == 0
           ? 0
           : lrd_wire_poison(w, "no memory for the reply");
}

/* Redis says why when it refuses to queue a command, and EXEC only that it did: whoever
 * sent all at once wants the reason (lrd_error_cause knows this form). */
static int explain_abort(struct lrd_ticket *t, larder_value *v)
{
  static const char why[] = "EXECABORT Transaction discarded because of: ";
  const char *reason = t->queue_error.str;
  size_t len = t->queue_error.len;
  char *text;

  if (len > 4 && memcmp(reason, "ERR ", 4) == 0 && memcmp(reason + 4, "max ", 4) != 0) {
    reason += 4;
    len -= 4;
  }
  text = lrd_arena_allocate(&t->arena, sizeof why + len);
  if (!text)
    return -1;
  memcpy(text, why, sizeof why - 1);
  memcpy(text + sizeof why - 1, reason, len);
  text[sizeof why - 1 + len] = '\0';
  v->str = text;
  v->len = sizeof why - 1 + len;
  return 0;
}

/* In a transaction these have no timeout, and say that there is no element. */
static void shape_unmoved(const larder_vector *vector, larder_value *v)
{
  if (v->type == LARDER_NIL && (vector->command == LRD_BLMOVE || vector->command == LRD_BRPOPLPUSH))
    v->resp2 = LARDER_RESP2_PLAIN;
}

/* EXEC's own reply: each element has the shape of its command. */
static int take_exec(struct lrd_wire *w, struct lrd_ticket *t, larder_value *v)
{
  if (v->type == LARDER_ARRAY) {
    if (v->len != t->count)
      return lrd_wire_poison(w, "EXEC replied another number of elements");
    for (size_t i = 0; i < v->len; i++) {
      larder_value *element = (larder_value *)&v->element[i];

      if (shape(w, t, &t->vector[i], element) != 0)
        return -1;
      shape_unmoved(&t->vector[i], element);
    }
  } else if (v->type != LARDER_ERROR && v->type != LARDER_NIL) {
    return lrd_wire_poison(w, "EXEC replied something else than an array");
  }
  if (t->stray)
    *v = t->queue_error;
  else if (t->refused && v->type == LARDER_ERROR && explain_abort(t, v) != 0)
    return lrd_wire_poison(w, "no memory for the reply");
  t->value[0] = *v;
  t->got = 1;
  return 0;
}

/* MULTI's reply, a QUEUED for each command, EXEC's reply: folded into one. */
static int take_atomic(struct lrd_wire *w, struct lrd_ticket *t, size_t i, larder_value *v)
{
  if (i == t->count + 1)
    return take_exec(w, t, v);
  if (i > t->count + 1)
    return is_status(v, "OK") ? 0 : lrd_wire_poison(w, "the database could not be selected again");
  if (v->type == LARDER_ERROR) {
    if (i == 0)
      t->stray = 1;
    if (i == 0 || (!t->stray && !t->refused))
      t->queue_error = *v;
    t->refused |= i > 0;
    return 0;
  }
  if (t->stray) {
    t->stray = 2;
    return 0;
  }
  return is_status(v, i == 0 ? "OK" : "QUEUED")
           ? 0
           : lrd_wire_poison(w, "a command in MULTI was not queued");
}

static int take(struct lrd_wire *w, struct lrd_slot *s, larder_value *v)
{
  struct lrd_ticket *t = s->ticket;
  size_t i = s->first + s->got++;
  if (t) {
    if (t->atomic) {
      if (take_atomic(w, t, i, v) != 0)
        return -1;
    } else {
      if (shape(w, t, &t->vector[i], v) != 0)
        return -1;
      t->value[i] = *v;
      t->got++;
    }
  }
  if (s->got < s->replies)
    return 0;
  if (t)
    t->flight -= (size_t)(s->end - s->begin);
  lrd_wire_pop_slot(w);
  if (t && (t->atomic || t->got == t->count))
    lrd_wire_end_ticket(w, t, LRD_TICKET_DONE);
  return 0;
}

/* Pushes may come at any time, and are nobody's reply.  0: none is left; 1: one is half there; -1:
 * poisoned. */
static int drop_pushes(struct lrd_wire *w)
{
  while (lrd_reader_at_push(&w->reader)) {
    larder_value v;
    int n = lrd_reader_next(&w->reader, NULL, &v);
    if (n <= 0)
      return n == 0 ? 1 : lrd_wire_poison(w, w->reader.error);
  }
  return 0;
}

static int feed_slice(struct lrd_wire *w, const char *bytes, size_t len)
{
  if (lrd_reader_feed(&w->reader, bytes, len) != 0)
    return lrd_wire_poison(w, w->reader.error);
  for (;;) {
    int pushed = drop_pushes(w);
    if (pushed)
      return pushed < 0 ? -1 : 0;
    struct lrd_slot *s = w->used ? &w->slot[w->head] : NULL;
    /* Not even the beginning of a reply may come before its request went out. */
    if (!s || s->begin >= w->handed)
      return lrd_reader_pending(&w->reader) ? lrd_wire_poison(w, "a reply that nobody asked for")
                                            : 0;
    larder_value v;
    switch (lrd_reader_next(&w->reader, s->ticket ? &s->ticket->arena : NULL, &v)) {
    case 0:
      return 0;
    case 1:
      if (take(w, s, &v) != 0)
        return -1;
      break;
    default:
      return lrd_wire_poison(w, w->reader.error);
    }
  }
}

int lrd_wire_feed(struct lrd_wire *w, const char *bytes, size_t len)
{
  if (w->poisoned)
    return -1;
  for (size_t n; len; bytes += n, len -= n) {
    n = lrd_reader_slice(len);
    if (feed_slice(w, bytes, n) != 0)
      return -1;
  }
  return 0;
}
