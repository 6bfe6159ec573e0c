/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <string.h>

/*
 * The bars: what has to be reached.  A bar is a figure, or the ratio of two, taken round
 * by round, of which the median counts.  What is taken off (a server's PING) is of the same slices.
 * A row without a bar stands below the one that it helps to read.
 */

enum sense { AT_MOST, AT_LEAST, NO_BAR };

struct bar {
  const char *text;
  enum sense sense;
  double bound;
  const char *unit; /* "x" for ratios */
  struct figure_name over, under, off; /* over / (under - off); under, off: may be empty */
};

#define TYPED(what) { what, "larder-typed", "ns", 0 }
#define ARGV(what) { what, "larder-argv", "ns", 0 }
#define XXH3(what) { what, "uthash-xxh3", "ns", 0 }
#define ANY(what) { what, "uthash-xxh3-any", "ns", 0 }
#define RATE(what, who, threads) { what, who, "op/s", threads }
#define CPU(what, bound) \
  { "CPU of " what ": larder / redis-server net of PING", AT_MOST, bound, "x", \
    { what, "larder-argv", "ns CPU", 0 }, { what, "redis", "ns CPU", 0 }, \
    { what, "redis", "ns CPU of PING", 0 } }

#define MEMORY(text, what, bound) \
  { text ", bytes asked of the allocator", AT_MOST, bound, "B", \
    { what, "larder", "bytes asked", 1e6 }, { 0 }, { 0 } }, \
  { text ", as the allocator took them", AT_MOST, bound, "B", \
    { what, "larder", "bytes taken", 1e6 }, { 0 }, { 0 } }, \
  { "the same at 1.1e6, 1.5e6, 2.1e6, the worst / at 1e6", AT_MOST, 1.15, "x", \
    { what, "larder", "x growth taken", 0 }, { 0 }, { 0 } }
#define SMALL(text, what, bound) \
  { text ", bytes asked of the allocator", AT_MOST, bound, "B", \
    { what, "larder", "bytes asked", 1e5 }, { 0 }, { 0 } }, \
  { text ", as the allocator took them", AT_MOST, bound, "B", \
    { what, "larder", "bytes taken", 1e5 }, { 0 }, { 0 } }
#define BESIDE(text, what, who, unit, x) \
  { text, NO_BAR, 0, "ms", { what, who, unit, x }, { 0 }, { 0 } }
#define SLOWEST(text, what, x, machine) \
  { text ": slowest GET beside it", AT_MOST, 1, "ms", \
    { what, "larder", "ms slowest own GET", x }, { 0 }, { 0 } }, \
  BESIDE("- with what its thread waited for a processor", what, "larder", "ms slowest GET", x), \
  BESIDE("- without what any thread of the process waited for one", what, "larder", \
         "ms slowest GET at least", x), \
  BESIDE("- the slowest nothing between two GETs", what, machine, "ms slowest nothing", x)
#define WRITER(what, x) \
  BESIDE("- the slowest call of the writer itself", what, "larder", "ms slowest own writer", x)
#define SERVE(text, what, bound) \
  { "serve, redis-benchmark " text ": commands a second / redis-server's", AT_LEAST, bound, "x", \
    { what, "larder", "op/s", 0 }, { what, "redis", "op/s", 0 }, { 0 } }
#define SERVE_CPU(text, what) \
  { "serve, redis-benchmark " text ": CPU of a command / redis-server's", AT_MOST, 0.6, "x", \
    { what, "larder", "ns CPU", 0 }, { what, "redis", "ns CPU", 0 }, { 0 } }
#define REMOTE(text, what, who, x, sense, bound, unit) \
  { "remote, " text, sense, bound, "x", { what, who, unit, x }, { what, "hiredis", unit, x }, \
    { 0 } }
#define REMOTE_CALL(text, what) \
  REMOTE(text ": calls a second / hiredis", what, "larder", 0, AT_LEAST, 0.95, "op/s"), \
  REMOTE(text ": p99 / hiredis", what, "larder", 0, AT_MOST, 1.1, "us p99"), \
  REMOTE(text ", with fallback: calls a second / hiredis", what, "larder-fallback", 0, AT_LEAST, \
         0.95, "op/s"), \
  REMOTE(text ", with fallback: p99 / hiredis", what, "larder-fallback", 0, AT_MOST, 1.1, "us p99")
