/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/listening.h"

#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "util/memory.h"

static struct lrd_listening *listening_of(struct lrd_ear *ear)
{
  return (struct lrd_listening *)(void *)ear;
}

/* --- hearing: the hub's lock is held ------------------------------------------------ */

/* Whether more waits than may, now or for longer than it may; under the lock. */
static int is_too_slow(struct lrd_listening *l, const struct lrd_message *message)
{
  size_t waits = l->inbox.bytes;
  int64_t now;

  if (waits + message->channel + message->payload + 1024 > LRD_LISTENING_HARD)
    return 1;
  if (waits <= LRD_LISTENING_SOFT) {
    l->slow_since = 0;
    return 0;
  }
  now = lrd_monotonic(&lrd_clock_system);
  if (!l->slow_since)
    l->slow_since = now;
  return now - l->slow_since > LRD_LISTENING_SOFT_MS * LRD_NS_PER_MS;
}

/* What is lost is known at once, not when it could be sent. */
static void hear(struct lrd_ear *ear, enum lrd_hub_kind kind, struct lrd_name *name,
                 struct lrd_message *message)
{
  struct lrd_listening *l = listening_of(ear);
  int slow, first;

  lrd_lock(&l->inbox.lock);
  slow = is_too_slow(l, message);
  first = slow && !l->lost;
  l->lost |= slow;
  if (first)
    l->wake(l);
  lrd_unlock(&l->inbox.lock);
  if (!slow)
    l->hear(ear, kind, name, message);
}

static void changed(struct lrd_ear *ear, enum lrd_hub_state state, enum lrd_hub_kind kind,
                    struct lrd_name *name, const char *text)
{
  struct lrd_listening *l = listening_of(ear);

  if (state != LRD_HUB_READY && state != LRD_HUB_REFUSED)
    l->changed(ear, state, kind, name, text);
  lrd_lock(&l->inbox.lock);
  if (state == LRD_HUB_REFUSED)
    snprintf(l->refusal, sizeof l->refusal, "%s", text ? text : "");
  l->changes++;
  pthread_cond_broadcast(&l->news);
  lrd_unlock(&l->inbox.lock);
}

static void wake(struct lrd_inbox *inbox)
{
  struct lrd_listening *l = (struct lrd_listening *)(void *)inbox;

  l->wake(l);
}

/* --- life --------------------------------------------------------------------------- */

struct lrd_listening *lrd_listening_new(larder *store, void (*woken)(struct lrd_listening *),
                                        void *context)
{
  const larder_memory *m = &store->config.memory;
  struct lrd_listening *l = lrd_allocate_zeroed(m, 1, sizeof *l);

  if (!l)
    return NULL;
  if (lrd_inbox_init(&l->inbox, store->hub, LRD_LISTENING_HARD, wake) == LARDER_OK) {
    if (lrd_cond_init(&l->news) == 0) {
      l->store = store;
      l->hub = store->hub;
      l->wake = woken;
      l->context = context;
      l->hear = l->inbox.ear.hear;
      l->changed = l->inbox.ear.changed;
      l->inbox.ear.hear = hear;
      l->inbox.ear.changed = changed;
      lrd_names_init(&l->names, store->config.prefix);
      if (lrd_ear_open(l->hub, &l->inbox.ear) == LARDER_OK)
        return l;
      pthread_cond_destroy(&l->news);
    }
    lrd_inbox_free(&l->inbox, 0);
  }
  lrd_release(m, l, sizeof *l);
  return NULL;
}

void lrd_listening_free(struct lrd_listening *l)
{
  const larder_memory memory = l->inbox.memory;

  lrd_ear_close(l->hub, &l->inbox.ear, 0);
  lrd_inbox_free(&l->inbox, 0);
  pthread_cond_destroy(&l->news);
  lrd_release(&memory, l, sizeof *l);
}

/* --- commands ------------------------------------------------------------------------- */

static const struct verb {
  unsigned command;
  const char *word;
  enum lrd_hub_kind kind;
  int leaves;
} verbs[] = {
  { LRD_SUBSCRIBE, "subscribe", LRD_HUB_CHANNEL, 0 },
  { LRD_PSUBSCRIBE, "psubscribe", LRD_HUB_PATTERN, 0 },
  { LRD_SSUBSCRIBE, "ssubscribe", LRD_HUB_SHARD, 0 },
  { LRD_UNSUBSCRIBE, "unsubscribe", LRD_HUB_CHANNEL, 1 },
  { LRD_PUNSUBSCRIBE, "punsubscribe", LRD_HUB_PATTERN, 1 },
  { LRD_SUNSUBSCRIBE, "sunsubscribe", LRD_HUB_SHARD, 1 },
};

/* Shard channels are counted apart. */
static size_t count_of(const struct lrd_listening *l, enum lrd_hub_kind kind)
{
  const atomic_size_t *n = l->inbox.ear.count;

  return kind == LRD_HUB_SHARD ? n[kind] : n[LRD_HUB_CHANNEL] + n[LRD_HUB_PATTERN];
}

