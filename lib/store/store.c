/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/store.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/dispatch.h"
#include "store/prefix.h"
#include "store/reply.h"

const char *larder_version(void)
{
  return LARDER_VERSION;
}

/* --- opening ------------------------------------------------------------- */

static larder_outcome no_memory(char *error, size_t error_size)
{
  snprintf(error, error_size, "no memory to open the store");
  return LARDER_NO_MEMORY;
}

/* Memory of the parts; what was got is released by free_parts. */
static larder_outcome make_parts(larder *s, char *error, size_t error_size)
{
  const larder_memory *m = &s->config.memory;
  if (lrd_cells_open(&s->cells, m) != 0)
    return no_memory(error, error_size);
  s->hook = lrd_hook_new(m, &s->config.clock, s->config.event, s->config.event_context);
  s->hub = lrd_hub_new(m);
  if (!s->hook || !s->hub)
    return no_memory(error, error_size);
  s->base = lrd_allocate_zeroed(m, 1, s->table->size);
  if (!s->base)
    return no_memory(error, error_size);
  if (lrd_queue_init(&s->queue, s->config.delivery, m) != LARDER_OK) {
    snprintf(error, error_size, "no resources for the completion queue (descriptors or memory)");
    return LARDER_NO_MEMORY;
  }
  return LARDER_OK;
}

/* The queue is not a part: its life ends elsewhere. */
static void free_parts(larder *s, int forked)
{
  const larder_memory memory = s->config.memory;
  if (s->cells.cell)
    lrd_answers_close(&s->cells, forked);
  if (s->base)
    lrd_release(&memory, s->base, s->table->size);
  lrd_release(&memory, s->late.block, s->late.size);
  if (s->hub)
    lrd_hub_close(s->hub, forked);
  if (s->hook)
    lrd_hook_free(s->hook);
  lrd_cells_close(&s->cells, &memory);
  lrd_fork_release(&s->fork);
  lrd_config_release(&s->config);
  lrd_release(&memory, s, sizeof *s);
}

static larder_outcome open_backend(larder *s, char *error, size_t error_size)
{
  larder_backend_options options = {.config = &s->config, .hub = s->hub};
  s->base->table = s->table;
  s->base->memory = s->config.memory;
  s->base->clock = s->config.clock;
  s->base->hook = s->hook;
  s->base->late = &s->late;
  larder_outcome outcome = s->table->open(s->base, &options, error, error_size);
  s->table = s->base->table; /* a prefix has one of its own */
  if (outcome != LARDER_OK && error_size && !*error)
    snprintf(error, error_size, "backend %s: %s", s->table->name, larder_outcome_name(outcome));
  return outcome;
}

/* required=yes: one PING, on a connection that is made now. */
static larder_outcome probe(larder *s, char *error, size_t error_size)
{
  const larder_bytes argv[] = {{"PING", 4}};
  const larder_vector ping = {.command = LRD_PING, .argc = 1, .argv = argv};
  struct lrd_answer *answer = lrd_answer_new(&s->config.memory);
  if (!answer)
    return no_memory(error, error_size);
  larder_call call = lrd_plain_call(s, &ping, 1, 0, s->config.connect_timeout);
  call.flags = LARDER_CALL_PROBE;
  s->table->execute(s->base, &call, &answer->tree.sink);
  const larder_reply *r = lrd_answer_finish(answer);
  larder_outcome outcome = r->outcome;
  int remote = s->config.enabled && !s->config.backend && s->config.scheme != LRD_SCHEME_MEMORY;
  if (outcome == LARDER_OK && remote && r->origin != LARDER_FROM_REDIS)
    outcome = LARDER_NOT_SENT;
  if (outcome != LARDER_OK) {
    larder_backend_status status = {.state = -1, .journal_oldest_ms = -1};
    s->table->status(s->base, &status);
    const char *cause = status.last_error[0]                ? status.last_error
                        : r->value.type == LARDER_ERROR ? r->value.str
                                                        : larder_outcome_name(outcome);
    snprintf(error, error_size, "required=yes: Redis at %.255s can't be used: %.200s",
             s->config.address[0] ? s->config.address : s->table->name, cause);
  }
  lrd_answer_free(answer);
  return outcome;
}

static void tell_open(larder *s)
{
  const char *const pairs[] = {"backend", s->table->name, "address", s->config.address, NULL};
  lrd_event(s->hook, LARDER_INFO, "open", pairs, "opened %s%s%s", s->table->name,
            s->config.address[0] ? " at " : "", s->config.address);
}

