/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/cell.h"

#include "util/barrier.h"
#include "util/memory.h"

enum {
  ALL = LRD_CELLS_OWN + LRD_CELLS_SHARED,
  SIZE = ALL * sizeof(struct lrd_cell) + LRD_CELL_ALIGN
};

int lrd_cells_open(struct lrd_cells *cells, const larder_memory *memory)
{
  cells->block = lrd_allocate_zeroed(memory, 1, SIZE);
  if (!cells->block)
    return -1;
  uintptr_t at = ((uintptr_t)cells->block + LRD_CELL_ALIGN - 1) & ~(uintptr_t)(LRD_CELL_ALIGN - 1);
  cells->cell = (struct lrd_cell *)at;
  for (int i = LRD_CELLS_OWN; i < ALL; i++)
    atomic_init(&cells->cell[i].owner, LRD_SHARED);
  cells->owned = lrd_barrier_register();
  return 0;
}

void lrd_cells_close(struct lrd_cells *cells, const larder_memory *memory)
{
  lrd_release(memory, cells->block, SIZE);
}

struct lrd_cell *lrd_cells_shared(struct lrd_cells *cells)
{
  unsigned place = lrd_thread_place(lrd_thread_address(), LRD_CELLS_BITS);
  return &cells->cell[LRD_CELLS_OWN + place % LRD_CELLS_SHARED];
}

struct lrd_cell *lrd_cells_claim(struct lrd_cells *cells, uintptr_t self)
{
  int claimed, mine = -1;
  if (cells->owned)
    mine = lrd_thread_cell(cells->cell, sizeof *cells->cell, LRD_CELLS_BITS, self, &claimed);
  return mine < 0 ? lrd_cells_shared(cells) : &cells->cell[mine];
}

void lrd_cells_settle(const struct lrd_cells *cells)
{
  if (cells->owned)
    lrd_barrier();
}

uint64_t lrd_cells_active(const struct lrd_cells *cells)
{
  uint64_t sum = 0;
  for (int i = 0; i < ALL; i++)
    sum += atomic_load(&cells->cell[i].active);
  return sum;
}
