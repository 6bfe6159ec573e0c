/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: larder exec [OPTION]... COMMAND [ARGUMENT]...\n"
    "\n"
    "Runs one command in a store and prints its reply as redis-cli does: for people on\n"
    "a terminal, raw elsewhere.\n"
    "\n"
    "  --store URL     the store (default: LARDER_URL, REDIS_URL, else memory:)\n"
    "  --timeout D     how long to wait: 250ms, 1s, 2m (default: the store's, 250ms)\n"
    "  --raw           raw also on a terminal\n"
    "  --no-raw        for people also elsewhere\n"
    "  -2, -3          show RESP2's types (default), or RESP3's\n"
    "  -h, --help      this\n"
    "\n"
    "A store in Redis is used without the local engine beside it, unless the URL says\n"
    "fallback=memory: a command that Redis did not execute did not succeed.\n"
    "\n"
    "Exit status: 0 done, or no such key; 1 an error reply; 2 a bad call (unknown\n"
    "command, wrong number of arguments, bad option or URL); 3 the store can't be\n"
    "reached, or nobody knows whether the command was executed (standard error says\n"
    "which).\n";

struct plan {
  const char *url;
  int64_t timeout_ms;
  struct tool_format format;
};

/* 0, or an exit status + 1. */
static int read_options(struct plan *p, int argc, char **argv)
{
  static const struct option options[] = {
    { "store", required_argument, NULL, 's' }, { "timeout", required_argument, NULL, 't' },
    { "raw", no_argument, NULL, 'r' },         { "no-raw", no_argument, NULL, 'n' },
    { "help", no_argument, NULL, 'h' },        { NULL, 0, NULL, 0 },
  };
  int c;

  opterr = 0;
  while ((c = getopt_long(argc, argv, "+:23h", options, NULL)) != -1) {
    switch (c) {
    case 's':
      p->url = optarg;
      break;
    case 't':
      p->timeout_ms = tool_duration(optarg);
      if (p->timeout_ms < 1 || p->timeout_ms > 3600000)
        return 1 + tool_misuse("exec", "--timeout %s is not a duration from 1ms to 1h", optarg);
      break;
    case 'r':
    case 'n':
      p->format.raw = c == 'r';
      break;
    case '2':
    case '3':
      p->format.resp3 = c == '3';
      break;
    case 'h':
      fputs(help, stdout);
      return 1 + tool_flush("exec", TOOL_OK);
    default:
      return 1 + tool_bad_option("exec", argc, argv, c);
    }
  }
  return optind < argc ? 0 : 1 + tool_misuse("exec", "which command?");
}

/* What goes where, and the exit status. */
static int report(const larder_reply *reply, const struct tool_format *format)
{
  switch (reply->outcome) {
  case LARDER_OK:
  case LARDER_ABSENT:
    tool_print(stdout, &reply->value, format);
    return tool_flush("exec", TOOL_OK);
  case LARDER_REFUSED:
    tool_print(stdout, &reply->value, format);
    return tool_flush("exec", TOOL_REFUSED);
  default:
    break;
  }
  fprintf(stderr, "larder exec: %s", larder_outcome_name(reply->outcome));
  if (reply->value.type == LARDER_ERROR)
    fprintf(stderr, ": %.*s", (int)reply->value.len, reply->value.str);
  fputc('\n', stderr);
  return reply->outcome == LARDER_BAD_ARGUMENT || reply->outcome == LARDER_UNSUPPORTED
             ? TOOL_USAGE
             : TOOL_UNREACHED;
}

static int run(larder *store, const struct plan *p, int argc, char **argv)
{
  larder_session *session = larder_session_open(store);
  larder_reply *reply;
  int status;

  if (!session) {
    fputs("larder exec: NO_MEMORY\n", stderr);
    return TOOL_UNREACHED;
  }
  reply = larder_session_argv(session, argc, (const char *const *)argv, NULL);
  status = report(reply, &p->format);
  larder_reply_free(reply);
  larder_session_close(session);
  return status;
}

int tool_exec(int argc, char **argv)
{
  struct plan p = { .format.raw = !isatty(STDOUT_FILENO) };
  larder_options options = LARDER_OPTIONS_INIT;
  char error[LARDER_ERROR_SIZE];
  uint64_t lost;
  larder *store;
  int status = read_options(&p, argc, argv);

  if (status)
    return status - 1;
  options.timeout_ms = p.timeout_ms;
  if (!p.url || !strstr(p.url, "fallback="))
    options.fallback = LARDER_NO;
  store = larder_open(p.url, &options, error, sizeof error);
  if (!store) {
    fprintf(stderr, "larder exec: %s\n", error);
    return TOOL_USAGE;
  }
  status = run(store, &p, argc - optind, argv + optind);
  lost = larder_close(store, 1000);
  if (lost > 0 && status == TOOL_OK) {
    fprintf(stderr, "larder exec: NOT_SENT: %" PRIu64 " local writes did not reach Redis\n", lost);
    status = TOOL_UNREACHED;
  }
  return status;
}
