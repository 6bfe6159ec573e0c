/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "remote/tls_part.h"

/* What went wrong, in words.  What certificates say is anybody's text: it is cut and cleaned. */

static void note(struct lrd_tls *t, larder_cause cause, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The first reason stays. */
static void note(struct lrd_tls *t, larder_cause cause, const char *format, ...)
{
  if (t->fault.cause != LARDER_CAUSE_NONE)
    return;
  va_list list;
  va_start(list, format);
  vsnprintf(t->fault.text, sizeof t->fault.text, format, list);
  va_end(list);
  t->fault.cause = cause;
}

/* --- certificates ---------------------------------------------------------------------- */

enum { WORDS = 64, NAMES = 100 };

static void clean(char *out, size_t size, const char *text, size_t len)
{
  size_t n = len < size - 1 ? len : size - 1;
  for (size_t i = 0; i < n; i++)
    out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
  out[n] = '\0';
}

/* Its common name, else the whole. */
static const char *name_of(X509_NAME *name, char out[WORDS])
{
  char text[256];
  int n = X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof text);
  if (n <= 0)
    X509_NAME_oneline(name, text, sizeof text);
  clean(out, WORDS, text, strlen(text));
  return out;
}

static const char *date_of(const ASN1_TIME *at, char out[WORDS])
{
  struct tm tm;
  if (ASN1_TIME_to_tm(at, &tm) != 1)
    return "(a date that is none)";
  snprintf(out, WORDS, "%04d-%02d-%02d %02d:%02d:%02d UTC", tm.tm_year + 1900, tm.tm_mon + 1,
           tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
  return out;
}

static void add_name(char out[NAMES], const GENERAL_NAME *name)
{
  char text[INET6_ADDRSTRLEN + WORDS] = "";
  if (name->type == GEN_DNS)
    clean(text, WORDS, (const char *)ASN1_STRING_get0_data(name->d.dNSName),
          (size_t)ASN1_STRING_length(name->d.dNSName));
  else if (name->type == GEN_IPADD) {
    int len = ASN1_STRING_length(name->d.iPAddress); /* anybody's: perhaps neither 4 nor 16 */
    if (len == 4 || len == 16)
      inet_ntop(len == 16 ? AF_INET6 : AF_INET, ASN1_STRING_get0_data(name->d.iPAddress), text,
                sizeof text);
  }
  size_t used = strlen(out);
  if (!text[0] || used + 6 > NAMES)
    return;
  if (used + strlen(text) + 8 > NAMES)
    snprintf(text, sizeof text, "...");
  snprintf(out + used, NAMES - used, "%s%.64s", used ? ", " : "", text);
}

/* The names that it is for. */
static const char *names_of(X509 *certificate, char out[NAMES])
{
  GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  out[0] = '\0';
  for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
    add_name(out, sk_GENERAL_NAME_value(names, i));
  GENERAL_NAMES_free(names);
  if (!out[0])
    snprintf(out, NAMES, "none (no subjectAltName)");
  return out;
}

static void note_date(struct lrd_tls *t, X509 *certificate, int depth, int expired)
{
  char subject[WORDS], date[WORDS];
  note(t, LARDER_CAUSE_TLS, "TLS: the certificate of %s '%s' %s %s",
       depth ? "the issuer" : "the server", name_of(X509_get_subject_name(certificate), subject),
       expired ? "expired on" : "is not valid before",
       date_of(expired ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate), date));
}

int lrd_tls_verify(int ok, X509_STORE_CTX *store)
{
  if (ok)
    return 1;
  SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  struct lrd_tls *t = SSL_get_app_data(ssl);
  X509 *certificate = X509_STORE_CTX_get_current_cert(store);
  int error = X509_STORE_CTX_get_error(store), depth = X509_STORE_CTX_get_error_depth(store);
  char name[WORDS], names[NAMES];
  if (!certificate) {
    note(t, LARDER_CAUSE_TLS, "TLS: %s", X509_verify_cert_error_string(error));
    return 0;
  }
  switch (error) {
  case X509_V_ERR_CERT_HAS_EXPIRED:
  case X509_V_ERR_CERT_NOT_YET_VALID:
    note_date(t, certificate, depth, error == X509_V_ERR_CERT_HAS_EXPIRED);
    break;
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    note(t, LARDER_CAUSE_TLS, "TLS: the server's certificate is not for '%.60s'; its names: %s",
         t->context->name, names_of(certificate, names));
    break;
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    note(t, LARDER_CAUSE_TLS, "TLS: the server's certificate '%s' is self-signed and not trusted "
                              "(option tls_ca)",
         name_of(X509_get_subject_name(certificate), name));
    break;
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    note(t, LARDER_CAUSE_TLS, "TLS: the server's certificate is issued by '%s', a CA that is not "
                              "trusted (option tls_ca)",
         name_of(X509_get_issuer_name(certificate), name));
    break;
  default:
    note(t, LARDER_CAUSE_TLS, "TLS: the certificate '%s': %s",
         name_of(X509_get_subject_name(certificate), name), X509_verify_cert_error_string(error));
  }
  return 0;
}

