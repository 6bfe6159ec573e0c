/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/client_part.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <larder/session.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* there it is SO_NOSIGPIPE */
#endif

enum {
  READ_AT_LEAST = 16 * 1024,
  READ_AT_MOST = 1024 * 1024,
  KEPT_BUFFER = 64 * 1024, /* an idle client keeps no larger one */
  LIST_MAX = 256,          /* commands of one list */
  LIST_BYTES = 256 * 1024  /* of replies: a list that gave more is followed by a shorter one */
};

/* --- end ------------------------------------------------------------------ */

static void client_release(struct lrd_client *c)
{
  const larder_memory *memory = c->listener->memory;

  larder_session_close(c->session);
  lrd_request_free(&c->request);
  lrd_buffer_free(&c->in);
  lrd_buffer_free(&c->replies);
  lrd_buffer_free(&c->out);
  lrd_client_free_wait(c);
  lrd_release(memory, c, sizeof *c);
}

static void poll_closed(uv_handle_t *handle)
{
  client_release(handle->data);
}

void lrd_client_close(struct lrd_client *c)
{
  larder_listener *l = c->listener;

  c->dead = 1;
  uv_poll_stop(&c->poll);
  c->events = 0;
  if (c->waiting)
    lrd_client_cancel_wait(c);
  if (c->busy)
    return;
  if (c->listening)
    lrd_client_stop_hearing(c);
  if (c->previous)
    c->previous->next = c->next;
  else
    l->clients = c->next;
  if (c->next)
    c->next->previous = c->previous;
  atomic_fetch_sub(&l->clients_now, 1);
  uv_close((uv_handle_t *)&c->poll, poll_closed);
  close(c->fd);
}

struct lrd_client *lrd_client_next(const struct lrd_client *c)
{
  return c->next;
}

/* --- output --------------------------------------------------------------- */

static void buffer_empty(struct lrd_buffer *b)
{
  const larder_memory *memory = b->memory;
  size_t limit = b->limit;

  b->len = 0;
  if (b->capacity > KEPT_BUFFER) {
    lrd_buffer_free(b);
    lrd_buffer_init(b, memory, limit);
  }
}

void lrd_client_flush(struct lrd_client *c)
{
  ssize_t n;

  while (lrd_client_pending(c) > 0) {
    n = send(c->fd, c->out.data + c->sent, lrd_client_pending(c), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      if (errno != EAGAIN && errno != EWOULDBLOCK)
        c->dead = 1;
      return;
    }
    c->sent += (size_t)n;
    lrd_count_up(&c->listener->bytes_out, (uint64_t)n);
  }
  c->sent = 0;
  buffer_empty(&c->out);
}

void lrd_client_collect(struct lrd_client *c)
{
  struct lrd_buffer swap;

  if (c->resp.lost)
    c->ending = 1; /* what is there is whole replies; the next one didn't fit */
  c->replies.failed = 0;
  if (lrd_client_pending(c) == 0) {
    swap = c->out;
    c->out = c->replies;
    c->replies = swap;
    c->sent = 0;
  } else {
    if (c->sent >= lrd_client_pending(c)) {
      lrd_buffer_consume(&c->out, c->sent);
      c->sent = 0;
    }
    if (lrd_client_pending(c) + c->replies.len > c->listener->output_limit ||
        lrd_buffer_append(&c->out, c->replies.data, c->replies.len) != 0)
      c->dead = 1;
  }
  buffer_empty(&c->replies);
}

static void protocol_error(struct lrd_client *c, const char *text)
{
  lrd_count_up(&c->listener->protocol_errors, 1);
  c->ending = 1;
  if (lrd_buffer_append(&c->out, "-", 1) != 0 ||
      lrd_buffer_append(&c->out, text, strlen(text)) != 0 ||
      lrd_buffer_append(&c->out, "\r\n", 2) != 0)
    c->dead = 1;
}

/* --- execution ------------------------------------------------------------ */

