/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_CA_H
#define TEST_SUPPORT_CA_H

/*
 * Certificate authorities made for one run of a test, with OpenSSL; keys are EC P-256.
 * Everything lies in a temporary directory.  What goes wrong ends the process.
 */

struct ca;

struct ca_request {
  const char *file;  /* the files are DIRECTORY/file.crt and .key */
  const char *name;  /* common name */
  const char *names; /* subjectAltName: "DNS:localhost,IP:127.0.0.1"; NULL: none */
  int from, to;      /* valid from now + from .. now + to, in days; both 0: -1 .. 10 */
  int self_signed;
  const char *issuer; /* the file of an authority that was issued before; NULL: the first one */
  int authority;      /* it may issue others */
  int chain;          /* its file has the issuer's certificate behind its own */
};

/* An authority with files DIRECTORY/ca.crt and ca.key. */
struct ca *ca_new(const char *name);
/* Removes the directory.  NULL is allowed. */
void ca_free(struct ca *);
void ca_issue(struct ca *, const struct ca_request *);
/* DIRECTORY/file; the text stays until ca_free, of 32 files at most. */
const char *ca_path(struct ca *, const char *file);

#endif