/* --- the connection -------------------------------------------------------------------- */

int lrd_tls_is_tls(struct lrd_tls *t)
{
  char text[WORDS];
  if (t->in[0] == SSL3_RT_HANDSHAKE || t->in[0] == SSL3_RT_ALERT)
    return 1;
  size_t len = 0;
  while (len < t->in_len && len < sizeof text && t->in[len] != '\r' && t->in[len] != '\n')
    len++;
  clean(text, sizeof text, t->in, len);
  note(t, LARDER_CAUSE_TLS, "TLS: the server does not speak it at this port, it answered '%s'",
       text);
  t->in_len = t->in_position = 0;
  return 0;
}

/* The server refuses us by an alert. */
static void note_alert(struct lrd_tls *t, int alert)
{
  const char *name = SSL_alert_desc_string_long(alert);
  switch (alert) {
  case SSL_AD_PROTOCOL_VERSION:
    note(t, LARDER_CAUSE_TLS, "TLS: the server has no version that is allowed here (1.2 or newer)");
    return;
  case SSL_AD_HANDSHAKE_FAILURE: /* TLS 1.2 has no better word for it */
  case SSL_AD_CERTIFICATE_REQUIRED:
    if (alert == SSL_AD_HANDSHAKE_FAILURE && !t->asked_certificate)
      break;
    note(t, LARDER_CAUSE_AUTH, "TLS: the server demands a client certificate (options tls_cert, "
                               "tls_key): alert '%s'", name);
    return;
  case SSL_AD_BAD_CERTIFICATE:
  case SSL_AD_UNSUPPORTED_CERTIFICATE:
  case SSL_AD_CERTIFICATE_REVOKED:
  case SSL_AD_CERTIFICATE_EXPIRED:
  case SSL_AD_CERTIFICATE_UNKNOWN:
  case SSL_AD_UNKNOWN_CA:
  case SSL_AD_ACCESS_DENIED:
    if (t->context->has_certificate) {
      note(t, LARDER_CAUSE_AUTH, "TLS: the server refuses our certificate (option tls_cert): "
                                 "alert '%s'", name);
      return;
    }
    break;
  default:
    break;
  }
  note(t, LARDER_CAUSE_TLS, "TLS: the server refuses the connection: alert '%s'", name);
}

void lrd_tls_reason(char *text, size_t size)
{
  unsigned long error = ERR_peek_last_error();
  const char *reason = error ? ERR_reason_error_string(error) : NULL;
  if (reason)
    snprintf(text, size, "%s", reason);
  else
    snprintf(text, size, "not usable (OpenSSL error %lx)", error);
}

void lrd_tls_note(struct lrd_tls *t)
{
  char text[LRD_STREAM_ERROR_SIZE];
  unsigned long error = ERR_peek_error();
  int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  if (reason > SSL_AD_REASON_OFFSET) {
    note_alert(t, reason - SSL_AD_REASON_OFFSET);
  } else if ((t->error || t->ended) && t->asked_certificate && t->established && !t->answered) {
    /* Its alert may have been lost: it had not read what we said. */
    note(t, LARDER_CAUSE_CUT, "TLS: the server ended the connection; it had asked for a client "
                              "certificate (options tls_cert, tls_key)");
  } else if (t->error && !t->ended) {
    note(t, LARDER_CAUSE_CUT, "%s", lrd_stream_error(NULL, t->error, text));
  } else if (t->ended) {
    note(t, LARDER_CAUSE_CUT,
         t->established ? "TLS: the connection was cut without close_notify"
                        : "TLS: the server closed the connection in the TLS handshake");
  } else if (reason == SSL_R_UNSUPPORTED_PROTOCOL) {
    note_alert(t, SSL_AD_PROTOCOL_VERSION);
  } else {
    lrd_tls_reason(text, sizeof text);
    note(t, LARDER_CAUSE_TLS, "TLS: %s", text);
  }
}
