/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/ear.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/check.h"

static const char *const kinds[LRD_HUB_KINDS] = {"channel", "pattern", "shard"};

static void note(struct ear *e, const char *line)
{
  pthread_mutex_lock(&e->mutex);
  if (e->lines == e->room) {
    e->room = e->room ? e->room * 2 : 64;
    e->line = realloc(e->line, e->room * sizeof *e->line);
    if (!e->line)
      abort();
  }
  snprintf(e->line[e->lines++], EAR_LINE, "%s", line);
  pthread_cond_broadcast(&e->heard);
  pthread_mutex_unlock(&e->mutex);
}

static void hear(struct lrd_ear *base, enum lrd_hub_kind kind, struct lrd_name *name,
                 struct lrd_message *m)
{
  static const char *const words[LRD_HUB_KINDS] = {"message", "pmessage", "smessage"};
  char line[EAR_LINE];
  int n = snprintf(line, sizeof line, "%s ", words[kind]);
  if (kind == LRD_HUB_PATTERN)
    n += snprintf(line + n, sizeof line - (size_t)n, "%.*s ", (int)name->len, name->bytes);
  snprintf(line + n, sizeof line - (size_t)n, "%.*s %.*s", (int)m->channel, m->bytes,
           (int)(m->payload < 80 ? m->payload : 80), lrd_message_payload(m));
  note((struct ear *)(void *)base, line);
}

static void changed(struct lrd_ear *base, enum lrd_hub_state state, enum lrd_hub_kind kind,
                    struct lrd_name *name, const char *text)
{
  static const char *const states[] = {"ready", "gap", "missed", "refused", "closed"};
  char line[EAR_LINE];
  if (name)
    snprintf(line, sizeof line, "%s %s %.*s%s%.80s", states[state], kinds[kind], (int)name->len,
             name->bytes, text ? " " : "", text ? text : "");
  else
    snprintf(line, sizeof line, "%s%s%.80s", states[state], text ? " " : "", text ? text : "");
  note((struct ear *)(void *)base, line);
}

void ear_open(struct ear *e, struct lrd_hub *hub)
{
  memset(e, 0, sizeof *e);
  e->base.hear = hear;
  e->base.changed = changed;
  e->hub = hub;
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_mutex_init(&e->mutex, NULL);
  pthread_cond_init(&e->heard, &monotonic);
  pthread_condattr_destroy(&monotonic);
  ck_assert_int_eq(lrd_ear_open(hub, &e->base), LARDER_OK);
}

void ear_close(struct ear *e)
{
  lrd_ear_close(e->hub, &e->base, 0);
  pthread_cond_destroy(&e->heard);
  pthread_mutex_destroy(&e->mutex);
  free(e->line);
}

static enum lrd_hub_kind kind_of(const char *word)
{
  int kind = 0;
  while (strcmp(word, kinds[kind]) != 0)
    kind++;
  return (enum lrd_hub_kind)kind;
}

void ear_subscribe(struct ear *e, const char *kind, const char *name)
{
  larder_bytes bytes = {name, strlen(name)};
  ck_assert_int_eq(lrd_hub_subscribe(e->hub, &e->base, kind_of(kind), bytes), LARDER_OK);
}

void ear_unsubscribe(struct ear *e, const char *kind, const char *name)
{
  larder_bytes bytes = {name, strlen(name)};
  ck_assert_int_eq(lrd_hub_unsubscribe(e->hub, &e->base, kind_of(kind), bytes), LARDER_OK);
}

/* With the mutex: -1: it is over. */
static int sleep_until(struct ear *e, const struct timespec *until)
{
  return pthread_cond_timedwait(&e->heard, &e->mutex, until) == 0 ? 0 : -1;
}

static struct timespec in(int ms)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  int64_t ns = t.tv_nsec + (int64_t)ms * 1000000;
  t.tv_sec += (time_t)(ns / 1000000000);
  t.tv_nsec = (long)(ns % 1000000000);
  return t;
}

const char *ear_next(struct ear *e, int timeout_ms)
{
  static char line[EAR_LINE];
  struct timespec until = in(timeout_ms);
  const char *found = NULL;
  pthread_mutex_lock(&e->mutex);
  while (e->read == e->lines && sleep_until(e, &until) == 0)
    ;
  if (e->read < e->lines)
    found = memcpy(line, e->line[e->read++], EAR_LINE);
  pthread_mutex_unlock(&e->mutex);
  return found;
}

static size_t count(const struct ear *e, const char *words)
{
  size_t n = 0;
  for (size_t i = 0; i < e->lines; i++)
    n += strncmp(e->line[i], words, strlen(words)) == 0;
  return n;
}

size_t ear_count(struct ear *e, const char *words)
{
  pthread_mutex_lock(&e->mutex);
  size_t n = count(e, words);
  pthread_mutex_unlock(&e->mutex);
  return n;
}

int ear_wait(struct ear *e, const char *words, size_t least, int timeout_ms)
{
  struct timespec until = in(timeout_ms);
  pthread_mutex_lock(&e->mutex);
  int enough;
  while (!(enough = count(e, words) >= least) && sleep_until(e, &until) == 0)
    ;
  pthread_mutex_unlock(&e->mutex);
  return enough ? 0 : -1;
}

const char *ear_fault(struct ear *e, const char *words, long last)
{
  static char text[300];
  long before = 0;
  int gap = 0, bad = 0;
  size_t len = strlen(words);
  pthread_mutex_lock(&e->mutex);
  for (size_t i = 0; i < e->lines && !bad; i++) {
    gap |= strncmp(e->line[i], "gap", 3) == 0;
    if (strncmp(e->line[i], words, len) != 0)
      continue;
    long n = strtol(e->line[i] + len, NULL, 10);
    bad = gap ? n <= before : n != before + 1;
    snprintf(text, sizeof text, "%s%ld behind %ld%s", words, n, before, gap ? ", with a gap" : "");
    before = n;
    gap = 0;
  }
  if (!bad && before != last)
    snprintf(text, sizeof text, "the last of %s is %ld, not %ld", words, before, last);
  bad |= before != last;
  pthread_mutex_unlock(&e->mutex);
  return bad ? text : NULL;
}