/* name NULL: nil. */
static void confirm(const struct verb *verb, const larder_bytes *name, size_t count,
                    larder_sink *sink)
{
  sink->type->aggregate(sink, LARDER_PUSH, 3, 0);
  lrd_sink_string(sink, verb->word, strlen(verb->word));
  if (name)
    lrd_sink_string(sink, name->data, name->len);
  else
    lrd_sink_nil(sink);
  lrd_sink_integer(sink, (int64_t)count);
}

/* Until the source has said what becomes of the name; 1: it is ready. */
static int await(struct lrd_listening *l, enum lrd_hub_kind kind, larder_bytes name,
                 int64_t deadline)
{
  for (;;) {
    lrd_lock(&l->inbox.lock);
    uint64_t seen = l->changes;
    lrd_unlock(&l->inbox.lock);
    int state = lrd_hub_is_ready(l->hub, &l->inbox.ear, kind, name);
    if (state >= 0)
      return state;
    int late = 0;
    lrd_lock(&l->inbox.lock);
    while (l->changes == seen && !late)
      late = lrd_cond_wait(&l->news, &l->inbox.lock, deadline) != 0;
    lrd_unlock(&l->inbox.lock);
    if (late)
      return lrd_hub_is_ready(l->hub, &l->inbox.ear, kind, name) > 0;
  }
}

static void refuse(larder_sink *sink, larder_verdict *verdict, larder_outcome outcome,
                   const char *text)
{
  verdict->outcome = outcome;
  lrd_sink_error(sink, text);
}

enum { NOT_JOINED, JOINED, FRESH };

/* FRESH: it was not subscribed before.  It may not be confirmed yet. */
static unsigned char join(struct lrd_listening *l, enum lrd_hub_kind kind, larder_bytes name)
{
  size_t before = count_of(l, kind);
  larder_bytes whole;
  int joined = 0;

  if (lrd_names_join(&l->names, &l->inbox.memory, kind, name, &whole) == 0) {
    joined = lrd_hub_subscribe(l->hub, &l->inbox.ear, kind, whole) == LARDER_OK;
    lrd_names_release(&l->names, &l->inbox.memory, &whole);
  }
  return !joined ? NOT_JOINED : count_of(l, kind) > before ? FRESH : JOINED;
}

static void leave(struct lrd_listening *l, enum lrd_hub_kind kind, larder_bytes name)
{
  larder_bytes whole;

  if (lrd_names_join(&l->names, &l->inbox.memory, kind, name, &whole) != 0) {
    l->cut = "no memory"; /* it would go on hearing what it believes left */
    return;
  }
  lrd_hub_unsubscribe(l->hub, &l->inbox.ear, kind, whole);
  lrd_names_release(&l->names, &l->inbox.memory, &whole);
}

static int is_confirmed(struct lrd_listening *l, enum lrd_hub_kind kind, larder_bytes name,
                        int64_t deadline)
{
  larder_bytes whole;
  int ready = 0;

  if (lrd_names_join(&l->names, &l->inbox.memory, kind, name, &whole) == 0) {
    ready = await(l, kind, whole, deadline);
    lrd_names_release(&l->names, &l->inbox.memory, &whole);
  }
  return ready;
}

static void fail(struct lrd_listening *l, larder_sink *sink, larder_verdict *verdict)
{
  char text[sizeof l->refusal];

  lrd_lock(&l->inbox.lock);
  memcpy(text, l->refusal, sizeof text);
  l->refusal[0] = '\0';
  lrd_unlock(&l->inbox.lock);
  if (text[0])
    refuse(sink, verdict, LARDER_REFUSED, text);
  else
    refuse(sink, verdict, LARDER_NOT_SENT,
           "UNAVAILABLE Redis did not confirm the subscription in time");
}

/* Confirms what was joined, in its order, up to what is not ready; returns where that is. */
static int confirm_all(struct lrd_listening *l, const struct verb *verb, const larder_vector *v,
                       const unsigned char *fresh, size_t count, larder_sink *sink)
{
  int64_t deadline = lrd_monotonic(&lrd_clock_system) + l->store->config.timeout;
  int i = 1;

  for (; i < v->argc && fresh[i] && is_confirmed(l, verb->kind, v->argv[i], deadline); i++) {
    count += fresh[i] == FRESH;
    confirm(verb, &v->argv[i], count, sink);
  }
  return i;
}

