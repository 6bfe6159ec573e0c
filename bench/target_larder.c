/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#include <larder.h>

/* larder in the process, through its typed calls and through argument vectors. */

struct engine {
  larder *store;
  char *buffer;
};

static void engine_close(void *context)
{
  struct engine *engine = context;

  larder_close(engine->store, 0);
  free(engine->buffer);
  free(engine);
}

static void *engine_open(const struct load *load, char *why, size_t why_size)
{
  struct engine *engine = calloc(1, sizeof *engine);

  if (engine == NULL)
    return NULL;
  engine->buffer = malloc(load->value_length + 1);
  engine->store = larder_open("memory:", NULL, why, why_size);
  if (engine->buffer == NULL || engine->store == NULL) {
    engine_close(engine);
    return NULL;
  }
  return engine;
}

static int typed_get(void *context, const struct load *load, size_t count)
{
  struct engine *engine = context;
  size_t i, length;

  for (i = 0; i < count; i++)
    if (larder_get(engine->store, load->key[load->pick[i]], load->key_length, engine->buffer,
                   load->value_length, &length) != LARDER_OK ||
        length != load->value_length)
      return -1;
  return 0;
}

static int typed_set(void *context, const struct load *load, size_t count)
{
  struct engine *engine = context;
  size_t i;

  for (i = 0; i < count; i++)
    if (larder_set(engine->store, load->key[load->pick[i]], load->key_length, load->value,
                   load->value_length, 0) != LARDER_OK)
      return -1;
  return 0;
}

/* Whether the call was answered with such a value, of such a length. */
static int answered(larder *store, int argc, const char *const *argv, const size_t *argvlen,
                    larder_type type, size_t len)
{
  larder_reply *reply = larder_argv(store, argc, argv, argvlen);
  int right = reply->outcome == LARDER_OK && reply->value.type == type &&
              (type != LARDER_STRING || reply->value.len == len);

  larder_reply_free(reply);
  return right;
}

static int argv_get(void *context, const struct load *load, size_t count)
{
  struct engine *engine = context;
  const char *argv[2] = { "GET", NULL };
  size_t argvlen[2] = { 3, load->key_length };
  size_t i;

  for (i = 0; i < count; i++) {
    argv[1] = load->key[load->pick[i]];
    if (!answered(engine->store, 2, argv, argvlen, LARDER_STRING, load->value_length))
      return -1;
  }
  return 0;
}

static int argv_set(void *context, const struct load *load, size_t count)
{
  struct engine *engine = context;
  const char *argv[3] = { "SET", NULL, load->value };
  size_t argvlen[3] = { 3, load->key_length, load->value_length };
  size_t i;

  for (i = 0; i < count; i++) {
    argv[1] = load->key[load->pick[i]];
    if (!answered(engine->store, 3, argv, argvlen, LARDER_STATUS, 0))
      return -1;
  }
  return 0;
}

static int argv_incr(void *context, const struct load *load, size_t count)
{
  struct engine *engine = context;
  const char *argv[2] = { "INCR", NULL };
  size_t argvlen[2] = { 4, load->key_length };
  size_t i;

  for (i = 0; i < count; i++) {
    argv[1] = load->counter[load->pick[i]];
    if (!answered(engine->store, 2, argv, argvlen, LARDER_INTEGER, 0))
      return -1;
  }
  return 0;
}

static int argv_zadd(void *context, const struct load *load, size_t count)
{
  struct engine *engine = context;
  const char *argv[4] = { "ZADD", "board", NULL, NULL };
  size_t argvlen[4] = { 4, 5, 0, load->key_length };
  size_t i;

  for (i = 0; i < count; i++) {
    argv[2] = load->score[i];
    argvlen[2] = strlen(load->score[i]);
    argv[3] = load->member[load->pick[i]];
    if (!answered(engine->store, 4, argv, argvlen, LARDER_INTEGER, 0))
      return -1;
  }
  return 0;
}

const struct target target_typed = {
  .name = "larder-typed",
  .divisor = 1,
  .open = engine_open,
  .close = engine_close,
  .run = { [OP_GET] = typed_get, [OP_SET] = typed_set },
};

const struct target target_argv = {
  .name = "larder-argv",
  .divisor = 1,
  .open = engine_open,
  .close = engine_close,
  .run = { [OP_GET] = argv_get, [OP_SET] = argv_set, [OP_INCR] = argv_incr, [OP_ZADD] = argv_zadd },
};
