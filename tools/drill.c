/* SPDX-License-Identifier: BSD-2-Clause */
#include "drill.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static const char help[] =
    "usage: larder drill [OPTION]...\n"
    "\n"
    "Shows what larder is for: starts a redis-server of its own, writes through larder\n"
    "from several threads, kills the server (SIGKILL) and starts it again, stops it\n"
    "(SIGSTOP) and lets it go on, and counts in the end, asking redis-server itself,\n"
    "whether every acknowledged write is there exactly once.\n"
    "\n"
    "  --seconds N     how long to write, 2 to 3600 (default 6)\n"
    "  --threads N     how many threads write, 1 to 64 (default 4)\n"
    "  --seed N        of the writers' choices (default: random)\n"
    "  --store-options QUERY\n"
    "                  options for the store's URL, such as timeout=100ms&outage=journal\n"
    "  --in-process    without a redis-server: the same load on the engine in this process\n"
    "  --verbose       the store's events on standard error\n"
    "  -h, --help      this\n"
    "\n"
    "Exit status: 0 nothing was lost or doubled; 1 something was; 2 a bad call; 3 the\n"
    "drill could not be held.\n";

#ifdef LARDER_REDIS
enum { CAN_USE_REDIS = 1 };
#else
enum { CAN_USE_REDIS = 0 };
#endif

enum { BACK_MS = 20000, TICK_MS = 2, PROGRESS_TICKS = 50 };

struct drill {
  struct drill_server server;
  struct drill_load load;
  int seconds, verbose, in_process;
  int terminal;      /* standard output is one: a line that changes is shown */
  const char *query; /* or NULL */
  const struct drill_outage *told; /* that this one was noticed */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
  (void)signal_number;
  interrupted = 1;
}

/* 0, or an exit status + 1. */
static int read_options(struct drill *d, int argc, char **argv)
{
  static const struct option options[] = {
    { "seconds", required_argument, NULL, 'n' },
    { "threads", required_argument, NULL, 't' },
    { "seed", required_argument, NULL, 's' },
    { "store-options", required_argument, NULL, 'o' },
    { "in-process", no_argument, NULL, 'i' },
    { "verbose", no_argument, NULL, 'v' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
  };
  int64_t number = 0;
  int c;

  opterr = 0;
  while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
    switch (c) {
    case 'n':
      d->seconds = (int)(number = tool_number("drill", "--seconds", optarg, 2, 3600));
      break;
    case 't':
      d->load.threads = (int)(number = tool_number("drill", "--threads", optarg, 1, DRILL_THREADS));
      break;
    case 's':
      d->load.seed = (uint64_t)(number = tool_number("drill", "--seed", optarg, 0, INT64_MAX));
      break;
    case 'o':
      d->query = optarg;
      break;
    case 'i':
      d->in_process = 1;
      break;
    case 'v':
      d->verbose = 1;
      break;
    case 'h':
      fputs(help, stdout);
      return 1 + tool_flush("drill", TOOL_OK);
    default:
      return 1 + tool_bad_option("drill", argc, argv, c);
    }
    if (number < 0)
      return 1 + TOOL_USAGE;
  }
  return optind == argc ? 0 : 1 + tool_misuse("drill", "what is %s?", argv[optind]);
}

/* --- the timeline ---------------------------------------------------------- */

static void clear_progress(const struct drill *d)
{
  if (d->terminal)
    fputs("\r\033[K", stdout);
}

