/* SPDX-License-Identifier: BSD-2-Clause */
#include "outage/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CALL_MS = 5000, PAUSE_US = 1000, DIRECT_PAUSE_US = 5000 };

static int64_t now_us(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void nap_us(int us)
{
  struct timespec t = {0, (long)us * 1000};
  nanosleep(&t, NULL);
}

static unsigned roll(struct client *c, unsigned n)
{
  c->seed = c->seed * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)((c->seed >> 33) % n);
}

void client_preload(struct resp_client *c)
{
  char name[32], number[32];
  for (int i = 0; i < PRELOADED; i++) {
    snprintf(name, sizeof name, "p:%d", i);
    snprintf(number, sizeof number, "%d", i);
    resp_free(resp_words(c, "SADD", "set", name, NULL));
    resp_free(resp_words(c, "RPUSH", "list", name, NULL));
    resp_free(resp_words(c, "HSET", "hash", name, number, NULL));
    resp_free(resp_words(c, "ZADD", "zset", number, name, NULL));
  }
  resp_free(resp_words(c, "SET", "counter", "0", NULL));
  resp_free(resp_words(c, "SET", "never", "written again", NULL));
  resp_free(resp_words(c, "RPUSH", "never:list", "a", "b", NULL));
}

/* --- writing --------------------------------------------------------------- */

/* One command, or the commands of one transaction, pipelined; the last reply. */
struct request {
  int count;
  struct resp *reply;
};

static enum told meaning(const struct resp *r)
{
  if (!r || resp_is_error(r, "UNKNOWN"))
    return TOLD_UNKNOWN;
  if (r->type == RESP_NIL || r->type == RESP_NIL_ARRAY || r->type == RESP_ERROR)
    return TOLD_NO;
  return TOLD_OK;
}

static void append(struct resp_client *conn, const char *a, const char *b, const char *c,
                   const char *d)
{
  const char *argv[] = {a, b, c, d};
  int argc = 0;
  while (argc < 4 && argv[argc])
    argc++;
  resp_append(conn, argc, argv, NULL);
}

/* Puts the next write of that kind into the buffer; returns the number of replies. */
static int append_write(struct client *c, struct resp_client *conn, enum ledger_kind kind)
{
  char name[48], number[32];
  size_t next = c->ledger.count[kind];
  snprintf(number, sizeof number, "%zu", next);
  if (c->number < 0)
    snprintf(name, sizeof name, "w:%zu", next);
  else
    snprintf(name, sizeof name, "c%d:%zu", c->number, next);
  const char *step = c->number < 0 ? "1000000" : "1";
  switch (kind) {
  case LEDGER_SET: append(conn, "SADD", "set", name, NULL); return 1;
  case LEDGER_LIST: append(conn, "RPUSH", "list", name, NULL); return 1;
  case LEDGER_HASH: append(conn, "HSET", "hash", name, number); return 1;
  case LEDGER_ZSET: append(conn, "ZADD", "zset", number, name); return 1;
  case LEDGER_COUNTER: append(conn, "INCRBY", "counter", step, NULL); return 1;
  case LEDGER_FIELD: append(conn, "HINCRBY", "hash", "total", step); return 1;
  case LEDGER_SCORE: append(conn, "ZINCRBY", "zset", step, "total"); return 1;
  case LEDGER_PAIR:
  case LEDGER_KINDS: break;
  }
  append(conn, "MULTI", NULL, NULL, NULL);
  append(conn, "RPUSH", "pair:list", name, NULL);
  append(conn, "SADD", "pair:set", name, NULL);
  append(conn, "EXEC", NULL, NULL, NULL);
  return 4;
}

static struct resp *last_reply(struct resp_client *conn, int replies)
{
  struct resp *r = NULL;
  if (resp_flush(conn) != 0)
    return NULL;
  for (; replies; replies--) {
    resp_free(r);
    r = resp_read(conn);
    if (!r)
      return NULL;
  }
  return r;
}

static void took(struct client *c, int64_t start)
{
  int64_t us = now_us() - start;
  if (us > c->slowest_us)
    c->slowest_us = us;
}

