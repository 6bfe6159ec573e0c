/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/client_wait.h"

#include "serve/client_part.h"
#include "util/lock.h"

enum { BEGUN, WAITING, ENDED };

struct lrd_client_wait {
  larder_submission submission; /* first */
  struct lrd_client *client;
  struct lrd_client_wait *next; /* listener.waited, under heard_lock */
  const larder_vector *vector;
  struct lrd_ending ending;
  larder_verdict verdict;
  struct lrd_resp resp; /* writes to reply */
  struct lrd_buffer reply;
  atomic_int state;
};

/* --- which calls ------------------------------------------------------------ */

int lrd_client_may_wait(const struct lrd_client *c, larder_vector *v)
{
  const larder_session *s = c->session;
  char text[LARDER_ERROR_SIZE];

  return s->authenticated && !s->transaction.open && !lrd_session_is_confined(s) &&
         (s->store->table->capabilities & (LARDER_IS_LOCAL | LARDER_CAN_SUBMIT)) &&
         lrd_route(NULL, v, text, sizeof text) == LRD_ROUTE_BACKEND &&
         lrd_command_class(v) == LRD_CLASS_BLOCKING;
}

/* --- the submission ---------------------------------------------------------- */

static void note_end(struct lrd_ending *ending, const larder_value *head, larder_verdict *verdict)
{
  struct lrd_client_wait *w =
      (struct lrd_client_wait *)(void *)((char *)ending - offsetof(struct lrd_client_wait, ending));

  if (verdict->outcome == LARDER_OK && lrd_command_absent(w->vector, head))
    verdict->outcome = LARDER_ABSENT;
  w->verdict = *verdict;
}

/* On whichever thread ended it.  The lock is held over the signal: the loop is still there. */
static void on_done(larder_submission *submission)
{
  struct lrd_client_wait *w = (struct lrd_client_wait *)submission;
  larder_listener *l = w->client->listener;

  if (atomic_exchange(&w->state, ENDED) != WAITING)
    return; /* whoever submitted it sees that */
  lrd_lock(&l->heard_lock);
  w->next = l->waited;
  l->waited = w;
  uv_async_send(&l->wake);
  lrd_unlock(&l->heard_lock);
}

static struct lrd_client_wait *wait_of(struct lrd_client *c)
{
  struct lrd_client_wait *w = c->wait;

  if (!w && (w = lrd_allocate_zeroed(c->listener->memory, 1, sizeof *w))) {
    w->client = c;
    w->submission.done = on_done;
    w->ending.call = note_end;
    lrd_buffer_init(&w->reply, c->listener->memory, c->listener->output_limit);
    c->wait = w;
  }
  return w;
}

static void submit(struct lrd_client *c, struct lrd_client_wait *w, const larder_vector *v)
{
  larder *store = c->listener->store;
  larder_outcome why;
  struct lrd_cell *cell = lrd_enter(store, &why);
  larder_call call;
  int state;

  if (!cell) {
    lrd_sink_fail(&w->resp.sink, why, LARDER_FROM_NOWHERE, LARDER_CAUSE_NONE,
                  "ERR the store is closed");
    atomic_store(&w->state, ENDED);
    return;
  }
  call = lrd_plain_call(store, v, 1, 0, store->config.timeout);
  call.database = c->session->database;
  state = lrd_wait_begin(store);
  store->table->submit(store->base, &call, &w->submission);
  lrd_wait_end(state);
  lrd_leave(cell);
}

int lrd_client_begin_wait(struct lrd_client *c, const larder_vector *v)
{
  struct lrd_client_wait *w = wait_of(c);
  int begun = BEGUN;

  if (!w) {
    c->dead = 1;
    return 1;
  }
  w->vector = v;
  lrd_resp_init(&w->resp, &w->reply, c->session->protocol);
  w->resp.sink.ending = &w->ending;
  w->submission.sink = &w->resp.sink;
  w->submission.backend_data = NULL;
  atomic_store(&w->state, BEGUN);
  submit(c, w, v);
  return !atomic_compare_exchange_strong(&w->state, &begun, WAITING);
}

/* --- its end ------------------------------------------------------------------- */

void lrd_client_end_wait(struct lrd_client *c)
{
  struct lrd_client_wait *w = c->wait;
  struct lrd_buffer swap = c->replies;
  larder_outcome why;
  struct lrd_cell *cell;

  if (!w)
    return;
  cell = lrd_enter(c->listener->store, &why);
  if (cell) {
    lrd_tally(cell, &w->verdict);
    lrd_leave(cell);
  }
  c->replies = w->reply;
  w->reply = swap;
  c->resp.lost = w->resp.lost;
  lrd_client_collect(c);
}

void lrd_client_cancel_wait(struct lrd_client *c)
{
  larder *store = c->listener->store;
  larder_outcome why;
  struct lrd_cell *cell = lrd_enter(store, &why);
  int state;

  if (!cell)
    return; /* the store that closes ends it */
  state = lrd_wait_begin(store);
  store->table->cancel(store->base, &c->wait->submission);
  lrd_wait_end(state);
  lrd_leave(cell);
}

void lrd_client_waited(larder_listener *l)
{
  struct lrd_client_wait *w, *next;

  lrd_lock(&l->heard_lock);
  w = l->waited;
  l->waited = NULL;
  lrd_unlock(&l->heard_lock);
  for (; w; w = next) {
    next = w->next;
    lrd_client_resume(w->client);
  }
}

void lrd_client_free_wait(struct lrd_client *c)
{
  if (!c->wait)
    return;
  lrd_buffer_free(&c->wait->reply);
  lrd_release(c->listener->memory, c->wait, sizeof *c->wait);
}
