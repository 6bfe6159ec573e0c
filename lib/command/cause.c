/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/command.h"

#include <string.h>

struct prefix {
  const char *text;
  larder_cause cause;
};

/* By the first word. */
static const struct prefix words[] = {
  { "NOAUTH", LARDER_CAUSE_AUTH },         { "WRONGPASS", LARDER_CAUSE_AUTH },
  { "NOPERM", LARDER_CAUSE_AUTH },         { "LOADING", LARDER_CAUSE_SERVER },
  { "MASTERDOWN", LARDER_CAUSE_SERVER },   { "CLUSTERDOWN", LARDER_CAUSE_SERVER },
  { "TRYAGAIN", LARDER_CAUSE_SERVER },     { "BUSY", LARDER_CAUSE_SERVER },
  { "DENIED", LARDER_CAUSE_SERVER },       { "OOM", LARDER_CAUSE_CAPACITY },
  { "MISCONF", LARDER_CAUSE_CAPACITY },    { "READONLY", LARDER_CAUSE_CAPACITY },
  { "NOREPLICAS", LARDER_CAUSE_CAPACITY },
  /* another larder's serve in front of the data */
  { "UNAVAILABLE", LARDER_CAUSE_SERVER },  { "NOTSENT", LARDER_CAUSE_SERVER },
  { "UNKNOWN", LARDER_CAUSE_SERVER },
};

/* By more than that, where the first word is ERR. */
static const struct prefix phrases[] = {
  { "max number of clients reached", LARDER_CAUSE_SERVER },
  { "max daily request limit exceeded", LARDER_CAUSE_SERVER }, /* hosted plans */
  { "max requests limit exceeded", LARDER_CAUSE_SERVER },
  { "invalid password", LARDER_CAUSE_AUTH },
  { "Client sent AUTH", LARDER_CAUSE_AUTH },
  { "AUTH <password> called without any password", LARDER_CAUSE_AUTH },
};

static int begins_with(const char *text, size_t len, const char *prefix)
{
  size_t n = strlen(prefix);

  return len >= n && !memcmp(text, prefix, n);
}

larder_cause lrd_error_cause(const char *text, size_t len)
{
  static const char aborted[] = "EXECABORT Transaction discarded because of: ";
  size_t i, n;

  if (begins_with(text, len, aborted)) {
    text += sizeof aborted - 1;
    len -= sizeof aborted - 1;
  }
  if (begins_with(text, len, "ERR ")) {
    for (i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
      if (begins_with(text + 4, len - 4, phrases[i].text))
        return phrases[i].cause;
    return LARDER_CAUSE_CALLER;
  }
  for (i = 0; i < sizeof words / sizeof words[0]; i++) {
    n = strlen(words[i].text);
    if (begins_with(text, len, words[i].text) && (len == n || text[n] == ' '))
      return words[i].cause;
  }
  return LARDER_CAUSE_CALLER;
}
