/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_SUBSCRIBER_H
#define LRD_STORE_SUBSCRIBER_H

#include <larder/subscriber.h>

#include "command/inbox.h"
#include "store/names.h"
#include "store/store.h"
#include "util/bell.h"

/* An ear with a queue.  It outlives its store: hub and memory hook are its own. */
struct larder_subscriber {
  struct lrd_inbox inbox; /* first */
  struct lrd_hub *hub;
  struct lrd_fork fork;
  struct lrd_names names;
  larder_message_fn *callback; /* or NULL */
  void *context;
  pthread_t thread;            /* the callback's */
  struct lrd_item held;        /* what was taken last; the reader's */
  int holds;
  /* Under the inbox's lock. */
  pthread_cond_t changed; /* something came, or closing; nobody reads any more */
  struct lrd_bell bell;
  int rung;
  int reading; /* a thread is inside larder_subscriber_next, or there is a callback */
  int closing;
  int orphan;  /* closed inside its callback: the thread releases it */
  int over;    /* CLOSED was taken */
};

#endif
