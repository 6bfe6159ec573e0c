/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <larder/metrics.h>

static const char help[] =
    "usage: larder status [OPTION]...\n"
    "\n"
    "Opens a store, waits until its first attempt to connect has ended, and prints its\n"
    "state, one field a line.\n"
    "\n"
    "  --store URL     the store (default: LARDER_URL, REDIS_URL, else memory:)\n"
    "  --timeout D     how long to wait at most: 250ms, 1s (default: 10s; the attempt\n"
    "                  itself ends after the store's connect_timeout, 1s)\n"
    "  --json          as one JSON object\n"
    "  --prometheus    all counters, in Prometheus's text format\n"
    "  -h, --help      this\n"
    "\n"
    "Exit status: 0 the store serves as intended; 2 a bad call; 3 its Redis can't be\n"
    "used (state says why not).\n";

struct plan {
  const char *url;
  int64_t timeout_ms;
  int json, prometheus;
};

static int read_options(struct plan *p, int argc, char **argv)
{
  static const struct option options[] = {
    { "store", required_argument, NULL, 's' },
    { "timeout", required_argument, NULL, 't' },
    { "json", no_argument, NULL, 'j' },
    { "prometheus", no_argument, NULL, 'p' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
  };
  int c;

  opterr = 0;
  while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
    switch (c) {
    case 's':
      p->url = optarg;
      break;
    case 't':
      p->timeout_ms = tool_duration(optarg);
      if (p->timeout_ms < 1 || p->timeout_ms > 3600000)
        return 1 + tool_misuse("status", "--timeout %s is not a duration from 1ms to 1h", optarg);
      break;
    case 'j':
      p->json = 1;
      break;
    case 'p':
      p->prometheus = 1;
      break;
    case 'h':
      fputs(help, stdout);
      return 1 + tool_flush("status", TOOL_OK);
    default:
      return 1 + tool_bad_option("status", argc, argv, c);
    }
  }
  if (p->json && p->prometheus)
    return 1 + tool_misuse("status", "--json and --prometheus exclude each other");
  return optind == argc ? 0 : 1 + tool_misuse("status", "what is %s?", argv[optind]);
}

/* --- printing ------------------------------------------------------------- */

struct printer {
  int json, fields;
};

static void name_of(struct printer *p, const char *name)
{
  if (p->json)
    printf("%s\n  \"%s\": ", p->fields ? "," : "{", name);
  else
    printf("%s: ", name);
  p->fields++;
}

static void text(struct printer *p, const char *name, const char *value)
{
  const char *s;

  name_of(p, name);
  if (!p->json) {
    puts(value);
    return;
  }
  putchar('"');
  for (s = value; *s; s++) {
    if (*s == '"' || *s == '\\')
      printf("\\%c", *s);
    else if ((unsigned char)*s < ' ')
      printf("\\u%04x", (unsigned)*s);
    else
      putchar(*s);
  }
  putchar('"');
}

static void number(struct printer *p, const char *name, int64_t value)
{
  name_of(p, name);
  printf("%" PRId64 "%s", value, p->json ? "" : "\n");
}

static void count(struct printer *p, const char *name, uint64_t value)
{
  name_of(p, name);
  printf("%" PRIu64 "%s", value, p->json ? "" : "\n");
}

/* "calls_OK", "origins_redis". */
static void counts(struct printer *p, const char *prefix, const uint64_t *value, int n,
                   const char *(*names)(int))
{
  char name[48];
  int i;

  for (i = 0; i < n; i++) {
    snprintf(name, sizeof name, "%s_%s", prefix, names(i));
    count(p, name, value[i]);
  }
}

static const char *outcome_name(int i)
{
  return larder_outcome_name((larder_outcome)i);
}

static const char *origin_name(int i)
{
  return larder_origin_name((larder_origin)i);
}

