/* SPDX-License-Identifier: BSD-2-Clause */
#include "simulate/listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/judge.h"
#include "simulate/task.h"
#include "simulate/world.h"

/* The last two are a pattern that matches all channels, and what the server refuses. */
const char *const listen_channel[LISTEN_CHANNELS] = {"p0", "p1", "p2"};
enum { NAMES = LISTEN_CHANNELS + 2, PATTERN = LISTEN_CHANNELS, REFUSED = PATTERN + 1, LISTENERS = 3 };
static const char *const names[NAMES] = {"p0", "p1", "p2", "p?", "x"};

/* What a listener knows of a name. */
struct name {
  int wanted, ready;
  unsigned last[LISTEN_CHANNELS]; /* the newest that was heard */
  unsigned next[LISTEN_CHANNELS]; /* READY: the one that must follow; 0: any up to most */
  unsigned most[LISTEN_CHANNELS];
};

struct listener {
  int number, by_callback, outlives, closed;
  larder_subscriber *subscriber;
  struct sim_task *task;
  struct name name[NAMES];
};

static struct {
  larder *store;
  unsigned count;
  int stop, publishes, steady; /* steady: names don't change any more */
  int64_t pause;
  int left; /* so many are published yet, as many as slow callbacks can take */
  unsigned published[LISTEN_CHANNELS];
  struct listener listener[LISTENERS];
} all;

/* --- publishing ---------------------------------------------------------------------------------- */

static int channel_of(const char *name, size_t len)
{
  for (int i = 0; i < LISTEN_CHANNELS; i++)
    if (len == strlen(listen_channel[i]) && memcmp(name, listen_channel[i], len) == 0)
      return i;
  sim_fail("there is no channel \"%.*s\"", (int)len, name);
}

unsigned listen_published(const struct sim_bytes *channel)
{
  return ++all.published[channel_of(channel->data, channel->len)];
}

/* The number is what listen_published is about to say. */
static void publish_one(int channel)
{
  char text[400];
  struct sim_bytes name = {listen_channel[channel], 2};
  int n = snprintf(text, sizeof text, "[%u] %*s", all.published[channel] + 1,
                   sim_once_in(3) ? (int)sim_random(300) : 1, "");
  sim_server_publish(&name, &(struct sim_bytes){text, (size_t)n});
}

static void publish_some(void *unused)
{
  (void)unused;
  if (!all.publishes)
    return;
  int works = sim_server.up && sim_now() >= sim_server.frozen_until;
  for (unsigned n = works && all.left > 0 ? 1 + (unsigned)sim_random(sim_once_in(8) ? 60 : 4) : 0; n; n--, all.left--)
    publish_one((int)sim_random(LISTEN_CHANNELS));
  sim_at(sim_now() + sim_between(1, all.pause), publish_some, NULL);
}

/* A message's number, of a call or of ours. */
static unsigned number_of(const larder_message *m)
{
  unsigned n = 0;
  const struct op *o = judge_op_of(m->payload, m->payload_len);
  if (o && o->kind == OP_PUBLISH && strcmp(o->key, m->channel) == 0)
    n = o->published;
  else if (!o && sscanf(m->payload, "[%u]", &n) != 1)
    n = 0;
  if (!n || n > all.published[channel_of(m->channel, m->channel_len)])
    sim_fail("\"%.*s\" was never published to %s", (int)m->payload_len, m->payload, m->channel);
  return n;
}

/* --- hearing -------------------------------------------------------------------------------------- */

static struct name *name_of(struct listener *l, const larder_message *m)
{
  for (int i = 0; i < NAMES; i++)
    if (strcmp(m->name, names[i]) == 0 &&
        m->listening == (i == PATTERN ? LARDER_LISTEN_PATTERN : LARDER_LISTEN_CHANNEL))
      return &l->name[i];
  sim_fail("listener %d hears of \"%s\", which nobody subscribed", l->number, m->name);
}

/* What is published from now on is heard. */
static void expect(struct name *n)
{
  for (int c = 0; c < LISTEN_CHANNELS; c++) {
    n->next[c] = 0;
    n->most[c] = all.published[c] + 1;
  }
}

