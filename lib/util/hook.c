/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/hook.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/cancel.h"
#include "util/clock.h"
#include "util/lock.h"
#include "util/memory.h"

enum {
  NAMES = 32,      /* names that are limited each by itself; the rest share one slot */
  NAME_SIZE = 32,
  PER_SECOND = 5,
  FIELDS_MAX = 24,
  TEXT_SIZE = 1024
};

struct name_limit {
  char name[NAME_SIZE];
  int64_t window; /* when its current second began */
  unsigned told;  /* in this second */
  uint64_t suppressed;
};

struct lrd_hook {
  larder_memory memory;
  larder_clock clock;
  larder_event_fn *fn;
  void *context;
  struct lrd_lock lock;
  size_t names;                       /* under lock */
  struct name_limit limit[NAMES + 1]; /* under lock */
};

struct lrd_hook *lrd_hook_new(const larder_memory *memory, const larder_clock *clock,
                              larder_event_fn *fn, void *context)
{
  struct lrd_hook *h = lrd_allocate_zeroed(memory, 1, sizeof *h);

  if (!h)
    return NULL;
  if (lrd_lock_init(&h->lock, LRD_RANK_HOOK, 0)) {
    lrd_release(memory, h, sizeof *h);
    return NULL;
  }
  h->memory = *memory;
  h->clock = *clock;
  h->fn = fn;
  h->context = context;
  return h;
}

void lrd_hook_free(struct lrd_hook *h)
{
  larder_memory memory;

  if (!h)
    return;
  lrd_lock_destroy(&h->lock);
  memory = h->memory;
  lrd_release(&memory, h, sizeof *h);
}

static struct name_limit *find_limit(struct lrd_hook *h, const char *name)
{
  struct name_limit *l;
  size_t i;

  for (i = 0; i < h->names; i++)
    if (!strncmp(h->limit[i].name, name, NAME_SIZE - 1))
      return &h->limit[i];
  l = &h->limit[h->names];
  if (h->names < NAMES) {
    h->names++;
    strncpy(l->name, name, NAME_SIZE - 1);
    l->told = 0;
  }
  return l;
}

/* 1: tell it; *suppressed says how many were not told before it. */
static int admit(struct lrd_hook *h, const char *name, uint64_t *suppressed)
{
  int64_t now = lrd_monotonic(&h->clock);
  struct name_limit *l;
  int told = 0;

  lrd_lock(&h->lock);
  l = find_limit(h, name);
  if (!l->told || now - l->window >= 1000 * LRD_NS_PER_MS || now < l->window) {
    l->window = now;
    l->told = 0;
  }
  if (l->told < PER_SECOND) {
    l->told++;
    *suppressed = l->suppressed;
    l->suppressed = 0;
    told = 1;
  } else {
    l->suppressed++;
  }
  lrd_unlock(&h->lock);
  return told;
}

/* One line stays one line, whatever a server or a key put into it. */
static void flatten(char *text)
{
  for (; *text; text++)
    if ((unsigned char)*text < 0x20 || *text == 0x7f)
      *text = ' ';
}

void lrd_event(struct lrd_hook *h, larder_level level, const char *name, const char *const *pairs,
               const char *format, ...)
{
  const char *key[FIELDS_MAX], *value[FIELDS_MAX];
  char text[TEXT_SIZE];
  larder_event event = { .level = level, .name = name, .text = text, .key = key, .value = value };
  va_list arguments;
  int state;

  if (!h || !h->fn)
    return;
  lrd_lock_assert_none();
  if (!admit(h, name, &event.suppressed))
    return;
  va_start(arguments, format);
  if (vsnprintf(text, sizeof text, format, arguments) < 0)
    text[0] = '\0';
  va_end(arguments);
  flatten(text);
  for (; pairs && pairs[0] && event.fields < FIELDS_MAX; pairs += 2) {
    key[event.fields] = pairs[0];
    value[event.fields++] = pairs[1] ? pairs[1] : "";
  }
  state = lrd_cancel_disable();
  h->fn(h->context, &event);
  lrd_cancel_restore(state);
}
