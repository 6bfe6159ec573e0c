/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch, end to end: clients write through `larder serve`, another writer
 * straight on Redis, while the redis-server behind is killed or stopped and
 * brought back at random points.  In the end redis-server itself is recounted.
 *
 *   check_switch [--times N] [--seed S] [--clients N]
 *
 * Without --seed: LARDER_SEED, or the time.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "outage/client.h"
#include "outage/listener.h"
#include "outage/recount.h"
#include "support/server.h"

enum { MAX_CLIENTS = 32, SETTLE_MS = 30000, SLOWEST_US = 1000000 };

struct settings {
  uint64_t seed;
  int times, clients;
};

struct play {
  struct settings settings;
  uint64_t dice;
  struct server *server;
  struct listener *listener;
  struct scene scene;
  struct client client[MAX_CLIENTS + 1]; /* the last: straight on Redis */
  int kills, stops;
  int unsettled; /* keys that did not go back to Redis */
  int listener_status;
  struct recount recount;
};

static int usage(void)
{
  fprintf(stderr, "usage: check_switch [--times N] [--seed S] [--clients N]\n");
  return 2;
}

static int read_settings(struct settings *s, int argc, char **argv)
{
  const char *seed = getenv("LARDER_SEED");
  *s = (struct settings){.times = 5,
                         .clients = 4,
                         .seed = seed && *seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL)};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--times") == 0)
      s->times = atoi(argv[i + 1]);
    else if (strcmp(argv[i], "--clients") == 0)
      s->clients = atoi(argv[i + 1]);
    else if (strcmp(argv[i], "--seed") == 0)
      s->seed = strtoull(argv[i + 1], NULL, 10);
    else
      return -1;
  }
  return argc % 2 == 1 && s->times > 0 && s->clients > 0 && s->clients <= MAX_CLIENTS ? 0 : -1;
}

static void nap(int ms)
{
  struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&t, NULL);
}

static int between(struct play *p, int low, int high)
{
  uint64_t z = p->dice += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return low + (int)((z ^ (z >> 31)) % (uint64_t)(high - low + 1));
}

static void path_of_log(const struct play *p, char *path, size_t size)
{
  snprintf(path, size, "%s/larder.log", server_directory(p->server));
}

static void print_log(const struct play *p)
{
  char path[128], line[512];
  path_of_log(p, path, sizeof path);
  FILE *file = fopen(path, "re");
  if (!file)
    return;
  printf("what larder serve said:\n");
  while (fgets(line, sizeof line, file))
    printf("  %s", line);
  fclose(file);
}

static void set_up(struct play *p)
{
  static const struct server_options durable = {.durable = 1};
  char store[64], log[128];
  p->server = server_start(&durable);
  struct resp_client *c = server_connect(p->server, 2);
  client_preload(c);
  resp_close(c);
  snprintf(store, sizeof store, "redis://127.0.0.1:%d", server_port(p->server));
  path_of_log(p, log, sizeof log);
  p->listener = listener_start(store, log);
  for (int i = 0; i <= p->settings.clients; i++) {
    int direct = i == p->settings.clients;
    p->client[i].scene = &p->scene;
    p->client[i].number = direct ? -1 : i;
    p->client[i].port = direct ? server_port(p->server) : listener_port(p->listener);
    p->client[i].seed = p->settings.seed * 131 + (uint64_t)i;
    if (client_start(&p->client[i]) != 0) {
      fprintf(stderr, "no thread\n");
      exit(1);
    }
  }
}

static void one_outage(struct play *p)
{
  /* One of two is a kill, but nobody knows which. */
  int kills = (p->kills + p->stops) % 2 ? p->stops > p->kills : between(p, 0, 1);
  int down_ms = between(p, 400, 2500);
  if (kills)
    server_kill(p->server);
  else
    server_pause(p->server);
  atomic_store(&p->scene.outage, 1);
  nap(down_ms);
  atomic_store(&p->scene.outage, 0);
  if (kills)
    server_restart(p->server);
  else
    server_resume(p->server);
  p->kills += kills;
  p->stops += !kills;
}

/* A key is back at Redis when what only Redis knows can be read. */
static int is_back(struct resp_client *c, const char *command, const char *key)
{
  for (int waited = 0; waited < SETTLE_MS; waited += 20) {
    struct resp *r = resp_words(c, command, key, NULL);
    int yes = r && r->type != RESP_ERROR && r->type != RESP_NIL;
    resp_free(r);
    if (yes)
      return 1;
    nap(20);
  }
  printf("%d s after the last outage %s %s is still not answered\n", SETTLE_MS / 1000, command,
         key);
  return 0;
}

static void settle(struct play *p)
{
  static const char *const reads[][2] = {
      {"SCARD", "set"},   {"LLEN", "list"},      {"HLEN", "hash"},     {"ZCARD", "zset"},
      {"GET", "counter"}, {"SCARD", "pair:set"}, {"LLEN", "pair:list"}};
  struct resp_client *c = resp_open_port(listener_port(p->listener), 5000);
  for (size_t i = 0; c && i < sizeof reads / sizeof *reads; i++)
    p->unsettled += !is_back(c, reads[i][0], reads[i][1]);
  p->unsettled += !c;
  resp_close(c);
}