/* Takes the same time whatever is wrong with the password. */
static int authenticate(void *context, larder_bytes user, larder_bytes password)
{
  const larder_listener *l = ((struct lrd_client *)context)->listener;
  char given[LRD_SERVE_PASSWORD] = { 0 };
  unsigned difference = password.len != l->password_len;
  size_t i;

  if (password.len > 0)
    memcpy(given, password.data, password.len < sizeof given ? password.len : sizeof given);
  for (i = 0; i < sizeof given; i++)
    difference |= (unsigned char)(given[i] ^ l->password[i]);
  lrd_wipe(given, sizeof given);
  return !difference && (user.len == 0 || (user.len == 7 && memcmp(user.data, "default", 7) == 0));
}

static void choose_protocol(void *context, int version)
{
  ((struct lrd_client *)context)->resp.protocol = version;
}

/* BLPOP and its kin, XREAD. */
static inline int is_blocking(const larder_vector *v)
{
  const larder_bytes *name = &v->argv[0];
  char first = name->len ? (char)(name->data[0] | 0x20) : '\0';

  return (first == 'b' || first == 'x') &&
         (lrd_commands[lrd_command_find(name->data, name->len)].flags & LRD_BLOCKING);
}

/* The commands from the first one on that the session sends as one or two calls: up to
 * the first that is a call of its own.  A local store waits for no network: all of them.
 * 0: the first one may wait for a key. */
static size_t piece_of(const struct lrd_client *c, larder_vector *vector, size_t count)
{
  size_t i;

  for (i = 0; i < count; i++)
    if (lrd_client_is_about_channels(c, &vector[i]))
      return i ? i : 1;
    else if (is_blocking(&vector[i]))
      return i ? i : !lrd_client_may_wait(c, vector);
  if (c->listener->local)
    return count;
  for (i = 0; i < count; i++)
    switch (lrd_command_find(vector[i].argv[0].data, vector[i].argv[0].len)) {
    case LRD_SELECT:
    case LRD_EXEC:
    case LRD_WATCH:
    case LRD_UNWATCH:
      return i + 1;
    default:
      break;
    }
  return count;
}

/* Runs the list on, as far as nothing waits for a key.  Each call has its deadline, and a list
 * may be many: a listener that ends waits for the one that runs. */
static void execute(struct lrd_job *job)
{
  struct lrd_client *c = (struct lrd_client *)job;
  larder_vector *vector = c->request.vector + c->ran;
  size_t left = c->request.count - c->ran, piece, begin;
  int protocol;

  lrd_resp_init(&c->resp, &c->replies, c->session->protocol);
  do {
    piece = piece_of(c, vector, left);
    c->at_wait = !piece;
    if (!piece)
      break;
    begin = c->replies.len;
    protocol = c->session->protocol;
    lrd_session_execute(c->session, vector, piece, &c->resp.sink);
    if (piece == 1)
      lrd_client_place_heard(c, vector, begin, protocol);
    vector += piece;
    left -= piece;
  } while (left > 0 && !atomic_load(&c->listener->stopping));
  c->ran = c->request.count - left;
}

/* The list was executed. */
static void settle(struct lrd_client *c)
{
  size_t produced = c->replies.len, consumed;
  uintptr_t rest;

  lrd_count_up(&c->listener->commands, c->request.count);
  if (produced > LIST_BYTES)
    c->window = c->window > 4 ? c->window / 4 : 1;
  else if (c->window < LIST_MAX)
    c->window *= 2;
  lrd_client_collect(c);
  consumed = lrd_request_next(&c->request);
  rest = (uintptr_t)c->in.data + consumed;
  lrd_buffer_consume(&c->in, consumed);
  if (c->in.len == 0)
    buffer_empty(&c->in);
  else
    lrd_request_moved(&c->request, rest, c->in.data);
}

/* What ends a conversation: QUIT, and the first lines of HTTP, which a web page may
 * have made a browser send: nothing behind them is executed, and for HTTP nothing
 * more is said. */
