/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"

#include "command/argv.h"

/* Within an atomic call, for the vectors behind it. */
void lrd_t_select(struct lrd_exec *x)
{
  const char *error = lrd_command_select(x->vector, &x->database);

  if (error)
    lrd_error(x, error);
  else
    lrd_sink_ok(x->sink);
}

void lrd_t_ping(struct lrd_exec *x)
{
  if (x->argc > 2)
    lrd_error(x, "ERR wrong number of arguments for 'ping' command");
  else if (x->argc == 2)
    lrd_sink_string(x->sink, x->argv[1].data, x->argv[1].len);
  else
    lrd_sink_status(x->sink, "PONG");
}

void lrd_t_echo(struct lrd_exec *x)
{
  lrd_sink_string(x->sink, x->argv[1].data, x->argv[1].len);
}

void lrd_t_time(struct lrd_exec *x)
{
  const larder_clock *clock = &x->engine->base.clock;
  int64_t now = clock->wall(clock->context);
  char number[LRD_NUMBER_SIZE];

  lrd_sink_array(x->sink, 2);
  lrd_sink_string(x->sink, number, lrd_print_integer(number, now / 1000000));
  lrd_sink_string(x->sink, number, lrd_print_integer(number, now % 1000000));
}

/* --- CONFIG GET ---------------------------------------------------------------------- */

/* What clients ask for to know what they talk to.  Values that Redis's own
 * parameters would have here. */
static const struct parameter {
  const char *name, *value;
} parameters[] = {
  { "activerehashing", "yes" },
  { "appendfsync", "everysec" },
  { "appendonly", "no" },
  { "cluster-enabled", "no" },
  { "databases", "16" },
  { "io-threads", "1" },
  { "lazyfree-lazy-user-flush", "no" },
  { "list-max-listpack-size", "-2" },
  { "maxclients", "10000" },
  { "maxmemory", "0" },
  { "maxmemory-policy", "noeviction" },
  { "notify-keyspace-events", "" },
  { "proto-max-bulk-len", "536870912" },
  { "save", "" },
  { "slowlog-max-len", "0" },
  { "timeout", "0" },
};

enum { PARAMETERS = sizeof parameters / sizeof *parameters };

static int asked_for(const struct lrd_exec *x, const struct parameter *p)
{
  for (int i = 2; i < x->argc; i++)
    if (lrd_glob(x->argv[i].data, x->argv[i].len, p->name, strlen(p->name), 1))
      return 1;
  return 0;
}

void lrd_t_config(struct lrd_exec *x)
{
  size_t count = 0;

  if (!lrd_is_word(&x->argv[1], "GET")) {
    lrd_errorf(x, "ERR unknown subcommand '%.*s'. Try CONFIG HELP.",
               (int)(x->argv[1].len < 128 ? x->argv[1].len : 128), x->argv[1].data);
    return;
  }
  if (x->argc < 3) {
    lrd_error(x, "ERR wrong number of arguments for 'config|get' command");
    return;
  }
  for (int i = 0; i < PARAMETERS; i++)
    count += (size_t)asked_for(x, &parameters[i]);
  lrd_sink_map(x->sink, count);
  for (int i = 0; i < PARAMETERS; i++)
    if (asked_for(x, &parameters[i])) {
      lrd_sink_string(x->sink, parameters[i].name, strlen(parameters[i].name));
      lrd_sink_string(x->sink, parameters[i].value, strlen(parameters[i].value));
    }
}