#define REMOTE_THREADS(text, what) \
  REMOTE("8 threads, " text ": calls a second / 8 hiredis", what, "larder", 8, AT_LEAST, 1, \
         "op/s"), \
  REMOTE("8 threads, " text ": server's CPU of a command / 8 hiredis", what, "larder", 8, \
         AT_MOST, 0.7, "us CPU server"), \
  REMOTE("64 threads, " text ": calls a second / 64 hiredis", what, "larder", 64, AT_LEAST, 1.5, \
         "op/s")
#define REMOTE_ASYNC(text, what) \
  REMOTE("512 in flight, " text ": a second / hiredis", what, "larder", 512, AT_LEAST, 1.2, \
         "op/s"), \
  REMOTE("512 in flight, " text ", by dispatch: a second / hiredis", what, \
         "larder-dispatch", 512, AT_LEAST, 1.2, "op/s")
#define REMOTE_IDLE(text, who) \
  { "remote, an idle store" text ": CPU a second", AT_MOST, 1, "ms", \
    { "remote-idle", who, "ms CPU a second", 0 }, { 0 }, { 0 } }

static const struct bar bars[] = {
  { "GET, typed, 1 thread / raw uthash XXH3, any length", AT_MOST, 0.8, "x", TYPED("get"),
    ANY("get"), { 0 } },
  { "GET, typed, 1 thread / raw uthash XXH3, lengths compiled in", AT_MOST, 0.8, "x", TYPED("get"),
    XXH3("get"), { 0 } },
  { "- beside raw uthash XXH3 in huge pages too", NO_BAR, 0, "x", TYPED("get"),
    { "get", "uthash-xxh3-huge", "ns", 0 }, { 0 } },
  { "GET, isolated latency, in dependent loads of the same footprint", AT_MOST, 3.3, "x",
    TYPED("isolated"), { "isolated", "chase", "ns", 0 }, { 0 } },
  { "- in loads of memory without huge pages", NO_BAR, 0, "x", TYPED("isolated"),
    { "isolated", "chase-malloc", "ns", 0 }, { 0 } },
  { "GET, typed, 2 threads / 1 thread", AT_LEAST, 1.9, "x",
    RATE("threads-read", "larder-typed", 2), RATE("threads-read", "larder-typed", 1), { 0 } },
  { "the same, 50 % writes", AT_LEAST, 1.6, "x", RATE("threads-read50", "larder-typed", 2),
    RATE("threads-read50", "larder-typed", 1), { 0 } },
  { "GET, typed, 2 threads / uthash XXH3 under one mutex", AT_LEAST, 7, "x",
    RATE("threads-read", "larder-typed", 2), RATE("threads-read", "uthash-xxh3-mutex", 2), { 0 } },
  { "GET through argv and a reply / typed", AT_MOST, 2, "x", ARGV("get"), TYPED("get"), { 0 } },
  { "MGET of 100, per key / single GETs through argv", AT_MOST, 0.5, "x", ARGV("mget100"),
    ARGV("get"), { 0 } },
  { "SET overwrite, typed / raw uthash XXH3, any length", AT_MOST, 1.2, "x", TYPED("set"),
    ANY("set"), { 0 } },
  { "SET overwrite, typed / raw uthash XXH3, lengths compiled in", AT_MOST, 1.2, "x", TYPED("set"),
    XXH3("set"), { 0 } },
  { "- beside raw uthash XXH3 in huge pages too", NO_BAR, 0, "x", TYPED("set"),
    { "set", "uthash-xxh3-huge", "ns", 0 }, { 0 } },
  { "SET new, typed / raw uthash XXH3, any length", AT_MOST, 1, "x", TYPED("set-new"),
    ANY("set-new"), { 0 } },
  { "SET new, typed / raw uthash XXH3, lengths compiled in", AT_MOST, 1, "x", TYPED("set-new"),
    XXH3("set-new"), { 0 } },
  { "- beside raw uthash XXH3 in huge pages too", NO_BAR, 0, "x", TYPED("set-new"),
    { "set-new", "uthash-xxh3-huge", "ns", 0 }, { 0 } },
  CPU("get", 0.25),
  CPU("set", 0.25),
  CPU("incr", 0.25),
  CPU("hset", 0.25),
  CPU("hget", 0.25),
  CPU("sadd", 0.25),
  CPU("lpush", 0.33),
  CPU("rpop", 0.33),
  CPU("zadd", 0.25),
  CPU("zrank", 0.25),
  CPU("zrangebyscore10", 0.25),
  { "CPU of a sliding window as one atomic batch / redis-server's three commands", AT_MOST, 0.25,
    "x", { "window", "larder-argv", "ns CPU", 0 }, { "window", "redis", "ns CPU", 0 }, { 0 } },
  MEMORY("a string of 16 + 32", "memory-string", 84),
  MEMORY("a string with a TTL", "memory-ttl", 104),
  MEMORY("a hash field of 16 + 32", "memory-hash-field", 72),
  MEMORY("a set member of 16", "memory-set-member", 40),
  MEMORY("a zset member of 16 + score", "memory-zset-member", 64),
  SMALL("a zset of 10 members of 14, whole", "memory-small-zset", 300),
  SMALL("a hash of 10 fields of 2 + 32, whole", "memory-small-hash", 493),
  { "1e6 keys that expire at once: all gone after", AT_MOST, 1, "s",
    { "expire", "larder", "s all gone", 0 }, { 0 }, { 0 } },
  SLOWEST("1e6 keys that expire at once", "expire", 0, "larder"),
  SLOWEST("growth from 0 to 1e7 keys", "growth", 1e7, "machine"),
  WRITER("growth", 1e7),
  SLOWEST("DEL of a set of 1e6", "free-set", 1e6, "machine"),
  SLOWEST("DEL of a zset of 1e6", "free-zset", 1e6, "machine"),
  SLOWEST("DEL of a hash of 1e6", "free-hash", 1e6, "machine"),
  SLOWEST("DEL of a list of 1e6", "free-list", 1e6, "machine"),
  { "hit ratio, Zipf 1.0, cache of 1 % of the keys, S3-FIFO", AT_LEAST, 51, "%",
    { "ratio-zipf", "allkeys-s3fifo", "% hits", 1 }, { 0 }, { 0 } },
  { "hit ratio, Zipf 0.9 with scans, S3-FIFO / sampled LRU", AT_LEAST, 1.2, "x",
    { "ratio-scan", "allkeys-s3fifo", "% hits", 0 }, { "ratio-scan", "allkeys-lru", "% hits", 0 },
    { 0 } },
  SERVE("GET -P 1", "serve-get-P1", 1),
  SERVE("SET -P 1", "serve-set-P1", 1),
  SERVE("GET -P 16", "serve-get-P16", 1.5),
  SERVE("SET -P 16", "serve-set-P16", 1.5),
  SERVE("GET -P 64", "serve-get-P64", 2),
  SERVE("SET -P 64", "serve-set-P64", 2),
  SERVE_CPU("GET -P 64", "serve-get-P64"),
  SERVE_CPU("SET -P 64", "serve-set-P64"),
  REMOTE_CALL("GET, unix, one processor", "remote-get-unix-1cpu"),
  REMOTE_CALL("GET, unix, across two", "remote-get-unix-2cpu"),
  REMOTE_CALL("SET, unix, one processor", "remote-set-unix-1cpu"),
  REMOTE_CALL("SET, unix, across two", "remote-set-unix-2cpu"),
  REMOTE_CALL("GET, TCP, one processor", "remote-get-tcp-1cpu"),
  REMOTE_CALL("GET, TCP, across two", "remote-get-tcp-2cpu"),
  REMOTE_CALL("SET, TCP, one processor", "remote-set-tcp-1cpu"),
  REMOTE_CALL("SET, TCP, across two", "remote-set-tcp-2cpu"),
  REMOTE_THREADS("unix", "remote-threads-unix"),
  REMOTE_THREADS("TCP", "remote-threads-tcp"),
  REMOTE_ASYNC("GET, unix", "remote-async-get-unix"),
  REMOTE_ASYNC("SET, unix", "remote-async-set-unix"),
  REMOTE_ASYNC("GET, TCP", "remote-async-get-tcp"),
  REMOTE_ASYNC("SET, TCP", "remote-async-set-tcp"),
  REMOTE_IDLE("", "larder"),
  REMOTE_IDLE(" with fallback", "larder-fallback"),
  { "opening and closing an empty store", AT_MOST, 100, "us", { "open", "larder", "us", 0 },
    { 0 }, { 0 } },
  { "resident size of an idle store", AT_MOST, 64, "KiB", { "open", "larder", "KiB resident", 0 },
    { 0 }, { 0 } },
};

