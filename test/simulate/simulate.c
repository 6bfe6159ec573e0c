/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simulate [--mode safety|liveness] [--seed N | --seeds COUNT [--from N]] [--seconds S] [--shards N]
 *          [--file LIST] [--trace]
 *
 * Plays scenes, both modes' if none is named.  Ends with 0, or with 1 at the first seed that fails,
 * and says how to play it again.  --file: lines "MODE SEED", and what was wrong.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "simulate/scene.h"
#include "simulate/task.h"

struct options {
  int mode; /* -1: both */
  uint64_t from, count, seconds;
  unsigned shards;
  const char *file;
};

/* A seed takes milliseconds; one that takes this long hangs outside of the scheduler. */
enum { HANGS_S = 60 };

static void on_signal(int number)
{
  signal(number, SIG_DFL);
  sim_fail("signal %d%s", number, number == SIGALRM ? ": it hangs" : "");
}

static uint64_t now_s(void)
{
  return (uint64_t)time(NULL);
}

static void play_one(enum scene_mode mode, uint64_t seed)
{
  alarm(HANGS_S);
  scene_run(mode, seed);
}

static uint64_t play_mode(const struct options *o, enum scene_mode mode, unsigned shard)
{
  uint64_t played = 0, until = o->seconds ? now_s() + o->seconds : UINT64_MAX;
  for (uint64_t i = shard; i < o->count && now_s() < until; i += o->shards) {
    play_one(mode, o->from + i);
    played++;
  }
  return played;
}

static void play_all(const struct options *o, unsigned shard)
{
  for (int m = 0; m < SCENE_MODES; m++)
    if (o->mode < 0 || o->mode == m) {
      uint64_t n = play_mode(o, (enum scene_mode)m, shard);
      printf("%s: %llu seeds\n", scene_mode_name[m], (unsigned long long)n);
    }
}

static void play_file(const char *path)
{
  FILE *f = fopen(path, "r");
  char line[256], mode[16];
  unsigned long long seed, n = 0;
  if (!f) {
    perror(path);
    exit(1);
  }
  while (fgets(line, sizeof line, f))
    for (int m = 0; m < SCENE_MODES; m++)
      if (sscanf(line, "%15s %llu", mode, &seed) == 2 && strcmp(mode, scene_mode_name[m]) == 0) {
        play_one((enum scene_mode)m, seed);
        n++;
      }
  fclose(f);
  printf("kept: %llu seeds\n", n);
}

static int play_shards(const struct options *o)
{
  int failed = 0, status;
  fflush(stdout);
  for (unsigned i = 0; i < o->shards; i++) {
    pid_t pid = fork();
    if (pid < 0) {
      perror("fork");
      return 1;
    }
    if (pid == 0) {
      play_all(o, i);
      exit(0);
    }
  }
  while (wait(&status) > 0)
    failed |= status != 0;
  return failed;
}

static int usage(void)
{
  fprintf(stderr, "usage: simulate [--mode safety|liveness] [--seed N | --seeds COUNT [--from N]] "
                  "[--seconds S] [--shards N] [--file LIST] [--trace]\n");
  return 2;
}

static int read_options(struct options *o, int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (strcmp(name, "--trace") == 0) {
      sim_tracing = 1;
      continue;
    }
    if (!value)
      return -1;
    i++;
    if (strcmp(name, "--seed") == 0) {
      o->from = strtoull(value, NULL, 10);
      o->count = 1;
    } else if (strcmp(name, "--seeds") == 0) {
      o->count = strtoull(value, NULL, 10);
    } else if (strcmp(name, "--from") == 0) {
      o->from = strtoull(value, NULL, 10);
    } else if (strcmp(name, "--seconds") == 0) {
      o->seconds = strtoull(value, NULL, 10);
    } else if (strcmp(name, "--shards") == 0) {
      o->shards = (unsigned)strtoul(value, NULL, 10);
    } else if (strcmp(name, "--file") == 0) {
      o->file = value;
    } else if (strcmp(name, "--mode") == 0) {
      for (o->mode = 0; o->mode < SCENE_MODES; o->mode++)
        if (strcmp(value, scene_mode_name[o->mode]) == 0)
          break;
      if (o->mode == SCENE_MODES)
        return -1;
    } else {
      return -1;
    }
  }
  return o->shards ? 0 : -1;
}

int main(int argc, char **argv)
{
  struct options o = {.mode = -1, .from = 1, .count = 1000, .shards = 1};
  if (read_options(&o, argc, argv) != 0)
    return usage();
  signal(SIGALRM, on_signal);
  signal(SIGSEGV, on_signal);
  signal(SIGABRT, on_signal);
  signal(SIGILL, on_signal);
  if (o.file) {
    play_file(o.file);
    return 0;
  }
  if (o.shards > 1)
    return play_shards(&o);
  play_all(&o, 0);
  return 0;
}