static void find_end(struct lrd_client *c)
{
  struct lrd_request *r = &c->request;
  size_t i;

  for (i = 0; i < r->count; i++) {
    const larder_bytes *name = &r->vector[i].argv[0];
    if (name->len == 4 && lrd_is_word(name, "quit")) {
      r->count = i + 1;
      c->ending = 1;
    } else if ((name->len == 4 && lrd_is_word(name, "post")) ||
               (name->len == 5 && lrd_is_word(name, "host:"))) {
      r->count = i;
      c->dead = 1;
    }
  }
}

/* The next command of the list may wait.  0: it does. */
static int run_waiting(struct lrd_client *c)
{
  lrd_client_collect(c); /* the replies before it are not held back */
  c->at_wait = 0;
  if (c->resp.lost || c->dead)
    return 1;
  c->busy = c->waiting = !lrd_client_begin_wait(c, &c->request.vector[c->ran++]);
  if (!c->waiting)
    lrd_client_end_wait(c);
  return !c->waiting;
}

/* Runs what is left of the list.  0: it is on its way to a worker, or waits. */
static int run_on(struct lrd_client *c)
{
  larder_listener *l = c->listener;

  while (c->at_wait || (c->ran < c->request.count && !c->dead && !c->resp.lost &&
                        !atomic_load(&l->stopping)))
    if (c->at_wait) {
      if (!run_waiting(c))
        return 0;
    } else if (l->pool && lrd_pool_submit(l->pool, &c->job) == 0) {
      c->busy = 1;
      return 0;
    } else {
      execute(&c->job);
    }
  settle(c);
  return 1;
}

/* Runs what was parsed; as run_on. */
static int run_list(struct lrd_client *c)
{
  c->ran = 0;
  c->at_wait = 0;
  c->resp.lost = 0;
  if (c->request.count > 0)
    lrd_client_send_heard(c); /* what was published before the command came */
  return run_on(c);
}

static int may_run(const struct lrd_client *c)
{
  return !c->busy && !c->ending && !c->dead && lrd_client_pending(c) < c->listener->output_buffer;
}

/* Executes what there is in the input buffer, as far as output allows: what is left
 * there waits for bytes, for a worker, or for the socket to take more. */
static void run(struct lrd_client *c)
{
  larder_listener *l = c->listener;
  enum lrd_request_end end = LRD_REQUEST_FULL;
  int stranger;

  while (end == LRD_REQUEST_FULL) {
    if (!may_run(c))
      lrd_client_flush(c);
    if (!may_run(c))
      return;
    stranger = !c->session->authenticated;
    end = lrd_request_parse(&c->request, c->in.data, c->in.len, stranger ? 1 : c->window,
                            l->query_buffer, stranger);
    find_end(c);
    if (end == LRD_REQUEST_NO_MEMORY)
      c->dead = 1;
    else if (!run_list(c))
      return;
    if (c->ending || c->dead)
      return;
    if (end == LRD_REQUEST_ERROR)
      protocol_error(c, c->request.text);
    else if (end == LRD_REQUEST_MORE && c->in.len > l->query_buffer + LRD_REQUEST_LINE)
      protocol_error(c, "ERR Protocol error: request exceeds the query buffer limit");
  }
  if (end == LRD_REQUEST_MORE && c->eof)
    c->ending = 1;
}

/* --- events --------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events);

void lrd_client_proceed(struct lrd_client *c)
{
  int events = 0;

  if (!c->dead)
    lrd_client_flush(c);
  if (!c->dead)
    lrd_client_send_heard(c);
  if (c->dead || (c->ending && !c->busy && lrd_client_pending(c) == 0)) {
    lrd_client_close(c);
    return;
  }
  if (c->waiting)
    events |= UV_DISCONNECT;
  if (!c->eof && may_run(c))
    events |= UV_READABLE;
  else if (c->busy && !c->early)
    events |= c->events & UV_READABLE; /* most clients wait for their reply first */
  if (lrd_client_pending(c) > 0)
    events |= UV_WRITABLE;
  if (events == c->events)
    return;
  c->events = events;
  if (events)
    uv_poll_start(&c->poll, events, on_poll);
  else
    uv_poll_stop(&c->poll);
}

