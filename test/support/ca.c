/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/ca.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { PATHS = 32, DAY = 24 * 3600 };

struct ca {
  char directory[64];
  char *path[PATHS];
  int paths;
  long serial;
  X509 *certificate;
  EVP_PKEY *key;
};

static void must(int condition, const char *what)
{
  if (condition)
    return;
  fprintf(stderr, "test ca: %s: ", what);
  ERR_print_errors_fp(stderr);
  fprintf(stderr, "\n");
  exit(1);
}

/* The generator of OpenSSL 1.1.1, which 3.x still has. */
static EVP_PKEY *new_key(void)
{
  EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
  EVP_PKEY *key = NULL;
  must(c && EVP_PKEY_keygen_init(c) == 1 &&
         EVP_PKEY_CTX_set_ec_paramgen_curve_nid(c, NID_X9_62_prime256v1) == 1 &&
         EVP_PKEY_keygen(c, &key) == 1, "key");
  EVP_PKEY_CTX_free(c);
  return key;
}

static void extend(X509 *issuer, X509 *certificate, int kind, const char *value)
{
  X509V3_CTX c;
  X509V3_set_ctx(&c, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &c, kind, value);
  must(e && X509_add_ext(certificate, e, -1) == 1, value);
  X509_EXTENSION_free(e);
}

struct issuer {
  X509 *certificate;
  EVP_PKEY *key;
};

/* by: NULL: itself. */
static X509 *new_certificate(struct ca *ca, const struct ca_request *r, EVP_PKEY *key,
                             const struct issuer *by)
{
  X509 *x = X509_new();
  X509 *issuer = by ? by->certificate : x;
  int dated = r->from || r->to;
  must(x != NULL, "certificate");
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++ca->serial);
  X509_gmtime_adj(X509_getm_notBefore(x), (dated ? r->from : -1) * (long)DAY);
  X509_gmtime_adj(X509_getm_notAfter(x), (dated ? r->to : 10) * (long)DAY);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                             (const unsigned char *)r->name, -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(issuer));
  X509_set_pubkey(x, key);
  extend(issuer, x, NID_basic_constraints, r->authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (r->names)
    extend(issuer, x, NID_subject_alt_name, r->names);
  must(X509_sign(x, by ? by->key : key, EVP_sha256()) > 0, "sign");
  return x;
}

/* issuer: NULL: the certificate stands alone. */
static void save(struct ca *ca, const char *file, X509 *certificate, EVP_PKEY *key, X509 *issuer)
{
  char path[200];
  snprintf(path, sizeof path, "%s/%s.crt", ca->directory, file);
  FILE *f = fopen(path, "we");
  must(f && PEM_write_X509(f, certificate) == 1 &&
         (!issuer || PEM_write_X509(f, issuer) == 1) && fclose(f) == 0, path);
  snprintf(path, sizeof path, "%s/%s.key", ca->directory, file);
  f = fopen(path, "we");
  must(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0, path);
}

/* Of a file that ca_issue wrote. */
static struct issuer load(struct ca *ca, const char *file)
{
  char path[200];
  struct issuer i;
  snprintf(path, sizeof path, "%s/%s.crt", ca->directory, file);
  FILE *f = fopen(path, "re");
  must(f && (i.certificate = PEM_read_X509(f, NULL, NULL, NULL)) && fclose(f) == 0, path);
  snprintf(path, sizeof path, "%s/%s.key", ca->directory, file);
  f = fopen(path, "re");
  must(f && (i.key = PEM_read_PrivateKey(f, NULL, NULL, NULL)) && fclose(f) == 0, path);
  return i;
}

struct ca *ca_new(const char *name)
{
  const char *base = getenv("TMPDIR");
  struct ca *ca = calloc(1, sizeof *ca);
  struct ca_request self = {.file = "ca", .name = name, .authority = 1};
  must(ca != NULL, "no memory");
  snprintf(ca->directory, sizeof ca->directory, "%s/larder-ca-XXXXXX",
           base && strlen(base) < 40 ? base : "/tmp");
  must(mkdtemp(ca->directory) != NULL, ca->directory);
  ca->key = new_key();
  ca->certificate = new_certificate(ca, &self, ca->key, NULL);
  save(ca, "ca", ca->certificate, ca->key, NULL);
  return ca;
}

void ca_issue(struct ca *ca, const struct ca_request *r)
{
  EVP_PKEY *key = new_key();
  struct issuer by = load(ca, r->issuer ? r->issuer : "ca");
  X509 *certificate = new_certificate(ca, r, key, r->self_signed ? NULL : &by);
  save(ca, r->file, certificate, key, r->chain ? by.certificate : NULL);
  X509_free(by.certificate);
  EVP_PKEY_free(by.key);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

const char *ca_path(struct ca *ca, const char *file)
{
  size_t len = strlen(ca->directory) + 1;
  for (int i = 0; i < ca->paths; i++)
    if (strcmp(ca->path[i] + len, file) == 0)
      return ca->path[i];
  must(ca->paths < PATHS, "too many paths");
  size_t size = len + strlen(file) + 1;
  char *path = ca->path[ca->paths++] = malloc(size);
  must(path != NULL, "no memory");
  snprintf(path, size, "%s/%s", ca->directory, file);
  return path;
}

void ca_free(struct ca *ca)
{
  if (!ca)
    return;
  DIR *directory = opendir(ca->directory);
  for (struct dirent *e; directory && (e = readdir(directory));)
    if (e->d_name[0] != '.')
      unlinkat(dirfd(directory), e->d_name, 0);
  if (directory)
    closedir(directory);
  rmdir(ca->directory);
  while (ca->paths)
    free(ca->path[--ca->paths]);
  X509_free(ca->certificate);
  EVP_PKEY_free(ca->key);
  free(ca);
}
