/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/command.h"

#include <string.h>

struct meaning {
  const char *text; /* what the error begins with, up to the end of a word */
  larder_cause cause;
};

/* Any other text is the caller's error: WRONGTYPE, syntax, MOVED, a size that a plan doesn't take, a
 * word of the future.  doc/operations.md explains them. */
static const struct meaning meanings[] = {
  { "NOAUTH", LARDER_CAUSE_AUTH },
  { "WRONGPASS", LARDER_CAUSE_AUTH },
  { "NOPERM", LARDER_CAUSE_AUTH },
  { "ERR invalid password", LARDER_CAUSE_AUTH },
  { "ERR Client sent AUTH", LARDER_CAUSE_AUTH },
  { "ERR AUTH <password> called without any password", LARDER_CAUSE_AUTH },
  { "LOADING", LARDER_CAUSE_SERVER },
  { "MASTERDOWN", LARDER_CAUSE_SERVER },
  { "CLUSTERDOWN", LARDER_CAUSE_SERVER },
  { "TRYAGAIN", LARDER_CAUSE_SERVER },
  { "BUSY", LARDER_CAUSE_SERVER },
  { "DENIED", LARDER_CAUSE_SERVER },
  { "ERR max number of clients", LARDER_CAUSE_SERVER },
  { "OOM", LARDER_CAUSE_CAPACITY },
  { "MISCONF", LARDER_CAUSE_CAPACITY },
  { "READONLY", LARDER_CAUSE_CAPACITY },
  { "NOREPLICAS", LARDER_CAUSE_CAPACITY },
  { "UNBLOCKED force unblock", LARDER_CAUSE_CAPACITY }, /* it has become a replica */
  { "ERR DB capacity quota exceeded", LARDER_CAUSE_CAPACITY },
  { "ERR max concurrent connections exceeded", LARDER_CAUSE_QUOTA },
  /* another larder's serve in front of the data */
  { "UNAVAILABLE", LARDER_CAUSE_SERVER },
  { "NOTSENT", LARDER_CAUSE_SERVER },
  { "UNKNOWN", LARDER_CAUSE_SERVER },
};

static int begins_with(const char *text, size_t len, const char *prefix)
{
  size_t n = strlen(prefix);

  return len >= n && !memcmp(text, prefix, n);
}

static int is_letter(char c)
{
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static int means(const char *text, size_t len, const char *known)
{
  size_t n = strlen(known);

  return begins_with(text, len, known) && (len == n || !is_letter(text[n]));
}

/* "ERR max daily request limit exceeded", "ERR max requests limit exceeded. Limit: ...": whatever it
 * is that is counted. */
static int is_quota(const char *text, size_t len)
{
  static const char what[] = "ERR max ", end[] = " limit exceeded";
  size_t i;

  if (!begins_with(text, len, what))
    return 0;
  for (i = sizeof what - 1; i < len && text[i] != '.' && text[i] != ','; i++)
    if (means(text + i, len - i, end))
      return 1;
  return 0;
}

larder_cause lrd_error_cause(const char *text, size_t len)
{
  static const char aborted[] = "EXECABORT Transaction discarded because of: ";
  size_t i;

  if (begins_with(text, len, aborted)) {
    text += sizeof aborted - 1;
    len -= sizeof aborted - 1;
  }
  for (i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
    if (means(text, len, meanings[i].text))
      return meanings[i].cause;
  return is_quota(text, len) ? LARDER_CAUSE_QUOTA : LARDER_CAUSE_CALLER;
}