enum { BARS = sizeof bars / sizeof bars[0] };

/* 0: there are no figures for it in this run. */
static int value_of(const struct bench *bench, const struct bar *bar, struct summary *summary)
{
  const struct figure *over = figure_find(bench, &bar->over), *under = NULL, *off = NULL;
  double value[ROUNDS_MAX];
  size_t i, count;

  if (bar->under.what != NULL)
    under = figure_find(bench, &bar->under);
  if (bar->off.what != NULL)
    off = figure_find(bench, &bar->off);
  if (over == NULL || (bar->under.what != NULL && under == NULL) ||
      (bar->off.what != NULL && off == NULL))
    return 0;
  count = over->count;
  if (under != NULL && under->count < count)
    count = under->count;
  if (off != NULL && off->count < count)
    count = off->count;
  for (i = 0; i < count; i++) {
    double divisor = under == NULL ? 1 : under->value[i] - (off != NULL ? off->value[i] : 0);

    if (divisor <= 0)
      return 0; /* it was too short to tell */
    value[i] = over->value[i] / divisor;
  }
  *summary = summarize(value, count);
  return count > 0;
}

enum verdict { MET, MISSED, UNKNOWN, UNJUDGED, VERDICTS };

static const char *const verdict_text[VERDICTS] = {
  [MET] = "met", [MISSED] = "NOT met", [UNKNOWN] = "not measured", [UNJUDGED] = "",
};

