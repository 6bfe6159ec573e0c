/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/shard.h"
#include "memory/t_engine.h"

#include "memory/encoding.h"
#include "memory/evict.h"

/* OBJECT: what is known of a key beside its value.  Asking is no use of the key. */

static void encoding(struct lrd_exec *x, const struct lrd_entry *entry)
{
  const char *name = lrd_encoding(&x->engine->parameters, entry);

  lrd_sink_string(x->sink, name, strlen(name));
}

/* Redis shares the integers below 10000 among all keys, unless it has to know of each
 * key when it was used. */
static void refcount(struct lrd_exec *x, const struct lrd_entry *entry)
{
  enum { SHARED = 10000 };
  int shared = entry->kind == LRD_STRING && (entry->flags & LRD_ENTRY_INTEGER) &&
               entry->integer >= 0 && entry->integer < SHARED &&
               !lrd_evict_knows_each(x->engine);

  lrd_sink_integer(x->sink, shared ? INT32_MAX : 1);
}

static void freq(struct lrd_exec *x, const struct lrd_entry *entry)
{
  const char *error;
  int64_t n = lrd_evict_freq(x->engine, entry, lrd_now(x), &error);

  if (error)
    lrd_error(x, error);
  else
    lrd_sink_integer(x->sink, n);
}

static void idletime(struct lrd_exec *x, const struct lrd_entry *entry)
{
  const char *error;
  int64_t n = lrd_evict_idle(x->engine, entry, lrd_now(x), &error);

  if (error)
    lrd_error(x, error);
  else
    lrd_sink_integer(x->sink, n);
}

static void help(struct lrd_exec *x)
{
  static const char *const lines[] = {
    "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
    "HELP",
    "    Prints this help.",
    NULL
  };

  lrd_reply_lines(x, lines);
}

static const struct {
  const char *word;
  void (*reply)(struct lrd_exec *, const struct lrd_entry *);
} subcommands[] = {
  { "ENCODING", encoding }, { "REFCOUNT", refcount }, { "FREQ", freq }, { "IDLETIME", idletime }
};

void lrd_t_object(struct lrd_exec *x)
{
  struct lrd_entry *entry;

  if (lrd_is_word(&x->argv[1], "HELP")) {
    help(x);
    return;
  }
  if (!lrd_read(x, x->argv[2], LRD_NONE, &entry))
    return;
  if (!entry) {
    lrd_sink_nil(x->sink);
    return;
  }
  for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
    if (lrd_is_word(&x->argv[1], subcommands[i].word))
      subcommands[i].reply(x, entry);
}