static void say(const struct drill *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(const struct drill *d, const char *format, ...)
{
  va_list arguments;

  clear_progress(d);
  printf("%7.2f s  ", (double)(drill_now() - d->load.start) / 1e9);
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
}

static void progress(struct drill *d, const larder_status *status)
{
  if (!d->terminal)
    return;
  printf("\r\033[K%7.2f s  %s; %" PRIu64 " calls, %" PRIu64 " of them served locally; %" PRIu64
         " keys wait for Redis",
         (double)(drill_now() - d->load.start) / 1e9, larder_state_name(status->state),
         (uint64_t)atomic_load(&d->load.calls), (uint64_t)atomic_load(&d->load.local),
         status->journal_keys);
  fflush(stdout);
}

/* Says once when the writers noticed that Redis is away. */
static void notice(struct drill *d)
{
  struct drill_outage *away = atomic_load(&d->load.away);
  int64_t noticed = away ? atomic_load(&away->noticed) : 0;

  if (!noticed || away == d->told)
    return;
  d->told = away;
  say(d, "noticed %.1f ms after the %s", (double)(noticed - atomic_load(&away->begun)) / 1e6,
      away->what);
}

/* Waits until a moment (ns after the start) or, settled != 0, until Redis is used
 * again and nothing waits for it.  0, or -1: that did not happen, or Ctrl-C. */
static int wait_for(struct drill *d, int64_t moment, int settled)
{
  larder_status status = { .size = sizeof status };
  int tick;

  for (tick = 0; !interrupted; tick++) {
    notice(d);
    if (settled || tick % PROGRESS_TICKS == 0)
      larder_get_status(d->load.store, &status);
    if (settled ? status.state == LARDER_STATE_UP && status.journal_keys == 0
                : drill_now() - d->load.start >= moment)
      return 0;
    if (settled && tick >= BACK_MS / TICK_MS) {
      say(d, "not back after %d s: %s, %" PRIu64 " keys wait for Redis; last error: %s",
          BACK_MS / 1000, larder_state_name(status.state), status.journal_keys,
          status.last_error[0] ? status.last_error : "none");
      return -1;
    }
    if (tick % PROGRESS_TICKS == 0)
      progress(d, &status);
    tool_sleep(TICK_MS);
  }
  return -1;
}

static void begin_outage(struct drill *d, struct drill_outage *o, const char *what)
{
  o->what = what;
  atomic_store(&o->begun, drill_now());
  atomic_store(&d->load.away, o);
}

/* Redis can be reached again: waits until it is used again. */
static int end_outage(struct drill *d)
{
  larder_status before = { .size = sizeof before }, after = { .size = sizeof after };
  int64_t begun = drill_now();

  atomic_store(&d->load.away, NULL);
  larder_get_status(d->load.store, &before);
  if (wait_for(d, 0, 1) != 0)
    return -1;
  larder_get_status(d->load.store, &after);
  say(d, "Redis is used again after %.0f ms: %" PRIu64 " writes replayed",
      (double)(drill_now() - begun) / 1e6, after.replayed - before.replayed);
  return 0;
}

/* --- the story -------------------------------------------------------------- */

static int killed_and_back(struct drill *d, int64_t unit)
{
  struct drill_outage *o = &d->load.outage[0];

  if (wait_for(d, unit * 20, 0) != 0)
    return -1;
  begin_outage(d, o, "SIGKILL");
  drill_server_kill(&d->server);
  say(d, "redis-server killed with SIGKILL; the threads go on");
  if (wait_for(d, unit * 45, 0) != 0)
    return -1;
  say(d, "redis-server started again");
  return drill_server_start(&d->server) == 0 ? end_outage(d) : -1;
}

static int stopped_and_back(struct drill *d, int64_t unit)
{
  struct drill_outage *o = &d->load.outage[1];
  int64_t now = drill_now() - d->load.start;
  int64_t begin = unit * 65 > now + unit * 10 ? unit * 65 : now + unit * 10;

  if (wait_for(d, begin, 0) != 0)
    return -1;
  begin_outage(d, o, "SIGSTOP");
  drill_server_signal(&d->server, SIGSTOP);
  say(d, "redis-server stopped with SIGSTOP: it hangs");
  if (wait_for(d, begin + unit * 20, 0) != 0)
    return -1;
  drill_server_signal(&d->server, SIGCONT);
  say(d, "redis-server goes on (SIGCONT)");
  if (end_outage(d) != 0)
    return -1;
  now = drill_now() - d->load.start;
  return wait_for(d, unit * 100 > now + unit * 5 ? unit * 100 : now + unit * 5, 0);
}

static int story(struct drill *d)
{
  int64_t unit = (int64_t)d->seconds * 10000000;
  int result;

  say(d, "redis-server runs (pid %ld, appendonly yes, appendfsync always); %d threads write "
      "(seed %" PRIu64 ")", (long)d->server.pid, d->load.threads, d->load.seed);
  if (drill_load_start(&d->load) != 0) {
    fputs("larder drill: threads can't be created\n", stderr);
    drill_load_stop(&d->load);
    return -1;
  }
  result = killed_and_back(d, unit) == 0 && stopped_and_back(d, unit) == 0 ? 0 : -1;
  atomic_store(&d->load.away, NULL);
  drill_load_stop(&d->load);
  if (result != 0) { /* let it come to an end that can be counted */
    drill_server_signal(&d->server, SIGCONT);
    if (d->server.pid == 0 && !interrupted)
      drill_server_start(&d->server);
    return interrupted ? -1 : 1;
  }
  say(d, "the threads stop");
  return wait_for(d, 0, 1) == 0 ? 0 : 1;
}

static larder *open_store(const struct drill *d, const char *url)
{
  larder_options options = LARDER_OPTIONS_INIT;
  char error[LARDER_ERROR_SIZE];
  larder *store;

  if (d->verbose)
    options.event = tool_event;
  store = larder_open(url, &options, error, sizeof error);
  if (!store)
    fprintf(stderr, "larder drill: %s\n", error);
  return store;
}

/* Closes the store, counts, reports; the exit status. */
static int settle(struct drill *d, const char *socket_path)
{
  struct drill_count count[DRILL_KINDS];
  larder_status status = { .size = sizeof status };
  uint64_t left = 0, broken = 0;
  int counted;

  larder_get_status(d->load.store, &status);
  if (socket_path) {
    left = larder_close(d->load.store, 5000);
    d->load.store = NULL;
  }
  counted = drill_count_all(&d->load, socket_path, count, &broken);
  clear_progress(d);
  if (counted != 0) {
    fputs("larder drill: the recount failed\n", stderr);
    return TOOL_UNREACHED;
  }
  return tool_flush("drill", drill_report(&d->load, count, broken, &status, left) == 0
                                 ? TOOL_OK
                                 : TOOL_REFUSED);
}

static int with_redis(struct drill *d)
{
  char url[700];
  int status = TOOL_UNREACHED;

  if (drill_server_prepare(&d->server) != 0)
    return TOOL_UNREACHED;
  snprintf(url, sizeof url, "unix://%s?db=0%s%s", d->server.socket, d->query ? "&" : "",
           d->query ? d->query : "");
  d->load.start = drill_now();
  if (drill_server_start(&d->server) == 0) {
    d->load.store = open_store(d, url);
    status = d->load.store ? TOOL_UNREACHED : TOOL_USAGE; /* the options are the caller's */
  }
  if (d->load.store && story(d) >= 0)
    status = settle(d, d->server.socket);
  if (d->load.store)
    larder_close(d->load.store, 0);
  if (interrupted)
    fputs("larder drill: interrupted\n", stderr);
  drill_server_remove(&d->server);
  return status;
}

/* Without a Redis: the same load on the engine in this process. */
static int in_process(struct drill *d, const char *why)
{
  int status = TOOL_UNREACHED;

  printf("%s  So there is no outage to show:\nthe same load on the engine in this process.\n", why);
  d->load.start = drill_now();
  d->load.store = open_store(d, "memory:");
  if (!d->load.store)
    return TOOL_UNREACHED;
  say(d, "%d threads write (seed %" PRIu64 ")", d->load.threads, d->load.seed);
  if (drill_load_start(&d->load) == 0 &&
      wait_for(d, (int64_t)d->seconds * 1000000000, 0) == 0) {
    drill_load_stop(&d->load);
    say(d, "the threads stop");
    status = settle(d, NULL);
  } else {
    drill_load_stop(&d->load);
  }
  larder_close(d->load.store, 0);
  return status;
}

int tool_drill(int argc, char **argv)
{
  static struct drill d = { .seconds = 6, .load.threads = 4 };
  struct sigaction action = { .sa_handler = interrupt };
  int status;

  d.load.seed = ((uint64_t)drill_now() ^ (uint64_t)getpid() << 16) & 0x3fffffff;
  status = read_options(&d, argc, argv);
  if (status)
    return status - 1;
  d.terminal = isatty(STDOUT_FILENO);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  if (d.in_process)
    status = in_process(&d, "No redis-server is to be used.");
  else if (!CAN_USE_REDIS)
    status = in_process(&d, "This build can't talk to Redis (configured with --disable-redis).");
  else if (drill_server_find(&d.server) != 0)
    status = in_process(&d, "There is no redis-server here (Debian: apt-get install "
                            "redis-server).");
  else
    status = with_redis(&d);
  drill_load_free(&d.load);
  return status;
}
