/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_STORE_SETTINGS_H
#define LRD_STORE_SETTINGS_H

#include <larder/hooks.h>
#include <larder/outcome.h>

#include "store/config.h"

/*
 * What URL, environment and options struct ask for, before it becomes a struct
 * lrd_config.  One table says of each option its name, form and bounds; the
 * three sources share it.  A later (stronger) source overrides an earlier one,
 * whatever the order in which they are read; each value is checked even if it
 * is overridden.
 */

enum lrd_source {
  LRD_SOURCE_DEFAULT = 0,
  LRD_SOURCE_ENVIRONMENT,
  LRD_SOURCE_URL,
  LRD_SOURCE_STRUCT
};

enum lrd_option_id {
  LRD_OPTION_TIMEOUT,
  LRD_OPTION_CONNECT_TIMEOUT,
  LRD_OPTION_MAX_RETRIES,
  LRD_OPTION_PROTOCOL,
  LRD_OPTION_REQUIRED,
  LRD_OPTION_ENABLED,
  LRD_OPTION_FALLBACK,
  LRD_OPTION_OUTAGE,
  LRD_OPTION_CONNECTIONS,
  LRD_OPTION_JOURNAL_BYTES,
  LRD_OPTION_JOURNAL_KEYS,
  LRD_OPTION_SHARDS,
  LRD_OPTION_BACKGROUND,
  LRD_OPTION_DELIVERY,
  LRD_OPTION_MAXMEMORY,
  LRD_OPTION_MAXMEMORY_POLICY,
  LRD_OPTION_TLS_INSECURE,
  LRD_OPTION_DB,
  LRD_NUMBER_OPTIONS,
  /* The rest are texts. */
  LRD_OPTION_USER = LRD_NUMBER_OPTIONS,
  LRD_OPTION_PASSWORD,
  LRD_OPTION_CLIENT_NAME,
  LRD_OPTION_PREFIX,
  LRD_OPTION_TLS_CA,
  LRD_OPTION_TLS_CERT,
  LRD_OPTION_TLS_KEY,
  LRD_OPTION_TLS_NAME,
  LRD_OPTIONS
};

enum lrd_option_kind {
  LRD_KIND_DURATION, /* ns */
  LRD_KIND_COUNT,
  LRD_KIND_SIZE, /* bytes */
  LRD_KIND_YES_NO, /* LARDER_YES, LARDER_NO */
  LRD_KIND_WORD, /* base, base + 1, ... in the order of words */
  LRD_KIND_TEXT,
  LRD_KIND_PREFIX, /* a text without '*' */
  LRD_KIND_PATH,
  LRD_KIND_SECRET
};

struct lrd_option {
  const char *name;
  enum lrd_option_kind kind;
  int64_t minimum, maximum, initial;
  const char *allowed; /* for people */
  const char *const *words; /* ended by NULL */
  int64_t base;
};

extern const struct lrd_option lrd_options[LRD_OPTIONS];

struct lrd_settings {
  const larder_memory *memory;
  char *error; /* where the one line goes */
  size_t error_size;

  int asks; /* a callback gives user and password */
  enum lrd_scheme scheme;
  char *host, *path;
  int port;
  int64_t number[LRD_NUMBER_OPTIONS];
  char *text[LRD_OPTIONS]; /* of text options only */
  unsigned char source[LRD_OPTIONS];
};

void lrd_settings_init(struct lrd_settings *, const larder_memory *, char *error,
                       size_t error_size);
/* Secrets are wiped. */
void lrd_settings_release(struct lrd_settings *);

/* LRD_OPTIONS if there is none of that name. */
enum lrd_option_id lrd_option_find(const char *name, size_t len);

/* Sets an option from its text form.  shown: what the error line calls it (its
 * name, or an environment variable). */
larder_outcome lrd_settings_text(struct lrd_settings *, enum lrd_option_id, enum lrd_source,
                                 const char *shown, const char *value, size_t len);
/* The same for a duration in plain seconds. */
larder_outcome lrd_settings_seconds(struct lrd_settings *, enum lrd_option_id, enum lrd_source,
                                    const char *shown, const char *value, size_t len);
/* Sets a number option from its value; told: the value as the error line shows it. */
larder_outcome lrd_settings_number(struct lrd_settings *, enum lrd_option_id, enum lrd_source,
                                   int64_t value, int64_t told);

/* Writes the error line; returns BAD_ARGUMENT. */
larder_outcome lrd_settings_refuse(struct lrd_settings *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for no memory. */
larder_outcome lrd_settings_no_memory(struct lrd_settings *);

/* A value as an error line may show it: printable, at most 64 bytes. */
enum { LRD_SHOWN_SIZE = 72 };
const char *lrd_shown(char out[LRD_SHOWN_SIZE], const char *value, size_t len);

/* A NUL-terminated copy. */
char *lrd_copy_text(const larder_memory *, const char *, size_t len);
/* NULL is allowed. */
void lrd_release_text(const larder_memory *, char *);

/* url.c: scheme, host, port, path, userinfo, database, query. */
larder_outcome lrd_url_read(struct lrd_settings *, const char *url);

/* environment.c */
/* The URL to use when the caller gave none, never NULL, and where it came from
 * (a variable's name, or NULL). */
const char *lrd_environment_url(const char **variable);
/* LARDER_PREFIX, and for schemes that are a Redis the REDIS_... options. */
larder_outcome lrd_environment_read(struct lrd_settings *);

#endif
