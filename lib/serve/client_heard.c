/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/client_part.h"

#include <string.h>

/* A client that listens to channels. */

enum {
  HEAR_BYTES = 64 * 1024, /* of messages that are formatted at once */
  TURN_BYTES = 256 * 1024 /* ... and sent before others have their turn */
};

/* It is not in the list of those who heard something, and won't be. */
void lrd_client_stop_hearing(struct lrd_client *c)
{
  larder_listener *l = c->listener;
  struct lrd_client **p = &l->heard;

  lrd_listening_free(c->listening);
  lrd_lock(&l->heard_lock);
  for (; c->heard && *p; p = &(*p)->next_heard)
    if (*p == c) {
      *p = c->next_heard;
      break;
    }
  lrd_unlock(&l->heard_lock);
  c->listening = NULL;
}

/* On the thread that published: asks the loop to come. */
static void on_heard(struct lrd_listening *listening)
{
  struct lrd_client *c = listening->context;
  larder_listener *l = c->listener;
  int first;

  lrd_lock(&l->heard_lock);
  first = !l->heard;
  if (!c->heard) {
    c->heard = 1;
    c->next_heard = l->heard;
    l->heard = c;
  }
  lrd_unlock(&l->heard_lock);
  if (first)
    uv_async_send(&l->wake);
}

void lrd_client_listen(void *context, const larder_vector *v, larder_sink *sink,
                      larder_verdict *verdict)
{
  struct lrd_client *c = context;

  if (!v) {
    if (c->listening)
      lrd_listening_reset(c->listening);
  } else if (!c->listening &&
             !(c->listening = lrd_listening_new(c->listener->store, on_heard, c))) {
    verdict->outcome = LARDER_NO_MEMORY;
    lrd_sink_error(sink, "ERR out of memory");
    return;
  } else {
    lrd_listening_run(c->listening, v, sink, verdict);
  }
  c->session->listening = c->listening && lrd_listening_count(c->listening) > 0;
}

static int leaves(unsigned command)
{
  return command == LRD_UNSUBSCRIBE || command == LRD_PUNSUBSCRIBE ||
         command == LRD_SUNSUBSCRIBE || command == LRD_RESET;
}

static int publishes(unsigned command)
{
  return command == LRD_EXEC || lrd_commands[command].class == LRD_CLASS_PUBLISH;
}

int lrd_client_is_about_channels(const struct lrd_client *c, const larder_vector *v)
{
  const larder_bytes *name = &v->argv[0];
  unsigned command;

  if (!name->len || !strchr("pPsSeEuUrR", name->data[0]))
    return 0;
  command = lrd_command_find(name->data, name->len);
  if (leaves(command))
    return 1;
  if (c->session->protocol < 3)
    return 0;
  if (publishes(command))
    return c->session->listening;
  return command == LRD_SUBSCRIBE || command == LRD_PSUBSCRIBE || command == LRD_SSUBSCRIBE;
}

static void reverse(char *p, size_t n)
{
  for (size_t i = 0; i < n / 2; i++) {
    char c = p[i];

    p[i] = p[n - 1 - i];
    p[n - 1 - i] = c;
  }
}

/* In the protocol that was spoken when it came: RESET changes it. */
void lrd_client_place_heard(struct lrd_client *c, const larder_vector *v, size_t begin,
                            int protocol)
{
  size_t end = c->replies.len;
  int now = c->resp.protocol;
  char *p;

  if (!c->listening || !(leaves(v->command) || (protocol >= 3 && publishes(v->command))))
    return;
  c->resp.protocol = protocol;
  lrd_listening_drain(c->listening, &c->resp, SIZE_MAX / 4);
  c->resp.protocol = now;
  p = c->replies.data + begin;
  if (c->replies.len == end || c->resp.lost)
    return;
  reverse(p, end - begin);
  reverse(c->replies.data + end, c->replies.len - end);
  reverse(p, c->replies.len - begin);
}

/* --- sending -------------------------------------------------------------- */

static void cut(struct lrd_client *c)
{
  const char *const pairs[] = { "reason", c->listening->cut, NULL };

  lrd_event(c->listener->store->hook, LARDER_WARNING, "listener-cut", pairs,
            "a client that listens to channels was disconnected: %s", c->listening->cut);
  c->dead = 1;
}

/* Sends what was heard, as far as the socket takes it: what it doesn't waits in the inbox,
 * which is bounded. */
void lrd_client_send_heard(struct lrd_client *c)
{
  /* busy: a worker may be making it */
  int more = (!c->busy || c->waiting) && c->listening && !c->ending;
  size_t sent = 0;

  if (more && !c->dead && lrd_listening_is_cut(c->listening))
    cut(c);
  while (more && !c->dead && lrd_client_pending(c) == 0 && sent < TURN_BYTES) {
    lrd_resp_init(&c->resp, &c->replies, c->session->protocol);
    more = lrd_listening_drain(c->listening, &c->resp, HEAR_BYTES);
    sent += c->replies.len;
    lrd_client_collect(c);
    lrd_client_flush(c);
    if (c->listening->cut)
      cut(c);
  }
  if (more && !c->dead && lrd_client_pending(c) == 0)
    on_heard(c->listening); /* others first */
}

void lrd_client_heard(larder_listener *l)
{
  struct lrd_client *c, *next;

  lrd_lock(&l->heard_lock);
  c = l->heard;
  l->heard = NULL;
  lrd_unlock(&l->heard_lock);
  for (; c; c = next) {
    lrd_lock(&l->heard_lock);
    next = c->next_heard;
    c->heard = 0; /* from here on it may be in the new list */
    lrd_unlock(&l->heard_lock);
    if (!c->dead)
      lrd_client_proceed(c);
  }
}
