/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_STORE_CONFIG_RIG_H
#define TEST_STORE_CONFIG_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/config.h"
#include "support/check.h"

/* Reading a configuration, and what the line about a bad one must hold. */

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static struct lrd_config config;
static char error[512];

static inline void clear_environment(void)
{
  static const char *const names[] = {"LARDER_URL",           "REDIS_URL",
                                      "REDIS_ENABLED",        "REDIS_REQUIRED",
                                      "REDIS_CONNECT_TIMEOUT", "REDIS_SOCKET_TIMEOUT",
                                      "REDIS_MAX_RETRIES",      "REDIS_USERNAME",
                                      "REDIS_PASSWORD",        "LARDER_PREFIX",
                                      "LARDER_TLS_CA",         "LARDER_TLS_CERT",
                                      "LARDER_TLS_KEY"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    unsetenv(names[i]);
  memset(error, '#', sizeof error);
}

static inline void read_good(const char *url, const larder_options *options)
{
  ck_assert_msg(lrd_config_read(&config, url, options, error, sizeof error) == LARDER_OK,
                "%s: %s", url ? url : "NULL", error);
}

static inline void done(void)
{
  lrd_config_release(&config);
}

/* Each a part that must be there, separated by '|'. */
static inline void expect_parts(const char *says)
{
  char parts[200];
  snprintf(parts, sizeof parts, "%s", says);
  for (char *part = strtok(parts, "|"); part; part = strtok(NULL, "|"))
    ck_assert_msg(strstr(error, part), "'%s' is not in: %s", part, error);
  ck_assert_msg(!strchr(error, '\n'), "more than one line: %s", error);
}

#endif
