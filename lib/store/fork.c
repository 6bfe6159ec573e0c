/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/fork.h"

#include <sys/mman.h>
#include <unistd.h>

void lrd_fork_init(struct lrd_fork *f)
{
  f->pid = getpid();
  f->page = NULL;
  f->size = 0;
#ifdef MADV_WIPEONFORK
  long size = sysconf(_SC_PAGESIZE);
  if (size <= 0)
    return;
  unsigned char *page =
      mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return;
  if (madvise(page, (size_t)size, MADV_WIPEONFORK) != 0) {
    munmap(page, (size_t)size);
    return;
  }
  *page = 1;
  f->page = page;
  f->size = (size_t)size;
#endif
}

void lrd_fork_release(struct lrd_fork *f)
{
  if (f->page)
    munmap((void *)(size_t)f->page, f->size);
  f->page = NULL;
}

int lrd_fork_compare(const struct lrd_fork *f)
{
  return getpid() != f->pid;
}
