/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "remote/tls_part.h"
#include "util/memory.h"

/* What the options say about TLS, once a store. */

struct opening {
  struct lrd_tls_context *context;
  const struct lrd_config *config;
  char *error;
  size_t error_size;
};

static larder_outcome refuse(struct opening *o, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static larder_outcome refuse(struct opening *o, const char *format, ...)
{
  va_list list;
  va_start(list, format);
  if (o->error_size)
    vsnprintf(o->error, o->error_size, format, list);
  va_end(list);
  ERR_clear_error();
  return LARDER_BAD_ARGUMENT;
}

static larder_outcome no_memory(struct opening *o)
{
  refuse(o, "no memory for TLS");
  return LARDER_NO_MEMORY;
}

static larder_outcome refuse_file(struct opening *o, const char *option, const char *path)
{
  char reason[128];
  if (access(path, R_OK) != 0)
    snprintf(reason, sizeof reason, "%s", strerror(errno));
  else
    lrd_tls_reason(reason, sizeof reason);
  return refuse(o, "option %s=%.200s: %s; allowed is a readable PEM file%s", option, path, reason,
                strcmp(option, "tls_ca") == 0 ? ", or a directory made by openssl rehash"
                : strcmp(option, "tls_key") == 0 ? " without a passphrase"
                                                 : "");
}

/* --- files ----------------------------------------------------------------------------- */

static larder_outcome trust(struct opening *o)
{
  SSL_CTX *ssl = o->context->ssl;
  const char *path = o->config->tls_ca;
  struct stat st;
  if (!path)
    return SSL_CTX_set_default_verify_paths(ssl) == 1 ? LARDER_OK : no_memory(o);
  int is_directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
  int ok = is_directory ? access(path, R_OK | X_OK) == 0 &&
                            SSL_CTX_load_verify_locations(ssl, NULL, path) == 1
                        : SSL_CTX_load_verify_locations(ssl, path, NULL) == 1;
  return ok ? LARDER_OK : refuse_file(o, "tls_ca", path);
}

/* Nobody sits at a terminal for OpenSSL to ask. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
  (void)buffer, (void)size, (void)writing, (void)context;
  return 0;
}

static larder_outcome identify(struct opening *o)
{
  SSL_CTX *ssl = o->context->ssl;
  const char *certificate = o->config->tls_cert;
  const char *key = o->config->tls_key ? o->config->tls_key : certificate;
  if (!certificate)
    return LARDER_OK;
  SSL_CTX_set_default_passwd_cb(ssl, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(ssl, certificate) != 1)
    return refuse_file(o, "tls_cert", certificate);
  ERR_clear_error();
  if (SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1)
    return refuse_file(o, "tls_key", key);
  if (SSL_CTX_check_private_key(ssl) != 1)
    return refuse(o, "option tls_key=%.200s: not the key of the certificate in %.200s", key,
                  certificate);
  o->context->has_certificate = 1;
  return LARDER_OK;
}

/* --- sessions -------------------------------------------------------------------------- */

/* Atomic places and no lock: a fork finds nothing half done. */
void lrd_tls_session_keep(struct lrd_tls_context *c, SSL_SESSION *session)
{
  for (int i = 0; i < LRD_TLS_SESSIONS; i++) {
    SSL_SESSION *none = NULL;
    if (atomic_compare_exchange_strong(&c->session[i], &none, session))
      return;
  }
  unsigned oldest = atomic_fetch_add(&c->replaced, 1) % LRD_TLS_SESSIONS;
  SSL_SESSION_free(atomic_exchange(&c->session[oldest], session));
}

/* What was verified then would be verified now. */
static int still_good(const SSL_SESSION *session)
{
  long age = (long)time(NULL) - SSL_SESSION_get_time(session);
  X509 *server = SSL_SESSION_get0_peer((SSL_SESSION *)session);
  return age >= 0 && age < LRD_TLS_SESSION_SECONDS && SSL_SESSION_is_resumable(session) &&
         server && X509_cmp_current_time(X509_get0_notAfter(server)) > 0;
}

SSL_SESSION *lrd_tls_session_take(struct lrd_tls_context *c)
{
  for (int i = 0; i < LRD_TLS_SESSIONS; i++) {
    SSL_SESSION *session = atomic_exchange(&c->session[i], NULL);
    if (session && still_good(session))
      return session;
    SSL_SESSION_free(session);
  }
  return NULL;
}

/* Only of a handshake in which a certificate was verified: a ticket that a resumed one brings
 * would hand on its trust for ever. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
  struct lrd_tls *t = SSL_get_app_data(ssl);
  if (!t->context->verify || SSL_session_reused(ssl) || SSL_get_verify_result(ssl) != X509_V_OK)
    return 0;
  lrd_tls_session_keep(t->context, session);
  return 1;
}

/* --- rules ----------------------------------------------------------------------------- */

/* Called when the server asks for a certificate and there is none. */
static int on_asked(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
  struct lrd_tls *t = SSL_get_app_data(ssl);
  (void)certificate, (void)key;
  t->asked_certificate = 1;
  return 0;
}

static int set_rules(SSL_CTX *ssl)
{
  SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                          SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ssl, on_session);
  SSL_CTX_set_client_cert_cb(ssl, on_asked);
  /* A system's own policy may ask for more. */
  return SSL_CTX_get_min_proto_version(ssl) >= TLS1_2_VERSION ||
         SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1;
}