static void hear_message(struct listener *l, const larder_message *m)
{
  struct name *n = name_of(l, m);
  int c = channel_of(m->channel, m->channel_len);
  unsigned number = number_of(m);
  if (n != &l->name[PATTERN] && strcmp(m->name, m->channel) != 0)
    sim_fail("listener %d hears a message to %s of %s", l->number, m->channel, m->name);
  if (number <= n->last[c])
    sim_fail("listener %d hears message %u to %s (by %s) after %u", l->number, number, m->channel,
             m->name, n->last[c]);
  if (n->ready && n->next[c] && number != n->next[c])
    sim_fail("listener %d hears message %u to %s (by %s), but not %u", l->number, number,
             m->channel, m->name, n->next[c]);
  if (n->ready && !n->next[c] && number > n->most[c])
    sim_fail("listener %d hears message %u to %s (by %s) first; %u was published after READY",
             l->number, number, m->channel, m->name, n->most[c]);
  n->last[c] = number;
  n->next[c] = n->ready ? number + 1 : 0;
}

static void hear(struct listener *l, const larder_message *m)
{
  struct name *n;
  sim_assert_unlocked("a message");
  sim_trace("listener %d: %d %s %s %.*s", l->number, (int)m->heard, m->name, m->channel,
            (int)(m->payload_len < 40 ? m->payload_len : 40), m->payload);
  switch (m->heard) {
  case LARDER_HEARD_MESSAGE:
  case LARDER_HEARD_PMESSAGE:
    hear_message(l, m);
    break;
  case LARDER_HEARD_READY:
    n = name_of(l, m);
    if (n == &l->name[REFUSED])
      sim_fail("listener %d: \"x\" is READY", l->number);
    if (!n->ready)
      expect(n);
    n->ready = 1;
    break;
  case LARDER_HEARD_GAP:
    for (int i = 0; i < NAMES; i++) {
      if (!m->missed)
        l->name[i].ready = 0;
      expect(&l->name[i]);
    }
    break;
  case LARDER_HEARD_REFUSED:
    n = name_of(l, m);
    if (n != &l->name[REFUSED])
      sim_fail("listener %d: %s is REFUSED: %s", l->number, m->name, m->payload);
    n->wanted = 0;
    break;
  default:
    l->closed = 1;
  }
}

static void on_message(void *context, const larder_message *m)
{
  if (sim_once_in(4))
    sim_block("a callback", NULL, sim_now() + sim_between(0, 20 * SIM_MS));
  hear(context, m);
}

/* Takes all that is there. */
static void drain(struct listener *l)
{
  larder_message m;
  while (!l->by_callback && larder_subscriber_next(l->subscriber, 0, &m) == LARDER_OK)
    hear(l, &m);
}

/* --- names ---------------------------------------------------------------------------------------- */

static void subscribe(struct listener *l, int i)
{
  larder_outcome o = i == PATTERN ? larder_psubscribe(l->subscriber, names[i], 2)
                                  : larder_subscribe(l->subscriber, names[i], strlen(names[i]));
  sim_trace("listener %d subscribes %s: %s", l->number, names[i], larder_outcome_name(o));
  if (o == LARDER_OK)
    l->name[i].wanted = i != REFUSED;
  else if (o != LARDER_NO_MEMORY && o != LARDER_CLOSED)
    sim_fail("larder_subscribe ends as %s", larder_outcome_name(o));
}

static void unsubscribe(struct listener *l, int i)
{
  larder_outcome o = i == PATTERN ? larder_punsubscribe(l->subscriber, names[i], 2)
                                  : larder_unsubscribe(l->subscriber, names[i], strlen(names[i]));
  sim_trace("listener %d unsubscribes %s: %s", l->number, names[i], larder_outcome_name(o));
  if (o != LARDER_OK && o != LARDER_CLOSED && o != LARDER_NO_MEMORY &&
      (o != LARDER_ABSENT || l->name[i].wanted))
    sim_fail("larder_unsubscribe of %s ends as %s", names[i], larder_outcome_name(o));
  if (o == LARDER_OK) {
    drain(l); /* from here on nothing of it is heard */
    l->name[i].wanted = l->name[i].ready = 0;
    expect(&l->name[i]);
  }
}

/* Until it looks again, ms. */
static int64_t patience(void)
{
  return sim_between(0, sim_once_in(4) ? 2000 : 60);
}

