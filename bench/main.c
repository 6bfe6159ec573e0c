/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <sys/random.h>
#include <unistd.h>

const struct target *const targets[] = {
  &target_typed,
  &target_argv,
  &target_hash,
#ifdef LARDER_REDIS
  &target_redis,
  &target_pipeline,
#endif
  NULL
};

static const char usage[] =
  "usage: bench [options] [CASE...]\n"
  "\n"
  "CASE is operation/target, as --list shows them; get and get/* are all of an operation,\n"
  "larder-* all of some targets.  Without one: everything.\n"
  "\n"
  "  --quick          few keys, few operations: only to see that it works\n"
  "  --rounds N       5 or more (default 9)\n"
  "  --operations N   in a round (default 400000; slow targets do a part of them)\n"
  "  --keys N         (default 100000)\n"
  "  --value N        bytes of a value (default 100)\n"
  "  --pipeline N     commands in flight (default 64)\n"
  "  --csv FILE       every single measurement\n"
  "  --list           the names of the cases\n"
  "\n"
  "LARDER_SEED=N gives the random numbers of an earlier run.\n";

struct choice {
  char **name;
  int count;
};

static void case_name(char *name, size_t size, enum op op, const struct target *target)
{
  snprintf(name, size, "%s/%s", op_name[op], target->name);
}

static int is_chosen(const void *context, enum op op, const struct target *target)
{
  const struct choice *choice = context;
  char name[64];
  int i;

  case_name(name, sizeof name, op, target);
  for (i = 0; i < choice->count; i++)
    if (fnmatch(choice->name[i], name, 0) == 0 || strcmp(choice->name[i], op_name[op]) == 0 ||
        fnmatch(choice->name[i], target->name, 0) == 0)
      return 1;
  return choice->count == 0;
}

static int fits_a_case(char *pattern)
{
  struct choice choice = { &pattern, 1 };
  size_t op, t;

  for (op = 0; op < OPS; op++)
    for (t = 0; targets[t] != NULL; t++)
      if (targets[t]->run[op] != NULL && is_chosen(&choice, (enum op)op, targets[t]))
        return 1;
  return 0;
}

static void list_cases(void)
{
  char name[64];
  size_t op, t;

  for (op = 0; op < OPS; op++)
    for (t = 0; targets[t] != NULL; t++)
      if (targets[t]->run[op] != NULL) {
        case_name(name, sizeof name, (enum op)op, targets[t]);
        puts(name);
      }
}

static void bad_call(const char *what, const char *value)
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

static void parse(int argc, char **argv, struct settings *s, struct choice *choice,
                  const char **csv)
{
  static const struct {
    const char *name;
    size_t offset;
    uint64_t least, most;
  } option[] = {
    { "--rounds", offsetof(struct settings, rounds), 5, 1000 },
    { "--operations", offsetof(struct settings, operations), 20, 1000000000 },
    { "--keys", offsetof(struct settings, keys), 10, 100000000 },
    { "--value", offsetof(struct settings, value_length), 1, 1 << 24 },
    { "--pipeline", offsetof(struct settings, pipeline), 1, 10000 },
  };
  size_t o, options = sizeof option / sizeof option[0];
  int i;

  for (i = 1; i < argc; i++) {
    for (o = 0; o < options && strcmp(argv[i], option[o].name) != 0; o++)
      ;
    if (o < options) {
      size_t n = (size_t)number(argv[i], argv[i + 1], option[o].least, option[o].most);
      memcpy((char *)s + option[o].offset, &n, sizeof n);
      i++;
    } else if (strcmp(argv[i], "--quick") == 0) {
      s->rounds = 5;
      s->operations = 2000;
      s->keys = 500;
    } else if (strcmp(argv[i], "--csv") == 0) {
      if (argv[++i] == NULL)
        bad_call("--csv", ": its value is missing");
      *csv = argv[i];
    } else if (strcmp(argv[i], "--list") == 0) {
      list_cases();
      exit(0);
    } else if (strcmp(argv[i], "--help") == 0) {
      fputs(usage, stdout);
      exit(0);
    } else if (argv[i][0] == '-') {
      bad_call("unknown option ", argv[i]);
    } else if (!fits_a_case(argv[i])) {
      bad_call("no case has the name ", argv[i]);
    } else {
      choice->name[choice->count++] = argv[i];
    }
  }
}

int main(int argc, char **argv)
{
  struct settings settings = {
    .rounds = 9, .keys = 100000, .operations = 400000, .value_length = 100, .pipeline = 64
  };
  struct choice choice = { calloc((size_t)argc, sizeof *choice.name), 0 };
  struct report report;
  const char *csv = NULL;
  int failed;

  if (choice.name == NULL)
    return 1;
  settings.seed = choose_seed();
  settings.progress = isatty(STDERR_FILENO);
  parse(argc, argv, &settings, &choice, &csv);

  failed = measure(&settings, is_chosen, &choice, &report);
  if (failed == 0) {
    print_environment(stdout, &report, "");
    putchar('\n');
    print_table(stdout, &report);
    if (csv != NULL && (failed = write_csv(csv, &report)) == 0)
      printf("each measurement: %s\n", csv);
  } else {
    fprintf(stderr, "bench: seed %llu\n", (unsigned long long)settings.seed);
  }
  report_free(&report);
  free(choice.name);
  if (fflush(stdout) != 0)
    failed = -1;
  return failed == 0 ? 0 : 1;
}