/* 1: there is room for more bytes. */
static int make_room(struct lrd_client *c)
{
  uintptr_t from = (uintptr_t)c->in.data;

  if (c->in.capacity - c->in.len >= READ_AT_LEAST)
    return 1;
  if (lrd_buffer_reserve(&c->in, READ_AT_LEAST) != 0)
    return 0;
  if (from && from != (uintptr_t)c->in.data)
    lrd_request_moved(&c->request, from, c->in.data);
  return 1;
}

static void receive(struct lrd_client *c)
{
  size_t room;
  ssize_t n;

  if (!make_room(c)) {
    c->dead = 1;
    return;
  }
  room = c->in.capacity - c->in.len;
  do
    n = recv(c->fd, c->in.data + c->in.len, room < READ_AT_MOST ? room : READ_AT_MOST, 0);
  while (n < 0 && errno == EINTR);
  if (n > 0) {
    c->in.len += (size_t)n;
    lrd_count_up(&c->listener->bytes_in, (uint64_t)n);
  } else if (n == 0) {
    c->eof = 1;
  } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
    c->dead = 1;
  }
}

/* While it waits nothing of what it sends is read. */
static int has_hung_up(const struct lrd_client *c, int events)
{
  char byte;

  return (events & UV_DISCONNECT) ||
         ((events & UV_READABLE) && recv(c->fd, &byte, 1, MSG_PEEK) == 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
  struct lrd_client *c = poll->data;

  if (status < 0 || (c->waiting && has_hung_up(c, events))) {
    c->dead = 1;
  } else {
    if (events & UV_WRITABLE)
      lrd_client_flush(c);
    if (c->busy)
      c->early = (events & UV_READABLE) != 0;
    else if ((events & UV_READABLE) && !c->eof && may_run(c))
      receive(c);
    run(c);
  }
  lrd_client_proceed(c);
}

static void go_on(struct lrd_client *c)
{
  if (!c->dead && run_on(c))
    run(c);
  lrd_client_proceed(c);
}

void lrd_client_done(struct lrd_job *job)
{
  struct lrd_client *c = (struct lrd_client *)job;

  c->busy = c->early = 0;
  go_on(c);
}

void lrd_client_resume(struct lrd_client *c)
{
  c->busy = c->waiting = c->early = 0;
  if (!c->dead)
    lrd_client_end_wait(c);
  go_on(c);
}

/* --- begin ---------------------------------------------------------------- */

int lrd_client_open(larder_listener *l, int fd)
{
  struct lrd_client *c = lrd_allocate_zeroed(l->memory, 1, sizeof *c);

  if (!c) {
    close(fd);
    return -1;
  }
  c->listener = l;
  c->fd = fd;
  c->window = LIST_MAX;
  c->job.run = execute;
  lrd_request_init(&c->request, l->memory);
  lrd_buffer_init(&c->in, l->memory, 0);
  lrd_buffer_init(&c->replies, l->memory, l->output_limit);
  lrd_buffer_init(&c->out, l->memory, l->output_limit);
  c->session = larder_session_open(l->store);
  if (c->session)
    c->session->call_flags = LARDER_CALL_NOBLOCK;
  if (!c->session || uv_poll_init(&l->loop, &c->poll, fd) != 0) {
    close(fd);
    client_release(c);
    return -1;
  }
  c->session->authenticated = !l->password;
  c->session->hooks.authenticate = l->password ? authenticate : NULL;
  c->session->hooks.protocol = choose_protocol;
  c->session->hooks.listen = lrd_client_listen;
  c->session->hooks.context = c;
  c->poll.data = c;
  c->next = l->clients;
  if (c->next)
    c->next->previous = c;
  l->clients = c;
  atomic_fetch_add(&l->clients_now, 1);
  lrd_count_up(&l->accepted, 1);
  lrd_client_proceed(c);
  return 0;
}