/* Without the dot of an absolute name, and the zone of an address: no certificate has these. */
static void take_name(struct lrd_tls_context *c, const struct lrd_config *config)
{
  unsigned char address[16];
  const char *name = config->tls_name ? config->tls_name : config->host;
  snprintf(c->name, sizeof c->name, "%s", name ? name : "127.0.0.1");
  char *zone = strchr(c->name, '%');
  if (zone)
    *zone = '\0';
  c->is_address = inet_pton(AF_INET, c->name, address) == 1 ||
                  inet_pton(AF_INET6, c->name, address) == 1;
  size_t len = strlen(c->name);
  if (!c->is_address && len > 1 && c->name[len - 1] == '.')
    c->name[len - 1] = '\0';
}

larder_outcome lrd_tls_context_new(struct lrd_tls_context **out, const struct lrd_config *config,
                                   const larder_memory *memory, char *error, size_t error_size)
{
  struct opening o = {NULL, config, error, error_size};
  *out = NULL;
  /* Not cleaned up at exit(), when a thread of a store that was left open may still be inside. */
  if (OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
    return no_memory(&o);
  struct lrd_tls_context *c = lrd_allocate_zeroed(memory, 1, sizeof *c);
  if (!c)
    return no_memory(&o);
  o.context = c;
  c->memory = *memory;
  c->verify = !config->tls_insecure;
  take_name(c, config);
  ERR_clear_error();
  c->ssl = SSL_CTX_new(TLS_client_method());
  c->method = lrd_tls_method_new();
  larder_outcome outcome =
    c->ssl && c->method && set_rules(c->ssl) ? LARDER_OK : no_memory(&o);
  if (outcome == LARDER_OK && c->name[0] == '.') /* OpenSSL would take any name that ends so */
    outcome = refuse(&o, "option tls_name=%.200s: allowed is a host's name without a dot in front, "
                         "or an address", c->name);
  if (outcome == LARDER_OK && c->verify)
    outcome = trust(&o);
  if (outcome == LARDER_OK)
    outcome = identify(&o);
  if (outcome == LARDER_OK)
    *out = c;
  else
    lrd_tls_context_free(c);
  ERR_clear_error();
  return outcome;
}

void lrd_tls_context_free(struct lrd_tls_context *c)
{
  if (!c)
    return;
  for (int i = 0; i < LRD_TLS_SESSIONS; i++)
    SSL_SESSION_free(atomic_exchange(&c->session[i], NULL)); /* OpenSSL wipes it */
  SSL_CTX_free(c->ssl);
  BIO_meth_free(c->method);
  larder_memory memory = c->memory;
  lrd_release(&memory, c, sizeof *c);
}
