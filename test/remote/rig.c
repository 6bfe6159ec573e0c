/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/rig.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command/command.h"
#include "remote/remote.h"
#include "support/sanitizer.h"
#include "util/clock.h"
#include "util/hook.h"
#include "util/memory.h"

/* --- memory that counts ---------------------------------------------------------------- */

static atomic_llong bytes_out;
static atomic_long fail_in;

static int refuses(void)
{
  return atomic_load(&fail_in) > 0 && atomic_fetch_sub(&fail_in, 1) == 1;
}

static void *count_allocate(void *context, size_t size)
{
  (void)context;
  void *p = refuses() ? NULL : malloc(size);
  if (p)
    atomic_fetch_add(&bytes_out, (long long)size);
  return p;
}

static void *count_resize(void *context, void *block, size_t old_size, size_t new_size)
{
  (void)context;
  void *p = refuses() ? NULL : realloc(block, new_size);
  if (p)
    atomic_fetch_add(&bytes_out, (long long)new_size - (long long)old_size);
  return p;
}

static void count_release(void *context, void *block, size_t size)
{
  (void)context;
  atomic_fetch_sub(&bytes_out, (long long)size);
  free(block);
}

const larder_memory rig_memory = {count_allocate, count_resize, count_release, NULL};

void rig_fail_allocation(long n)
{
  atomic_store(&fail_in, n);
}

/* Not Check's assertions: the measuring program uses this too. */
static void must(int condition, const char *text)
{
  if (condition)
    return;
  fprintf(stderr, "rig: %s\n", text);
  exit(1);
}

/* --- life ------------------------------------------------------------------------------ */

void rig_config(struct lrd_config *c, int port, const char *path)
{
  memset(c, 0, sizeof *c);
  c->scheme = port ? LRD_SCHEME_TCP : LRD_SCHEME_UNIX;
  c->host = (char *)"127.0.0.1";
  c->port = port;
  c->path = (char *)path;
  c->timeout = 250 * LRD_NS_PER_MS;
  c->connect_timeout = 1000 * LRD_NS_PER_MS;
  c->max_retries = 3;
  c->connections = 8;
  c->memory = rig_memory;
  c->clock = lrd_clock_system;
  if (port)
    snprintf(c->address, sizeof c->address, "127.0.0.1:%d", port);
  else
    snprintf(c->address, sizeof c->address, "%s", path);
}

void rig_open(struct rig *r, const struct lrd_config *config)
{
  rig_open_hub(r, config, NULL);
}

void rig_open_hub(struct rig *r, const struct lrd_config *config, struct lrd_hub *hub)
{
  char error[256] = "";
  r->config = *config;
  larder_backend_options options = {.config = &r->config, .hub = hub};
  r->hook = lrd_hook_new(&rig_memory, &r->config.clock, r->config.event, r->config.event_context);
  r->backend = lrd_allocate_zeroed(&rig_memory, 1, lrd_remote_table.size);
  must(r->hook && r->backend, "no memory");
  r->backend->table = &lrd_remote_table;
  r->backend->memory = rig_memory;
  r->backend->clock = r->config.clock;
  r->backend->hook = r->hook;
  larder_outcome o = lrd_remote_table.open(r->backend, &options, error, sizeof error);
  must(o == LARDER_OK, error);
}

void rig_close(struct rig *r)
{
  int64_t begun = rig_now_ms();
  lrd_remote_table.close(r->backend, lrd_monotonic(&r->config.clock), 0);
  must(rig_now_ms() - begun < TEST_TIMES(500, 3000), "close took too long");
  lrd_release(&rig_memory, r->backend, lrd_remote_table.size);
  lrd_hook_free(r->hook);
  must(atomic_load(&bytes_out) == 0, "not every byte was given back");
}

larder_backend_status rig_status(struct rig *r)
{
  larder_backend_status s;
  memset(&s, 0, sizeof s);
  lrd_remote_table.status(r->backend, &s);
  return s;
}

/* --- calls ----------------------------------------------------------------------------- */

enum { VECTORS = 64, WORDS = 16 };

struct line {
  char text[4096];
  larder_vector vector[VECTORS];
  larder_bytes word[VECTORS][WORDS];
  size_t count;
};

static void split(struct line *l, const char *lines)
{
  snprintf(l->text, sizeof l->text, "%s", lines);
  l->count = 0;
  char *next_line, *next_word;
  for (char *one = strtok_r(l->text, "|", &next_line); one; one = strtok_r(NULL, "|", &next_line)) {
    larder_vector *v = &l->vector[l->count];
    *v = (larder_vector){.argv = l->word[l->count]};
    for (char *w = strtok_r(one, " ", &next_word); w; w = strtok_r(NULL, " ", &next_word))
      l->word[l->count][v->argc++] = (larder_bytes){w, strlen(w)};
    v->command = lrd_command_find(v->argv[0].data, v->argv[0].len);
    l->count++;
  }
}

static void describe(const larder_value *v, char *out, size_t size)
{
  size_t used = strlen(out);
  if (used + 2 >= size)
    return;
  switch (v->type) {
  case LARDER_INTEGER:
    snprintf(out + used, size - used, "%lld", (long long)v->integer);
    break;
  case LARDER_DOUBLE:
    snprintf(out + used, size - used, "%.17g", v->real);
    break;
  case LARDER_NIL:
    snprintf(out + used, size - used, "nil");
    break;
  case LARDER_ARRAY:
  case LARDER_MAP:
  case LARDER_SET:
    for (size_t i = 0; i < v->len; i++) {
      if (i)
        snprintf(out + strlen(out), size - strlen(out), " ");
      describe(&v->element[i], out, size);
    }
    break;
  default:
    snprintf(out + used, size - used, "%.*s", (int)v->len, v->str);
  }
}