static void run(struct play *p)
{
  set_up(p);
  nap(300);
  for (int i = 0; i < p->settings.times; i++) {
    one_outage(p);
    nap(between(p, 100, 2000));
    if (!listener_running(p->listener)) {
      printf("larder serve has ended by itself after outage %d\n", i + 1);
      break;
    }
  }
  atomic_store(&p->scene.stop, 1);
  for (int i = 0; i <= p->settings.clients; i++)
    client_join(&p->client[i]);
  settle(p);
  p->listener_status = listener_stop(p->listener);
  struct resp_client *c = server_connect(p->server, 2);
  recount(c, p->client, p->settings.clients + 1, &p->recount);
  resp_close(c);
}

struct sums {
  uint64_t writes, reads, ok, unknown, no, outage_writes, outage_ok, unavailable, false_reads,
      broken;
  int64_t slowest_us;
};

static void add_up(const struct play *p, struct sums *s)
{
  memset(s, 0, sizeof *s);
  for (int i = 0; i < p->settings.clients; i++) {
    const struct client *c = &p->client[i];
    s->writes += c->writes;
    s->reads += c->reads;
    s->outage_writes += c->outage_writes;
    s->outage_ok += c->outage_ok;
    s->unavailable += c->unavailable;
    s->false_reads += c->false_reads;
    s->broken += c->broken;
    if (c->slowest_us > s->slowest_us)
      s->slowest_us = c->slowest_us;
    for (int kind = 0; kind < LEDGER_KINDS; kind++) {
      s->ok += ledger_told(&c->ledger, (enum ledger_kind)kind, TOLD_OK);
      s->unknown += ledger_told(&c->ledger, (enum ledger_kind)kind, TOLD_UNKNOWN);
      s->no += ledger_told(&c->ledger, (enum ledger_kind)kind, TOLD_NO);
    }
  }
}

static double percent(uint64_t part, uint64_t whole)
{
  return whole ? 100.0 * (double)part / (double)whole : 100.0;
}

static void print_result(const struct play *p, const struct sums *s)
{
  const struct verdict *v = &p->recount.verdict;
  printf("seed %" PRIu64 ": %d outages (%d killed, %d stopped), %d clients\n", p->settings.seed,
         p->kills + p->stops, p->kills, p->stops, p->settings.clients);
  printf("writes: %" PRIu64 ": %" PRIu64 " OK, %" PRIu64 " UNKNOWN, %" PRIu64 " not done\n",
         s->writes, s->ok, s->unknown, s->no);
  printf("writes during an outage: %" PRIu64 " of %" PRIu64 " OK (%.2f %%)\n", s->outage_ok,
         s->outage_writes, percent(s->outage_ok, s->outage_writes));
  printf("reads: %" PRIu64 ", of these not to be known %" PRIu64 ", false %" PRIu64 "\n", s->reads,
         s->unavailable, s->false_reads);
  printf("slowest call %.0f ms; connections broken %" PRIu64 "; larder serve ended with %d\n",
         (double)s->slowest_us / 1000, s->broken, p->listener_status);
  printf("straight on Redis: %" PRIu64 " writes\n", p->client[p->settings.clients].writes);
  printf("recount: lost %" PRIu64 ", doubled %" PRIu64 ", invented %" PRIu64 ", half pairs %" PRIu64
         ", wrong sums %" PRIu64 ", preloaded gone %" PRIu64 "; of the unknown %" PRIu64
         " there, %" PRIu64 " not\n",
         v->lost, v->doubled, v->invented, v->halves, p->recount.wrong_sums,
         p->recount.preload_gone, v->unknown_there, v->unknown_gone);
}

static int judge(const struct play *p, const struct sums *s)
{
  const struct verdict *v = &p->recount.verdict;
  int bad = 0;
  bad += v->lost || v->doubled || v->invented || v->halves || p->recount.wrong_sums ||
         p->recount.preload_gone;
  bad += p->kills + p->stops != p->settings.times || p->unsettled || p->listener_status != 0;
  bad += s->false_reads || s->broken || s->slowest_us > SLOWEST_US;
  bad += percent(s->outage_ok, s->outage_writes) < 98.0 || s->outage_writes == 0 ||
         s->unavailable == 0;
  return bad;
}

int main(int argc, char **argv)
{
  static struct play p;
  struct sums sums;
  if (read_settings(&p.settings, argc, argv) != 0)
    return usage();
  server_require();
  p.dice = p.settings.seed;
  run(&p);
  add_up(&p, &sums);
  print_result(&p, &sums);
  int bad = judge(&p, &sums);
  if (bad)
    print_log(&p);
  printf("%s\n", bad ? "FAILED" : "as it should be");
  server_stop(p.server);
  for (int i = 0; i <= p.settings.clients; i++)
    ledger_free(&p.client[i].ledger);
  return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
