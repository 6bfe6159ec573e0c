/* SPDX-License-Identifier: BSD-2-Clause */
#include "drill.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * How often each attempt is there: one counter for each, beside the log of its
 * thread.  Names that nobody gave count as invented.
 */
struct census {
  uint32_t *seen[DRILL_THREADS];
};

static int census_open(struct census *c, const struct drill_load *load, enum drill_kind kind)
{
  int i;

  memset(c, 0, sizeof *c);
  for (i = 0; i < load->threads; i++) {
    c->seen[i] = calloc(load->thread[i].log[kind].n + 1, sizeof **c->seen);
    if (!c->seen[i])
      return -1;
  }
  return 0;
}

static void census_close(struct census *c)
{
  int i;

  for (i = 0; i < DRILL_THREADS; i++)
    free(c->seen[i]);
}

/* "3-1234": the counter of that attempt; NULL: there was none. */
static uint32_t *census_find(const struct census *c, const struct drill_load *load,
                             enum drill_kind kind, const char *name)
{
  char *end;
  long thread = strtol(name, &end, 10);
  unsigned long long n;

  if (end == name || *end != '-' || thread < 0 || thread >= load->threads)
    return NULL;
  name = end + 1;
  n = strtoull(name, &end, 10);
  if (end == name || *end != '\0' || n >= load->thread[thread].log[kind].n)
    return NULL;
  return &c->seen[thread][n];
}

static void take_name(struct census *c, const struct drill_load *load, enum drill_kind kind,
                      const char *name, struct drill_count *count)
{
  uint32_t *seen = census_find(c, load, kind, name);

  count->there++;
  if (seen)
    (*seen)++;
  else
    count->invented++;
}

/* --- asking ---------------------------------------------------------------- */

/* The names in a set, list, or (step 2) hash. */
static int ask_wire(struct drill_wire *w, const char *const *command, int step, struct census *c,
                    const struct drill_load *load, enum drill_kind kind,
                    struct drill_count *count)
{
  char text[256];
  int64_t elements, i, n;

  if (drill_wire_send(w, command[0], command[1], command[2], command[2] ? command[3] : NULL,
                      NULL) != 0 ||
      drill_wire_read(w, &elements, text, sizeof text) != '*')
    return -1;
  for (i = 0; i < elements; i++) {
    if (drill_wire_read(w, &n, text, sizeof text) != '$')
      return -1;
    if (i % step == 0)
      take_name(c, load, kind, text, count);
  }
  return 0;
}

static int ask_store(larder *store, const char *const *command, int step, struct census *c,
                     const struct drill_load *load, enum drill_kind kind,
                     struct drill_count *count)
{
  larder_reply *reply = larder_argv(store, command[2] ? 4 : 2, command, NULL);
  int answered = reply->outcome == LARDER_OK || reply->outcome == LARDER_ABSENT;
  size_t i;

  for (i = 0; answered && i < reply->value.len; i += (size_t)step)
    take_name(c, load, kind, reply->value.element[i].str, count);
  larder_reply_free(reply);
  return answered ? 0 : -1;
}

static int ask_names(const struct drill_load *load, struct drill_wire *w,
                     const char *const *command, int step, struct census *c,
                     enum drill_kind kind, struct drill_count *count)
{
  return w ? ask_wire(w, command, step, c, load, kind, count)
           : ask_store(load->store, command, step, c, load, kind, count);
}

static int ask_number(const struct drill_load *load, struct drill_wire *w, uint64_t *number)
{
  char text[64] = "0";
  int64_t n;
  larder_reply *reply;
  int answered;

  if (w) {
    answered = drill_wire_send(w, "GET", "drill:count", NULL) == 0 &&
               drill_wire_read(w, &n, text, sizeof text) == '$';
  } else {
    reply = larder_command(load->store, "GET drill:count");
    answered = reply->outcome == LARDER_OK || reply->outcome == LARDER_ABSENT;
    if (reply->outcome == LARDER_OK)
      snprintf(text, sizeof text, "%s", reply->value.str);
    larder_reply_free(reply);
  }
  *number = strtoull(text, NULL, 10);
  return answered ? 0 : -1;
}

/* --- judging ---------------------------------------------------------------- */

enum verdict { ACKNOWLEDGED, MAYBE, NOT_DONE };

static enum verdict judge(unsigned char outcome)
{
  switch ((larder_outcome)outcome) {
  case LARDER_OK:
  case LARDER_ABSENT:
    return ACKNOWLEDGED;
  case LARDER_UNKNOWN:
  case LARDER_NO_ANSWER:
    return MAYBE;
  default:
    return NOT_DONE;
  }
}