static void print_status(const larder_status *s, int json)
{
  struct printer p = { json, 0 };

  text(&p, "backend", s->backend);
  text(&p, "serving", s->serving);
  text(&p, "state", larder_state_name(s->state));
  number(&p, "since_ms", s->since_ms);
  text(&p, "address", s->address);
  text(&p, "prefix", s->prefix);
  text(&p, "last_error", s->last_error);
  number(&p, "last_error_ms", s->last_error_ms);
  text(&p, "breaker", s->breaker);
  text(&p, "fence", s->fence);
  counts(&p, "calls", s->calls, LARDER_OUTCOMES, outcome_name);
  counts(&p, "origins", s->origins, LARDER_ORIGINS, origin_name);
  count(&p, "in_flight", s->in_flight);
  count(&p, "connections", s->connections);
  count(&p, "connects", s->connects);
  count(&p, "connect_faults", s->connect_faults);
  count(&p, "commands_sent", s->commands_sent);
  count(&p, "deadline_misses", s->deadline_misses);
  count(&p, "outages", s->outages);
  count(&p, "local_calls", s->local_calls);
  count(&p, "journal_keys", s->journal_keys);
  count(&p, "journal_bytes", s->journal_bytes);
  number(&p, "journal_oldest_ms", s->journal_oldest_ms);
  text(&p, "replay_error", s->replay_error);
  count(&p, "replayed", s->replayed);
  count(&p, "replay_batches", s->replay_batches);
  count(&p, "dropped", s->dropped);
  count(&p, "dead_letters", s->dead_letters);
  count(&p, "unknown_batches", s->unknown_batches);
  count(&p, "keys", s->keys);
  count(&p, "memory", s->memory);
  count(&p, "round_trips", s->round_trips);
  count(&p, "bytes_out", s->bytes_out);
  count(&p, "bytes_in", s->bytes_in);
  count(&p, "replies_owed", s->replies_owed);
  count(&p, "reconnects", s->reconnects);
  count(&p, "latency_p50_ns", s->latency_p50);
  count(&p, "latency_p90_ns", s->latency_p90);
  count(&p, "latency_p99_ns", s->latency_p99);
  count(&p, "latency_p999_ns", s->latency_p999);
  count(&p, "latency_p9999_ns", s->latency_p9999);
  count(&p, "latency_most_ns", s->latency_most);
  if (json)
    puts("\n}");
}

/* 0, or -1: no memory. */
static int print_metrics(larder *store)
{
  size_t size = larder_metrics(store, NULL, 0) + 4096, len;
  char *text = malloc(size);

  if (!text)
    return -1;
  len = larder_metrics(store, text, size);
  fwrite(text, 1, len < size ? len : size - 1, stdout);
  free(text);
  return 0;
}

int tool_status(int argc, char **argv)
{
  struct plan p = { .timeout_ms = 10000 };
  larder_status status = { .size = sizeof status };
  char error[LARDER_ERROR_SIZE];
  larder *store;
  int64_t waited;
  int result = read_options(&p, argc, argv);

  if (result)
    return result - 1;
  store = larder_open(p.url, NULL, error, sizeof error);
  if (!store) {
    fprintf(stderr, "larder status: %s\n", error);
    return TOOL_USAGE;
  }
  larder_get_status(store, &status);
  for (waited = 0; status.state == LARDER_STATE_STARTING && waited < p.timeout_ms; waited += 5) {
    tool_sleep(5);
    larder_get_status(store, &status);
  }
  if (!p.prometheus) {
    print_status(&status, p.json);
  } else if (print_metrics(store) != 0) {
    fprintf(stderr, "larder status: out of memory\n");
    larder_close(store, 0);
    return TOOL_UNREACHED;
  }
  larder_close(store, 0);
  result = status.state == LARDER_STATE_UP || status.state == LARDER_STATE_REPLAYING
               ? TOOL_OK
               : TOOL_UNREACHED;
  return tool_flush("status", result);
}