/* Bars are stated for 1e6 keys. */
static enum verdict judge(const struct bench *bench, const struct bar *bar, int known, double value)
{
  if (bar->sense == NO_BAR)
    return UNJUDGED;
  if (!known)
    return UNKNOWN;
  if (bench->keys != 1000000)
    return UNJUDGED;
  return (bar->sense == AT_MOST ? value <= bar->bound : value >= bar->bound) ? MET : MISSED;
}

enum { TEXT = 32 };

static void print_value(char text[TEXT], double value, const char *unit)
{
  int digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;

  snprintf(text, TEXT, "%.*f%s%s", digits, value, unit[0] == 'x' || unit[0] == 0 ? "" : " ", unit);
}

struct row {
  char figure[TEXT], spread[2 * TEXT + 8], bound[TEXT + 16];
  enum verdict verdict;
};

static void make_row(const struct bench *bench, const struct bar *bar, struct row *row)
{
  char least[TEXT], most[TEXT];
  struct summary s = { 0, 0, 0 };
  int known = value_of(bench, bar, &s);

  row->figure[0] = row->spread[0] = row->bound[0] = '\0';
  row->verdict = judge(bench, bar, known, s.median);
  if (known) {
    print_value(row->figure, s.median, bar->unit);
    print_value(least, s.least, "");
    print_value(most, s.most, "");
    snprintf(row->spread, sizeof row->spread, "%s to %s", least, most);
  }
  if (bar->sense == NO_BAR)
    return;
  print_value(least, bar->bound, bar->unit);
  snprintf(row->bound, sizeof row->bound, "at %s %s", bar->sense == AT_MOST ? "most" : "least",
           least);
}

/* The verdict's cell of the README. */
static const char *emphasized(enum verdict verdict)
{
  return verdict == MISSED ? "**NOT met**" : verdict_text[verdict];
}

static void print_rows(FILE *out, const struct bench *bench, int markdown)
{
  size_t count[VERDICTS] = { 0 }, i;
  struct row row;

  for (i = 0; i < BARS; i++) {
    make_row(bench, &bars[i], &row);
    if (row.figure[0] == '\0' && (bench->patterns > 0 || row.verdict == UNJUDGED))
      continue;
    count[row.verdict]++;
    if (markdown)
      fprintf(out, "| %s | %s | %s | %s | %s |\n", bars[i].text, row.figure, row.spread,
              row.bound, emphasized(row.verdict));
    else
      fprintf(out, "%-74s %9s  %-16s %-16s %s\n", bars[i].text, row.figure, row.spread, row.bound,
              verdict_text[row.verdict]);
  }
  fprintf(out, "\n%zu bars met, %zu not met, %zu not measured.", count[MET], count[MISSED],
          count[UNKNOWN]);
  if (bench->keys != 1000000)
    fprintf(out, "  Bars are stated for 1e6 keys: with %zu nothing is judged.", bench->keys);
  fprintf(out, "\n");
}

void print_bars(FILE *out, const struct bench *bench)
{
  fprintf(out, "\n%-74s %9s  %-16s %-16s\n", "The bars", "median", "least to most", "bar");
  print_rows(out, bench, 0);
}

void print_markdown(FILE *out, const struct bench *bench)
{
  size_t i;

  fprintf(out, "| | median | least to most | bar | |\n| --- | --- | --- | --- | --- |\n");
  print_rows(out, bench, 1);
  for (i = 0; i < bench->notes; i++)
    fprintf(out, "%sot measured: %s.", i == 0 ? "\nN" : " N", bench->note[i]);
  if (bench->notes > 0)
    fprintf(out, "\n");
  fprintf(out, "\n```\n");
  print_environment(out, bench, "");
  fprintf(out, "```\n");
}