/* With the configuration read and the table chosen; consumes *config. */
static larder *open_store(const struct lrd_config *config, const larder_backend_table *table,
                          char *error, size_t error_size)
{
  larder *s = lrd_allocate_zeroed(&config->memory, 1, sizeof *s);
  if (!s) {
    struct lrd_config rest = *config;
    lrd_config_release(&rest);
    no_memory(error, error_size);
    return NULL;
  }
  s->config = *config;
  s->table = table;
  s->opened_at = lrd_monotonic(&s->config.clock);
  lrd_fork_init(&s->fork);
  if (make_parts(s, error, error_size) != LARDER_OK) {
    free_parts(s, 0);
    return NULL;
  }
  larder_outcome outcome = open_backend(s, error, error_size);
  int opened = outcome == LARDER_OK;
  if (opened && s->config.required)
    outcome = probe(s, error, error_size);
  if (outcome == LARDER_OK) {
    atomic_store(&s->get_now, s->base->get_now);
    atomic_store(&s->set_now, s->base->set_now);
    tell_open(s);
    return s;
  }
  if (opened)
    s->table->close(s->base, lrd_monotonic(&s->config.clock), 0);
  lrd_queue_release(s, 0);
  free_parts(s, 0);
  return NULL;
}

larder *larder_open(const char *url, const larder_options *options, char *error, size_t error_size)
{
  int state = lrd_cancel_disable();
  char line[LARDER_ERROR_SIZE] = "";
  struct lrd_config config;
  larder *store = NULL;
  if (lrd_config_read(&config, url, options, line, sizeof line) == LARDER_OK) {
    const larder_backend_table *table = lrd_backend_choose(&config, line, sizeof line);
    if (table && lrd_backend_check(table, line, sizeof line) == LARDER_OK)
      store = open_store(&config, config.prefix ? &lrd_prefix_table : table, line, sizeof line);
    else
      lrd_config_release(&config);
  }
  if (error && error_size)
    snprintf(error, error_size, "%s", store ? "" : line);
  lrd_cancel_restore(state);
  return store;
}

/* --- closing ------------------------------------------------------------- */

static void nap(void)
{
  const struct timespec t = {.tv_nsec = 200000};
  nanosleep(&t, NULL);
}

/* Nothing inside the backend on behalf of a caller? */
static int is_quiet(larder *s)
{
  return lrd_active(s) == 0 && lrd_queue_running(s) == 0;
}

/* Lets calls in flight end by themselves while half of the time lasts (the rest
 * belongs to what the backend still has to send), then ends them. */
static void settle(larder *s, int64_t timeout)
{
  int64_t patience = lrd_monotonic(&lrd_clock_system) + timeout / 2;
  while (!is_quiet(s) && lrd_monotonic(&lrd_clock_system) < patience)
    nap();
  if (!is_quiet(s))
    s->table->cancel(s->base, NULL);
  while (lrd_active(s) != 0)
    nap();
}

static void tell_close(larder *s, uint64_t lost)
{
  char number[24];
  snprintf(number, sizeof number, "%llu", (unsigned long long)lost);
  const char *const pairs[] = {"backend", s->table->name, "lost", number, NULL};
  lrd_event(s->hook, lost ? LARDER_FAULT : LARDER_INFO, "close", pairs,
            "closed %s, %s journaled writes not replayed", s->table->name, number);
}

/* In a child that inherited a copy: its threads do not exist here, and locks
 * may be held by nobody. */
static uint64_t close_forked(larder *s)
{
  s->table->close(s->base, 0, 1);
  lrd_queue_release(s, 1);
  free_parts(s, 1);
  return 0;
}

uint64_t larder_close(larder *s, int64_t timeout_ms)
{
  if (!s)
    return 0;
  if (lrd_forked(&s->fork))
    return close_forked(s);
  if (lrd_queue_delivering(s)) {
    lrd_event(s->hook, LARDER_FAULT, "misuse", (const char *const[]){NULL},
              "larder_close was called from inside a callback of the same store: not closed");
    return 0;
  }
  int64_t timeout = timeout_ms > 0 ? timeout_ms : 0;
  timeout = timeout < 3600000 ? timeout * LRD_NS_PER_MS : INT64_C(3600000) * LRD_NS_PER_MS;
  int64_t deadline = lrd_monotonic(&s->config.clock) + timeout;
  int state = lrd_cancel_disable();
  atomic_store(&s->get_now, NULL);
  atomic_store(&s->set_now, NULL);
  atomic_store(&s->phase, LRD_CLOSING);
  lrd_cells_settle(&s->cells);
  if (s->table->capabilities & LARDER_COUNTS_TYPED)
    s->table->cancel(s->base, NULL);
  settle(s, timeout);
  uint64_t lost = s->table->close(s->base, deadline, 0);
  lrd_queue_finish(s);
  tell_close(s, lost);
  lrd_queue_release(s, 0);
  free_parts(s, 0);
  lrd_cancel_restore(state);
  return lost;
}

/* --- maintenance --------------------------------------------------------- */

int64_t larder_tick(larder *s, int64_t budget_us)
{
  larder_outcome why;
  struct lrd_cell *cell = lrd_enter(s, &why);
  if (!cell)
    return -1;
  if (budget_us < 0)
    budget_us = 0;
  if (budget_us > 3600000000)
    budget_us = 3600000000;
  int64_t next = s->table->tick(s->base, budget_us * 1000);
  int64_t now = lrd_monotonic(&s->config.clock);
  lrd_leave(cell);
  if (next < 0)
    return -1;
  return next <= now ? 0 : (next - now + LRD_NS_PER_MS - 1) / LRD_NS_PER_MS;
}
