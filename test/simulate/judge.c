/* SPDX-License-Identifier: BSD-2-Clause */
#include "simulate/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/listen.h"
#include "simulate/server.h"
#include "simulate/task.h"
#include "simulate/world.h"

struct ledger ledger;

static const int64_t slack = 50 * SIM_MS;

/* --- what the server held, and when -------------------------------------------------------- */

static const char *const keys[] = {"r0", "r1", "r2", "c0", "c1", "a0", "a1", "l0", "h0", "t"};
enum { KEYS = sizeof keys / sizeof *keys };

struct state {
  int64_t from;
  uint64_t hash;
};

static struct history {
  struct state *state;
  size_t states, capacity;
} history[KEYS];

static int key_number(const char *name, size_t len)
{
  for (int i = 0; i < KEYS; i++)
    if (strlen(keys[i]) == len && memcmp(keys[i], name, len) == 0)
      return i;
  return -1;
}

static void note_state(int k)
{
  struct history *h = &history[k];
  if (h->states == h->capacity) {
    h->capacity = h->capacity ? h->capacity * 2 : 64;
    h->state = realloc(h->state, h->capacity * sizeof *h->state);
    if (!h->state)
      abort();
  }
  struct sim_bytes name = {keys[k], strlen(keys[k])};
  h->state[h->states++] = (struct state){sim_now(), sim_keys_hash(sim_server_keys(), 0, name)};
}

static int was_there(int k, uint64_t hash, int64_t begun, int64_t ended)
{
  const struct history *h = &history[k];
  for (size_t i = 0; i < h->states; i++)
    if (h->state[i].hash == hash && h->state[i].from <= ended &&
        (i + 1 == h->states || h->state[i + 1].from >= begun))
      return 1;
  return 0;
}

/* --- what it executed ------------------------------------------------------------------------ */

struct op *judge_op_of(const char *token, size_t len)
{
  int client, number;
  char text[40];
  if (len < 3 || len >= sizeof text || token[0] != '<')
    return NULL;
  memcpy(text, token, len);
  text[len] = 0;
  const char *dot = strchr(text, '.');
  if (!dot || sscanf(dot, ".%d.%d>", &client, &number) != 2 || client >= CLIENTS_MAX ||
      number >= (int)ledger.ops[client])
    return NULL;
  return &ledger.op[client][number];
}

/* An older write of the same client landed behind a newer one. */
static void check_order(const struct op *o)
{
  if (o->kind != OP_SET || !o->plain)
    return;
  for (unsigned i = (unsigned)o->number + 1; i < ledger.ops[o->client]; i++) {
    const struct op *later = &ledger.op[o->client][i];
    if (later->kind == OP_SET && later->plain && later->applied && later->key == o->key)
      sim_fail("%s was executed after %s", o->token, later->token);
  }
}

static void executed(struct op *o)
{
  if (o->applied && sim_server.losses == 0)
    sim_fail("%s was executed twice", o->token);
  if (o->ends && o->outcome != LARDER_OK && o->outcome != LARDER_UNKNOWN)
    sim_fail("%s was executed, but ended as %s", o->token, larder_outcome_name(o->outcome));
  check_order(o);
  o->applied++;
  o->applied_at = sim_now();
}

static void applied(int database, const struct sim_bytes *argv, size_t argc)
{
  if (database != 0)
    return;
  for (size_t i = 2; i < argc; i++) /* folded writes stand one behind the other */
    for (size_t at = 0; at < argv[i].len;) {
      const char *p = argv[i].data + at, *end = memchr(p, '>', argv[i].len - at);
      if (!end)
        break;
      struct op *o = judge_op_of(p, (size_t)(end - p) + 1);
      if (o && o->kind != OP_HSET)
        executed(o);
      else if (o && i % 2 == 0) /* the field, not the value */
        executed(o);
      at += (size_t)(end - p) + 1;
    }
  int k = key_number(argv[1].data, argv[1].len);
  if (k >= 0)
    note_state(k);
}

static void published(const struct sim_bytes *channel, const struct sim_bytes *payload)
{
  unsigned number = listen_published(channel);
  struct op *o = judge_op_of(payload->data, payload->len);
  if (!o)
    return;
  executed(o);
  o->published = number;
}

static void forgot(void)
{
  for (int k = 0; k < KEYS; k++)
    note_state(k);
}

/* --- calls ------------------------------------------------------------------------------------ */

static const char *const kind_name[OP_KINDS] = {"SET",  "GET",   "INCR",   "COUNT", "APPEND",
                                                "TEXT", "RPUSH", "LRANGE", "HSET",  "ECHO",
                                                "PUBLISH"};

const char *judge_kind(enum op_kind kind)
{
  return kind_name[kind];
}

