/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_PROOF_STAGE_H
#define TEST_PROOF_STAGE_H

#include <larder.h>

#include "store/heap.h"
#include "util/buffer.h"

/*
 * A store on a clock that stands still and a memory hook that fails when it is told
 * to, with the keys that a line of the script wants; the line is played on it.
 */

enum { STAGE_COMMANDS = 8, STAGE_WORDS = 1300 };

struct words {
  int argc;
  const char *argv[STAGE_WORDS];
  size_t len[STAGE_WORDS];
  struct lrd_buffer text;
};

enum call_kind {
  CALL_PLAIN,
  CALL_ASYNC,
  CALL_BATCH,
  CALL_ATOMIC,
  CALL_SESSION,
  CALL_GET,
  CALL_SET
};

/* A line of the script, taken apart. */
struct scene {
  const char *line;
  enum call_kind kind;
  int by_chance;
  size_t count;
  struct words command[STAGE_COMMANDS];
};

struct stage {
  struct heap heap;
  larder_clock clock;
  larder *store;
  long own; /* bytes that the store has taken beside its engine */
};

/* What became of the calls; text: what was replied, for people. */
struct played {
  size_t count;
  larder_outcome outcome[STAGE_COMMANDS];
  char text[200];
};

/* 0: it has a command that there is not. */
int scene_read(struct scene *, const char *line);
void scene_free(struct scene *);

/* A store with the keys that the scene names. */
void stage_open(struct stage *, const struct scene *);
/* Sound inside, every byte accounted for and given back. */
void stage_close(struct stage *);
/* NULL, or what is wrong with the accounting or inside the engine. */
const char *stage_check(struct stage *);

/* Allocation fail_at (from now on; 0: none) fails, and all behind it if lasting.
 * Returns whether it came to that. */
int stage_play(struct stage *, const struct scene *, struct played *, long fail_at, int lasting);
/* One of the commands, by itself. */
void stage_say(struct stage *, const struct words *);
/* Some of the commands of a scene, one after another in a session. */
void stage_say_some(struct stage *, const struct scene *, size_t first, size_t count);

/* All that is stored, as text, whatever the order in tables is. */
void stage_dump(struct stage *, struct lrd_buffer *);

#endif
