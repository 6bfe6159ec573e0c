/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_REMOTE_RIG_H
#define TEST_REMOTE_RIG_H

#include <larder/backend.h>

#include "command/sink.h"
#include "store/config.h"

/*
 * The remote backend without a store around it: opened on a configuration made by
 * hand, with a memory hook that counts every byte.
 */

struct rig {
  struct lrd_config config;
  larder_backend *backend;
  struct lrd_hook *hook;
  int database; /* of the calls */
};

/* Defaults: timeout 250 ms, connect_timeout 1 s, max_retries 3, 8 connections.  port 0: path. */
void rig_config(struct lrd_config *, int port, const char *path);
/* Opens; ends the test if it can't. */
void rig_open(struct rig *, const struct lrd_config *);
struct lrd_hub;
void rig_open_hub(struct rig *, const struct lrd_config *, struct lrd_hub *);
/* Closes and checks that every byte was given back. */
void rig_close(struct rig *);

/* What became of one vector. */
struct rig_reply {
  larder_verdict verdict;
  larder_type type;
  int64_t integer;
  char text[4096]; /* strings, statuses, errors; arrays: their elements, joined by spaces */
  size_t len;
  int64_t took_ms;
};

/* Runs one command, its words separated by single spaces. */
struct rig_reply rig_run(struct rig *, const char *words);
struct rig_reply rig_run_with(struct rig *, larder_hold *, unsigned flags, int64_t timeout_ms,
                              const char *words);
/* Several commands, separated by '|'; replies in reply[], atomic: one. */
void rig_run_many(struct rig *, larder_hold *, unsigned flags, int64_t timeout_ms,
                  const char *lines, struct rig_reply *reply);

/* An asynchronous call. */
struct rig_submission {
  larder_submission base;
  struct lrd_count count;
  _Atomic int done; /* times that done() was called */
};
void rig_submit(struct rig *, struct rig_submission *, unsigned flags, int64_t timeout_ms,
                const char *words);
void rig_submit_vectors(struct rig *, struct rig_submission *, unsigned flags, int64_t timeout_ms,
                        const larder_vector *, size_t count);
/* Waits until it is done: 0, or -1 after timeout_ms. */
int rig_wait(struct rig_submission *, int timeout_ms);

/* An asynchronous call whose replies are kept: rig_answers waits for it (0, or -1 after timeout_ms)
 * and fills reply[], as rig_run_many does. */
struct rig_asked {
  larder_submission base;
  struct lrd_arena arena;
  struct lrd_tree tree;
  size_t replies;
  int64_t begun, took_ms;
  _Atomic int done;
};
void rig_ask(struct rig *, struct rig_asked *, unsigned flags, int64_t timeout_ms,
             const char *lines);
int rig_answers(struct rig_asked *, int timeout_ms, struct rig_reply *reply);

int64_t rig_now_ms(void);
void rig_sleep(int ms);
larder_backend_status rig_status(struct rig *);
/* Fails the n-th allocation from now on (1: the next); 0: none. */
void rig_fail_allocation(long n);

extern const larder_memory rig_memory;

#endif
