/* SPDX-License-Identifier: BSD-2-Clause */
#include "simulate/scene.h"

#include <stdio.h>
#include <string.h>

#include "simulate/judge.h"
#include "simulate/listen.h"
#include "simulate/server.h"
#include "simulate/task.h"
#include "simulate/workload.h"
#include "simulate/world.h"

const char *const scene_mode_name[SCENE_MODES] = {"safety", "liveness"};

static struct plan plan;
static enum scene_mode mode;
static larder_outage outage;
static int has_fallback;

/* The longest pause of probing, reconnecting and replaying is 5 s; each may come once. */
static const int64_t patience = 20 * SIM_S;

static void on_event(void *context, const larder_event *e)
{
  (void)context;
  sim_assert_unlocked("an event");
  sim_trace("event %s: %s", e->name, e->text);
}

/* --- the store ---------------------------------------------------------------------------------- */

static larder *open_store(void)
{
  char error[LARDER_ERROR_SIZE];
  larder_options o = LARDER_OPTIONS_INIT;
  o.memory = sim_heap();
  o.event = on_event;
  o.timeout_ms = plan.timeout_ms;
  o.connect_timeout_ms = sim_between(50, 1000);
  o.connections = 1 + (unsigned)sim_random(4);
  o.max_retries = (int)sim_random(4);
  o.shards = 1U << sim_random(3);
  o.fallback = has_fallback ? LARDER_YES : LARDER_NO;
  o.outage = outage;
  o.delivery = plan.dispatch ? LARDER_DELIVER_DISPATCH : LARDER_DELIVER_THREAD;
  const char *url = sim_once_in(4) ? "redis://redis.test:6379" : "redis://127.0.0.1:6379";
  larder *store = larder_open(url, &o, error, sizeof error);
  if (!store && (sim_odds.allocation || sim_odds.thread || sim_odds.descriptor)) {
    sim_trace("the store can't be opened: %s", error);
    sim_heap_end();
    sim_descriptors_end();
    sim_odds.allocation = sim_odds.thread = sim_odds.descriptor = 0;
    store = larder_open(url, &o, error, sizeof error);
  }
  if (!store)
    sim_fail("the store can't be opened: %s", error);
  sim_trace("store %s, fallback %d, outage %d, timeout %lld ms, %u connections", url, has_fallback,
            (int)outage, (long long)plan.timeout_ms, o.connections);
  return store;
}

static void choose_plan(void)
{
  memset(&plan, 0, sizeof plan);
  has_fallback = (int)sim_random(3) != 0;
  static const larder_outage outages[] = {LARDER_OUTAGE_JOURNAL, LARDER_OUTAGE_JOURNAL,
                                          LARDER_OUTAGE_CACHE, LARDER_OUTAGE_STRICT};
  outage = outages[sim_random(4)];
  ledger.journals = !has_fallback || outage == LARDER_OUTAGE_STRICT ? 0
                    : outage == LARDER_OUTAGE_JOURNAL               ? 1
                                                                    : -1;
  plan.clients = 1 + (unsigned)sim_random(5);
  plan.calls = 5 + (unsigned)sim_random(20);
  plan.timeout_ms = sim_between(5, 300);
  plan.think_us = sim_once_in(3) ? 0 : SIM_MS / SIM_US << sim_random(9);
  plan.dispatch = sim_once_in(3);
  plan.submits = sim_once_in(2) ? (unsigned)sim_random(50) : 0;
  plan.typed = sim_once_in(2) ? (unsigned)sim_random(20) : 0;
  plan.batches = sim_once_in(2) ? (unsigned)sim_random(15) : 0;
  plan.transactions = sim_once_in(2) ? (unsigned)sim_random(15) : 0;
}

static void choose_world(void)
{
  sim_set_yields(sim_once_in(2) ? 0 : 2 + (unsigned)sim_random(30));
  sim_odds.spurious = sim_once_in(2) ? 0 : 5 + (unsigned)sim_random(50);
  sim_odds.partial = sim_once_in(2) ? 0 : 2 + (unsigned)sim_random(10);
  sim_net.delay_most = SIM_US << (3 + sim_random(10));
  sim_net.delay_least = sim_net.delay_most / (1 + (int64_t)sim_random(4));
  sim_net.window = (size_t)64 << sim_random(11);
}

/* --- the parts of a scene ------------------------------------------------------------------------ */

static struct client client[CLIENTS_MAX];
static struct sim_task *task[CLIENTS_MAX];

static void start_clients(void)
{
  char name[24];
  for (unsigned i = 0; i < plan.clients; i++) {
    client[i] = (struct client){&plan, (int)i};
    snprintf(name, sizeof name, "client%u", i);
    task[i] = sim_spawn(name, client_run, &client[i]);
  }
}

static void join_clients(void)
{
  for (unsigned i = 0; i < plan.clients; i++)
    sim_join(task[i]);
}