/* All are asked for at once, then confirmed; what can't be is left again. */
static void subscribe(struct lrd_listening *l, const struct verb *verb, const larder_vector *v,
                      larder_sink *sink, larder_verdict *verdict)
{
  size_t count = count_of(l, verb->kind), size = (size_t)v->argc;
  unsigned char *fresh = lrd_allocate_zeroed(&l->inbox.memory, size, 1);
  int i;

  lrd_lock(&l->inbox.lock);
  l->refusal[0] = '\0'; /* of a name that was left before it was refused */
  lrd_unlock(&l->inbox.lock);
  for (i = 1; fresh && i < v->argc; i++)
    if ((fresh[i] = join(l, verb->kind, v->argv[i])) == NOT_JOINED)
      break;
  i = fresh ? confirm_all(l, verb, v, fresh, count, sink) : 0;
  if (i < v->argc && (!fresh || fresh[i] == NOT_JOINED))
    refuse(sink, verdict, LARDER_NO_MEMORY, "ERR no memory, or too many subscriptions");
  else if (i < v->argc)
    fail(l, sink, verdict);
  for (; fresh && i < v->argc; i++)
    if (fresh[i] == FRESH)
      leave(l, verb->kind, v->argv[i]);
  lrd_release(&l->inbox.memory, fresh, size);
}

static void unsubscribe(struct lrd_listening *l, const struct verb *verb, const larder_vector *v,
                        larder_sink *sink)
{
  struct lrd_name *name;

  for (int i = 1; i < v->argc; i++) {
    leave(l, verb->kind, v->argv[i]);
    confirm(verb, &v->argv[i], count_of(l, verb->kind), sink);
  }
  if (v->argc > 1)
    return;
  if (l->inbox.ear.count[verb->kind] == 0)
    confirm(verb, NULL, count_of(l, verb->kind), sink);
  while ((name = lrd_ear_first(l->hub, &l->inbox.ear, verb->kind)) != NULL) {
    larder_bytes shown = lrd_names_strip(&l->names, verb->kind, name);

    lrd_hub_unsubscribe(l->hub, &l->inbox.ear, verb->kind, (larder_bytes){ name->bytes, name->len });
    confirm(verb, &shown, count_of(l, verb->kind), sink);
    lrd_name_drop(&l->inbox.memory, name);
  }
}

void lrd_listening_run(struct lrd_listening *l, const larder_vector *v, larder_sink *sink,
                       larder_verdict *verdict)
{
  const struct verb *verb = verbs;

  while (verb->command != v->command)
    verb++;
  if (verb->leaves)
    unsubscribe(l, verb, v, sink);
  else
    subscribe(l, verb, v, sink, verdict);
}

void lrd_listening_reset(struct lrd_listening *l)
{
  for (int kind = 0; kind < LRD_HUB_KINDS; kind++) {
    struct lrd_name *name;

    while ((name = lrd_ear_first(l->hub, &l->inbox.ear, (enum lrd_hub_kind)kind)) != NULL) {
      lrd_hub_unsubscribe(l->hub, &l->inbox.ear, (enum lrd_hub_kind)kind,
                          (larder_bytes){ name->bytes, name->len });
      lrd_name_drop(&l->inbox.memory, name);
    }
  }
}

/* --- messages --------------------------------------------------------------------------- */

static void push(struct lrd_listening *l, const struct lrd_item *item, struct lrd_resp *resp)
{
  static const char *const words[] = { "message", "pmessage", "smessage" };
  static const larder_verdict ok = { .outcome = LARDER_OK, .age_ms = -1 };
  const struct lrd_message *m = item->body.message;
  larder_bytes channel = lrd_names_channel(&l->names, m);
  larder_sink *sink = &resp->sink;
  int pattern = item->kind == LRD_HUB_PATTERN;

  sink->type->aggregate(sink, LARDER_PUSH, pattern ? 4 : 3, 0);
  lrd_sink_string(sink, words[item->kind], strlen(words[item->kind]));
  if (pattern) {
    larder_bytes name = lrd_names_strip(&l->names, item->kind, item->name);
    lrd_sink_string(sink, name.data, name.len);
  }
  lrd_sink_string(sink, channel.data, channel.len);
  lrd_sink_string(sink, lrd_message_payload(m), m->payload);
  lrd_sink_end(sink, &ok);
}

int lrd_listening_is_cut(struct lrd_listening *l)
{
  lrd_lock(&l->inbox.lock);
  if (l->lost && !l->cut)
    l->cut = "it reads too slowly";
  lrd_unlock(&l->inbox.lock);
  return l->cut != NULL;
}

int lrd_listening_drain(struct lrd_listening *l, struct lrd_resp *resp, size_t most)
{
  struct lrd_item item;
  size_t end = resp->out->len + most;

  while (!l->cut && resp->out->len < end) {
    if (!lrd_inbox_take(&l->inbox, &item))
      return 0;
    if (item.type == LRD_ITEM_MESSAGE)
      push(l, &item, resp);
    else if (item.type == LRD_ITEM_MISSED)
      l->cut = "it reads too slowly";
    else
      l->cut = "messages may have been missed";
    lrd_item_drop(&l->inbox.memory, &item);
  }
  return 1;
}
