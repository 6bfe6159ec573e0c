/* SPDX-License-Identifier: BSD-2-Clause */
#undef _FORTIFY_SOURCE
#include "simulate/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "support/sanitizer.h"

#if defined __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#include <sanitizer/common_interface_defs.h>
#endif
#endif

enum { TASKS = 64, STACK = 512 * 1024, NAME = 24 };

enum task_state { FREE, RUNNABLE, BLOCKED, ENDED };

struct sim_task {
  enum task_state state;
  char name[NAME];
  void *(*run)(void *);
  void *argument, *result;
  int begun, detached, woken, held;
  const char *what; /* BLOCKED: on what kind of thing */
  const void *object;
  int64_t until, since;
  char *stack;
  ucontext_t start;
  jmp_buf resume;
};

struct event {
  int64_t moment;
  uint64_t order;
  void (*fn)(void *);
  void *argument;
};

static struct {
  int64_t now;
  uint64_t prng[2], steps, orders;
  unsigned yields;
  struct sim_task task[TASKS];
  struct sim_task *self;
  struct event *event; /* a heap */
  size_t events, capacity;
  jmp_buf scheduler;
  ucontext_t scheduler_context;
  const void *scheduler_stack;
  size_t scheduler_stack_size;
  char mode[16];
  uint64_t seed;
} world;

int sim_tracing;

/* --- dice and clock ---------------------------------------------------------------------- */

