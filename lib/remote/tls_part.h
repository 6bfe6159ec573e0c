/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_TLS_PART_H
#define LRD_REMOTE_TLS_PART_H

#include <stdatomic.h>

#include <openssl/ssl.h>

#include "remote/stream.h"
#include "remote/tls.h"
#include "store/config.h"
#include "util/buffer.h"
#include "util/lock.h"

/* What tls.c, tls_context.c and tls_fault.c share. */

/* Sessions kept, and for how long: a certificate is looked at again after that. */
enum { LRD_TLS_SESSIONS = 4, LRD_TLS_SESSION_SECONDS = 3600 };

struct lrd_tls_context {
  larder_memory memory;
  SSL_CTX *ssl;
  BIO_METHOD *method;
  char name[256]; /* that the certificate must be for */
  int is_address; /* the name is an IP address */
  int verify, has_certificate;
  _Atomic(SSL_SESSION *) session[LRD_TLS_SESSIONS]; /* NULL: none */
  atomic_uint replaced; /* sessions that had to go for newer ones */
};

/* The first thing that went wrong, which ends the connection. */
struct lrd_tls_fault {
  larder_cause cause; /* NONE: nothing did */
  char text[LRD_STREAM_ERROR_SIZE];
};

struct lrd_tls {
  struct lrd_lock lock; /* everything here */
  struct lrd_tls_context *context;
  SSL *ssl;
  SSL_SESSION *resumed;  /* what the handshake began with; NULL: nothing */
  int fd;
  int established;       /* the handshake is over */
  int asked_certificate; /* the server wants one of ours */
  int answered;          /* bytes for the layer above have come */
  struct lrd_tls_fault fault;

  int may_receive; /* one recv a call: afterwards poll() knows whether there is more */
  int heard;       /* bytes have come */
  int ended;       /* the peer closed */
  int error;       /* errno of the socket */
  struct lrd_buffer held; /* plain: OpenSSL writes nothing before it has read the rest of a message */
  struct lrd_buffer out; /* encrypted, not taken by the socket yet */
  size_t out_position;
  size_t in_position, in_len;
  char in[16 * 1024];
};

/* The BIO's functions. */
BIO_METHOD *lrd_tls_method_new(void);

/* A session to resume, the caller's; NULL: none. */
SSL_SESSION *lrd_tls_session_take(struct lrd_tls_context *);
/* Keeps a session for others; it is the context's from here on. */
void lrd_tls_session_keep(struct lrd_tls_context *, SSL_SESSION *);

/* OpenSSL's verify callback: notes what is wrong with a certificate. */
int lrd_tls_verify(int ok, X509_STORE_CTX *);
/* The first bytes of a server: 0: they can't be TLS, noted. */
int lrd_tls_is_tls(struct lrd_tls *);
/* Notes why an operation of OpenSSL failed, from its error queue and the socket. */
void lrd_tls_note(struct lrd_tls *);
/* The error that OpenSSL names last, for an error line. */
void lrd_tls_reason(char *text, size_t size);

#endif
