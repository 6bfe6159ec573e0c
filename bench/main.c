/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/random.h>
#include <unistd.h>

/* Every mechanism, in the order of the report. */
static bench_run *const mechanisms[] = {
  run_throughput, run_threads, run_isolated, run_memory, run_expire, run_beside, run_ratio,
  run_open,
#ifdef LARDER_REDIS
  run_serve, run_remote,
#endif
};

const char *const mechanism_names[] = { "one thread", "threads", "isolated", "memory", "expiry",
                                        "growth and freeing", "hit ratio", "opening", "serve",
                                        "remote",
                                        NULL };

static const char usage[] =
  "usage: bench [options] [CASE...]\n"
  "\n"
  "CASE is what/who, as --list shows them; either half alone will do, and * and ? stand for\n"
  "what they stand for in file names.  Without one: everything.\n"
  "\n"
  "  --quick          few keys, few operations: only to see that it works\n"
  "  --full           all rounds also for what has no bar, GET at up to 1e7 keys\n"
  "  --rounds N       5 to 99 (default 5)\n"
  "  --operations N   in a round (default 1000000)\n"
  "  --keys N         (default 1000000)\n"
  "  --csv FILE       every single value\n"
  "  --markdown       print what the README shows\n"
  "  --list           the names of the cases\n"
  "\n"
  "LARDER_SEED=N gives the random numbers of an earlier run.  REDIS_SERVER, REDIS_SERVER_NEW\n"
  "and VALKEY_SERVER name the servers to be measured beside larder, if they aren't in the PATH as\n"
  "redis-server, redis-server-new and valkey-server.\n";

struct choice {
  const char *csv;
  int list, markdown;
};

static _Noreturn void bad_call(const char *what, const char *value)
{
  fprintf(stderr, "bench: %s%s\n\n%s", what, value, usage);
  exit(2);
}

static uint64_t number(const char *name, const char *text, uint64_t least, uint64_t most)
{
  char *end = NULL;
  unsigned long long n;

  if (text == NULL)
    bad_call(name, ": its value is missing");
  errno = 0;
  n = strtoull(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || n < least || n > most) {
    fprintf(stderr, "bench: %s: '%s' is not a number from %llu to %llu\n", name, text,
            (unsigned long long)least, (unsigned long long)most);
    exit(2);
  }
  return n;
}

static uint64_t choose_seed(void)
{
  const char *given = getenv("LARDER_SEED");
  uint64_t seed = 1;

  if (given != NULL && given[0] != '\0')
    return number("LARDER_SEED", given, 0, UINT64_MAX);
  if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
    perror("bench: getrandom");
  return seed & 0xffffffffffffu;
}

static void be_quick(struct bench *bench)
{
  bench->quick = 1;
  bench->operations = 2000;
  bench->keys = 1000;
}

static int number_option(struct bench *bench, char **argv, int i)
{
  static const struct {
    const char *name;
    size_t offset;
    uint64_t least, most;
  } option[] = {
    { "--rounds", offsetof(struct bench, rounds), 5, ROUNDS_MAX },
    { "--operations", offsetof(struct bench, operations), 1000, 100000000 },
    { "--keys", offsetof(struct bench, keys), 1000, 100000000 },
  };
  size_t o, n;

  for (o = 0; o < sizeof option / sizeof option[0]; o++)
    if (strcmp(argv[i], option[o].name) == 0) {
      n = number(argv[i], argv[i + 1], option[o].least, option[o].most);
      memcpy((char *)bench + option[o].offset, &n, sizeof n);
      return 1;
    }
  return 0;
}

static void parse(struct bench *bench, char **argv, struct choice *choice)
{
  int i;

  for (i = 1; argv[i] != NULL; i++) {
    if (number_option(bench, argv, i)) {
      i++;
    } else if (strcmp(argv[i], "--quick") == 0) {
      be_quick(bench);
    } else if (strcmp(argv[i], "--full") == 0) {
      bench->full = 1;
    } else if (strcmp(argv[i], "--csv") == 0) {
      if (argv[++i] == NULL)
        bad_call("--csv", ": its value is missing");
      choice->csv = argv[i];
    } else if (strcmp(argv[i], "--list") == 0) {
      choice->list = 1;
    } else if (strcmp(argv[i], "--markdown") == 0) {
      choice->markdown = 1;
    } else if (strcmp(argv[i], "--help") == 0) {
      fputs(usage, stdout);
      exit(0);
    } else if (argv[i][0] == '-') {
      bad_call("unknown option ", argv[i]);
    } else {
      bench->pattern[bench->patterns++] = argv[i];
    }
  }
}

static int run_all(struct bench *bench)
{
  size_t m;
  int failed = 0;

  for (m = 0; m < sizeof mechanisms / sizeof mechanisms[0] && !failed; m++) {
    double begin = now_ns();

    failed = mechanisms[m](bench);
    bench->took[m] = (now_ns() - begin) / 1e9;
  }
  return failed;
}

/* Names only: for --list, and to know whether each name on the command line fits. */
static void survey(struct bench *bench, int list)
{
  size_t i;

  bench->surveying = 1;
  bench->list = list ? stdout : NULL;
  run_all(bench);
  bench->surveying = 0;
  for (i = 0; i < bench->patterns; i++)
    if (!bench->matched[i])
      bad_call("no case has the name ", bench->pattern[i]);
}

static int report(struct bench *bench, const struct choice *choice)
{
  size_t i;

  if (bench->terminal)
    fprintf(stderr, "\r\033[K");
  if (choice->markdown) {
    print_markdown(stdout, bench);
  } else {
    print_environment(stdout, bench, "");
    print_figures(stdout, bench);
    print_bars(stdout, bench);
    for (i = 0; i < bench->notes; i++)
      printf("not measured: %s\n", bench->note[i]);
  }
  if (choice->csv == NULL)
    return 0;
  if (write_csv(choice->csv, bench) != 0)
    return -1;
  fprintf(stderr, "each value: %s\n", choice->csv);
  return 0;
}

int main(int argc, char **argv)
{
  struct bench bench = { .rounds = 5, .keys = 1000000, .operations = 1000000 };
  struct choice choice = { NULL, 0, 0 };
  size_t i;
  int failed = 0;

  bench.pattern = bench_memory((size_t)argc, sizeof *bench.pattern);
  bench.matched = bench_memory((size_t)argc, sizeof *bench.matched);
  bench.terminal = isatty(STDERR_FILENO);
  bench.began = bench.told = now_ns();
  parse(&bench, argv, &choice);
  bench.seed = choose_seed();
  getloadavg(&bench.load_before, 1);
  bench.stolen_before = stolen_s();
  for (i = 0; i < bench.rounds; i++) {
    uint64_t state = bench.seed + i;
    bench.round_seed[i] = random_next(&state);
  }
  survey(&bench, choice.list);
  if (!choice.list) {
    failed = run_all(&bench);
    if (failed == 0)
      failed = report(&bench, &choice);
    else
      fprintf(stderr, "bench: seed %llu\n", (unsigned long long)bench.seed);
  }
  for (i = 0; i < bench.notes; i++)
    free(bench.note[i]);
  free(bench.figure);
  free(bench.pattern);
  free(bench.matched);
  if (fflush(stdout) != 0)
    failed = -1;
  return failed == 0 ? 0 : 1;
}