static void run_clients(void)
{
  start_clients();
  join_clients();
}

/* Completions that are not there yet come while we wait. */
static void let_time_pass(int64_t time)
{
  int64_t until = sim_now() + time;
  while (sim_now() < until) {
    sim_block("passing the time", NULL, sim_now() + 50 * SIM_MS);
    if (plan.dispatch)
      larder_dispatch(plan.store, 0);
  }
}

static void check_works(void)
{
  larder_status s = {.size = sizeof s};
  faults_end();
  sim_trace("from now on nothing goes wrong");
  plan.calls = 3;
  run_clients();
  let_time_pass(patience);
  plan.must_work = 1;
  plan.calls = 6;
  plan.think_us = 0;
  plan.transactions = plan.typed = 0;
  run_clients();
  let_time_pass(SIM_S);
  listen_must_work();
  if (larder_get_status(plan.store, &s) != LARDER_OK || s.state != LARDER_STATE_UP)
    sim_fail("nothing is wrong any more, but the state is %s: %s", larder_state_name(s.state),
             s.last_error);
  if (s.journal_keys)
    sim_fail("nothing is wrong any more, but %llu keys wait in the journal: %s",
             (unsigned long long)s.journal_keys, s.replay_error);
  if (s.connections > 4 + 1 + CLIENTS_MAX)
    sim_fail("there are %llu connections", (unsigned long long)s.connections);
}

/* Nothing goes wrong: what the store has counted is what the server has seen. */
static void check_counts(void)
{
  larder_status s = {.size = sizeof s};
  plan.must_work = 1;
  plan.typed = plan.transactions = 0;
  unsigned long long before = sim_server.calls;
  if (larder_get_status(plan.store, &s) != LARDER_OK)
    sim_fail("larder_get_status fails");
  uint64_t sent = s.commands_sent;
  run_clients();
  let_time_pass(SIM_S);
  if (larder_get_status(plan.store, &s) != LARDER_OK)
    sim_fail("larder_get_status fails");
  if (s.commands_sent - sent != sim_server.calls - before)
    sim_fail("%llu commands were sent, by the count; the server has seen %llu",
             (unsigned long long)(s.commands_sent - sent), sim_server.calls - before);
  if (s.in_flight)
    sim_fail("nothing is under way, but %llu calls are in flight",
             (unsigned long long)s.in_flight);
  plan.must_work = 0;
}

/* Stops the clients where they are: calls that are inside end by the store's end. */
static void leave_inside(void)
{
  plan.batches = plan.transactions = 0;
  start_clients();
  sim_block("passing the time", NULL, sim_now() + sim_between(0, 200 * SIM_MS));
  plan.stop = 1;
  sim_block("passing the time", NULL, sim_now() + 2 * SIM_MS); /* none is about to begin one */
}

static void *play(void *unused)
{
  int inside = mode == SCENE_SAFETY && sim_once_in(5);
  larder_status s = {.size = sizeof s};
  faults_begin();
  plan.store = open_store();
  listen_start(plan.store);
  if (inside)
    leave_inside();
  else
    run_clients();
  if (mode == SCENE_LIVENESS) {
    check_works();
    check_counts();
  } else if (sim_once_in(2))
    faults_end();
  listen_stop();
  int64_t timeout_ms = sim_once_in(3) ? 0 : sim_between(1, 8000), begun = sim_now();
  if (larder_get_status(plan.store, &s) == LARDER_OK)
    ledger.dropped = s.dropped;
  sim_trace("close within %lld ms", (long long)timeout_ms);
  ledger.unreplayed = larder_close(plan.store, timeout_ms);
  sim_trace("closed; %llu writes are lost", (unsigned long long)ledger.unreplayed);
  if (sim_now() > begun + timeout_ms * SIM_MS + 2 * SIM_S)
    sim_fail("closing took %lld ms instead of %lld", (long long)((sim_now() - begun) / SIM_MS),
             (long long)timeout_ms);
  listen_end();
  if (inside)
    join_clients();
  faults_end();
  /* what is under way arrives */
  sim_block("passing the time", NULL, sim_now() + 10 * SIM_S);
  return unused;
}

void scene_run(enum scene_mode m, uint64_t seed)
{
  mode = m;
  sim_set_label(scene_mode_name[mode], seed);
  sim_begin(seed * 2 + (uint64_t)mode);
  sim_sync_begin();
  sim_heap_begin();
  sim_descriptors_begin();
  sim_net_begin();
  sim_server_begin();
  judge_begin();
  listen_begin();
  choose_plan();
  choose_world();
  sim_detach(sim_spawn("scene", play, NULL));
  sim_run();
  judge_end();
  sim_descriptors_end();
  sim_heap_end();
  sim_net_end();
  sim_server_end();
  sim_end();
}
