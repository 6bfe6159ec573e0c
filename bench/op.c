/* SPDX-License-Identifier: BSD-2-Clause */
#include "op.h"

#include <string.h>

void command_word(struct command *c, const char *text, size_t length)
{
  c->argv[c->argc] = text;
  c->argvlen[c->argc++] = length;
}

void command_begin(struct command *c, const char *name, enum reply_kind reply, size_t len)
{
  c->argc = 0;
  c->reply = reply;
  c->len = len;
  command_word(c, name, strlen(name));
}

static void fill_ping(struct command *c, const struct load *load, size_t i)
{
  (void)load;
  (void)i;
  command_begin(c, "PING", REPLY_STATUS, 0);
}

static void fill_get(struct command *c, const struct load *load, size_t i)
{
  command_begin(c, "GET", REPLY_STRING, VALUE_LENGTH);
  command_word(c, load->step[i].key, KEY_LENGTH);
}

static void fill_mget(struct command *c, const struct load *load, size_t i)
{
  size_t k;

  command_begin(c, "MGET", REPLY_ARRAY, MGET_KEYS);
  for (k = 0; k < MGET_KEYS; k++)
    command_word(c, load->step[i * MGET_KEYS + k].key, KEY_LENGTH);
}

static void fill_set(struct command *c, const struct load *load, size_t i)
{
  command_begin(c, "SET", REPLY_STATUS, 0);
  command_word(c, load->step[i].key, KEY_LENGTH);
  command_word(c, load->value, VALUE_LENGTH);
}

static void fill_mix(struct command *c, const struct load *load, size_t i)
{
  if (load->step[i].write)
    fill_set(c, load, i);
  else
    fill_get(c, load, i);
}

static void fill_incr(struct command *c, const struct load *load, size_t i)
{
  command_begin(c, "INCR", REPLY_INTEGER, 0);
  command_word(c, load->step[i].key, KEY_LENGTH);
}

static const char field_name[FIELDS][7] = { "field0", "field1", "field2", "field3", "field4",
                                            "field5", "field6", "field7", "field8", "field9" };

static void hash_and_field(struct command *c, const struct load *load, size_t i)
{
  /* The key without its last digit names the hash, the digit its field. */
  command_word(c, load->step[i].key, KEY_LENGTH - 1);
  command_word(c, field_name[load->step[i].number % FIELDS], 6);
}

static void fill_hset(struct command *c, const struct load *load, size_t i)
{
  command_begin(c, "HSET", REPLY_INTEGER, 0);
  hash_and_field(c, load, i);
  command_word(c, load->value, VALUE_LENGTH);
}

static void fill_hget(struct command *c, const struct load *load, size_t i)
{
  command_begin(c, "HGET", REPLY_STRING, VALUE_LENGTH);
  hash_and_field(c, load, i);
}

static void fill_sadd(struct command *c, const struct load *load, size_t i)
{
  command_begin(c, "SADD", REPLY_INTEGER, 0);
  command_word(c, "set", 3);
  command_word(c, load->step[i].key, KEY_LENGTH);
}

static void fill_lpush(struct command *c, const struct load *load, size_t i)
{
  (void)i;
  command_begin(c, "LPUSH", REPLY_INTEGER, 0);
  command_word(c, "list", 4);
  command_word(c, load->value, VALUE_LENGTH);
}

static void fill_rpop(struct command *c, const struct load *load, size_t i)
{
  (void)load;
  (void)i;
  command_begin(c, "RPOP", REPLY_STRING, VALUE_LENGTH);
  command_word(c, "list", 4);
}

static void fill_zadd(struct command *c, const struct load *load, size_t i)
{
  command_begin(c, "ZADD", REPLY_INTEGER, 0);
  command_word(c, "zset", 4);
  command_word(c, load->step[i].score, sizeof load->step[i].score - 1);
  command_word(c, load->step[i].key, KEY_LENGTH);
}

static void fill_zrank(struct command *c, const struct load *load, size_t i)
{
  command_begin(c, "ZRANK", REPLY_INTEGER, 0);
  command_word(c, "zset", 4);
  command_word(c, load->step[i].key, KEY_LENGTH);
}

static void fill_zrange(struct command *c, const struct load *load, size_t i)
{
  command_begin(c, "ZRANGEBYSCORE", REPLY_ARRAY, 10);
  command_word(c, "zset", 4);
  command_word(c, load->step[i].score, sizeof load->step[i].score - 1);
  command_word(c, "+inf", 4);
  command_word(c, "LIMIT", 5);
  command_word(c, "0", 1);
  command_word(c, "10", 2);
}

/* What a rate limiter does: forget the requests before the window, note this one, count.
 * The key without its last three digits names the limited, and the score is the time. */
static void fill_window(struct command *c, const struct load *load, size_t i)
{
  const struct step *step = &load->step[i];
  const char *before = load->before[i];

  command_begin(&c[0], "ZREMRANGEBYSCORE", REPLY_INTEGER, 0);
  command_word(&c[0], step->key, KEY_LENGTH - 3);
  command_word(&c[0], "0", 1);
  command_word(&c[0], before, strlen(before));
  command_begin(&c[1], "ZADD", REPLY_INTEGER, 0);
  command_word(&c[1], step->key, KEY_LENGTH - 3);
  command_word(&c[1], step->score, sizeof step->score - 1);
  command_word(&c[1], step->score, sizeof step->score - 1);
  command_begin(&c[2], "ZCARD", REPLY_INTEGER, 0);
  command_word(&c[2], step->key, KEY_LENGTH - 3);
}

const struct op_info op_info[OPS] = {
  [OP_PING] = { "ping", KIND_STRINGS, 1, 1, fill_ping },
  [OP_NEW] = { "set-new", KIND_NOTHING, 1, 1, fill_set },
  [OP_GET] = { "get", KIND_STRINGS, 1, 1, fill_get },
  [OP_MGET] = { "mget100", KIND_STRINGS, MGET_KEYS, 1, fill_mget },
  [OP_SET] = { "set", KIND_STRINGS, 1, 1, fill_set },
  [OP_MIX] = { "mix", KIND_STRINGS, 1, 1, fill_mix },
  [OP_INCR] = { "incr", KIND_COUNTERS, 1, 1, fill_incr },
  [OP_HSET] = { "hset", KIND_HASHES, 1, 1, fill_hset },
  [OP_HGET] = { "hget", KIND_HASHES, 1, 1, fill_hget },
  [OP_SADD] = { "sadd", KIND_SET, 1, 1, fill_sadd },
  [OP_LPUSH] = { "lpush", KIND_LIST, 1, 1, fill_lpush },
  [OP_RPOP] = { "rpop", KIND_LIST, 1, 1, fill_rpop },
  [OP_ZADD] = { "zadd", KIND_ZSET, 1, 1, fill_zadd },
  [OP_ZRANK] = { "zrank", KIND_ZSET, 1, 1, fill_zrank },
  [OP_ZRANGE] = { "zrangebyscore10", KIND_ZSET, 1, 1, fill_zrange },
  [OP_WINDOW] = { "window", KIND_WINDOWS, 1, 3, fill_window },
};

const enum op kind_filler[KINDS] = {
  [KIND_NOTHING] = OPS,       [KIND_STRINGS] = OP_SET, [KIND_COUNTERS] = OP_INCR,
  [KIND_HASHES] = OP_HSET,    [KIND_SET] = OP_SADD,    [KIND_LIST] = OP_LPUSH,
  [KIND_ZSET] = OP_ZADD,      [KIND_WINDOWS] = OP_WINDOW,
};
