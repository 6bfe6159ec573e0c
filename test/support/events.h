/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_EVENTS_H
#define TEST_SUPPORT_EVENTS_H

#include <stdio.h>
#include <stdlib.h>

#include <larder.h>

static inline void print_event(void *unused, const larder_event *e)
{
  (void)unused;
  fprintf(stderr, "%s: %s", e->name, e->text);
  for (size_t i = 0; i < e->fields; i++)
    fprintf(stderr, " %s=%s", e->key[i], e->value[i]);
  fprintf(stderr, "\n");
}

/* With LARDER_EVENTS=1 the events of a store that is opened with these options are shown. */
static inline void show_events(larder_options *o)
{
  if (getenv("LARDER_EVENTS"))
    o->event = print_event;
}

#endif
