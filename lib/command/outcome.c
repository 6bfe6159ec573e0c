/* SPDX-License-Identifier: BSD-2-Clause */
#include <larder/outcome.h>
#include <larder/status.h>

#define NAME(names, i) ((unsigned)(i) < sizeof(names) / sizeof((names)[0]) ? (names)[i] : "?")

const char *larder_outcome_name(larder_outcome outcome)
{
  static const char *const names[] = {
    [LARDER_OK] = "OK",
    [LARDER_ABSENT] = "ABSENT",
    [LARDER_UNKNOWN_LOCALLY] = "UNKNOWN_LOCALLY",
    [LARDER_REFUSED] = "REFUSED",
    [LARDER_NOT_SENT] = "NOT_SENT",
    [LARDER_UNKNOWN] = "UNKNOWN",
    [LARDER_NO_ANSWER] = "NO_ANSWER",
    [LARDER_BAD_ARGUMENT] = "BAD_ARGUMENT",
    [LARDER_NO_MEMORY] = "NO_MEMORY",
    [LARDER_CLOSED] = "CLOSED",
    [LARDER_FORKED] = "FORKED",
    [LARDER_UNSUPPORTED] = "UNSUPPORTED",
  };

  _Static_assert(sizeof names / sizeof names[0] == LARDER_OUTCOMES, "a name for each outcome");
  return NAME(names, outcome);
}

const char *larder_origin_name(larder_origin origin)
{
  static const char *const names[] = {
    [LARDER_FROM_NOWHERE] = "nowhere", [LARDER_FROM_REDIS] = "redis",
    [LARDER_FROM_NEAR] = "near",       [LARDER_FROM_LOCAL] = "local",
    [LARDER_FROM_STALE] = "stale",
  };

  _Static_assert(sizeof names / sizeof names[0] == LARDER_ORIGINS, "a name for each origin");
  return NAME(names, origin);
}

const char *larder_state_name(larder_state state)
{
  static const char *const names[] = {
    [LARDER_STATE_STARTING] = "starting",   [LARDER_STATE_UP] = "up",
    [LARDER_STATE_REPLAYING] = "replaying", [LARDER_STATE_DOWN] = "down",
    [LARDER_STATE_DENIED] = "denied",       [LARDER_STATE_CLOSED] = "closed",
  };

  return NAME(names, state);
}
