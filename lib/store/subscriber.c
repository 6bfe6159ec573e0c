/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/subscriber.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "util/cancel.h"

enum { QUEUE_BYTES = 8 << 20, QUEUE_BYTES_MIN = 4096, QUEUE_BYTES_MAX = 1 << 30 };

static struct larder_subscriber *subscriber_of(struct lrd_inbox *inbox)
{
  return (struct larder_subscriber *)(void *)inbox;
}

/* --- taking --------------------------------------------------------------------- */

/* The inbox's lock is held. */
static void wake(struct lrd_inbox *inbox)
{
  struct larder_subscriber *s = subscriber_of(inbox);
  if (s->reading)
    pthread_cond_signal(&s->changed);
  if (s->bell.read_fd >= 0 && !s->rung) {
    lrd_bell_ring(&s->bell);
    s->rung = 1;
  }
}

static void fill(const struct larder_subscriber *s, const struct lrd_item *item,
                 larder_message *out)
{
  static const larder_heard heard[] = {
      [LRD_ITEM_READY] = LARDER_HEARD_READY,     [LRD_ITEM_GAP] = LARDER_HEARD_GAP,
      [LRD_ITEM_MISSED] = LARDER_HEARD_GAP,      [LRD_ITEM_REFUSED] = LARDER_HEARD_REFUSED,
      [LRD_ITEM_CLOSED] = LARDER_HEARD_CLOSED,
  };
  *out = (larder_message){.name = "", .channel = "", .payload = ""};
  out->listening = (larder_listening)item->kind;
  if (item->name) {
    larder_bytes name = lrd_names_strip(&s->names, item->kind, item->name);
    out->name = name.data;
    out->name_len = name.len;
  }
  if (item->type == LRD_ITEM_MESSAGE) {
    const struct lrd_message *m = item->body.message;
    larder_bytes channel = lrd_names_channel(&s->names, m);
    out->heard = (larder_heard)item->kind;
    out->channel = channel.data;
    out->channel_len = channel.len;
    out->payload = lrd_message_payload(m);
    out->payload_len = m->payload;
    return;
  }
  out->heard = heard[item->type];
  if (item->type == LRD_ITEM_MISSED)
    out->missed = item->body.missed;
  else if ((item->type == LRD_ITEM_GAP || item->type == LRD_ITEM_REFUSED) && item->body.text) {
    out->payload = item->body.text->bytes;
    out->payload_len = item->body.text->len;
  }
}

/* Waits under the lock; 1: *item was taken. */
static int take(struct larder_subscriber *s, int64_t deadline, struct lrd_item *item)
{
  while (s->inbox.count == 0 && !s->closing && !s->over)
    if (deadline == 0 || lrd_cond_wait(&s->changed, &s->inbox.lock, deadline) != 0)
      break;
  if (s->closing || !lrd_inbox_take_locked(&s->inbox, item))
    return 0;
  if (s->inbox.count == 0 && s->rung) {
    lrd_bell_hush(&s->bell);
    s->rung = 0;
  }
  s->over = item->type == LRD_ITEM_CLOSED;
  return 1;
}

/* Takes one; the one before goes.  thread: for the callback's thread, which reads all its life;
 * else one thread at a time may. */
static larder_outcome next(struct larder_subscriber *s, int64_t deadline, int thread,
                           larder_message *out)
{
  const larder_memory memory = s->inbox.memory;
  struct lrd_item before;
  int held = 0;
  larder_outcome outcome = LARDER_BAD_ARGUMENT;
  lrd_lock(&s->inbox.lock);
  if (thread || !s->reading) {
    s->reading = 1;
    before = s->held;
    held = s->holds;
    s->holds = take(s, deadline, &s->held);
    outcome = s->holds ? LARDER_OK : s->closing || s->over ? LARDER_CLOSED : LARDER_ABSENT;
    if (s->holds)
      fill(s, &s->held, out);
    s->reading = thread;
    if (s->closing)
      pthread_cond_broadcast(&s->changed);
  }
  lrd_unlock(&s->inbox.lock); /* whoever closes may free it now */
  if (held)
    lrd_item_drop(&memory, &before);
  return outcome;
}

