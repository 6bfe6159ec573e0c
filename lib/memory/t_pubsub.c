/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"

#include "command/hub.h"

/* Publishing, and who listens: from the store's hub, which is no part of the keyspace. */

static void publish(struct lrd_exec *x, enum lrd_hub_kind kind)
{
  int64_t heard = x->engine->hub ? lrd_hub_publish(x->engine->hub, kind, x->argv[1], x->argv[2]) : 0;

  if (heard < 0)
    lrd_no_memory(x);
  else
    lrd_sink_integer(x->sink, heard);
}

void lrd_t_publish(struct lrd_exec *x)
{
  publish(x, LRD_HUB_CHANNEL);
}

void lrd_t_spublish(struct lrd_exec *x)
{
  publish(x, LRD_HUB_SHARD);
}

/* --- PUBSUB ------------------------------------------------------------------- */

static void put_name(void *context, const struct lrd_name *name)
{
  lrd_sink_string(context, name->bytes, name->len);
}

static void names(struct lrd_exec *x, enum lrd_hub_kind kind)
{
  const larder_bytes all = { NULL, 0 };
  size_t n = 0;

  if (x->argc > 3) {
    lrd_errorf(x, "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try PUBSUB HELP.",
               (int)(x->argv[1].len < 128 ? x->argv[1].len : 128), x->argv[1].data);
    return;
  }
  x->sink->type->open(x->sink, LARDER_ARRAY);
  if (x->engine->hub)
    n = lrd_hub_names(x->engine->hub, kind, x->argc == 3 ? x->argv[2] : all, put_name, x->sink);
  x->sink->type->close(x->sink, n);
}

static void ears(struct lrd_exec *x, enum lrd_hub_kind kind)
{
  lrd_sink_array(x->sink, (size_t)(x->argc - 2) * 2);
  for (int i = 2; i < x->argc; i++) {
    size_t n = x->engine->hub ? lrd_hub_ears(x->engine->hub, kind, x->argv[i]) : 0;

    lrd_sink_string(x->sink, x->argv[i].data, x->argv[i].len);
    lrd_sink_integer(x->sink, (int64_t)n);
  }
}

static void numpat(struct lrd_exec *x)
{
  size_t n = x->engine->hub ? lrd_hub_count(x->engine->hub, LRD_HUB_PATTERN) : 0;

  lrd_sink_integer(x->sink, (int64_t)n);
}

static void help(struct lrd_exec *x)
{
  static const char *const lines[] = {
    "PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CHANNELS [<pattern>]",
    "    Return the currently active channels matching a <pattern> (default: '*').",
    "NUMPAT",
    "    Return number of subscriptions to patterns.",
    "NUMSUB [<channel> ...]",
    "    Return the number of subscribers for the specified channels, excluding",
    "    pattern subscriptions(default: no channels).",
    "SHARDCHANNELS [<pattern>]",
    "    Return the currently active shard level channels matching a <pattern> (default: '*').",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    Return the number of subscribers for the specified shard level channel(s)",
    "HELP",
    "    Prints this help.",
    NULL
  };

  lrd_reply_lines(x, lines);
}

void lrd_t_pubsub(struct lrd_exec *x)
{
  const larder_bytes *word = &x->argv[1];

  if (lrd_is_word(word, "CHANNELS"))
    names(x, LRD_HUB_CHANNEL);
  else if (lrd_is_word(word, "SHARDCHANNELS"))
    names(x, LRD_HUB_SHARD);
  else if (lrd_is_word(word, "NUMSUB"))
    ears(x, LRD_HUB_CHANNEL);
  else if (lrd_is_word(word, "SHARDNUMSUB"))
    ears(x, LRD_HUB_SHARD);
  else if (lrd_is_word(word, "NUMPAT"))
    numpat(x);
  else
    help(x);
}
