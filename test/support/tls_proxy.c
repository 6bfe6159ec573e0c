/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/tls_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

struct tls_proxy {
  struct tls_proxy_options options;
  SSL_CTX *context;
  int listener, stop, port;
  atomic_int armed, connections, bytes;
  int counted;
  char name[256];
  pthread_t thread;
};

static void must(int condition, const char *what)
{
  if (condition)
    return;
  fprintf(stderr, "tls proxy: %s: ", what);
  ERR_print_errors_fp(stderr);
  fprintf(stderr, "\n");
  exit(1);
}

static struct sockaddr_in loopback(int port)
{
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

/* 1: fd has something; 0: other has; -1: the proxy is to end.  other: -1: none. */
static int wait_for(struct tls_proxy *p, int fd, int other)
{
  struct pollfd f[3] = {{.fd = fd, .events = POLLIN}, {.fd = p->stop, .events = POLLIN},
                        {.fd = other, .events = POLLIN}};
  while (poll(f, 3, -1) < 0)
    continue;
  return f[1].revents ? -1 : f[0].revents ? 1 : 0;
}

/* A piece of a reply; 0: the connection is to end. */
static int forward(struct tls_proxy *p, SSL *ssl, const char *bytes, int len)
{
  while (len) {
    int n = p->options.piece && p->options.piece < len ? p->options.piece : len;
    int limit = p->options.cut_after - p->counted;
    int counting = p->options.cut_after && atomic_load(&p->armed);
    if (counting && limit < n)
      n = limit;
    if (p->options.key_updates)
      SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
    if (n && SSL_write(ssl, bytes, n) != n)
      return 0;
    if (counting && (p->counted += n) >= p->options.cut_after)
      return 0;
    bytes += n;
    len -= n;
  }
  return 1;
}

static void carry(struct tls_proxy *p, SSL *ssl, int client, int server)
{
  char bytes[32 * 1024];
  for (;;) {
    int ready = SSL_has_pending(ssl) ? 1 : wait_for(p, client, server);
    if (ready < 0)
      return;
    if (ready) {
      int n = SSL_read(ssl, bytes, sizeof bytes);
      if (n <= 0 && SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ)
        continue; /* a record that was no data */
      if (n <= 0)
        return;
      atomic_fetch_add(&p->bytes, n);
      if (send(server, bytes, (size_t)n, MSG_NOSIGNAL) != n)
        return;
    } else {
      ssize_t n = recv(server, bytes, sizeof bytes, 0);
      if (n <= 0 || !forward(p, ssl, bytes, (int)n))
        return;
    }
  }
}

static void serve(struct tls_proxy *p, int client)
{
  struct sockaddr_in a = loopback(p->options.port);
  SSL *ssl = SSL_new(p->context);
  SSL_set_fd(ssl, client);
  SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
  if (p->options.stall) {
    while (wait_for(p, -1, -1) >= 0)
      continue;
  } else if (SSL_accept(ssl) == 1) {
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(p->name, sizeof p->name, "%s", name ? name : "");
    atomic_fetch_add(&p->connections, 1);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(connect(server, (struct sockaddr *)&a, sizeof a) == 0, "the plain server");
    carry(p, ssl, client, server);
    close(server);
    if (p->options.polite)
      SSL_shutdown(ssl);
  }
  ERR_clear_error();
  SSL_free(ssl);
}

static void *run(void *argument)
{
  struct tls_proxy *p = argument;
  sigset_t broken; /* OpenSSL's own writes raise it; larder's must not */
  sigemptyset(&broken);
  sigaddset(&broken, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken, NULL);
  while (wait_for(p, p->listener, -1) > 0) {
    int client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
      continue;
    serve(p, client);
    close(client);
  }
  return NULL;
}

struct tls_proxy *tls_proxy_start(const struct tls_proxy_options *options)
{
  struct tls_proxy *p = calloc(1, sizeof *p);
  struct sockaddr_in a = loopback(0);
  socklen_t len = sizeof a;
  must(p != NULL, "no memory");
  p->options = *options;
  p->context = SSL_CTX_new(TLS_server_method());
  must(p->context != NULL, "context");
  if (options->version) {
    SSL_CTX_set_security_level(p->context, 0);
    must(SSL_CTX_set_min_proto_version(p->context, options->version) == 1 &&
           SSL_CTX_set_max_proto_version(p->context, options->version) == 1, "version");
  }
  must(SSL_CTX_use_certificate_chain_file(p->context, options->certificate) == 1 &&
         SSL_CTX_use_PrivateKey_file(p->context, options->key, SSL_FILETYPE_PEM) == 1, "files");
  p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  p->stop = eventfd(0, EFD_CLOEXEC);
  must(bind(p->listener, (struct sockaddr *)&a, sizeof a) == 0 && listen(p->listener, 16) == 0 &&
         getsockname(p->listener, (struct sockaddr *)&a, &len) == 0, "listen");
  p->port = ntohs(a.sin_port);
  must(pthread_create(&p->thread, NULL, run, p) == 0, "thread");
  return p;
}

int tls_proxy_port(const struct tls_proxy *p)
{
  return p->port;
}

void tls_proxy_arm(struct tls_proxy *p)
{
  atomic_store(&p->armed, 1);
}

int tls_proxy_connections(struct tls_proxy *p)
{
  return atomic_load(&p->connections);
}

int tls_proxy_bytes(struct tls_proxy *p)
{
  return atomic_load(&p->bytes);
}

const char *tls_proxy_name(struct tls_proxy *p)
{
  return p->name;
}

void tls_proxy_stop(struct tls_proxy *p)
{
  eventfd_write(p->stop, 1);
  pthread_join(p->thread, NULL);
  SSL_CTX_free(p->context);
  close(p->listener);
  close(p->stop);
  free(p);
}