static void *listen(void *argument)
{
  struct listener *l = argument;
  larder_message m;
  subscribe(l, (int)sim_random(PATTERN + 1));
  while (!l->closed && !(all.stop && !l->outlives)) {
    if (sim_once_in(all.steady ? 0 : 6))
      subscribe(l, (int)sim_random(NAMES));
    if (!l->by_callback && sim_once_in(all.steady ? 0 : 12))
      unsubscribe(l, (int)sim_random(NAMES));
    if (l->by_callback || sim_once_in(8)) {
      sim_block("listening", NULL, sim_now() + patience() * SIM_MS);
      continue;
    }
    int64_t timeout = patience(), begun = sim_now();
    larder_outcome o = larder_subscriber_next(l->subscriber, timeout, &m);
    if (sim_now() > begun + timeout * SIM_MS + 50 * SIM_MS)
      sim_fail("larder_subscriber_next took %lld ms instead of %lld",
               (long long)((sim_now() - begun) / SIM_MS), (long long)timeout);
    if (o == LARDER_OK)
      hear(l, &m);
    else if (o == LARDER_CLOSED)
      l->closed = 1;
    else if (o != LARDER_ABSENT)
      sim_fail("larder_subscriber_next ends as %s", larder_outcome_name(o));
  }
  larder_subscriber_close(l->subscriber);
  return NULL;
}

/* --- all of them ---------------------------------------------------------------------------------- */

void listen_begin(void)
{
  memset(&all, 0, sizeof all);
}

void listen_start(larder *store)
{
  all.store = store;
  unsigned count = sim_once_in(2) ? 0 : 1 + (unsigned)sim_random(LISTENERS);
  for (unsigned i = 0; i < count; i++) {
    struct listener *l = &all.listener[all.count];
    *l = (struct listener){.number = (int)i, .by_callback = sim_once_in(3)};
    l->outlives = sim_once_in(3);
    larder_subscriber_options o = {.size = sizeof o};
    o.queue_bytes = sim_once_in(3) ? 4096 : 0;
    o.message = l->by_callback ? on_message : NULL;
    o.context = l;
    l->subscriber = larder_subscriber_open(store, &o, NULL, 0);
    if (!l->subscriber)
      continue; /* no memory, or no thread */
    char name[24];
    snprintf(name, sizeof name, "listener%u", i);
    l->task = sim_spawn(name, listen, l);
    all.count++;
  }
  all.publishes = all.count != 0;
  all.left = 600;
  all.pause = SIM_MS << sim_random(9);
  publish_some(NULL);
}

void listen_hush(void)
{
  all.publishes = 0;
}

static void join(int outliving)
{
  for (unsigned i = 0; i < all.count; i++)
    if (all.listener[i].outlives == outliving)
      sim_join(all.listener[i].task);
}

void listen_stop(void)
{
  listen_hush();
  all.stop = 1;
  join(0);
}

void listen_end(void)
{
  join(1);
}

static void sleep_for(int64_t time)
{
  sim_block("passing the time", NULL, sim_now() + time);
}

/* A connection that ended without a word is asked for a PONG after 30 s. */
void listen_must_work(void)
{
  if (!all.count)
    return;
  all.steady = 1;
  listen_hush();
  sleep_for(45 * SIM_S);
  for (unsigned i = 0; i < all.count; i++)
    for (int k = 0; k < NAMES; k++)
      if (all.listener[i].name[k].wanted && !all.listener[i].name[k].ready)
        sim_fail("nothing is wrong any more, but listener %u's %s is not READY", i, names[k]);
  for (int c = 0; c < LISTEN_CHANNELS; c++)
    publish_one(c);
  sleep_for(20 * SIM_S); /* a listener may look elsewhere, again and again */
  for (unsigned i = 0; i < all.count; i++)
    for (int k = 0; k < NAMES; k++)
      for (int c = 0; c < LISTEN_CHANNELS; c++)
        if (all.listener[i].name[k].wanted && (k == PATTERN || k == c) &&
            all.listener[i].name[k].last[c] != all.published[c])
          sim_fail("listener %u's %s has heard of %s up to %u, not %u", i, names[k],
                   listen_channel[c], all.listener[i].name[k].last[c], all.published[c]);
}
