/* SPDX-License-Identifier: BSD-2-Clause */
#include "fallback/contract.h"

enum lrd_rule lrd_contract_rule(larder_outage preset, enum lrd_class class)
{
  if (preset == LARDER_OUTAGE_STRICT)
    return LRD_RULE_FAIL;
  switch (class) {
  case LRD_CLASS_CONNECTION:
  case LRD_CLASS_READ:
    return LRD_RULE_LOCAL;
  case LRD_CLASS_OVERWRITE:
  case LRD_CLASS_ACCUMULATE:
    return LRD_RULE_JOURNAL;
  case LRD_CLASS_CONSUME:
    return preset == LARDER_OUTAGE_CACHE ? LRD_RULE_JOURNAL : LRD_RULE_COMPLETE;
  case LRD_CLASS_CONDITIONAL:
  case LRD_CLASS_BLOCKING:
  case LRD_CLASS_SCRIPT:
  case LRD_CLASS_PUBLISH:
  case LRD_CLASS_ADMIN:
    break;
  }
  return LRD_RULE_FAIL;
}

enum lrd_rule lrd_contract_call(larder_outage preset, const larder_vector *vectors, size_t count)
{
  enum lrd_rule worst = LRD_RULE_LOCAL;

  for (size_t i = 0; i < count; i++) {
    enum lrd_rule rule = lrd_contract_rule(preset, lrd_command_class(&vectors[i]));

    if (rule == LRD_RULE_FAIL)
      return rule;
    if (rule > worst)
      worst = rule;
  }
  return worst;
}

const char *lrd_class_name(enum lrd_class class)
{
  static const char *const names[] = {
    [LRD_CLASS_CONNECTION] = "connection",   [LRD_CLASS_READ] = "read",
    [LRD_CLASS_OVERWRITE] = "overwrite",     [LRD_CLASS_ACCUMULATE] = "accumulate",
    [LRD_CLASS_CONSUME] = "consume",         [LRD_CLASS_CONDITIONAL] = "conditional",
    [LRD_CLASS_BLOCKING] = "blocking",       [LRD_CLASS_SCRIPT] = "script",
    [LRD_CLASS_PUBLISH] = "publish",         [LRD_CLASS_ADMIN] = "admin",
  };

  return names[class];
}