larder_outcome larder_subscriber_next(larder_subscriber *s, int64_t timeout_ms,
                                      larder_message *message)
{
  if (!s || !message || s->callback || timeout_ms < -1 || timeout_ms > 3600000)
    return LARDER_BAD_ARGUMENT;
  if (lrd_forked(&s->fork))
    return LARDER_FORKED;
  int64_t deadline = timeout_ms < 0 ? INT64_MAX : 0;
  if (timeout_ms > 0)
    deadline = lrd_monotonic(&lrd_clock_system) + timeout_ms * LRD_NS_PER_MS;
  int state = lrd_cancel_disable();
  larder_outcome outcome = next(s, deadline, 0, message);
  if (outcome == LARDER_OK && message->heard == LARDER_HEARD_CLOSED)
    outcome = LARDER_CLOSED;
  lrd_cancel_restore(state);
  return outcome;
}

int larder_subscriber_pollfd(larder_subscriber *s)
{
  if (!s || s->callback || lrd_forked(&s->fork))
    return -1;
  lrd_lock(&s->inbox.lock);
  if (s->bell.read_fd < 0 && lrd_bell_open(&s->bell) == 0 && s->inbox.count) {
    lrd_bell_ring(&s->bell);
    s->rung = 1;
  }
  int fd = s->bell.read_fd;
  lrd_unlock(&s->inbox.lock);
  return fd;
}

/* --- the callback's thread -------------------------------------------------------- */

static void release(struct larder_subscriber *s, int forked)
{
  const larder_memory memory = s->inbox.memory;
  if (s->holds)
    lrd_item_drop(&memory, &s->held);
  lrd_inbox_free(&s->inbox, forked);
  if (!forked)
    pthread_cond_destroy(&s->changed);
  lrd_bell_close(&s->bell);
  lrd_fork_release(&s->fork);
  lrd_release(&memory, s, sizeof *s);
}

static void *deliver(void *context)
{
  struct larder_subscriber *s = context;
  larder_message message;
  while (next(s, INT64_MAX, 1, &message) == LARDER_OK)
    s->callback(s->context, &message);
  lrd_lock(&s->inbox.lock);
  int orphan = s->orphan;
  lrd_unlock(&s->inbox.lock);
  if (orphan)
    release(s, 0);
  return NULL;
}

/* All signals are blocked in the thread: they are the application's. */
static int start_thread(struct larder_subscriber *s)
{
  sigset_t all, before;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
    return -1;
  s->reading = 1;
  lrd_lock(&s->inbox.lock); /* it waits there until `thread` says who it is */
  int failed = pthread_create(&s->thread, NULL, deliver, s);
  lrd_unlock(&s->inbox.lock);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed ? -1 : 0;
}

/* --- life ------------------------------------------------------------------------- */

static const char *check(const larder_subscriber_options *o, char *text, size_t size)
{
  if (o->size != sizeof *o)
    snprintf(text, size, "options.size is %zu, not sizeof(larder_subscriber_options)", o->size);
  else if (o->queue_bytes && (o->queue_bytes < QUEUE_BYTES_MIN || o->queue_bytes > QUEUE_BYTES_MAX))
    snprintf(text, size, "queue_bytes is %zu: allowed are %d to %d, and 0 for %d", o->queue_bytes,
             QUEUE_BYTES_MIN, QUEUE_BYTES_MAX, QUEUE_BYTES);
  else
    return NULL;
  return text;
}

/* NULL: no memory, or no thread. */
static struct larder_subscriber *make(larder *store, const larder_subscriber_options *o)
{
  const larder_memory *m = &store->config.memory;
  struct larder_subscriber *s = lrd_allocate_zeroed(m, 1, sizeof *s);
  if (!s)
    return NULL;
  size_t bytes = o->queue_bytes ? o->queue_bytes : QUEUE_BYTES;
  if (lrd_inbox_init(&s->inbox, store->hub, bytes, wake) != LARDER_OK) {
    lrd_release(m, s, sizeof *s);
    return NULL;
  }
  if (lrd_cond_init(&s->changed) != 0) {
    lrd_inbox_free(&s->inbox, 0);
    lrd_release(m, s, sizeof *s);
    return NULL;
  }
  s->bell.read_fd = s->bell.write_fd = -1;
  lrd_fork_init(&s->fork);
  lrd_names_init(&s->names, store->config.prefix);
  s->callback = o->message;
  s->context = o->context;
  s->hub = store->hub;
  if (lrd_ear_open(s->hub, &s->inbox.ear) == LARDER_OK) {
    if (!s->callback || start_thread(s) == 0)
      return s;
    lrd_ear_close(s->hub, &s->inbox.ear, 0);
  }
  release(s, 0);
  return NULL;
}

