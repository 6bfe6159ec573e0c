/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SIMULATE_TASK_H
#define TEST_SIMULATE_TASK_H

#include <stddef.h>
#include <stdint.h>

/*
 * The world's clock, its dice and its only processor.
 *
 * Every thread of the library and of the workload is a task: a coroutine with a stack of its own.  One
 * scheduler runs one of them at a time and chooses the next by the seed, whenever the running
 * one blocks or passes a yield point.  Time is virtual: it moves a little with every step, and when
 * nobody can run it jumps to the next moment that something is due.  If nothing ever will be, that
 * is a deadlock and the seed has failed.
 *
 * Events are functions that are due at a moment; the network, the server and the faults are made
 * of them.  They run on the scheduler's stack and never block.
 *
 * Times are nanoseconds of the world.
 */

#define SIM_US INT64_C(1000)
#define SIM_MS INT64_C(1000000)
#define SIM_S INT64_C(1000000000)
#define SIM_NEVER INT64_MAX

struct sim_task;

/* Begins a world; everything in it follows from the seed. */
void sim_begin(uint64_t seed);
/* Runs tasks and events until no task is left. */
void sim_run(void);
/* Forgets what is left; NULL, or why the seed has failed. */
void sim_end(void);

int64_t sim_now(void);
/* 0 .. below - 1. */
uint64_t sim_random(uint64_t below);
/* Between these two, both included. */
int64_t sim_between(int64_t low, int64_t high);
/* Once in so many times; 0: never. */
int sim_once_in(unsigned times);
/* The number of steps so far, and a hash of all that was chosen. */
uint64_t sim_steps(void);
/* How often a yield point switches: once in so many; 0: never. */
void sim_set_yields(unsigned once_in);

/* A task that begins to run some time; name is copied. */
struct sim_task *sim_spawn(const char *name, void *(*run)(void *), void *argument);
/* The one that runs; NULL: the scheduler, or no world at all. */
struct sim_task *sim_self(void);
const char *sim_name(const struct sim_task *);
/* Waits for its end; its result. */
void *sim_join(struct sim_task *);
void sim_detach(struct sim_task *);

/* Others may run. */
void sim_pause(void);
/* Sleeps until somebody wakes the task, or the moment: 1, 0.  what: for the report of a deadlock;
 * object: for sim_wake_on. */
int sim_block(const char *what, const void *object, int64_t until);
void sim_wake(struct sim_task *);
/* Wakes one (by the dice) or all that block on the object: how many. */
unsigned sim_wake_on(const void *object, int all);
/* Somebody blocks on it. */
int sim_is_awaited(const void *object);

/* Locks that the running task holds: sync.c counts them. */
int *sim_held(void);
int sim_task_held(const struct sim_task *);

/* fn is called at the moment (or now, if it has passed). */
void sim_at(int64_t moment, void (*fn)(void *argument), void *argument);

/* The seed has failed: says why, and how to replay it.  Does not return. */
void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* A line of the trace, if there is one. */
void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern int sim_tracing;
/* What sim_fail prints about the seed. */
void sim_set_label(const char *mode, uint64_t seed);

#endif
