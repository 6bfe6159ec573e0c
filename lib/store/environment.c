/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/settings.h"

#include <stdlib.h>
#include <string.h>

/* A variable that is set to nothing counts as not set. */
static const char *variable(const char *name)
{
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

const char *lrd_environment_url(const char **name)
{
  static const char *const names[] = {"LARDER_URL", "REDIS_URL"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *url = variable(names[i]);
    if (url) {
      *name = names[i];
      return url;
    }
  }
  *name = NULL;
  return "memory:";
}

/* The stores that a variable is for. */
enum kinship { OF_REDIS, OF_TLS, OF_ALL };

static int applies(enum lrd_scheme scheme, enum kinship of)
{
  if (of == OF_TLS)
    return scheme == LRD_SCHEME_TLS;
  return of == OF_ALL || scheme != LRD_SCHEME_MEMORY;
}

larder_outcome lrd_environment_read(struct lrd_settings *s)
{
  static const struct {
    const char *name;
    enum lrd_option_id id;
    int seconds;
    enum kinship of;
  } variables[] = {
      {"LARDER_PREFIX", LRD_OPTION_PREFIX, 0, OF_ALL},
      {"REDIS_USERNAME", LRD_OPTION_USER, 0, OF_REDIS},
      {"REDIS_PASSWORD", LRD_OPTION_PASSWORD, 0, OF_REDIS},
      {"LARDER_TLS_CA", LRD_OPTION_TLS_CA, 0, OF_TLS},
      {"LARDER_TLS_CERT", LRD_OPTION_TLS_CERT, 0, OF_TLS},
      {"LARDER_TLS_KEY", LRD_OPTION_TLS_KEY, 0, OF_TLS},
      {"REDIS_ENABLED", LRD_OPTION_ENABLED, 0, OF_REDIS},
      {"REDIS_REQUIRED", LRD_OPTION_REQUIRED, 0, OF_REDIS},
      {"REDIS_CONNECT_TIMEOUT", LRD_OPTION_CONNECT_TIMEOUT, 1, OF_REDIS},
      {"REDIS_SOCKET_TIMEOUT", LRD_OPTION_TIMEOUT, 1, OF_REDIS},
      {"REDIS_MAX_RETRIES", LRD_OPTION_MAX_RETRIES, 0, OF_REDIS},
  };
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
    const char *value = variable(variables[i].name);
    if (!value || !applies(s->scheme, variables[i].of))
      continue;
    larder_outcome (*set)(struct lrd_settings *, enum lrd_option_id, enum lrd_source,
                          const char *, const char *, size_t) =
        variables[i].seconds ? lrd_settings_seconds : lrd_settings_text;
    larder_outcome outcome = set(s, variables[i].id, LRD_SOURCE_ENVIRONMENT, variables[i].name,
                                 value, strlen(value));
    if (outcome != LARDER_OK)
      return outcome;
  }
  return LARDER_OK;
}