static struct larder_subscriber *open_inside(larder *store, const larder_subscriber_options *o,
                                             char *text, size_t size)
{
  if (!(store->table->capabilities & LARDER_CAN_LISTEN)) {
    snprintf(text, size, "the backend %s has no channels", store->table->name);
    return NULL;
  }
  struct larder_subscriber *s = make(store, o);
  if (!s)
    snprintf(text, size, "no memory for a subscriber, or no thread for its callback");
  return s;
}

larder_subscriber *larder_subscriber_open(larder *store, const larder_subscriber_options *options,
                                          char *error, size_t error_size)
{
  const larder_subscriber_options none = {.size = sizeof none};
  char text[LARDER_ERROR_SIZE] = "";
  larder_subscriber *s = NULL;
  larder_outcome why;
  if (!options)
    options = &none;
  int state = lrd_cancel_disable();
  struct lrd_cell *cell = NULL;
  if (!check(options, text, sizeof text) && !(cell = lrd_enter(store, &why)))
    snprintf(text, sizeof text, "%s", store ? larder_outcome_name(why) : "store is NULL");
  if (cell) {
    s = open_inside(store, options, text, sizeof text);
    lrd_leave(cell);
  }
  lrd_cancel_restore(state);
  if (error && error_size)
    snprintf(error, error_size, "%s", s ? "" : text);
  return s;
}

/* Ends whoever takes; 1: it is the caller, inside the callback, and releases all later. */
static int stop_reading(struct larder_subscriber *s)
{
  int own = s->callback && pthread_equal(s->thread, pthread_self());
  lrd_lock(&s->inbox.lock);
  s->closing = 1;
  s->orphan = own;
  pthread_cond_broadcast(&s->changed);
  while (!s->callback && s->reading)
    lrd_cond_wait(&s->changed, &s->inbox.lock, INT64_MAX);
  lrd_unlock(&s->inbox.lock);
  if (own)
    pthread_detach(s->thread);
  else if (s->callback)
    pthread_join(s->thread, NULL);
  return own;
}

void larder_subscriber_close(larder_subscriber *s)
{
  if (!s)
    return;
  int forked = lrd_forked(&s->fork);
  int state = lrd_cancel_disable();
  lrd_ear_close(s->hub, &s->inbox.ear, forked);
  if (forked || !stop_reading(s))
    release(s, forked);
  lrd_cancel_restore(state);
}

/* --- names ------------------------------------------------------------------------ */

typedef larder_outcome change_fn(struct lrd_hub *, struct lrd_ear *, enum lrd_hub_kind,
                                 larder_bytes);

static larder_outcome change(struct larder_subscriber *s, const char *name, size_t len,
                             enum lrd_hub_kind kind, change_fn *fn)
{
  if (!s || (!name && len))
    return LARDER_BAD_ARGUMENT;
  if (lrd_forked(&s->fork))
    return LARDER_FORKED;
  const larder_bytes bytes = {len ? name : "", len};
  larder_bytes whole;
  int state = lrd_cancel_disable();
  larder_outcome outcome = LARDER_NO_MEMORY;
  if (fn == lrd_hub_subscribe && lrd_inbox_is_full(&s->inbox))
    ;
  else if (lrd_names_join(&s->names, &s->inbox.memory, kind, bytes, &whole) == 0) {
    outcome = fn(s->hub, &s->inbox.ear, kind, whole);
    lrd_names_release(&s->names, &s->inbox.memory, &whole);
  }
  lrd_cancel_restore(state);
  return outcome;
}

larder_outcome larder_subscribe(larder_subscriber *s, const char *name, size_t len)
{
  return change(s, name, len, LRD_HUB_CHANNEL, lrd_hub_subscribe);
}

larder_outcome larder_psubscribe(larder_subscriber *s, const char *pattern, size_t len)
{
  return change(s, pattern, len, LRD_HUB_PATTERN, lrd_hub_subscribe);
}

larder_outcome larder_ssubscribe(larder_subscriber *s, const char *name, size_t len)
{
  return change(s, name, len, LRD_HUB_SHARD, lrd_hub_subscribe);
}

larder_outcome larder_unsubscribe(larder_subscriber *s, const char *name, size_t len)
{
  return change(s, name, len, LRD_HUB_CHANNEL, lrd_hub_unsubscribe);
}

larder_outcome larder_punsubscribe(larder_subscriber *s, const char *pattern, size_t len)
{
  return change(s, pattern, len, LRD_HUB_PATTERN, lrd_hub_unsubscribe);
}

larder_outcome larder_sunsubscribe(larder_subscriber *s, const char *name, size_t len)
{
  return change(s, name, len, LRD_HUB_SHARD, lrd_hub_unsubscribe);
}
