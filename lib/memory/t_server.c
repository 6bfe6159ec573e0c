/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"

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

void lrd_reply_lines(struct lrd_exec *x, const char *const *lines)
{
  size_t n = 0;

  while (lines[n])
    n++;
  lrd_sink_array(x->sink, n);
  for (size_t i = 0; i < n; i++)
    lrd_sink_status(x->sink, lines[i]);
}
