/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "support/server.h"
#include "target.h"

/*
 * Redis servers of our own on unix sockets, through hiredis, 64 commands in flight.
 */

enum { PIPELINE = 64 };

struct redis {
  struct server *server;
  int guest; /* the server is another's */
  redisContext *link;
};

static int find_program(const char *given, const char *name, char *path, size_t size)
{
  const char *folders = getenv("PATH"), *from;

  if (given != NULL && given[0] != '\0') {
    snprintf(path, size, "%s", given);
    return access(path, X_OK);
  }
  for (from = folders; from != NULL && *from != '\0'; from += strspn(from, ":")) {
    size_t length = strcspn(from, ":");

    snprintf(path, size, "%.*s/%s", (int)length, from, name);
    if (access(path, X_OK) == 0)
      return 0;
    from += length;
  }
  return -1;
}

const struct redis_kind redis_kinds[] = {
  { "redis", "REDIS_SERVER", "redis-server" },
  { "redis-new", "REDIS_SERVER_NEW", "redis-server-new" },
  { "valkey", "VALKEY_SERVER", "valkey-server" },
  { NULL, NULL, NULL },
};

/* config: more lines of redis.conf, or NULL. */
static struct redis *open_kind(const struct redis_kind *kind, const char *config, char *why,
                               size_t why_size)
{
  struct server_options options = { .unix_socket = 1, .config = config };
  const char *usual = getenv("REDIS_SERVER");
  char path[4096], *kept = usual == NULL ? NULL : strdup(usual);
  struct redis *redis;

  if (find_program(getenv(kind->variable), kind->program, path, sizeof path) != 0) {
    snprintf(why, why_size, "no %s here (%s=PATH)", kind->program, kind->variable);
    free(kept);
    return NULL;
  }
  redis = bench_memory(1, sizeof *redis);
  setenv("REDIS_SERVER", path, 1); /* where server_start looks */
  redis->server = server_start(&options);
  if (kept != NULL)
    setenv("REDIS_SERVER", kept, 1);
  else
    unsetenv("REDIS_SERVER");
  free(kept);
  redis->link = redisConnectUnix(server_socket(redis->server));
  if (redis->link == NULL || redis->link->err != 0) {
    snprintf(why, why_size, "%s", redis->link == NULL ? "out of memory" : redis->link->errstr);
    redis_close(redis);
    return NULL;
  }
  return redis;
}

struct redis *redis_open(const struct redis_kind *kind, char *why, size_t why_size)
{
  return open_kind(kind, NULL, why, why_size);
}

struct redis *redis_open_port(int *port, char *why, size_t why_size)
{
  char config[64];

  *port = server_free_port();
  snprintf(config, sizeof config, "bind 127.0.0.1\nport %d\n", *port);
  return open_kind(&redis_kinds[0], config, why, why_size);
}

void redis_close(struct redis *redis)
{
  if (redis->link != NULL)
    redisFree(redis->link);
  if (!redis->guest)
    server_stop(redis->server);
  free(redis);
}

struct redis *redis_again(const struct redis *host)
{
  struct redis *redis = bench_memory(1, sizeof *redis);

  redis->server = host->server;
  redis->guest = 1;
  redis->link = redisConnectUnix(server_socket(redis->server));
  if (redis->link != NULL && redis->link->err == 0)
    return redis;
  redis_close(redis);
  return NULL;
}

size_t redis_size(struct redis *redis)
{
  redisReply *reply = redisCommand(redis->link, "DBSIZE");
  size_t size = reply != NULL && reply->type == REDIS_REPLY_INTEGER ? (size_t)reply->integer : 0;

  freeReplyObject(reply);
  return size;
}

const char *redis_socket(const struct redis *redis)
{
  return server_socket(redis->server);
}

int redis_pid(const struct redis *redis)
{
  return server_pid(redis->server);
}

double redis_info(struct redis *redis, const char *field, char *text, size_t size)
{
  redisReply *reply = redisCommand(redis->link, "INFO everything");
  const char *at = NULL;
  double number = -1;
  char name[64];

  snprintf(name, sizeof name, "\n%s:", field);
  if (reply != NULL && reply->type == REDIS_REPLY_STRING)
    at = strstr(reply->str, name);
  if (at != NULL) {
    at += strlen(name);
    number = strtod(at, NULL);
    if (text != NULL)
      snprintf(text, size, "%.*s", (int)strcspn(at, "\r\n"), at);
  }
  freeReplyObject(reply);
  return number;
}

