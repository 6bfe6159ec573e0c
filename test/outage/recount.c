/* SPDX-License-Identifier: BSD-2-Clause */
#include "outage/recount.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counting {
  struct client *client;
  int clients;
  struct recount *out;
};

/* Whose entry has that name?  "c3:17", "w:17". */
static struct client *writer_of(const struct counting *c, const char *name, size_t *number)
{
  int who = -1;
  char *end = NULL;
  if (name[0] == 'c')
    who = (int)strtol(name + 1, &end, 10);
  else if (name[0] == 'w')
    end = (char *)(uintptr_t)(name + 1);
  if (!end || *end != ':')
    return NULL;
  *number = strtoul(end + 1, NULL, 10);
  for (int i = 0; i < c->clients; i++)
    if (c->client[i].number == who)
      return &c->client[i];
  return NULL;
}

static void invented(const struct counting *c, const char *name, const char *why)
{
  if (c->out->verdict.invented++ < 10)
    printf("  invented: %s (%s)\n", name, why);
}

/* One element; value: what stands beside it (hash, zset), or NULL. */
static int meet(const struct counting *c, enum ledger_kind kind, int half, const struct resp *name,
                const char *value)
{
  size_t number;
  if (!name->str || (strcmp(name->str, "total") == 0 && value))
    return 0;
  if (strncmp(name->str, "p:", 2) == 0)
    return 1;
  struct client *writer = writer_of(c, name->str, &number);
  if (!writer) {
    invented(c, name->str, "nobody writes such names");
    return 0;
  }
  if (value && strtoul(value, NULL, 10) != number)
    invented(c, name->str, "with another's value");
  ledger_seen(&writer->ledger, kind, number, half, &c->out->verdict);
  return 0;
}

static struct resp *ask(struct resp_client *conn, const char *a, const char *b, const char *x,
                        const char *y, const char *z)
{
  struct resp *r = resp_words(conn, a, b, x, y, z, NULL);
  if (r && r->type != RESP_ERROR)
    return r;
  fprintf(stderr, "recount: %s %s: %s\n", a, b, r ? r->str : resp_fault(conn));
  exit(1);
}

static void count_plain(const struct counting *c, struct resp *r, enum ledger_kind kind, int half,
                        int preloaded)
{
  int met = 0;
  for (size_t i = 0; i < r->len; i++)
    met += meet(c, kind, half, &r->element[i], NULL);
  c->out->preload_gone += preloaded > met ? (uint64_t)(preloaded - met) : 0;
  if (met > preloaded)
    invented(c, ledger_name(kind), "preloaded elements more than once");
  resp_free(r);
}

static void count_valued(const struct counting *c, struct resp *r, enum ledger_kind kind)
{
  int met = 0;
  for (size_t i = 0; i + 1 < r->len; i += 2)
    met += meet(c, kind, 0, &r->element[i], r->element[i + 1].str);
  c->out->preload_gone += met < PRELOADED ? (uint64_t)(PRELOADED - met) : 0;
  resp_free(r);
}

/* final = clients' ones + direct writer's millions. */
static void check_sum(const struct counting *c, enum ledger_kind kind, const struct resp *r)
{
  uint64_t least[2] = {0, 0}, most[2] = {0, 0}, sum = r->str ? strtoull(r->str, NULL, 10) : 0;
  uint64_t found[2] = {sum % DIRECT_COUNTER_STEP, sum / DIRECT_COUNTER_STEP};
  for (int i = 0; i < c->clients; i++) {
    int direct = c->client[i].number < 0;
    size_t sure = ledger_told(&c->client[i].ledger, kind, TOLD_OK);
    least[direct] += sure;
    most[direct] += sure + ledger_told(&c->client[i].ledger, kind, TOLD_UNKNOWN);
  }
  for (int direct = 0; direct < 2; direct++) {
    if (found[direct] >= least[direct] && found[direct] <= most[direct])
      continue;
    c->out->wrong_sums++;
    printf("  %s: %s made %" PRIu64 " increments, acknowledged were %" PRIu64
           ", with the unknown ones %" PRIu64 "\n",
           ledger_name(kind), direct ? "the direct writer" : "the clients", found[direct],
           least[direct], most[direct]);
  }
}

void recount(struct resp_client *conn, struct client *clients, int count, struct recount *out)
{
  struct counting c = {clients, count, out};
  memset(out, 0, sizeof *out);
  count_plain(&c, ask(conn, "SMEMBERS", "set", NULL, NULL, NULL), LEDGER_SET, 0, PRELOADED);
  count_plain(&c, ask(conn, "LRANGE", "list", "0", "-1", NULL), LEDGER_LIST, 0, PRELOADED);
  count_plain(&c, ask(conn, "LRANGE", "pair:list", "0", "-1", NULL), LEDGER_PAIR, 0, 0);
  count_plain(&c, ask(conn, "SMEMBERS", "pair:set", NULL, NULL, NULL), LEDGER_PAIR, 1, 0);
  count_valued(&c, ask(conn, "HGETALL", "hash", NULL, NULL, NULL), LEDGER_HASH);
  count_valued(&c, ask(conn, "ZRANGE", "zset", "0", "-1", "WITHSCORES"), LEDGER_ZSET);
  for (int i = 0; i < count; i++)
    ledger_judge(&clients[i].ledger, &out->verdict);
  struct resp *r = ask(conn, "GET", "counter", NULL, NULL, NULL);
  check_sum(&c, LEDGER_COUNTER, r);
  resp_free(r);
  r = ask(conn, "HGET", "hash", "total", NULL, NULL);
  check_sum(&c, LEDGER_FIELD, r);
  resp_free(r);
  r = ask(conn, "ZSCORE", "zset", "total", NULL, NULL);
  check_sum(&c, LEDGER_SCORE, r);
  resp_free(r);
}
