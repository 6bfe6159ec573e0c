/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool.h"

#include <string.h>

struct subcommand {
  const char *name;
  tool_run *run;
  const char *summary;
};

static const struct subcommand subcommands[] = {
#ifdef LARDER_REDIS
  { "serve", tool_serve, "let Redis clients talk to a store" },
#endif
  { "exec", tool_exec, "run one command in a store" },
  { "status", tool_status, "open a store and show its state" },
  { "drill", tool_drill, "kill a Redis under load and count what was lost" },
};

static void help(FILE *out)
{
  size_t i;

  fputs("usage: larder SUBCOMMAND [OPTION]... [ARGUMENT]...\n\n", out);
  for (i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
    fprintf(out, "  %-8s %s\n", subcommands[i].name, subcommands[i].summary);
  fputs("\n"
        "larder SUBCOMMAND --help tells more about one; larder --version prints the version.\n"
        "\n"
        "Stores are named by URLs: memory:, redis://[user[:password]@]host[:port][/db],\n"
        "rediss://... (the same over TLS), unix:///path?db=N.  Without --store the\n"
        "environment's LARDER_URL or REDIS_URL is taken, else memory:.\n",
        out);
}

int main(int argc, char **argv)
{
  size_t i;

  if (argc < 2) {
    help(stderr);
    return TOOL_USAGE;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
      strcmp(argv[1], "help") == 0) {
    help(stdout);
    return tool_flush("help", TOOL_OK);
  }
  if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
    printf("larder %s\n", larder_version());
    return tool_flush("version", TOOL_OK);
  }
  for (i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
    if (strcmp(argv[1], subcommands[i].name) == 0)
      return subcommands[i].run(argc - 1, argv + 1);
#ifndef LARDER_REDIS
  if (strcmp(argv[1], "serve") == 0) {
    fputs("larder: this build has no serve (configured with --disable-redis)\n", stderr);
    return TOOL_USAGE;
  }
#endif
  fprintf(stderr, "larder: there is no subcommand %s (see larder --help)\n", argv[1]);
  return TOOL_USAGE;
}
