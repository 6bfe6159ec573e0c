/* SPDX-License-Identifier: BSD-2-Clause */
#include <larder/outcome.h>

static const char *pick(const char *const *names, unsigned count, unsigned i)
{
  return i < count ? names[i] : "?";
}

const char *larder_outcome_name(larder_outcome outcome)
{
  static const char *const names[] = {
      "OK",       "ABSENT",       "UNKNOWN_LOCALLY", "REFUSED", "NOT_SENT", "UNKNOWN",
      "NO_ANSWER", "BAD_ARGUMENT", "NO_MEMORY",       "CLOSED",  "FORKED",   "UNSUPPORTED"};
  return pick(names, sizeof names / sizeof *names, (unsigned)outcome);
}

const char *larder_origin_name(larder_origin origin)
{
  static const char *const names[] = {"nowhere", "redis", "near", "local", "stale"};
  return pick(names, sizeof names / sizeof *names, (unsigned)origin);
}
