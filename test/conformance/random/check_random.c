/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The in-process engine against a redis-server, command by command, over random
 * commands.  A difference is printed with its seed and the shortest sequence
 * that still shows it.
 *
 *   check_random [--commands N] [--seed S] [--seeds K] [--servers] [--url URL]
 *                [--without WORD]...
 *
 * N commands for each of K seeds: S, S + 1, ...  Without --seed: LARDER_SEED, or
 * the time.  --servers compares two redis-servers: a test of the test.
 * --without: no command with that argument (to look behind a difference that is known).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conformance/random/generate.h"
#include "conformance/random/play.h"

enum { SHRINK_SECONDS = 60 };

struct settings {
  uint64_t commands, seed, seeds;
  const char *url;
  const char *without[GENERATOR_WITHOUT];
  int servers, withouts;
};

static int usage(void)
{
  fprintf(stderr,
          "usage: check_random [--commands N] [--seed S] [--seeds K] [--servers] [--url URL] "
          "[--without WORD]...\n");
  return 2;
}

static uint64_t default_seed(void)
{
  const char *text = getenv("LARDER_SEED");
  return text && *text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
}

static int read_settings(struct settings *s, int argc, char **argv)
{
  *s = (struct settings){.commands = 50000, .seed = default_seed(), .seeds = 1, .url = "memory:"};
  for (int i = 1; i < argc; i++) {
    uint64_t *number = strcmp(argv[i], "--commands") == 0 ? &s->commands
                       : strcmp(argv[i], "--seed") == 0   ? &s->seed
                       : strcmp(argv[i], "--seeds") == 0  ? &s->seeds
                                                          : NULL;
    if (strcmp(argv[i], "--servers") == 0)
      s->servers = 1;
    else if (strcmp(argv[i], "--without") == 0 && i + 1 < argc &&
             s->withouts + 1 < GENERATOR_WITHOUT)
      s->without[s->withouts++] = argv[++i];
    else if (i + 1 == argc || (!number && strcmp(argv[i], "--url") != 0))
      return -1;
    else if (number)
      *number = strtoull(argv[++i], NULL, 10);
    else
      s->url = argv[++i];
  }
  return 0;
}

static void report(struct play *p, struct history *h, uint64_t seed)
{
  char *first = strdup(p->what ? p->what : "");
  size_t at = p->at;
  printf("DIFFERENCE with seed %" PRIu64 ", at command %zu of %zu of this stretch:\n  %s\n", seed,
         at, h->count, first ? first : "");
  fflush(stdout);
  if (!shrink(p, h, SHRINK_SECONDS)) {
    printf("  it does not come again when the same commands are played once more\n");
  } else {
    printf("  the shortest sequence found (%zu commands):\n", h->count);
    history_print(h);
    printf("  there: %s\n", p->what);
  }
  fflush(stdout);
  free(first);
}

/* Stretches of different lengths: short ones for corners, long ones so that
 * collections grow.  1: a difference. */
static int run_seed(struct play *p, const struct settings *s, uint64_t seed)
{
  static const size_t lengths[] = {100, 500, 3000, 12000};
  struct generator g = {.dice = {seed}};
  uint64_t end = p->commands + s->commands;
  memcpy(g.without, s->without, sizeof g.without);
  while (p->commands < end) {
    struct history h = {0};
    size_t length = lengths[dice_below(&g.dice, 4)];
    generator_turn(&g);
    generate(&g, &h, length < end - p->commands ? length : (size_t)(end - p->commands));
    int differs = play(p, &h);
    if (differs)
      report(p, &h, seed);
    history_free(&h);
    if (differs)
      return 1;
  }
  return 0;
}

static double seconds_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run_seeds(struct play *p, const struct settings *s)
{
  int bad = 0;
  for (uint64_t i = 0; i < s->seeds; i++) {
    uint64_t before = p->commands;
    double start = seconds_now();
    int differs = run_seed(p, s, s->seed + i);
    printf("seed %" PRIu64 ": %" PRIu64 " commands in %.1f s: %s\n", s->seed + i,
           p->commands - before, seconds_now() - start, differs ? "DIFFERENT" : "no difference");
    fflush(stdout);
    bad += differs;
  }
  return bad;
}

int main(int argc, char **argv)
{
  static const struct server_options unix_socket = {.unix_socket = 1};
  struct settings settings;
  if (read_settings(&settings, argc, argv) != 0)
    return usage();
  server_require();
  struct server *server = server_start(&unix_socket);
  struct server *second = settings.servers ? server_start(&unix_socket) : NULL;
  struct play p = {.oracle = {server_connect(server, 3), server_connect(server, 3)}};
  p.target = second ? target_server(second, 3) : target_store("store", settings.url);
  int bad = run_seeds(&p, &settings);
  free(p.what);
  target_close(p.target);
  resp_close(p.oracle[0]);
  resp_close(p.oracle[1]);
  server_stop(second);
  server_stop(server);
  return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
