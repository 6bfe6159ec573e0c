/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include <larder.h>

/* larder in the process, through its typed calls and through argument vectors. */

static void *engine_open(char *why, size_t why_size)
{
  return larder_open("memory:", NULL, why, why_size);
}

static void engine_close(void *store)
{
  larder_close(store, 0);
}

static int typed_get(larder *store, const struct step *step)
{
  char buffer[VALUE_LENGTH];
  size_t length;

  return larder_get(store, step->key, KEY_LENGTH, buffer, sizeof buffer, &length) == LARDER_OK &&
         length == VALUE_LENGTH ? 0 : -1;
}

static int typed_set(larder *store, const struct step *step, const char *value)
{
  return larder_set(store, step->key, KEY_LENGTH, value, VALUE_LENGTH, 0) == LARDER_OK ? 0 : -1;
}

static int typed_run(void *context, enum op op, const struct load *load, size_t from, size_t to)
{
  larder *store = context;
  size_t i;
  int failed = 0;

  switch ((int)op) {
  case OP_GET:
    for (i = from; i < to; i++)
      failed |= typed_get(store, &load->step[i]);
    return failed;
  case OP_SET:
  case OP_NEW:
    for (i = from; i < to; i++)
      failed |= typed_set(store, &load->step[i], load->value);
    return failed;
  case OP_MIX:
    for (i = from; i < to; i++)
      failed |= load->step[i].write ? typed_set(store, &load->step[i], load->value)
                                    : typed_get(store, &load->step[i]);
    return failed;
  default:
    return -1;
  }
}

static int is_right(const struct command *command, const larder_reply *reply)
{
  if (reply->outcome != LARDER_OK && reply->outcome != LARDER_ABSENT)
    return 0;
  switch (command->reply) {
  case REPLY_STATUS:
    return reply->value.type == LARDER_STATUS;
  case REPLY_INTEGER:
    return reply->value.type == LARDER_INTEGER;
  case REPLY_STRING:
    return reply->value.type == LARDER_STRING && reply->value.len == command->len;
  default:
    return reply->value.type == LARDER_ARRAY && reply->value.len <= command->len;
  }
}

static int argv_step(larder *store, const struct command *command)
{
  larder_reply *reply = larder_argv(store, command->argc, command->argv, command->argvlen);
  int right = is_right(command, reply);

  int unknown = reply->outcome == LARDER_UNSUPPORTED ||
                (!right && reply->value.type == LARDER_ERROR &&
                 strncmp(reply->value.str, "ERR unknown command", 19) == 0);

  larder_reply_free(reply);
  return right ? 0 : unknown ? 1 : -1;
}

static int batch_step(larder_batch *batch, const struct command *command, size_t count)
{
  int failed = 0;
  size_t i;

  larder_batch_clear(batch);
  for (i = 0; i < count; i++)
    failed |= larder_batch_argv(batch, command[i].argc, command[i].argv, command[i].argvlen) !=
              LARDER_OK;
  if (failed || larder_batch_run(batch, 1, 0) != LARDER_OK)
    return -1;
  for (i = 0; i < count; i++)
    failed |= !is_right(&command[i], larder_batch_reply(batch, i));
  return failed ? -1 : 0;
}

static int batch_run(larder *store, enum op op, const struct load *load, size_t from, size_t to)
{
  struct command command[COMMANDS_MAX];
  larder_batch *batch = larder_batch_new(store);
  size_t i;
  int failed = batch == NULL;

  for (i = from; i < to && !failed; i++) {
    op_info[op].fill(command, load, i);
    failed = batch_step(batch, command, op_info[op].commands);
  }
  larder_batch_free(batch);
  return failed ? -1 : 0;
}

static int argv_run(void *context, enum op op, const struct load *load, size_t from, size_t to)
{
  larder *store = context;
  struct command command;
  size_t i;
  int failed = 0;

  if (op_info[op].commands > 1)
    return batch_run(store, op, load, from, to);
  for (i = from; i < to && !failed; i++) {
    op_info[op].fill(&command, load, i);
    failed = argv_step(store, &command);
  }
  return failed;
}

const struct target target_typed = {
  .name = "larder-typed",
  .judged = 1,
  .can = OP_BIT(OP_GET) | OP_BIT(OP_SET) | OP_BIT(OP_NEW) | OP_BIT(OP_MIX),
  .threads = 1,
  .open = engine_open,
  .close = engine_close,
  .run = typed_run,
};

const struct target target_argv = {
  .name = "larder-argv",
  .judged = 1,
  .can = (OP_BIT(OPS) - 1) & ~OP_BIT(OP_PING),
  .threads = 1,
  .open = engine_open,
  .close = engine_close,
  .run = argv_run,
};
