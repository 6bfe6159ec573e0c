/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_FALLBACK_FOLD_H
#define LRD_FALLBACK_FOLD_H

#include "fallback/journal.h"

#include "util/arena.h"

/*
 * Folding: the ops of one key, kept so short that their number depends on what
 * was touched and not on how often.
 *
 *   increments of one counter or field   one sum, while their magnitudes add up to 2^62 at
 *                                        most: so what would be refused by an overflow takes
 *                                        no other increment with it, on any base value within
 *                                        2^62 of zero
 *   fields, members, scores              the last op of each
 *   pushes, appends, float increments    all of them, in order
 *   expiry                               the last one, where the key surely exists
 *
 * Replaying the folded ops gives what replaying all of them would have given,
 * on any base value.  What makes that hard is the expiry of the base value,
 * which is lost at the moment when a removal empties the key, and expiries of
 * a key that may not exist.  So ops are kept in generations, replayed one after
 * the other:
 *
 *   - with an anchor: an op that makes the key exist stands first and what it added is
 *     not removed before the generation ends.  The key exists all the time, so
 *     the other ops may be folded and reordered freely, and the last expiry
 *     stands for all.
 *   - without one: either removals of parts only (they commute), or one expiry.
 *
 * Removing what the anchor added begins a new generation (if the anchor stood
 * alone it is taken back instead), so does the first addition after removals
 * or after an expiry, and any removal by range.
 */

/* Adds an intent of a key that is not wholly known.  Can't fail: memory comes
 * from the purse, which was sized for it. */
void lrd_fold(struct lrd_journal *, struct lrd_record *, struct lrd_purse *,
              const larder_intent *intent);

/* Upper bound of what lrd_fold carves for this command. */
size_t lrd_fold_size(const larder_vector *v);

/* One command of a replay batch. */
struct lrd_emitted {
  struct lrd_emitted *next;
  const struct lrd_record *record; /* or NULL */
  int database;
  larder_vector vector;
};

/* Writes the ops of a record as commands (at most 512 arguments each), appended
 * at *tail; offset_ms is added to absolute times (server's clock minus ours).
 * 0, or -1: no memory. */
int lrd_fold_emit(struct lrd_arena *, const struct lrd_record *, int64_t offset_ms,
                  struct lrd_emitted ***tail);

/* One command in the same form: name, then argc - 1 arguments. */
int lrd_emit(struct lrd_arena *, const struct lrd_record *, int argc, const larder_bytes *argv,
             struct lrd_emitted ***tail);

#endif
