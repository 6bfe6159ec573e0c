/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <larder/serve.h>

enum { ADDRESSES = 64, PASSWORD_FILE = 1024, CLOSE_MS = 5000 };

static const char help[] =
    "usage: larder serve --listen ADDRESS [--listen ADDRESS]... [OPTION]...\n"
    "\n"
    "Lets Redis clients (redis-cli, any client library) talk to a store.\n"
    "\n"
    "  --listen ADDRESS      tcp://127.0.0.1:PORT, tcp://[::1]:PORT (port 0: a free one) or\n"
    "                        unix:///PATH (mode 0600)\n"
    "  --store URL           the store (default: LARDER_URL, REDIS_URL, else memory:)\n"
    "  --password-file FILE  clients must AUTHenticate with its first line (default: the\n"
    "                        environment's LARDER_PASSWORD; without both: no password)\n"
    "  --allow-remote        allow addresses other than loopback\n"
    "  --max-clients N       1 to 100000, default 10000\n"
    "  -h, --help            this\n"
    "\n"
    "Prints \"listening on ADDRESS\" for each address to standard output once clients can\n"
    "connect, and the store's events to standard error.  SIGINT and SIGTERM end it: what\n"
    "still waits for Redis is replayed for at most 5 seconds.\n"
    "\n"
    "Exit status: 0 ended by a signal; 2 a bad call; 3 an address can't be listened on,\n"
    "or writes were left that did not reach Redis (standard error says how many).\n";

struct plan {
  const char *url;
  const char *address[ADDRESSES];
  size_t addresses;
  const char *password_file;
  int allow_remote;
  unsigned max_clients;
  char password[PASSWORD_FILE];
};

static int read_options(struct plan *p, int argc, char **argv)
{
  static const struct option options[] = {
    { "listen", required_argument, NULL, 'l' },
    { "store", required_argument, NULL, 's' },
    { "password-file", required_argument, NULL, 'p' },
    { "allow-remote", no_argument, NULL, 'r' },
    { "max-clients", required_argument, NULL, 'm' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
  };
  int64_t number;
  int c;

  opterr = 0;
  while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
    switch (c) {
    case 'l':
      if (p->addresses == ADDRESSES)
        return 1 + tool_misuse("serve", "more than %d addresses", ADDRESSES);
      p->address[p->addresses++] = optarg;
      break;
    case 's':
      p->url = optarg;
      break;
    case 'p':
      p->password_file = optarg;
      break;
    case 'r':
      p->allow_remote = 1;
      break;
    case 'm':
      number = tool_number("serve", "--max-clients", optarg, 1, 100000);
      if (number < 0)
        return 1 + TOOL_USAGE;
      p->max_clients = (unsigned)number;
      break;
    case 'h':
      fputs(help, stdout);
      return 1 + tool_flush("serve", TOOL_OK);
    default:
      return 1 + tool_bad_option("serve", argc, argv, c);
    }
  }
  if (optind < argc)
    return 1 + tool_misuse("serve", "what is %s?", argv[optind]);
  return p->addresses ? 0 : 1 + tool_misuse("serve", "where? --listen ADDRESS is needed");
}

/* 0, or -1: it was said what is wrong. */
static int read_password(struct plan *p)
{
  const char *given = getenv("LARDER_PASSWORD");
  FILE *file;

  if (!p->password_file) {
    if (given && strlen(given) >= sizeof p->password) {
      tool_misuse("serve", "LARDER_PASSWORD is longer than 512 bytes");
      return -1;
    }
    if (given)
      strcpy(p->password, given);
    return 0;
  }
  file = fopen(p->password_file, "re");
  if (!file) {
    tool_misuse("serve", "--password-file %s: %s", p->password_file, strerror(errno));
    return -1;
  }
  if (!fgets(p->password, sizeof p->password, file))
    p->password[0] = '\0';
  fclose(file);
  p->password[strcspn(p->password, "\r\n")] = '\0';
  if (p->password[0])
    return 0;
  tool_misuse("serve", "--password-file %s: its first line is empty", p->password_file);
  return -1;
}

static void nothing(int signal_number)
{
  (void)signal_number;
}

/* Signals that end it are waited for, in this thread only.  A shell starts
 * background jobs with SIGINT ignored: that must not hold here. */
static void take_signals(sigset_t *ending)
{
  struct sigaction action = { .sa_handler = nothing };

  sigemptyset(ending);
  sigaddset(ending, SIGINT);
  sigaddset(ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, ending, NULL);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  signal(SIGPIPE, SIG_IGN); /* a reader of our output that went away is no reason to end */
}

static int serve(larder *store, struct plan *p, const sigset_t *ending)
{
  larder_listen_options options = LARDER_LISTEN_OPTIONS_INIT;
  char error[LARDER_ERROR_SIZE];
  larder_listener *listener;
  int signal_number, cause, status;
  size_t i;

  options.address = p->address;
  options.addresses = p->addresses;
  options.password = p->password[0] ? p->password : NULL;
  options.allow_remote = p->allow_remote;
  options.max_clients = p->max_clients;
  listener = larder_listen(store, &options, error, sizeof error);
  memset(p->password, 0, sizeof p->password);
  if (!listener) {
    cause = errno;
    fprintf(stderr, "larder serve: %s\n", error);
    return cause == EINVAL ? TOOL_USAGE : TOOL_UNREACHED;
  }
  if (p->allow_remote && !options.password)
    fputs("larder serve: warning: --allow-remote without a password\n", stderr);
  for (i = 0; i < p->addresses; i++)
    printf("listening on %s\n", larder_listener_address(listener, i));
  status = tool_flush("serve", TOOL_OK);
  if (status == TOOL_OK)
    sigwait(ending, &signal_number);
  larder_listener_close(listener);
  return status;
}

int tool_serve(int argc, char **argv)
{
  static struct plan p; /* holds a password: not on a stack that is used again */
  larder_options options = LARDER_OPTIONS_INIT;
  char error[LARDER_ERROR_SIZE];
  larder *store;
  uint64_t left;
  sigset_t ending;
  int status = read_options(&p, argc, argv);

  if (status)
    return status - 1;
  if (read_password(&p) != 0)
    return TOOL_USAGE;
  take_signals(&ending);
  options.event = tool_event;
  store = larder_open(p.url, &options, error, sizeof error);
  if (!store) {
    fprintf(stderr, "larder serve: %s\n", error);
    return TOOL_USAGE;
  }
  status = serve(store, &p, &ending);
  left = larder_close(store, CLOSE_MS);
  if (left > 0) {
    fprintf(stderr, "larder serve: %" PRIu64 " writes did not reach Redis and are lost\n", left);
    status = TOOL_UNREACHED;
  }
  return status;
}
