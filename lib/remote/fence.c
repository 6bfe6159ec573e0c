/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/fence.h"

#include <stdio.h>
#include <string.h>

int lrd_fence_init(struct lrd_fence *f, const larder_memory *memory)
{
  memset(f, 0, sizeof *f);
  f->memory = memory;
  return lrd_lock_init(&f->lock, LRD_RANK_QUEUE, 1);
}

void lrd_fence_free(struct lrd_fence *f)
{
  lrd_release(f->memory, f->old, f->capacity * sizeof *f->old);
  f->old = NULL;
  lrd_lock_destroy(&f->lock);
}

static int grow(struct lrd_fence *f)
{
  size_t capacity = f->capacity ? f->capacity * 2 : 8;
  struct lrd_identity *old = lrd_allocate(f->memory, capacity * sizeof *old);
  if (!old)
    return -1;
  if (f->used)
    memcpy(old, f->old, f->used * sizeof *old);
  lrd_release(f->memory, f->old, f->capacity * sizeof *f->old);
  f->old = old;
  f->capacity = capacity;
  return 0;
}

int lrd_fence_reserve(struct lrd_fence *f)
{
  lrd_lock(&f->lock);
  int failed = f->used + f->reserved >= f->capacity && grow(f) != 0;
  if (!failed)
    f->reserved++;
  lrd_unlock(&f->lock);
  return failed ? -1 : 0;
}

void lrd_fence_release(struct lrd_fence *f, const struct lrd_identity *identity)
{
  lrd_lock(&f->lock);
  f->reserved--;
  if (identity && identity->run_id[0] && identity->id)
    f->old[f->used++] = *identity;
  lrd_unlock(&f->lock);
}

size_t lrd_fence_list(struct lrd_fence *f, const char *run_id, struct lrd_identity *out)
{
  size_t kept = 0, listed = 0;
  lrd_lock(&f->lock);
  for (size_t i = 0; i < f->used; i++) {
    if (strcmp(f->old[i].run_id, run_id) != 0)
      continue;
    if (listed < LRD_FENCE_BATCH)
      out[listed++] = f->old[i];
    if (kept != i)
      f->old[kept] = f->old[i];
    kept++;
  }
  f->used = kept;
  lrd_unlock(&f->lock);
  return listed;
}

void lrd_fence_forget(struct lrd_fence *f, const struct lrd_identity *dead, size_t count)
{
  lrd_lock(&f->lock);
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < f->used; j++)
      if (f->old[j].id == dead[i].id && strcmp(f->old[j].run_id, dead[i].run_id) == 0) {
        f->old[j] = f->old[--f->used];
        break;
      }
  lrd_unlock(&f->lock);
}

/* --- killing --------------------------------------------------------------------------- */

static larder_bytes text(const char *s)
{
  return (larder_bytes){s, strlen(s)};
}

size_t lrd_kill_list(struct lrd_kill *k, struct lrd_fence *f, const char *run_id)
{
  k->count = run_id[0] ? lrd_fence_list(f, run_id, k->old) : 0;
  larder_bytes *argument = k->argument;
  for (size_t i = 0; i < k->count; i++) {
    snprintf(k->id[i], sizeof k->id[i], "%lld", (long long)k->old[i].id);
    int with_address = k->old[i].address[0] && !k->by_id;
    k->vector[i] = (larder_vector){.argc = with_address ? 6 : 4, .argv = argument};
    *argument++ = text("CLIENT");
    *argument++ = text("KILL");
    *argument++ = text("ID");
    *argument++ = text(k->id[i]);
    if (with_address) {
      *argument++ = text("ADDR");
      *argument++ = text(k->old[i].address);
    }
  }
  return k->count;
}

int lrd_kill_result(struct lrd_kill *k, struct lrd_fence *f, const larder_value *reply)
{
  for (size_t i = 0; i < k->count; i++) {
    if (reply[i].type == LARDER_INTEGER)
      continue;
    int denied = reply[i].type == LARDER_ERROR && reply[i].len >= 6 &&
                 memcmp(reply[i].str, "NOPERM", 6) == 0;
    if (!denied && !k->by_id) {
      k->by_id = 1;
      return 0;
    }
    lrd_fence_forget(f, k->old, k->count);
    return -1;
  }
  lrd_fence_forget(f, k->old, k->count);
  return 0;
}