static const char *pick_key(enum op_kind kind)
{
  switch (kind) {
  case OP_SET:
  case OP_GET:
    return keys[sim_random(3)];
  case OP_INCR:
  case OP_COUNT:
    return keys[3 + sim_random(2)];
  case OP_APPEND:
  case OP_TEXT:
    return keys[5 + sim_random(2)];
  case OP_RPUSH:
  case OP_LRANGE:
    return keys[7];
  case OP_PUBLISH:
    return listen_channel[sim_random(LISTEN_CHANNELS)];
  default:
    return keys[8];
  }
}

struct op *judge_call(int client, enum op_kind kind, int64_t timeout_ms)
{
  if (ledger.ops[client] == OPS_MAX)
    sim_fail("the workload makes more than %d calls", OPS_MAX);
  struct op *o = &ledger.op[client][ledger.ops[client]];
  *o = (struct op){.kind = kind, .client = client, .number = (int)ledger.ops[client]++};
  o->key = pick_key(kind);
  snprintf(o->token, sizeof o->token, "<%s.%d.%d>", o->key, client, o->number);
  o->begun = sim_now();
  o->limit = o->begun + timeout_ms * SIM_MS + slack;
  return o;
}

static int is_write(enum op_kind kind)
{
  return kind == OP_SET || kind == OP_INCR || kind == OP_APPEND || kind == OP_RPUSH ||
         kind == OP_HSET || kind == OP_PUBLISH;
}

static uint64_t hash_of(const larder_value *v)
{
  uint64_t h = 7;
  char number[24];
  switch (v->type) {
  case LARDER_STRING:
    return sim_hash(h + v->len, v->str, v->len);
  case LARDER_INTEGER: {
    size_t n = (size_t)snprintf(number, sizeof number, "%" PRId64, v->integer);
    return sim_hash(h + n, number, n);
  }
  case LARDER_ARRAY:
    for (size_t i = 0; i < v->len; i++)
      h = sim_hash(h + v->element[i].len, v->element[i].str, v->element[i].len);
    return v->len ? h : 0;
  default:
    return 0;
  }
}

static void show(const struct op *o, const larder_value *v)
{
  if (!sim_tracing)
    return;
  if (v && (v->type == LARDER_STRING || v->type == LARDER_STATUS || v->type == LARDER_ERROR))
    sim_trace("%s %s -> %s from %s: %.*s", kind_name[o->kind], o->token,
              larder_outcome_name(o->outcome), larder_origin_name(o->origin),
              (int)(v->len < 100 ? v->len : 100), v->str);
  else
    sim_trace("%s %s -> %s from %s: %lld", kind_name[o->kind], o->token,
              larder_outcome_name(o->outcome), larder_origin_name(o->origin),
              v && v->type == LARDER_INTEGER ? (long long)v->integer : 0);
}

/* A client's own newest write of the key that is OK must not be hidden by an older one. */
static void check_own(const struct op *o, const larder_value *v)
{
  const struct op *seen = v->type == LARDER_STRING ? judge_op_of(v->str, v->len) : NULL;
  if (!seen || seen->client != o->client || sim_server.losses || !o->plain || !seen->plain)
    return;
  for (int i = seen->number + 1; i < o->number; i++) {
    const struct op *newer = &ledger.op[o->client][i];
    if (newer->kind == OP_SET && newer->plain && newer->key == o->key && newer->ends &&
        newer->outcome == LARDER_OK)
      sim_fail("%s reads %s after it wrote %s", o->token, seen->token, newer->token);
  }
}

static void check_redis_read(const struct op *o, const larder_value *v)
{
  int k = key_number(o->key, strlen(o->key));
  if (!was_there(k, o->outcome == LARDER_ABSENT ? 0 : hash_of(v), o->begun, o->ended))
    sim_fail("%s of %s (%s) shows what was not there meanwhile: %.*s", kind_name[o->kind], o->key,
             o->token, v->type == LARDER_STRING ? (int)v->len : 0, v->str);
}

static void check_redis_write(const struct op *o, const larder_value *v)
{
  if (o->kind == OP_INCR) {
    int k = key_number(o->key, strlen(o->key));
    if (!was_there(k, hash_of(v), o->begun, o->ended))
      sim_fail("INCR %s (%s) gave %lld, which it was not meanwhile", o->key, o->token,
               (long long)v->integer);
  } else if (o->applied != 1 || o->applied_at < o->begun) {
    sim_fail("%s %s is OK from Redis, and was executed %u times", kind_name[o->kind], o->token,
             o->applied);
  }
}