double redis_cpu_ns(struct redis *redis)
{
  struct timespec rest = { 0, 200000 };

  nanosleep(&rest, NULL); /* what it still does is in its clock once it sleeps */
  return process_ns(server_pid(redis->server));
}

static int is_right(const struct command *command, const redisReply *reply)
{
  switch (command->reply) {
  case REPLY_STATUS:
    return reply->type == REDIS_REPLY_STATUS;
  case REPLY_INTEGER:
    return reply->type == REDIS_REPLY_INTEGER;
  case REPLY_STRING:
    return reply->type == REDIS_REPLY_STRING && (size_t)reply->len == command->len;
  default:
    return reply->type == REDIS_REPLY_ARRAY && reply->elements <= command->len;
  }
}

int redis_send(struct redis *redis, const struct command *command)
{
  return redisAppendCommandArgv(redis->link, command->argc, (const char **)(uintptr_t)command->argv,
                                command->argvlen) == REDIS_OK ? 0 : -1;
}

int redis_receive(struct redis *redis, const struct command *command)
{
  redisReply *reply = NULL;
  int right;

  if (redisGetReply(redis->link, (void **)&reply) != REDIS_OK)
    return -1;
  right = command == NULL ? reply->type != REDIS_REPLY_ERROR : is_right(command, reply);
  freeReplyObject(reply);
  return right ? 0 : -1;
}

typedef void filler(struct command *, const struct load *, size_t i);

/* Steps travel in groups.  Each reply is checked against the last step's command, which is
 * of the same form as the others'. */
static int run_steps(struct redis *redis, filler *fill, size_t commands, const struct load *load,
                     size_t from, size_t to)
{
  size_t steps = PIPELINE / commands, i = from, sent, c;
  struct command command[COMMANDS_MAX];

  while (i < to) {
    for (sent = 0; sent < steps && i < to; sent++, i++) {
      fill(command, load, i);
      for (c = 0; c < commands; c++)
        if (redis_send(redis, &command[c]) != 0)
          return -1;
    }
    while (sent-- > 0)
      for (c = 0; c < commands; c++)
        if (redis_receive(redis, &command[c]) != 0)
          return -1;
  }
  return 0;
}

int redis_fill(struct redis *redis, filler *fill, const struct load *load, size_t from, size_t to)
{
  return run_steps(redis, fill, 1, load, from, to);
}

static int redis_run(void *redis, enum op op, const struct load *load, size_t from, size_t to)
{
  return run_steps(redis, op_info[op].fill, op_info[op].commands, load, from, to);
}

static void *usual_open(char *why, size_t why_size)
{
  return redis_open(&redis_kinds[0], why, why_size);
}

static void *new_open(char *why, size_t why_size)
{
  return redis_open(&redis_kinds[1], why, why_size);
}

static void *valkey_open(char *why, size_t why_size)
{
  return redis_open(&redis_kinds[2], why, why_size);
}

static void close_any(void *redis)
{
  redis_close(redis);
}

static double cpu_any(void *redis)
{
  return redis_cpu_ns(redis);
}

static void version_any(void *redis, char *text, size_t size)
{
  snprintf(text, size, "?");
  if (redis_info(redis, "valkey_version", text, size) < 0)
    redis_info(redis, "redis_version", text, size);
}

enum { REDIS_CAN = (OP_BIT(OPS) - 1) & ~OP_BIT(OP_NEW) & ~OP_BIT(OP_MIX) };

const struct target target_redis = {
  .name = "redis", .can = REDIS_CAN, .open = usual_open, .close = close_any, .run = redis_run,
  .cpu = cpu_any, .version = version_any, .judged = 1,
};

const struct target target_redis_new = {
  .name = "redis-new", .can = REDIS_CAN, .open = new_open, .close = close_any, .run = redis_run,
  .cpu = cpu_any, .version = version_any,
};

const struct target target_valkey = {
  .name = "valkey", .can = REDIS_CAN, .open = valkey_open, .close = close_any, .run = redis_run,
  .cpu = cpu_any, .version = version_any,
};
