/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include <malloc.h>

#include <larder.h>

/*
 * Memory per item, payload included, at several sizes of one growing store.  larder tells three
 * numbers: what its engine asked for (used_memory), what its allocator took for that
 * (allocator_active: whole pages), and the growth of the process; a server tells the growth of
 * its used_memory, which is what its allocator took.  Each measurement has a process of its own.
 */

struct row {
  const char *name;
  size_t divisor; /* items are the settings' keys by this */
  int grows;      /* measured at all sizes, not only at the first */
  void (*fill)(struct command *, const struct load *, size_t i);
};

static void fill_string(struct command *c, const struct load *load, size_t i)
{
  command_begin(c, "SET", REPLY_STATUS, 0);
  command_word(c, load->step[i].key, KEY_LENGTH);
  command_word(c, load->value, VALUE_LENGTH);
}

static void fill_ttl(struct command *c, const struct load *load, size_t i)
{
  fill_string(c, load, i);
  command_word(c, "EX", 2);
  command_word(c, "86400", 5);
}

static void fill_field(struct command *c, const struct load *load, size_t i)
{
  command_begin(c, "HSET", REPLY_INTEGER, 0);
  command_word(c, "hash", 4);
  command_word(c, load->step[i].key, KEY_LENGTH);
  command_word(c, load->value, VALUE_LENGTH);
}

static void fill_small_zset(struct command *c, const struct load *load, size_t i)
{
  static const char member[10][15] = { "member00000000", "member00000001", "member00000002",
                                       "member00000003", "member00000004", "member00000005",
                                       "member00000006", "member00000007", "member00000008",
                                       "member00000009" };
  size_t m;

  command_begin(c, "ZADD", REPLY_INTEGER, 0);
  command_word(c, load->step[i].key, KEY_LENGTH);
  for (m = 0; m < 10; m++) {
    command_word(c, load->step[(i + m) % load->count].score, 9);
    command_word(c, member[m], 14);
  }
}

static void fill_small_hash(struct command *c, const struct load *load, size_t i)
{
  static const char field[10][3] = { "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9" };
  size_t f;

  command_begin(c, "HSET", REPLY_INTEGER, 0);
  command_word(c, load->step[i].key, KEY_LENGTH);
  for (f = 0; f < 10; f++) {
    command_word(c, field[f], 2);
    command_word(c, load->value, VALUE_LENGTH);
  }
}

static void fill_as(enum op op, struct command *c, const struct load *load, size_t i)
{
  op_info[op].fill(c, load, i);
}

static void fill_member(struct command *c, const struct load *load, size_t i)
{
  fill_as(OP_SADD, c, load, i);
}

static void fill_scored(struct command *c, const struct load *load, size_t i)
{
  fill_as(OP_ZADD, c, load, i);
}

static void fill_element(struct command *c, const struct load *load, size_t i)
{
  fill_as(OP_LPUSH, c, load, i);
}

static const struct row rows[] = {
  { "memory-string", 1, 1, fill_string },
  { "memory-ttl", 1, 1, fill_ttl },
  { "memory-hash-field", 1, 1, fill_field },
  { "memory-set-member", 1, 1, fill_member },
  { "memory-zset-member", 1, 1, fill_scored },
  { "memory-list-element", 1, 1, fill_element },
  { "memory-small-zset", 10, 0, fill_small_zset },
  { "memory-small-hash", 10, 0, fill_small_hash },
};

enum { ROWS = sizeof rows / sizeof rows[0], SIZES = 4 };

static const double sizes[SIZES] = { 1, 1.1, 1.5, 2.1 };

struct task {
  const struct row *row;
  const struct load *load;
  size_t size[SIZES], sizes;
};

static double malloced(void)
{
#ifdef __GLIBC__
  struct mallinfo2 info = mallinfo2();

  return (double)info.uordblks + (double)info.hblkhd;
#else
  return 0; /* this malloc doesn't tell */
#endif
}

/* What a line of INFO says, or 0. */
static double info_of(larder *store, const char *name)
{
  larder_reply *reply = larder_command(store, "INFO memory");
  const char *at = reply->outcome == LARDER_OK ? strstr(reply->value.str, name) : NULL;
  double number = at != NULL ? strtod(at + strlen(name), NULL) : 0;

  larder_reply_free(reply);
  return number;
}

/* The pages of larder's allocator that are in use, and what it asked malloc for; in a build
 * that leaves all to malloc (sanitizers do) what that took. */
static double taken_by(larder *store)
{
  double active = info_of(store, "allocator_active:");

  return active > 0 ? active : malloced();
}

static int add_items(larder *store, const struct task *task, size_t from, size_t to)
{
  struct command c;
  size_t i;
  int failed = 0;

  for (i = from; i < to && !failed; i++) {
    larder_reply *reply;

    task->row->fill(&c, task->load, i);
    reply = larder_argv(store, c.argc, c.argv, c.argvlen);
    failed = reply->outcome != LARDER_OK;
    larder_reply_free(reply);
  }
  return failed;
}

static void weigh_larder(void *context, double *out)
{
  const struct task *task = context;
  larder *store = larder_open("memory:", NULL, NULL, 0);
  double asked, taken, resident;
  size_t s, n = 0;

  if (store == NULL)
    _Exit(1);
  asked = info_of(store, "used_memory:");
  taken = taken_by(store);
  resident = resident_bytes(0);
  for (s = 0; s < task->sizes; s++) {
    if (add_items(store, task, n, task->size[s]))
      _Exit(1);
    n = task->size[s];
    *out++ = (info_of(store, "used_memory:") - asked) / (double)n;
    *out++ = (taken_by(store) - taken) / (double)n;
    *out++ = (resident_bytes(0) - resident) / (double)n;
  }
}

