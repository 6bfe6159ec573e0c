/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote.h"

#include <stdlib.h>

#include <hiredis/hiredis.h>
#include <larder.h>

#include "remote_store.h"

/* Those who make one call after the other: larder without and with its fallback, and hiredis
 * with a connection for each thread. */

static void *none_open(const struct site *site, enum transport transport, size_t threads)
{
  (void)threads;
  return remote_store(site, transport, "none", LARDER_DELIVER_THREAD);
}

static void *memory_open(const struct site *site, enum transport transport, size_t threads)
{
  (void)threads;
  return remote_store(site, transport, "memory", LARDER_DELIVER_THREAD);
}

static void store_close(void *store)
{
  larder_close(store, 1000);
}

static int store_call(void *store, size_t thread, const struct command *command)
{
  larder_reply *reply = larder_argv(store, command->argc, command->argv, command->argvlen);
  int right = remote_right(reply, command);

  (void)thread;
  larder_reply_free(reply);
  return right ? 0 : -1;
}

struct links {
  size_t count;
  redisContext *link[REMOTE_THREADS];
};

static void links_close(void *context)
{
  struct links *links = context;
  size_t i;

  for (i = 0; i < links->count; i++)
    redisFree(links->link[i]);
  free(links);
}

redisContext *remote_link(const struct site *site, enum transport transport)
{
  redisContext *link = transport == TRANSPORT_UNIX ? redisConnectUnix(redis_socket(site->server))
                                                   : redisConnect("127.0.0.1", site->port);

  if (link != NULL && link->err == 0)
    return link;
  fprintf(stderr, "bench: hiredis: %s\n", link == NULL ? "out of memory" : link->errstr);
  if (link != NULL)
    redisFree(link);
  return NULL;
}

static void *links_open(const struct site *site, enum transport transport, size_t threads)
{
  struct links *links = bench_memory(1, sizeof *links);

  for (links->count = 0; links->count < threads; links->count++)
    if ((links->link[links->count] = remote_link(site, transport)) == NULL) {
      links_close(links);
      return NULL;
    }
  return links;
}

int remote_reply_right(redisReply *reply, const struct command *command)
{
  if (reply == NULL)
    return 0;
  if (command->reply == REPLY_STATUS)
    return reply->type == REDIS_REPLY_STATUS;
  return reply->type == REDIS_REPLY_STRING && (size_t)reply->len == command->len;
}

static int links_call(void *context, size_t thread, const struct command *command)
{
  redisContext *link = ((struct links *)context)->link[thread];
  redisReply *reply = redisCommandArgv(link, command->argc,
                                       (const char **)(uintptr_t)command->argv, command->argvlen);
  int right = remote_reply_right(reply, command);

  freeReplyObject(reply);
  return right ? 0 : -1;
}

const struct caller callers[CALLERS] = {
  { "larder", none_open, store_close, store_call },
  { "larder-fallback", memory_open, store_close, store_call },
  { "hiredis", links_open, links_close, links_call },
};
