/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_TLS_PROXY_H
#define TEST_SUPPORT_TLS_PROXY_H

/*
 * A thread that speaks TLS at a loopback port and carries what it decrypts to a plain server on
 * another port, and that can do what a real server won't do on request.  One connection
 * after the other, one at a time.
 */

struct tls_proxy;

struct tls_proxy_options {
  int port;                      /* of the plain server */
  const char *certificate, *key; /* files */
  int version;                   /* TLS1_2_VERSION: no other; 0: any */
  int stall;                     /* accepts, and never says a word */
  int cut_after;     /* so many bytes of replies behind tls_proxy_arm, then the end; 0: never */
  int polite;        /* ... with close_notify */
  int key_updates;   /* asks for a new key before every piece of a reply (TLS 1.3) */
  int piece;         /* bytes of a record; 0: as they come */
};

struct tls_proxy *tls_proxy_start(const struct tls_proxy_options *);
int tls_proxy_port(const struct tls_proxy *);
/* From now on bytes are counted. */
void tls_proxy_arm(struct tls_proxy *);
/* Connections that finished the TLS handshake, so far; bytes that they sent, decrypted. */
int tls_proxy_connections(struct tls_proxy *);
int tls_proxy_bytes(struct tls_proxy *);
/* The name that the last client asked for (SNI); "": none. */
const char *tls_proxy_name(struct tls_proxy *);
void tls_proxy_stop(struct tls_proxy *);

#endif
