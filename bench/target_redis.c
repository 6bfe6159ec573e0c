/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "support/server.h"

/*
 * A redis-server of our own on a unix socket, through hiredis: one command at a
 * time, and a pipeline.
 */

struct redis {
  struct server *server;
  redisContext *link;
  size_t pipeline; /* 1: one command at a time */
  char version[64];
};

static void redis_close(void *context)
{
  struct redis *redis = context;

  if (redis->link != NULL)
    redisFree(redis->link);
  server_stop(redis->server);
  free(redis);
}

static void ask_version(struct redis *redis)
{
  redisReply *reply = redisCommand(redis->link, "INFO server");
  const char *at = reply != NULL && reply->type == REDIS_REPLY_STRING
                     ? strstr(reply->str, "redis_version:") : NULL;

  if (at != NULL) {
    at += strlen("redis_version:");
    snprintf(redis->version, sizeof redis->version, "%.*s", (int)strcspn(at, "\r\n"), at);
  }
  freeReplyObject(reply);
}

static void *redis_open(size_t pipeline, char *why, size_t why_size)
{
  struct server_options options = { .unix_socket = 1 };
  struct redis *redis = calloc(1, sizeof *redis);

  snprintf(why, why_size, "out of memory");
  if (redis == NULL)
    return NULL;
  redis->pipeline = pipeline;
  redis->server = server_start(&options);
  redis->link = redisConnectUnix(server_socket(redis->server));
  if (redis->link == NULL || redis->link->err != 0) {
    snprintf(why, why_size, "%s", redis->link == NULL ? "out of memory" : redis->link->errstr);
    redis_close(redis);
    return NULL;
  }
  ask_version(redis);
  return redis;
}

static void *sync_open(const struct load *load, char *why, size_t why_size)
{
  (void)load;
  return redis_open(1, why, why_size);
}

static void *pipeline_open(const struct load *load, char *why, size_t why_size)
{
  return redis_open(load->pipeline, why, why_size);
}

static const char *redis_version(void *context)
{
  return ((struct redis *)context)->version;
}

/* One command of the load, ready to be sent; the argument that counts is filled in by fill. */
struct command {
  int argc;
  const char *argv[4];
  size_t argvlen[4];
  int type;   /* of the right reply */
  size_t len; /* of a string */
};

typedef void filler(struct command *, const struct load *, size_t i);

static int check_reply(struct redis *redis, const struct command *command)
{
  redisReply *reply = NULL;
  int right;

  if (redisGetReply(redis->link, (void **)&reply) != REDIS_OK)
    return -1;
  right = reply->type == command->type &&
          (command->type != REDIS_REPLY_STRING || (size_t)reply->len == command->len);
  freeReplyObject(reply);
  return right ? 0 : -1;
}

static int run(struct redis *redis, const struct load *load, size_t count, struct command *command,
               filler *fill)
{
  size_t i = 0, sent;

  while (i < count) {
    for (sent = 0; sent < redis->pipeline && i < count; sent++, i++) {
      fill(command, load, i);
      if (redisAppendCommandArgv(redis->link, command->argc, command->argv, command->argvlen) !=
          REDIS_OK)
        return -1;
    }
    while (sent-- > 0)
      if (check_reply(redis, command) != 0)
        return -1;
  }
  return 0;
}

static void fill_key(struct command *command, const struct load *load, size_t i)
{
  command->argv[1] = load->key[load->pick[i]];
}

static void fill_counter(struct command *command, const struct load *load, size_t i)
{
  command->argv[1] = load->counter[load->pick[i]];
}

static void fill_member(struct command *command, const struct load *load, size_t i)
{
  command->argv[2] = load->score[i];
  command->argvlen[2] = strlen(load->score[i]);
  command->argv[3] = load->member[load->pick[i]];
}

static int redis_get(void *context, const struct load *load, size_t count)
{
  struct command command = { .argc = 2, .argv = { "GET" }, .argvlen = { 3, load->key_length },
                             .type = REDIS_REPLY_STRING, .len = load->value_length };
  return run(context, load, count, &command, fill_key);
}

static int redis_set(void *context, const struct load *load, size_t count)
{
  struct command command = { .argc = 3, .argv = { "SET", NULL, load->value },
                             .argvlen = { 3, load->key_length, load->value_length },
                             .type = REDIS_REPLY_STATUS };
  return run(context, load, count, &command, fill_key);
}

static int redis_incr(void *context, const struct load *load, size_t count)
{
  struct command command = { .argc = 2, .argv = { "INCR" }, .argvlen = { 4, load->key_length },
                             .type = REDIS_REPLY_INTEGER };
  return run(context, load, count, &command, fill_counter);
}

static int redis_zadd(void *context, const struct load *load, size_t count)
{
  struct command command = { .argc = 4, .argv = { "ZADD", "board" },
                             .argvlen = { 4, 5, 0, load->key_length },
                             .type = REDIS_REPLY_INTEGER };
  return run(context, load, count, &command, fill_member);
}

const struct target target_redis = {
  .name = "redis-sync",
  .divisor = 20,
  .open = sync_open,
  .close = redis_close,
  .version = redis_version,
  .run = { redis_get, redis_set, redis_incr, redis_zadd },
};

const struct target target_pipeline = {
  .name = "redis-pipeline",
  .divisor = 4,
  .open = pipeline_open,
  .close = redis_close,
  .version = redis_version,
  .run = { redis_get, redis_set, redis_incr, redis_zadd },
};
