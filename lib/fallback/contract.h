/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_FALLBACK_CONTRACT_H
#define LRD_FALLBACK_CONTRACT_H

#include <larder/options.h>

#include "command/command.h"

/*
 * The outage contract: what a call becomes while Redis can't be used.
 */
enum lrd_rule {
  LRD_RULE_FAIL,     /* NOT_SENT at once */
  LRD_RULE_LOCAL,    /* the engine answers; nothing is owed to Redis */
  LRD_RULE_JOURNAL,  /* the engine answers and the journal remembers */
  LRD_RULE_COMPLETE  /* the same, on keys that the engine knows wholly */
};

enum lrd_rule lrd_contract_rule(larder_outage preset, enum lrd_class class);

/* The rule for a list of vectors that happens whole: the strictest of them. */
enum lrd_rule lrd_contract_call(larder_outage preset, const larder_vector *vectors, size_t count);

/* "read", "overwrite", ...: for texts. */
const char *lrd_class_name(enum lrd_class class);

#endif