/* splitmix64 and xorshift128+ (Vigna), as good as needed. */
static uint64_t split(uint64_t *x)
{
  uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static uint64_t next_random(void)
{
  uint64_t a = world.prng[0], b = world.prng[1];
  world.prng[0] = b;
  a ^= a << 23;
  world.prng[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
  return world.prng[1] + b;
}

uint64_t sim_random(uint64_t below)
{
  return below ? (uint64_t)(((unsigned __int128)next_random() * below) >> 64) : 0;
}

int64_t sim_between(int64_t low, int64_t high)
{
  return low + (int64_t)sim_random((uint64_t)(high - low) + 1);
}

int sim_once_in(unsigned times)
{
  return times && sim_random(times) == 0;
}

int64_t sim_now(void)
{
  return world.now;
}

uint64_t sim_steps(void)
{
  return world.steps;
}

void sim_set_yields(unsigned once_in)
{
  world.yields = once_in;
}

/* --- telling ----------------------------------------------------------------------------- */

void sim_set_label(const char *mode, uint64_t seed)
{
  snprintf(world.mode, sizeof world.mode, "%s", mode);
  world.seed = seed;
}

static void line(FILE *out, const char *format, va_list list)
{
  fprintf(out, "%12.6f ms  %-10s ", (double)world.now / 1e6,
          world.self ? world.self->name : "-");
  vfprintf(out, format, list);
  fputc('\n', out);
}

void sim_trace(const char *format, ...)
{
  if (!sim_tracing)
    return;
  va_list list;
  va_start(list, format);
  line(stdout, format, list);
  va_end(list);
}

static const char *const state_name[] = {"free", "runnable", "blocked", "ended"};

void sim_fail(const char *format, ...)
{
  va_list list;
  fflush(stdout);
  fprintf(stderr, "seed %llu of mode %s failed at\n", (unsigned long long)world.seed, world.mode);
  va_start(list, format);
  line(stderr, format, list);
  va_end(list);
  for (int i = 0; i < TASKS; i++) {
    const struct sim_task *t = &world.task[i];
    if (t->state == RUNNABLE || t->state == BLOCKED)
      fprintf(stderr, "  task %-10s %s%s%s, holds %d locks\n", t->name, state_name[t->state],
              t->state == BLOCKED ? " in " : "", t->state == BLOCKED ? t->what : "", t->held);
  }
  fprintf(stderr, "replay: test/simulate/simulate --mode %s --seed %llu --trace\n", world.mode,
          (unsigned long long)world.seed);
  fflush(stderr);
  _exit(1);
}

/* --- switching --------------------------------------------------------------------------- */

/* makecontext for the first time, then _setjmp and _longjmp, which make no system call. */

#ifdef __SANITIZE_ADDRESS__
static void to_task(struct sim_task *t)
{
  void *fake = NULL;
  __sanitizer_start_switch_fiber(&fake, t->stack, STACK);
  swapcontext(&world.scheduler_context, &t->start);
  __sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

static void to_scheduler(struct sim_task *t, int ends)
{
  void *fake = NULL;
  __sanitizer_start_switch_fiber(ends ? NULL : &fake, world.scheduler_stack,
                                 world.scheduler_stack_size);
  swapcontext(&t->start, &world.scheduler_context);
  __sanitizer_finish_switch_fiber(fake, NULL, NULL);
}
#else
static void to_task(struct sim_task *t)
{
  if (_setjmp(world.scheduler))
    return;
  if (t->begun)
    _longjmp(t->resume, 1);
  t->begun = 1;
  setcontext(&t->start);
}

static void to_scheduler(struct sim_task *t, int ends)
{
  if (!ends && _setjmp(t->resume))
    return;
  _longjmp(world.scheduler, 1);
}
#endif

static void leave(void)
{
  struct sim_task *t = world.self;
  to_scheduler(t, t->state == ENDED);
}

static void enter(void)
{
  struct sim_task *t = world.self;
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(NULL, &world.scheduler_stack, &world.scheduler_stack_size);
#endif
  t->result = t->run(t->argument);
  if (t->held)
    sim_fail("%s ends and holds %d locks", t->name, t->held);
  t->state = ENDED;
  sim_wake_on(t, 1);
  leave();
}

/* --- tasks ------------------------------------------------------------------------------- */

struct sim_task *sim_self(void)
{
  return world.self;
}

const char *sim_name(const struct sim_task *t)
{
  return t->name;
}

uintptr_t sim_thread_address(void); /* redirect.h */
uintptr_t sim_thread_address(void)
{
  static char addresses[TASKS + 1][4096];
  return (uintptr_t)addresses[world.self ? world.self - world.task : TASKS];
}

static char *new_stack(void)
{
  char *stack = mmap(NULL, STACK + 4096, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED || mprotect(stack, 4096, PROT_NONE) != 0)
    abort();
  return stack + 4096;
}

struct sim_task *sim_spawn(const char *name, void *(*run)(void *), void *argument)
{
  struct sim_task *t = world.task;
  while (t < world.task + TASKS && t->state != FREE)
    t++;
  if (t == world.task + TASKS)
    sim_fail("more than %d threads", TASKS);
  char *stack = t->stack ? t->stack : new_stack();
  memset(t, 0, offsetof(struct sim_task, start));
  t->stack = stack;
  t->state = RUNNABLE;
  snprintf(t->name, sizeof t->name, "%s", name);
  t->run = run;
  t->argument = argument;
  getcontext(&t->start);
  t->start.uc_stack.ss_sp = t->stack;
  t->start.uc_stack.ss_size = STACK;
  t->start.uc_link = NULL;
  makecontext(&t->start, enter, 0);
  return t;
}

void *sim_join(struct sim_task *t)
{
  while (t->state != ENDED)
    sim_block("join", t, SIM_NEVER);
  t->state = FREE;
  return t->result;
}

void sim_detach(struct sim_task *t)
{
  t->detached = 1;
  if (t->state == ENDED)
    t->state = FREE;
}

int *sim_held(void)
{
  return &world.self->held;
}

int sim_task_held(const struct sim_task *t)
{
  return t->held;
}

void sim_pause(void)
{
  if (world.self)
    leave();
}

int sim_block(const char *what, const void *object, int64_t until)
{
  struct sim_task *t = world.self;
  t->what = what;
  t->object = object;
  t->until = until;
  t->since = world.now;
  t->woken = 0;
  t->state = BLOCKED;
  leave();
  t->object = NULL;
  return t->woken;
}

void sim_wake(struct sim_task *t)
{
  if (t->state != BLOCKED)
    return;
  t->woken = 1;
  t->state = RUNNABLE;
}

unsigned sim_wake_on(const void *object, int all)
{
  struct sim_task *found[TASKS];
  unsigned n = 0;
  for (int i = 0; i < TASKS; i++)
    if (world.task[i].state == BLOCKED && world.task[i].object == object)
      found[n++] = &world.task[i];
  if (n && !all) {
    sim_wake(found[n > 1 ? sim_random(n) : 0]);
    return 1;
  }
  for (unsigned i = 0; i < n; i++)
    sim_wake(found[i]);
  return n;
}

int sim_is_awaited(const void *object)
{
  for (int i = 0; i < TASKS; i++)
    if (world.task[i].state == BLOCKED && world.task[i].object == object)
      return 1;
  return 0;
}

/* The library's yield points (util/yield.h). */
void lrd_yield(void);
void lrd_yield(void)
{
  if (world.self && sim_once_in(world.yields))
    leave();
}

/* --- events ------------------------------------------------------------------------------ */

static int is_before(const struct event *a, const struct event *b)
{
  return a->moment != b->moment ? a->moment < b->moment : a->order < b->order;
}

void sim_at(int64_t moment, void (*fn)(void *), void *argument)
{
  if (world.events == world.capacity) {
    world.capacity = world.capacity ? world.capacity * 2 : 256;
    world.event = realloc(world.event, world.capacity * sizeof *world.event);
    if (!world.event)
      abort();
  }
  struct event e = {moment > world.now ? moment : world.now, world.orders++, fn, argument};
  size_t i = world.events++;
  for (; i && is_before(&e, &world.event[(i - 1) / 2]); i = (i - 1) / 2)
    world.event[i] = world.event[(i - 1) / 2];
  world.event[i] = e;
}

static struct event take_event(void)
{
  struct event first = world.event[0], last = world.event[--world.events];
  size_t i = 0;
  for (size_t child; (child = 2 * i + 1) < world.events; i = child) {
    if (child + 1 < world.events && is_before(&world.event[child + 1], &world.event[child]))
      child++;
    if (!is_before(&world.event[child], &last))
      break;
    world.event[i] = world.event[child];
  }
  world.event[i] = last;
  return first;
}

/* --- the scheduler ----------------------------------------------------------------------- */

static void run_due(void)
{
  while (world.events && world.event[0].moment <= world.now) {
    struct event e = take_event();
    e.fn(e.argument);
  }
}

/* The task to run next; NULL: none can.  *next: when the first that sleeps is due; *left: tasks. */
static struct sim_task *choose(int64_t *next, unsigned *left)
{
  struct sim_task *found[TASKS];
  unsigned n = 0;
  *left = 0;
  *next = SIM_NEVER;
  for (int i = 0; i < TASKS; i++) {
    struct sim_task *t = &world.task[i];
    if (t->state == BLOCKED && t->until <= world.now)
      t->state = RUNNABLE;
    else if (t->state == BLOCKED && t->until < *next)
      *next = t->until;
    if (t->state == ENDED && t->detached)
      t->state = FREE;
    *left += t->state == BLOCKED || t->state == RUNNABLE;
    if (t->state == RUNNABLE)
      found[n++] = t;
  }
  return n ? found[n > 1 ? sim_random(n) : 0] : NULL;
}

static void resume(struct sim_task *t)
{
  world.now += (int64_t)sim_random(2 * (uint64_t)SIM_US);
  world.steps++;
  world.self = t;
  to_task(t);
  world.self = NULL;
}

enum { STEPS_MAX = 5000000 };
static const int64_t longest = 1200 * SIM_S;

void sim_run(void)
{
  int64_t next;
  unsigned left;
  for (;;) {
    run_due();
    struct sim_task *t = choose(&next, &left);
    if (t) {
      resume(t);
    } else {
      if (!left)
        return;
      if (world.events && world.event[0].moment < next)
        next = world.event[0].moment;
      if (next == SIM_NEVER)
        sim_fail("deadlock: nobody can run, and nothing is due");
      world.now = next;
    }
    if (world.steps > STEPS_MAX || world.now > longest)
      sim_fail("it does not end: %llu steps, %lld s", (unsigned long long)world.steps,
               (long long)(world.now / SIM_S));
  }
}

void sim_begin(uint64_t seed)
{
  char *stack[TASKS];
  struct event *event = world.event;
  size_t capacity = world.capacity;
  for (int i = 0; i < TASKS; i++)
    stack[i] = world.task[i].stack;
  memset(&world.now, 0, offsetof(__typeof__(world), task));
  for (int i = 0; i < TASKS; i++) {
    world.task[i].state = FREE;
    world.task[i].stack = stack[i];
  }
  world.event = event;
  world.capacity = capacity;
  world.events = 0;
  world.self = NULL;
  uint64_t x = seed;
  world.prng[0] = split(&x);
  world.prng[1] = split(&x);
  world.now = 1000 * SIM_S + (int64_t)sim_random(1000000);
}

void sim_end(void)
{
  world.events = 0;
}
