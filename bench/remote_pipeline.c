/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "remote_store.h"

/*
 * Many in flight on one thread.  larder: each callback starts the next call, so that there are
 * always as many; on larder's thread, or on the caller's inside larder_dispatch().  hiredis: so
 * many are appended, then as many replies taken, again and again.
 */

struct window {
  larder *store;
  enum op op;
  const struct load *load;
  atomic_size_t next;
  size_t end;
  atomic_size_t open; /* that have not ended yet, of as many as are in flight */
  atomic_int failed;
  sem_t done;
};

static void answered(void *context, larder_reply *reply);

static void go_on(struct window *window)
{
  size_t i = atomic_fetch_add_explicit(&window->next, 1, memory_order_relaxed);
  struct command command;

  if (i < window->end && !atomic_load_explicit(&window->failed, memory_order_relaxed)) {
    op_info[window->op].fill(&command, window->load, i);
    if (larder_async_argv(window->store, command.argc, command.argv, command.argvlen, 0, answered,
                          window, NULL) == LARDER_OK)
      return;
    atomic_store(&window->failed, 1);
  }
  if (atomic_fetch_sub(&window->open, 1) == 1)
    sem_post(&window->done);
}

static void answered(void *context, larder_reply *reply)
{
  struct window *window = context;
  struct command command;

  op_info[window->op].fill(&command, window->load, 0); /* all are of this form */
  if (!remote_right(reply, &command))
    atomic_store(&window->failed, 1);
  larder_reply_free(reply);
  go_on(window);
}

static void wait_for(struct window *window)
{
  struct pollfd ready = { .fd = larder_pollfd(window->store), .events = POLLIN };

  if (ready.fd < 0) {
    while (sem_wait(&window->done) != 0 && errno == EINTR)
      ;
    return;
  }
  while (atomic_load(&window->open) > 0)
    if (larder_dispatch(window->store, 0) == 0)
      poll(&ready, 1, -1);
}

static int store_run(void *store, enum op op, const struct load *load, size_t from, size_t to,
                     size_t depth)
{
  struct window window = { .store = store, .op = op, .load = load, .end = to };
  size_t i;

  atomic_store(&window.next, from);
  atomic_store(&window.open, depth);
  sem_init(&window.done, 0, 0);
  for (i = 0; i < depth; i++)
    go_on(&window);
  wait_for(&window);
  sem_destroy(&window.done);
  return atomic_load(&window.failed) ? -1 : 0;
}

static void *thread_open(const struct site *site, enum transport transport)
{
  return remote_store(site, transport, "none", LARDER_DELIVER_THREAD);
}

static void *dispatch_open(const struct site *site, enum transport transport)
{
  return remote_store(site, transport, "none", LARDER_DELIVER_DISPATCH);
}

static void *fallback_open(const struct site *site, enum transport transport)
{
  return remote_store(site, transport, "memory", LARDER_DELIVER_THREAD);
}

static void store_close(void *store)
{
  larder_close(store, 1000);
}

static void *link_open(const struct site *site, enum transport transport)
{
  return remote_link(site, transport);
}

static void link_close(void *link)
{
  redisFree(link);
}

static int append(redisContext *link, enum op op, const struct load *load, size_t i)
{
  struct command command;

  op_info[op].fill(&command, load, i);
  return redisAppendCommandArgv(link, command.argc, (const char **)(uintptr_t)command.argv,
                                command.argvlen) == REDIS_OK ? 0 : -1;
}

static int link_run(void *link, enum op op, const struct load *load, size_t from, size_t to,
                    size_t depth)
{
  struct command command;
  redisReply *reply;
  size_t sent;
  int right = 1;

  op_info[op].fill(&command, load, 0);
  while (from < to && right) {
    for (sent = 0; sent < depth && from < to; sent++, from++)
      if (append(link, op, load, from) != 0)
        return -1;
    while (sent-- > 0 && right) {
      reply = NULL;
      right = redisGetReply(link, (void **)&reply) == REDIS_OK &&
              remote_reply_right(reply, &command);
      freeReplyObject(reply);
    }
  }
  return right ? 0 : -1;
}

const struct pipeliner pipeliners[PIPELINERS] = {
  { "larder", thread_open, store_close, store_run },
  { "larder-dispatch", dispatch_open, store_close, store_run },
  { "larder-fallback", fallback_open, store_close, store_run },
  { "hiredis", link_open, link_close, link_run },
};