static void count_attempts(const struct drill_load *load, enum drill_kind kind,
                           struct drill_count *count)
{
  int t;
  size_t i;

  for (t = 0; t < load->threads; t++) {
    const struct drill_log *log = &load->thread[t].log[kind];
    count->attempted += log->n;
    for (i = 0; i < log->n; i++) {
      count->acknowledged += judge(log->outcome[i]) == ACKNOWLEDGED;
      count->unknown += judge(log->outcome[i]) == MAYBE;
    }
  }
}

static void compare(const struct drill_load *load, enum drill_kind kind, const struct census *c,
                    struct drill_count *count)
{
  int t;
  size_t i;

  for (t = 0; t < load->threads; t++) {
    const struct drill_log *log = &load->thread[t].log[kind];
    for (i = 0; i < log->n; i++) {
      uint32_t seen = c->seen[t][i];
      enum verdict verdict = judge(log->outcome[i]);
      count->lost += verdict == ACKNOWLEDGED && seen == 0;
      count->unknown_there += verdict == MAYBE && seen > 0;
      count->invented += verdict == NOT_DONE && seen > 0;
      if (seen > 1)
        count->doubled += seen - 1;
    }
  }
}

static int count_names(const struct drill_load *load, struct drill_wire *w, enum drill_kind kind,
                       const char *const *command, int step, struct drill_count *count)
{
  struct census c;
  int result = census_open(&c, load, kind);

  count_attempts(load, kind, count);
  if (result == 0)
    result = ask_names(load, w, command, step, &c, kind, count);
  compare(load, kind, &c, count);
  census_close(&c);
  return result;
}

/* Increments have no names: only their sum can be compared. */
static int count_number(const struct drill_load *load, struct drill_wire *w,
                        struct drill_count *count)
{
  uint64_t there = 0, most;
  int result = ask_number(load, w, &there);

  count_attempts(load, DRILL_COUNT, count);
  most = count->acknowledged + count->unknown;
  count->there = there;
  if (there < count->acknowledged)
    count->lost = count->acknowledged - there;
  else
    count->unknown_there = (there < most ? there : most) - count->acknowledged;
  if (there > most)
    count->doubled = there - most;
  return result;
}

/* Both halves of each pair, or none. */
static int count_pairs(const struct drill_load *load, struct drill_wire *w,
                       struct drill_count *count, uint64_t *broken)
{
  static const char *const a[] = { "SMEMBERS", "drill:pair:a", NULL };
  static const char *const b[] = { "SMEMBERS", "drill:pair:b", NULL };
  struct drill_count other = { 0 };
  struct census first, second;
  size_t i;
  int t, result = census_open(&first, load, DRILL_PAIR) | census_open(&second, load, DRILL_PAIR);

  count_attempts(load, DRILL_PAIR, count);
  if (result == 0)
    result = ask_names(load, w, a, 1, &first, DRILL_PAIR, count) |
             ask_names(load, w, b, 1, &second, DRILL_PAIR, &other);
  for (t = 0; result == 0 && t < load->threads; t++)
    for (i = 0; i < load->thread[t].log[DRILL_PAIR].n; i++)
      *broken += first.seen[t][i] != second.seen[t][i];
  if (result == 0)
    compare(load, DRILL_PAIR, &first, count);
  count->invented += other.invented;
  census_close(&first);
  census_close(&second);
  return result;
}

int drill_count_all(const struct drill_load *load, const char *socket_path,
                    struct drill_count count[DRILL_KINDS], uint64_t *broken)
{
  static const char *const set[] = { "SMEMBERS", "drill:set", NULL };
  static const char *const hash[] = { "HGETALL", "drill:hash", NULL };
  static const char *const list[] = { "LRANGE", "drill:list", "0", "-1" };
  struct drill_wire *w = socket_path ? drill_wire_open(socket_path) : NULL;
  int result;

  memset(count, 0, DRILL_KINDS * sizeof *count);
  *broken = 0;
  if (socket_path && !w)
    return -1;
  result = count_names(load, w, DRILL_SET, set, 1, &count[DRILL_SET]) |
           count_number(load, w, &count[DRILL_COUNT]) |
           count_names(load, w, DRILL_HASH, hash, 2, &count[DRILL_HASH]) |
           count_names(load, w, DRILL_LIST, list, 1, &count[DRILL_LIST]) |
           count_pairs(load, w, &count[DRILL_PAIR], broken);
  drill_wire_close(w);
  return result ? -1 : 0;
}