void judge_reply(struct op *o, larder_outcome outcome, larder_origin origin, unsigned flags,
                 const larder_value *v)
{
  sim_assert_unlocked("the library calls or returns");
  o->ended = sim_now();
  o->outcome = outcome;
  o->origin = origin;
  o->flags = flags;
  show(o, v);
  if (o->ends++)
    sim_fail("%s %s has ended twice", kind_name[o->kind], o->token);
  if (o->ended > o->limit)
    sim_fail("%s %s ended %" PRId64 " ms after its deadline", kind_name[o->kind], o->token,
             (o->ended - o->limit + slack) / SIM_MS);
  if (o->applied && outcome != LARDER_OK && outcome != LARDER_UNKNOWN)
    sim_fail("%s %s was executed, and ends as %s", kind_name[o->kind], o->token,
             larder_outcome_name(outcome));
  if (outcome == LARDER_UNKNOWN && !is_write(o->kind) && !o->atomic)
    sim_fail("%s %s is no write, and ends as UNKNOWN", kind_name[o->kind], o->token);
  if (outcome != LARDER_OK && outcome != LARDER_ABSENT)
    return;
  if (o->kind == OP_ECHO && v && v->type == LARDER_STRING &&
      (v->len != strlen(o->token) || memcmp(v->str, o->token, v->len) != 0))
    sim_fail("ECHO %s gave %.*s", o->token, (int)v->len, v->str);
  if (o->kind == OP_PUBLISH && origin == LARDER_FROM_LOCAL)
    sim_fail("%s was published to local subscribers only", o->token);
  if (origin != LARDER_FROM_REDIS || !v || o->kind == OP_ECHO)
    return;
  if (is_write(o->kind))
    check_redis_write(o, v);
  else
    check_redis_read(o, v);
  if (o->kind == OP_GET)
    check_own(o, v);
}

/* --- the end ---------------------------------------------------------------------------------- */

static unsigned count_in(const struct sim_text *t, const char *token)
{
  unsigned n = 0;
  for (const char *p = t->data; p && (p = strstr(p, token)); p += strlen(token))
    n++;
  return n;
}

/* Must the write be in Redis now? */
static int must_be_there(const struct op *o)
{
  if (o->outcome != LARDER_OK || (sim_server.losses && sim_server.lost_at >= o->begun))
    return 0;
  if (o->origin == LARDER_FROM_REDIS)
    return ledger.journals >= 0;
  return ledger.journals > 0 && !ledger.unreplayed && !ledger.dropped;
}

static void check_tokens(void)
{
  struct sim_text text[KEYS] = {0};
  for (int k = 5; k < 9; k++)
    sim_keys_text(sim_server_keys(), 0, keys[k], &text[k]);
  for (int c = 0; c < CLIENTS_MAX; c++)
    for (unsigned i = 0; i < ledger.ops[c]; i++) {
      const struct op *o = &ledger.op[c][i];
      if (o->kind != OP_APPEND && o->kind != OP_RPUSH && o->kind != OP_HSET)
        continue;
      unsigned n = count_in(&text[key_number(o->key, 2)], o->token);
      n = o->kind == OP_HSET ? n / 2 : n;
      if (n > 1)
        sim_fail("%s %s is there %u times", kind_name[o->kind], o->token, n);
      if (!n && must_be_there(o))
        sim_fail("%s %s is OK, and not there", kind_name[o->kind], o->token);
    }
  for (int k = 0; k < KEYS; k++)
    free(text[k].data);
}

static void check_counter(const char *key)
{
  long long least = 0, most = 0, value = 0;
  struct sim_text text = {0};
  sim_keys_text(sim_server_keys(), 0, key, &text);
  if (text.data)
    value = strtoll(text.data, NULL, 10);
  free(text.data);
  for (int c = 0; c < CLIENTS_MAX; c++)
    for (unsigned i = 0; i < ledger.ops[c]; i++) {
      const struct op *o = &ledger.op[c][i];
      if (o->kind != OP_INCR || o->key != key)
        continue;
      least += must_be_there(o);
      most += o->outcome == LARDER_OK || o->outcome == LARDER_UNKNOWN;
    }
  if (value < least || value > most)
    sim_fail("%s is %lld; %lld to %lld were written", key, value, least, most);
}

static void check_transactions(void)
{
  struct sim_text text = {0};
  sim_keys_text(sim_server_keys(), 0, "t", &text);
  long long value = text.data ? strtoll(text.data, NULL, 10) : 0;
  free(text.data);
  if (!sim_server.losses &&
      (value < ledger.exec_ok || value > (long long)ledger.exec_ok + ledger.exec_unknown))
    sim_fail("t is %lld; %u transactions were executed, %u perhaps", value, ledger.exec_ok,
             ledger.exec_unknown);
}

void judge_end(void)
{
  for (int c = 0; c < CLIENTS_MAX; c++)
    for (unsigned i = 0; i < ledger.ops[c]; i++)
      if (ledger.op[c][i].ends != 1)
        sim_fail("%s %s has ended %u times", kind_name[ledger.op[c][i].kind],
                 ledger.op[c][i].token, ledger.op[c][i].ends);
  check_tokens();
  check_counter(keys[3]);
  check_counter(keys[4]);
  check_transactions();
}

void judge_begin(void)
{
  memset(ledger.ops, 0, sizeof ledger.ops);
  ledger.unreplayed = ledger.dropped = 0;
  ledger.journals = 0;
  ledger.exec_ok = ledger.exec_unknown = 0;
  for (int k = 0; k < KEYS; k++) {
    history[k].states = 0;
    note_state(k);
  }
  sim_server_applied = applied;
  sim_server_forgot = forgot;
  sim_server_published = published;
}