/* 0: the connection is of no more use. */
static int write_one(struct client *c, struct resp_client *conn)
{
  enum ledger_kind kind = (enum ledger_kind)roll(c, LEDGER_KINDS);
  int outage = atomic_load(&c->scene->outage);
  int64_t start = now_us();
  int replies = append_write(c, conn, kind);
  struct resp *r = last_reply(conn, replies);
  enum told told = meaning(r);
  took(c, start);
  ledger_add(&c->ledger, kind, told);
  c->writes++;
  c->outage_writes += outage != 0;
  c->outage_ok += outage && told == TOLD_OK;
  if (r && r->type == RESP_ERROR && !resp_is_error(r, "UNKNOWN") && !resp_is_error(r, "NOTSENT") &&
      !resp_is_error(r, "UNAVAILABLE") && c->number >= 0) {
    printf("client %d: %s: an error of no known kind: %s\n", c->number, ledger_name(kind), r->str);
    c->false_reads++;
  }
  resp_free(r);
  return r != NULL;
}

/* --- reading ---------------------------------------------------------------- */

/* What is so all the time; larder may only say so, or that it can't know. */
struct truth {
  const char *word[4];
  const char *text; /* the reply, or */
  int64_t at_least; /* an integer, at least this */
};

static const struct truth truths[] = {
    {{"GET", "never", NULL, NULL}, "written again", 0},
    {{"LLEN", "never:list", NULL, NULL}, NULL, 2},
    {{"STRLEN", "never", NULL, NULL}, NULL, 13},
    {{"EXISTS", "never", NULL, NULL}, NULL, 1},
    {{"SISMEMBER", "set", "p:7", NULL}, NULL, 1},
    {{"HGET", "hash", "p:7", NULL}, "7", 0},
    {{"ZSCORE", "zset", "p:7", NULL}, "7", 0},
    {{"SCARD", "set", NULL, NULL}, NULL, PRELOADED},
    {{"LLEN", "list", NULL, NULL}, NULL, PRELOADED},
    {{"HLEN", "hash", NULL, NULL}, NULL, PRELOADED},
    {{"ZCARD", "zset", NULL, NULL}, NULL, PRELOADED},
    {{"ZRANK", "zset", "p:0", NULL}, NULL, 0},
};

static int is_so(const struct truth *t, const struct resp *r)
{
  if (t->text)
    return resp_is_text(r, t->text);
  return r->type == RESP_INTEGER && r->integer >= t->at_least;
}

static int read_one(struct client *c, struct resp_client *conn)
{
  const struct truth *t = &truths[roll(c, sizeof truths / sizeof *truths)];
  int64_t start = now_us();
  append(conn, t->word[0], t->word[1], t->word[2], t->word[3]);
  struct resp *r = last_reply(conn, 1);
  took(c, start);
  c->reads++;
  if (!r)
    return 0;
  if (resp_is_error(r, "UNAVAILABLE") || resp_is_error(r, "NOTSENT"))
    c->unavailable++;
  else if (!is_so(t, r)) {
    char *text = resp_text(r);
    if (c->false_reads++ < 5)
      printf("client %d: %s %s: %s, which is not so\n", c->number, t->word[0], t->word[1], text);
    free(text);
  }
  resp_free(r);
  return 1;
}

/* --- the threads -------------------------------------------------------------- */

static void *work(void *context)
{
  struct client *c = context;
  struct resp_client *conn = NULL;
  while (!atomic_load(&c->scene->stop)) {
    if (!conn && !(conn = resp_open_port(c->port, CALL_MS))) {
      c->broken++;
      nap_us(50000);
      continue;
    }
    int through_larder = c->number >= 0;
    int fine = through_larder && roll(c, 4) == 0 ? read_one(c, conn) : write_one(c, conn);
    if (!fine) {
      c->broken++;
      resp_close(conn);
      conn = NULL;
    }
    nap_us(through_larder ? PAUSE_US : DIRECT_PAUSE_US);
  }
  resp_close(conn);
  return NULL;
}

int client_start(struct client *c)
{
  return pthread_create(&c->thread, NULL, work, c) == 0 ? 0 : -1;
}

void client_join(struct client *c)
{
  pthread_join(c->thread, NULL);
}
