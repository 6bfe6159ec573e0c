/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_COMMAND_BESIDE_H
#define TEST_COMMAND_BESIDE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "command/sink.h"
#include "command/vector.h"
#include "support/check.h"
#include "support/server.h"
#include "util/memory.h"

/* A redis-server of the test's own beside lib/command, with a client for each protocol. */

static struct server *server;
static struct resp_client *client[4]; /* [2], [3]: by protocol */
static struct lrd_arena arena;

static void start_server(void)
{
  server = server_start(NULL);
}

static void stop_server(void)
{
  server_stop(server);
}

static void connect_clients(void)
{
  client[2] = server_connect(server, 2);
  client[3] = server_connect(server, 3);
  ck_assert(client[2] && client[3]);
  lrd_arena_init(&arena, &lrd_memory_system);
}

static void close_clients(void)
{
  resp_close(client[2]);
  resp_close(client[3]);
  lrd_arena_free(&arena);
}

static inline struct resp *call_vector(struct resp_client *c, const larder_vector *v)
{
  const char *argv[64];
  size_t len[64];
  struct resp *reply;
  int i;

  ck_assert_int_le(v->argc, 64);
  for (i = 0; i < v->argc; i++) {
    argv[i] = v->argv[i].data;
    len[i] = v->argv[i].len;
  }
  reply = resp_call(c, v->argc, argv, len);
  ck_assert_msg(reply != NULL, "%s: %s", v->argc ? argv[0] : "", resp_fault(c));
  return reply;
}

static inline struct resp *call_line(struct resp_client *c, const char *line)
{
  larder_vector v = vector_of(&arena, line);

  return call_vector(c, &v);
}

#endif
