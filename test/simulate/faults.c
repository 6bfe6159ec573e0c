/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes wrong: each seed has a few kinds of faults, which come again and again. */
#include "simulate/scene.h"
#include "simulate/server.h"
#include "simulate/task.h"
#include "simulate/world.h"

static struct {
  int runs;
  uint64_t kinds; /* a bit each */
  int64_t pause;  /* between two faults, at most */
  int64_t longest;
  unsigned left;
} faults;

/* Short ones are as frequent as long ones. */
static int64_t duration(void)
{
  int64_t most = SIM_MS << sim_random(12);
  return sim_between(SIM_US, most < faults.longest ? most : faults.longest);
}

static void restart(void *unused)
{
  (void)unused;
  if (sim_server.up)
    return;
  sim_server_start();
  if (faults.runs && sim_once_in(3))
    sim_server.loading_until = sim_now() + duration();
}

static void crash(int keep)
{
  if (!sim_server.up)
    return;
  sim_server_crash(keep);
  sim_at(sim_now() + duration(), restart, NULL);
}

static void memory_is_back(void *unused)
{
  (void)unused;
  sim_odds.allocation = sim_odds.thread = sim_odds.descriptor = 0;
}

static void starve(unsigned *odds, unsigned once_in)
{
  *odds = once_in;
  sim_at(sim_now() + duration(), memory_is_back, NULL);
}

static void extend(int64_t *until, int64_t to)
{
  *until = *until > to ? *until : to;
}

enum { KINDS = 20 };

static const char *const name[KINDS] = {
  "RST",         "FIN",     "cut",      "silence", "deaf",     "mute", "slow",
  "drip",        "no route", "refused", "crash",   "crash",    "stop", "OOM",
  "READONLY",    "full",    "memory",   "descriptors", "threads", "odd one out"};

static void begin_fault(unsigned kind)
{
  int64_t until = sim_now() + duration();
  sim_trace("fault: %s until %.3f ms", name[kind], (double)until / 1e6);
  switch (kind) {
  case 0:
    sim_net_cut(1 + (unsigned)sim_random(2), 1, 0);
    break;
  case 1:
    sim_net_cut(1 + (unsigned)sim_random(3), 0, 0);
    break;
  case 2:
    sim_net_cut(1 + (unsigned)sim_random(2), 1, 1);
    break;
  case 3:
    extend(&sim_net.silent_until, until);
    break;
  case 4:
    extend(&sim_net.deaf_until, until);
    break;
  case 5:
    extend(&sim_net.mute_until, until);
    break;
  case 6:
    extend(&sim_net.slow_until, until);
    break;
  case 7:
    extend(&sim_net.drip_until, until);
    break;
  case 8:
    extend(&sim_net.unreachable_until, until);
    if (sim_once_in(2))
      sim_net_cut(1, 1, 0);
    break;
  case 9:
    extend(&sim_net.refused_until, until);
    if (sim_once_in(2))
      sim_net_cut(1, 0, 0);
    break;
  case 10:
    crash(1);
    break;
  case 11:
    crash(0);
    break;
  case 12:
    if (sim_server.up)
      sim_server_freeze(until);
    break;
  case 13:
    extend(&sim_server.oom_until, until);
    break;
  case 14:
    extend(&sim_server.readonly_until, until);
    break;
  case 15:
    extend(&sim_server.full_until, until);
    if (sim_once_in(2))
      sim_net_cut(2, 0, 0);
    break;
  case 16:
    starve(&sim_odds.allocation, 1 + (unsigned)sim_random(40));
    break;
  case 17:
    starve(&sim_odds.descriptor, 1 + (unsigned)sim_random(3));
    break;
  case 18:
    starve(&sim_odds.thread, 1 + (unsigned)sim_random(3));
    break;
  default:
    sim_net_cut(4, (int)sim_random(2), (int)sim_random(2));
  }
}

static void strike(void *unused)
{
  (void)unused;
  if (!faults.runs || !faults.left)
    return;
  faults.left--;
  unsigned kind = (unsigned)sim_random(KINDS);
  while (!(faults.kinds >> kind & 1))
    kind = (kind + 1) % KINDS;
  begin_fault(kind);
  sim_at(sim_now() + sim_between(0, faults.pause), strike, NULL);
}

void faults_begin(void)
{
  faults.runs = 1;
  faults.left = 200;
  faults.kinds = sim_once_in(4) ? ~UINT64_C(0) : 0;
  for (unsigned n = 1 + (unsigned)sim_random(4); n; n--)
    faults.kinds |= UINT64_C(1) << sim_random(KINDS);
  sim_net.resolver = sim_once_in(2) ? 0 : 1 + (unsigned)sim_random(10);
  faults.pause = SIM_MS << (3 + sim_random(9));
  faults.longest = SIM_MS << (3 + sim_random(9));
  strike(NULL);
}

void faults_end(void)
{
  faults.runs = 0;
  memory_is_back(NULL);
  sim_net.resolver = 0;
  sim_server_heal();
}
