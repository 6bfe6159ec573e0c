/* SPDX-License-Identifier: BSD-2-Clause */
#include "fallback/journal.h"

#include <string.h>

#include "util/memory.h"

/* --- the index ------------------------------------------------------------ */

/* As grow_records in journal.c. */
static void grow_ops(struct lrd_journal *j)
{
  size_t slots = j->op_slots * 2;
  struct lrd_op **index = lrd_allocate_zeroed(j->memory, slots, sizeof *index);

  if (!index)
    return;
  for (size_t i = 0; i < j->op_slots; i++) {
    for (struct lrd_op *op = j->op_index[i], *next; op; op = next) {
      next = op->chain;
      op->chain = index[op->hash & (slots - 1)];
      index[op->hash & (slots - 1)] = op;
    }
  }
  lrd_release(j->memory, j->op_index, j->op_slots * sizeof *index);
  j->op_index = index;
  j->op_slots = slots;
}

static uint64_t op_hash(const struct lrd_journal *j, const struct lrd_record *r, larder_bytes sub)
{
  return lrd_journal_hash(j, sub, (uint64_t)(uintptr_t)r);
}

struct lrd_op *lrd_journal_find_op(struct lrd_journal *j, struct lrd_record *r, larder_bytes sub)
{
  uint64_t hash = op_hash(j, r, sub);
  struct lrd_op *op = j->op_index[hash & (j->op_slots - 1)];

  while (op && !(op->hash == hash && op->record == r && op->sub_len == sub.len &&
                 (!sub.len || !memcmp(op->sub, sub.data, sub.len))))
    op = op->chain;
  return op;
}

static void unindex_op(struct lrd_journal *j, struct lrd_op *op)
{
  struct lrd_op **at = &j->op_index[op->hash & (j->op_slots - 1)];

  if (!op->indexed)
    return;
  while (*at != op)
    at = &(*at)->chain;
  *at = op->chain;
  op->indexed = 0;
  j->ops--;
}

/* --- ops ------------------------------------------------------------------ */

void lrd_journal_index_op(struct lrd_journal *j, struct lrd_op *op)
{
  larder_bytes sub = { op->sub, op->sub_len };

  if (j->ops >= j->op_slots)
    grow_ops(j);
  op->hash = op_hash(j, op->record, sub);
  op->chain = j->op_index[op->hash & (j->op_slots - 1)];
  j->op_index[op->hash & (j->op_slots - 1)] = op;
  op->indexed = 1;
  j->ops++;
}

static void link_op(struct lrd_record *r, struct lrd_op *op, struct lrd_op *before)
{
  op->next = before;
  op->previous = before ? before->previous : r->last;
  *(op->previous ? &op->previous->next : &r->first) = op;
  *(before ? &before->previous : &r->last) = op;
}

struct lrd_op *lrd_journal_add_op(struct lrd_journal *j, struct lrd_record *r,
                                  struct lrd_purse *purse, const struct lrd_op *content,
                                  struct lrd_op *instead, int indexed)
{
  struct lrd_op *op = lrd_purse_carve(purse, sizeof *op + content->sub_len + content->value_len);
  struct lrd_op *known;
  larder_bytes sub = { content->sub, content->sub_len };
  larder_bytes value = { content->value, content->value_len };

  *op = *content;
  op->purse = purse;
  op->record = r;
  op->generation = r->generation;
  op->sub = lrd_purse_bytes((char *)(op + 1), sub);
  op->value = lrd_purse_bytes((char *)(op + 1) + sub.len, value);
  op->indexed = op->chained = 0;
  op->before = NULL;
  link_op(r, op, instead);
  r->bytes += sub.len + value.len;
  r->generation_ops++;
  if (instead) {
    op->before = instead->before;
    if (r->anchor == instead)
      r->anchor = op;
    lrd_journal_remove_op(j, r, instead);
  }
  if (indexed) {
    known = lrd_journal_find_op(j, r, sub);
    if (known) {
      unindex_op(j, known);
      op->chained = known->generation == op->generation;
      op->before = known;
    }
    lrd_journal_index_op(j, op);
  }
  return op;
}

void lrd_journal_remove_op(struct lrd_journal *j, struct lrd_record *r, struct lrd_op *op)
{
  unindex_op(j, op);
  *(op->previous ? &op->previous->next : &r->first) = op->next;
  *(op->next ? &op->next->previous : &r->last) = op->previous;
  if (r->expiry == op)
    r->expiry = NULL;
  if (r->anchor == op)
    r->anchor = NULL;
  if (op->generation == r->generation)
    r->generation_ops--;
  r->bytes -= op->sub_len + op->value_len;
  lrd_purse_drop(j, op->purse);
}

void lrd_journal_clear_ops(struct lrd_journal *j, struct lrd_record *r)
{
  while (r->first)
    lrd_journal_remove_op(j, r, r->first);
  r->generation = 0;
  r->generation_ops = 0;
}