static void weigh_uthash(void *context, double *out)
{
  const struct task *task = context;
  char why[64];
  double taken = malloced();
  void *table = target_jenkins.open(why, sizeof why);
  size_t s, n = 0;

  for (s = 0; s < task->sizes; s++) {
    if (table == NULL || target_jenkins.run(table, OP_SET, task->load, n, task->size[s]) != 0)
      _Exit(1);
    n = task->size[s];
    *out++ = (malloced() - taken) / (double)n;
  }
}

static int measure_larder(struct bench *bench, struct task *task)
{
  static const char *const unit[3] = { "bytes asked", "bytes taken", "bytes resident" };
  double out[3 * SIZES], worst[2] = { 0, 0 };
  size_t s, u;

  bench_progress(bench, "%s/larder", task->row->name);
  if (in_child(weigh_larder, task, out, 3 * task->sizes) != 0)
    return -1;
  for (s = 0; s < task->sizes; s++)
    for (u = 0; u < 3; u++) {
      figure_add(bench, task->row->name, "larder", unit[u], (double)task->size[s], out[3 * s + u]);
      if (u < 2 && s > 0 && out[3 * s + u] / out[u] > worst[u])
        worst[u] = out[3 * s + u] / out[u];
    }
  if (task->sizes > 1) {
    figure_add(bench, task->row->name, "larder", "x growth asked", 0, worst[0]);
    figure_add(bench, task->row->name, "larder", "x growth taken", 0, worst[1]);
  }
  return 0;
}

static int measure_uthash(struct bench *bench, struct task *task)
{
  double out[SIZES];
  size_t s;

  if (in_child(weigh_uthash, task, out, task->sizes) != 0)
    return -1;
  for (s = 0; s < task->sizes; s++)
    figure_add(bench, task->row->name, "uthash", "bytes taken", (double)task->size[s], out[s]);
  return 0;
}

#ifdef LARDER_REDIS
static int weigh_server(struct bench *bench, const char *who, struct redis *redis,
                        const struct task *task)
{
  double before = redis_info(redis, "used_memory", NULL, 0);
  struct command command;
  size_t s, n = 0;

  for (s = 0; s < task->sizes; s++) {
    if (redis_fill(redis, task->row->fill, task->load, n, task->size[s]) != 0)
      return -1;
    n = task->size[s];
    figure_add(bench, task->row->name, who, "bytes taken", (double)n,
               (redis_info(redis, "used_memory", NULL, 0) - before) / (double)n);
  }
  command_begin(&command, "FLUSHALL", REPLY_STATUS, 0);
  return redis_send(redis, &command) != 0 || redis_receive(redis, &command) != 0 ? -1 : 0;
}

static int measure_servers(struct bench *bench, struct task *task)
{
  size_t i;
  int failed = 0;

  for (i = 0; redis_kinds[i].name != NULL && !failed; i++) {
    struct redis *redis;
    char why[256];

    if (!bench_wants(bench, task->row->name, redis_kinds[i].name))
      continue;
    bench_progress(bench, "%s/%s", task->row->name, redis_kinds[i].name);
    redis = redis_open(&redis_kinds[i], why, sizeof why);
    if (redis == NULL) {
      bench_note(bench, "%s: %s", redis_kinds[i].name, why);
      continue;
    }
    failed = weigh_server(bench, redis_kinds[i].name, redis, task);
    redis_close(redis);
  }
  return failed;
}
#else
static int measure_servers(struct bench *bench, struct task *task)
{
  (void)bench;
  (void)task;
  return 0;
}
#endif

static size_t size_of(const struct bench *bench, const struct row *row, size_t s)
{
  return (size_t)((double)(bench->keys / row->divisor) * sizes[s] + 0.5);
}

/* Peers give the same bytes each time: once is enough. */
static int measure_row(struct bench *bench, const struct row *row, size_t round,
                       const struct load *load)
{
  struct task task = { .row = row, .load = load, .sizes = row->grows ? SIZES : 1 };
  int wanted = bench_wants(bench, row->name, "larder");
  int table = row == rows && bench_wants(bench, row->name, "uthash");
  size_t s;
  int failed = 0;

  for (s = 0; s < task.sizes; s++)
    task.size[s] = size_of(bench, row, s);
  if (bench->surveying)
    return measure_servers(bench, &task);
  if (wanted)
    failed = measure_larder(bench, &task);
  if (round == 0 && table && !failed)
    failed = measure_uthash(bench, &task);
  if (round == 0 && !failed)
    failed = measure_servers(bench, &task);
  if (failed)
    fprintf(stderr, "bench: %s failed\n", row->name);
  return failed;
}

static int is_wanted(struct bench *bench)
{
  static const char *const who[] = { "larder", "uthash", "redis", "redis-new", "valkey" };
  size_t r, w;

  for (r = 0; r < ROWS; r++)
    for (w = 0; w < sizeof who / sizeof who[0]; w++)
      if (bench_wants(bench, rows[r].name, who[w]))
        return 1;
  return 0;
}

int run_memory(struct bench *bench)
{
  size_t r, round, rounds = bench->rounds;
  struct load load = { .count = 0 };
  int failed = 0;

  if (bench->surveying)
    rounds = 1;
  else if (!is_wanted(bench))
    return 0;
  for (round = 0; round < rounds && !failed; round++) {
    if (!bench->surveying)
      load_shuffled(&load, size_of(bench, rows, SIZES - 1), bench->round_seed[round]);
    for (r = 0; r < ROWS && !failed; r++)
      failed = measure_row(bench, &rows[r], round, &load);
    load_free(&load);
  }
  return failed;
}
