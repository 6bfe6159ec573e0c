/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_FORK_H
#define LRD_STORE_FORK_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Does this process own the store, or did it inherit a copy by fork()?  Where
 * the kernel can give a child a wiped page the answer costs one load; elsewhere
 * it costs a getpid().
 */
struct lrd_fork {
  const volatile unsigned char *page; /* NULL: compare pid */
  size_t size;
  pid_t pid;
};

void lrd_fork_init(struct lrd_fork *);
void lrd_fork_release(struct lrd_fork *);
int lrd_fork_compare(const struct lrd_fork *);

static inline int lrd_forked(const struct lrd_fork *f)
{
  return f->page ? !*f->page : lrd_fork_compare(f);
}

#endif