/* reply[i] of a tree's. */
static void take(struct rig_reply *reply, const struct lrd_tree *tree, size_t replies,
                 int64_t took_ms)
{
  for (size_t i = 0; i < replies; i++) {
    const larder_value *v = &tree->reply[i].value;
    reply[i] =
      (struct rig_reply){.verdict = tree->reply[i].verdict, .type = v->type, .len = v->len};
    reply[i].integer = v->type == LARDER_INTEGER ? v->integer : 0;
    reply[i].took_ms = took_ms;
    describe(v, reply[i].text, sizeof reply[i].text);
  }
}

void rig_run_many(struct rig *r, larder_hold *hold, unsigned flags, int64_t timeout_ms,
                  const char *lines, struct rig_reply *reply)
{
  struct line line;
  split(&line, lines);
  struct lrd_arena arena;
  struct lrd_tree tree;
  lrd_arena_init(&arena, &lrd_memory_system);
  size_t replies = flags & LARDER_CALL_ATOMIC ? 1 : line.count;
  if (lrd_tree_init(&tree, &arena, replies) != 0)
    abort();
  int64_t begun = rig_now_ms();
  larder_call call = {.vector = line.vector, .count = line.count, .flags = flags, .hold = hold,
                      .database = r->database,
                      .deadline = lrd_monotonic(&r->config.clock) + timeout_ms * LRD_NS_PER_MS};
  lrd_remote_table.execute(r->backend, &call, &tree.sink);
  if (tree.replies != replies)
    abort();
  take(reply, &tree, replies, rig_now_ms() - begun);
  lrd_arena_free(&arena);
}

struct rig_reply rig_run_with(struct rig *r, larder_hold *hold, unsigned flags, int64_t timeout_ms,
                              const char *words)
{
  struct rig_reply reply;
  rig_run_many(r, hold, flags, timeout_ms, words, &reply);
  return reply;
}

struct rig_reply rig_run(struct rig *r, const char *words)
{
  return rig_run_with(r, NULL, 0, r->config.timeout / LRD_NS_PER_MS, words);
}

static void on_done(larder_submission *s)
{
  struct rig_submission *r = (struct rig_submission *)(void *)s;
  atomic_fetch_add(&r->done, 1);
}

void rig_submit(struct rig *r, struct rig_submission *s, unsigned flags, int64_t timeout_ms,
                const char *words)
{
  struct line line;
  split(&line, words);
  rig_submit_vectors(r, s, flags, timeout_ms, line.vector, line.count);
}

void rig_submit_vectors(struct rig *r, struct rig_submission *s, unsigned flags,
                        int64_t timeout_ms, const larder_vector *vector, size_t count)
{
  memset(s, 0, sizeof *s);
  lrd_count_init(&s->count);
  s->base.sink = &s->count.sink;
  s->base.done = on_done;
  larder_call call = {.vector = vector, .count = count, .flags = flags,
                      .deadline = lrd_monotonic(&r->config.clock) + timeout_ms * LRD_NS_PER_MS};
  lrd_remote_table.submit(r->backend, &call, &s->base);
}

int rig_wait(struct rig_submission *s, int timeout_ms)
{
  for (int64_t until = rig_now_ms() + timeout_ms; !atomic_load(&s->done); rig_sleep(1))
    if (rig_now_ms() > until)
      return -1;
  return 0;
}

static void on_answer(larder_submission *s)
{
  struct rig_asked *a = (struct rig_asked *)(void *)s;
  a->took_ms = rig_now_ms() - a->begun;
  atomic_fetch_add(&a->done, 1);
}

void rig_ask(struct rig *r, struct rig_asked *a, unsigned flags, int64_t timeout_ms,
             const char *lines)
{
  struct line line;
  split(&line, lines);
  memset(a, 0, sizeof *a);
  a->replies = flags & LARDER_CALL_ATOMIC ? 1 : line.count;
  lrd_arena_init(&a->arena, &lrd_memory_system);
  if (lrd_tree_init(&a->tree, &a->arena, a->replies) != 0)
    abort();
  a->base.sink = &a->tree.sink;
  a->base.done = on_answer;
  a->begun = rig_now_ms();
  larder_call call = {.vector = line.vector, .count = line.count, .flags = flags,
                      .database = r->database,
                      .deadline = lrd_monotonic(&r->config.clock) + timeout_ms * LRD_NS_PER_MS};
  lrd_remote_table.submit(r->backend, &call, &a->base);
}

int rig_answers(struct rig_asked *a, int timeout_ms, struct rig_reply *reply)
{
  for (int64_t until = rig_now_ms() + timeout_ms; !atomic_load(&a->done); rig_sleep(1))
    if (rig_now_ms() > until)
      return -1;
  take(reply, &a->tree, a->replies, a->took_ms);
  lrd_arena_free(&a->arena);
  return 0;
}

int64_t rig_now_ms(void)
{
  return lrd_monotonic(&lrd_clock_system) / LRD_NS_PER_MS;
}

void rig_sleep(int ms)
{
  struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
  nanosleep(&t, NULL);
}
