/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/tls.h"

#include <stdio.h>

/* A build without OpenSSL: no context is ever made, so nothing else is called. */

larder_outcome lrd_tls_context_new(struct lrd_tls_context **out, const struct lrd_config *config,
                                   const larder_memory *memory, char *error, size_t error_size)
{
  (void)config, (void)memory;
  *out = NULL;
  snprintf(error, error_size, "url rediss://: this build has no TLS: it was made without OpenSSL");
  return LARDER_UNSUPPORTED;
}

void lrd_tls_context_free(struct lrd_tls_context *c)
{
  (void)c;
}

struct lrd_tls *lrd_tls_new(struct lrd_tls_context *c, int fd)
{
  (void)c, (void)fd;
  return NULL;
}

void lrd_tls_free(struct lrd_tls *t)
{
  (void)t;
}

void lrd_tls_abandon(struct lrd_tls *t)
{
  (void)t;
}

int lrd_tls_handshake(struct lrd_tls *t)
{
  (void)t;
  return -1;
}

int lrd_tls_heard(struct lrd_tls *t)
{
  (void)t;
  return 0;
}

ssize_t lrd_tls_write(struct lrd_tls *t, const char *bytes, size_t len)
{
  (void)t, (void)bytes, (void)len;
  return -1;
}

ssize_t lrd_tls_read(struct lrd_tls *t, char *bytes, size_t size)
{
  (void)t, (void)bytes, (void)size;
  return -1;
}

int lrd_tls_flush(struct lrd_tls *t)
{
  (void)t;
  return 0;
}

int lrd_tls_owes(struct lrd_tls *t)
{
  (void)t;
  return 0;
}

int lrd_tls_error(struct lrd_tls *t, char *text, size_t size)
{
  (void)t, (void)text, (void)size;
  return 0;
}

larder_cause lrd_tls_cause(struct lrd_tls *t)
{
  (void)t;
  return LARDER_CAUSE_CUT;
}
