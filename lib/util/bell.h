/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_UTIL_BELL_H
#define LRD_UTIL_BELL_H

/* A descriptor that one thread makes readable and another polls: an eventfd, or a pipe where
 * there is none.  Not inherited by programs that are executed. */
struct lrd_bell {
  int read_fd, write_fd; /* the same one for an eventfd; -1: not open */
};

/* 0, or -1 (errno). */
int lrd_bell_open(struct lrd_bell *);
void lrd_bell_close(struct lrd_bell *);
/* Makes it readable; never waits.  Any thread. */
void lrd_bell_ring(const struct lrd_bell *);
/* Takes back all that was rung. */
void lrd_bell_hush(const struct lrd_bell *);

#endif
