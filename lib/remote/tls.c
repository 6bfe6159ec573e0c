/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "remote/tls_part.h"
#include "util/memory.h"

/* --- the BIO: OpenSSL's side of the socket --------------------------------------------- */

/* Fills in[]: 1; 0: nothing now; -1: the end, or an error. */
static int receive(struct lrd_tls *t)
{
  if (t->ended || t->error)
    return -1;
  if (!t->may_receive)
    return 0;
  t->may_receive = 0;
  ssize_t n;
  do
    n = recv(t->fd, t->in, sizeof t->in, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    return 0;
  t->ended = n == 0;
  t->error = n < 0 ? errno : 0;
  if (n <= 0)
    return -1;
  t->in_position = 0;
  t->in_len = (size_t)n;
  int first = !t->heard;
  t->heard = 1;
  return !first || lrd_tls_is_tls(t) ? 1 : -1;
}

static int bio_read(BIO *bio, char *bytes, int size)
{
  struct lrd_tls *t = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (t->in_position == t->in_len) {
    int got = receive(t);
    if (got == 0)
      BIO_set_retry_read(bio);
    if (got <= 0)
      return t->ended ? 0 : -1;
  }
  size_t n = t->in_len - t->in_position;
  if (n > (size_t)size)
    n = (size_t)size;
  memcpy(bytes, t->in + t->in_position, n);
  t->in_position += n;
  return (int)n;
}

/* Bytes that the socket took, perhaps 0; -1: error. */
static ssize_t send_some(struct lrd_tls *t, const char *bytes, size_t len)
{
  ssize_t n;
  do
    n = send(t->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n >= 0)
    return n;
  if (errno == EAGAIN || errno == EWOULDBLOCK)
    return 0;
  t->error = errno;
  return -1;
}

static size_t owed(const struct lrd_tls *t)
{
  return t->out.len - t->out_position;
}

/* 0: nothing is owed any more; AGAIN; FAULT. */
static int send_owed(struct lrd_tls *t)
{
  while (owed(t)) {
    ssize_t n = send_some(t, t->out.data + t->out_position, owed(t));
    if (n <= 0)
      return n ? LRD_STREAM_FAULT : LRD_STREAM_AGAIN;
    t->out_position += (size_t)n;
  }
  t->out.len = t->out_position = 0;
  return 0;
}

/* Takes everything: what the socket doesn't is owed.  So OpenSSL never has to be given the
 * same bytes again, which a caller that gave up its command could not do. */
static int bio_write(BIO *bio, const char *bytes, int len)
{
  struct lrd_tls *t = BIO_get_data(bio);
  ssize_t n = 0;
  BIO_clear_retry_flags(bio);
  if (owed(t) > LRD_TLS_OWED) {
    BIO_set_retry_write(bio);
    return -1;
  }
  if (!owed(t))
    n = send_some(t, bytes, (size_t)len);
  if (n < 0)
    return -1;
  if (n < len && lrd_buffer_append(&t->out, bytes + n, (size_t)len - (size_t)n) != 0) {
    t->error = ENOMEM;
    return -1;
  }
  return len;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
  struct lrd_tls *t = BIO_get_data(bio);
  (void)number, (void)pointer;
  if (command == BIO_CTRL_EOF)
    return t->ended;
  return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *lrd_tls_method_new(void)
{
  BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "larder");
  if (m && BIO_meth_set_read(m, bio_read) && BIO_meth_set_write(m, bio_write) &&
      BIO_meth_set_ctrl(m, bio_control))
    return m;
  BIO_meth_free(m);
  return NULL;
}

/* --- life ------------------------------------------------------------------------------ */

/* 0, or -1: no memory. */
static int set_up(struct lrd_tls *t)
{
  const struct lrd_tls_context *c = t->context;
  BIO *bio = BIO_new(c->method);
  if (!bio)
    return -1;
  BIO_set_data(bio, t);
  BIO_set_init(bio, 1);
  SSL_set_bio(t->ssl, bio, bio);
  SSL_set_app_data(t->ssl, t);
  SSL_set_connect_state(t->ssl);
  t->resumed = lrd_tls_session_take(t->context);
  if (t->resumed && SSL_set_session(t->ssl, t->resumed) != 1)
    return -1;
  if (!c->verify)
    return c->is_address || SSL_set_tlsext_host_name(t->ssl, c->name) == 1 ? 0 : -1;
  SSL_set_verify(t->ssl, SSL_VERIFY_PEER, lrd_tls_verify);
  if (c->is_address)
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(t->ssl), c->name) == 1 ? 0 : -1;
  SSL_set_hostflags(t->ssl,
                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return SSL_set1_host(t->ssl, c->name) == 1 && SSL_set_tlsext_host_name(t->ssl, c->name) == 1
           ? 0
           : -1;
}

static void release(struct lrd_tls *t)
{
  const larder_memory *memory = &t->context->memory;
  SSL_free(t->ssl);
  SSL_SESSION_free(t->resumed);
  lrd_wipe(t->in, sizeof t->in);
  if (t->held.data)
    lrd_wipe(t->held.data, t->held.capacity);
  lrd_buffer_free(&t->held);
  lrd_buffer_free(&t->out);
  lrd_lock_destroy(&t->lock);
  lrd_release(memory, t, sizeof *t);
}

struct lrd_tls *lrd_tls_new(struct lrd_tls_context *c, int fd)
{
  struct lrd_tls *t = lrd_allocate_zeroed(&c->memory, 1, sizeof *t);
  if (!t)
    return NULL;
  if (lrd_lock_init(&t->lock, LRD_RANK_STREAM, 0) != 0) {
    lrd_release(&c->memory, t, sizeof *t);
    return NULL;
  }
  t->context = c;
  t->fd = fd;
  lrd_buffer_init(&t->out, &c->memory, 0);
  lrd_buffer_init(&t->held, &c->memory, 0);
  ERR_clear_error();
  t->ssl = SSL_new(c->ssl);
  if (t->ssl && set_up(t) == 0)
    return t;
  ERR_clear_error();
  release(t);
  return NULL;
}

void lrd_tls_free(struct lrd_tls *t)
{
  if (t->established && !t->fault.cause && !t->ended) {
    ERR_clear_error();
    SSL_shutdown(t->ssl);
    ERR_clear_error();
  }
  release(t);
}

void lrd_tls_abandon(struct lrd_tls *t)
{
  if (pthread_mutex_trylock(&t->lock.mutex) != 0)
    return;
  pthread_mutex_unlock(&t->lock.mutex);
  release(t);
}

/* --- reading and writing --------------------------------------------------------------- */

/* What n <= 0 of an operation means: 0: the end, AGAIN or FAULT. */
static int judge(struct lrd_tls *t, int n)
{
  int error = SSL_get_error(t->ssl, n);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
    return LRD_STREAM_AGAIN;
  if (error == SSL_ERROR_ZERO_RETURN) {
    t->ended = 1;
    return 0;
  }
  lrd_tls_note(t);
  ERR_clear_error();
  errno = t->error ? t->error : EPROTO;
  return LRD_STREAM_FAULT;
}

static int fault(struct lrd_tls *t)
{
  lrd_tls_note(t);
  errno = t->error ? t->error : EPROTO;
  return LRD_STREAM_FAULT;
}

/* One record at most: bytes that OpenSSL took, AGAIN or FAULT; *reading: it has to read first. */
static ssize_t write_some(struct lrd_tls *t, const char *bytes, size_t len, int *reading)
{
  int n = SSL_write(t->ssl, bytes, len > SSL3_RT_MAX_PLAIN_LENGTH ? SSL3_RT_MAX_PLAIN_LENGTH
                                                                  : (int)len);
  ssize_t result = n > 0 ? n : judge(t, n);
  *reading = result == LRD_STREAM_AGAIN && SSL_want_read(t->ssl);
  return result ? result : fault(t); /* closed */
}

/* Keeps bytes until a read has made way for them: how many, AGAIN or FAULT. */
static ssize_t hold(struct lrd_tls *t, const char *bytes, size_t len)
{
  if (t->held.len >= LRD_TLS_OWED)
    return LRD_STREAM_AGAIN;
  size_t n = len < LRD_TLS_OWED - t->held.len ? len : LRD_TLS_OWED - t->held.len;
  if (!t->held.data && lrd_buffer_reserve(&t->held, LRD_TLS_OWED) != 0) { /* one block, to be wiped */
    t->error = ENOMEM;
    return fault(t);
  }
  return lrd_buffer_append(&t->held, bytes, n) == 0 ? (ssize_t)n : fault(t);
}

/* Writes what was kept: 0: it is gone, or has to wait for a read; AGAIN; FAULT. */
static ssize_t write_held(struct lrd_tls *t)
{
  int reading = 0;
  while (t->held.len) {
    ssize_t n = write_some(t, t->held.data, t->held.len, &reading);
    if (n < 0)
      return reading ? 0 : n;
    lrd_buffer_consume(&t->held, (size_t)n);
  }
  if (t->held.data)
    lrd_wipe(t->held.data, t->held.capacity);
  lrd_buffer_free(&t->held);
  return 0;
}

/* A session of TLS 1.2 may be used again; a ticket of 1.3 says who we are to whoever sees it twice. */
static void end_resumption(struct lrd_tls *t)
{
  if (t->resumed && SSL_session_reused(t->ssl) && SSL_version(t->ssl) < TLS1_3_VERSION)
    lrd_tls_session_keep(t->context, t->resumed);
  else
    SSL_SESSION_free(t->resumed);
  t->resumed = NULL;
}

int lrd_tls_handshake(struct lrd_tls *t)
{
  lrd_lock(&t->lock);
  ERR_clear_error();
  t->may_receive = 1;
  int result = send_owed(t);
  if (result == LRD_STREAM_FAULT)
    result = fault(t);
  else {
    int n = SSL_do_handshake(t->ssl);
    t->established = n == 1;
    result = n == 1 ? 0 : judge(t, n);
    if (n != 1 && result == 0) /* an end, before the beginning */
      result = fault(t);
  }
  if (t->established)
    end_resumption(t);
  lrd_unlock(&t->lock);
  return result;
}

int lrd_tls_heard(struct lrd_tls *t)
{
  lrd_lock(&t->lock);
  int heard = t->heard != 0;
  lrd_unlock(&t->lock);
  return heard;
}

ssize_t lrd_tls_read(struct lrd_tls *t, char *bytes, size_t size)
{
  size_t used = 0;
  int n = 1;
  ssize_t result = 0;
  lrd_lock(&t->lock);
  ERR_clear_error();
  t->may_receive = 1;
  while (used < size && n > 0) {
    size_t room = size - used;
    n = SSL_read(t->ssl, bytes + used, room > INT32_MAX ? INT32_MAX : (int)room);
    if (n > 0)
      used += (size_t)n;
    else
      result = judge(t, n);
  }
  t->answered |= used > 0;
  if (t->held.len && result == LRD_STREAM_AGAIN && write_held(t) == LRD_STREAM_FAULT)
    result = LRD_STREAM_FAULT;
  lrd_unlock(&t->lock);
  /* An end, or a fault, is met again by the next read, behind the bytes before it. */
  return used ? (ssize_t)used : result;
}

/* The server may have said why it closes: its word is better than "broken pipe". */
static int explain(struct lrd_tls *t)
{
  char rest[1024];
  int n = 1, error = t->error;
  t->error = 0;
  ERR_clear_error();
  for (int i = 0; i < 16 && n > 0; i++) {
    t->may_receive = 1;
    n = SSL_read(t->ssl, rest, sizeof rest);
  }
  if (n <= 0)
    judge(t, n);
  t->error = error;
  return fault(t);
}

ssize_t lrd_tls_write(struct lrd_tls *t, const char *bytes, size_t len)
{
  lrd_lock(&t->lock);
  ERR_clear_error();
  int reading = 0;
  ssize_t result = send_owed(t);
  if (result == 0)
    result = write_held(t);
  if (result == 0 && !t->held.len)
    result = write_some(t, bytes, len, &reading);
  if ((result == 0 && t->held.len) || reading)
    result = hold(t, bytes, len);
  if (result == LRD_STREAM_FAULT)
    result = explain(t);
  lrd_unlock(&t->lock);
  return result;
}

int lrd_tls_flush(struct lrd_tls *t)
{
  lrd_lock(&t->lock);
  int result = send_owed(t);
  if (result == 0)
    result = (int)write_held(t);
  if (result == LRD_STREAM_FAULT)
    result = explain(t);
  lrd_unlock(&t->lock);
  return result;
}

int lrd_tls_owes(struct lrd_tls *t)
{
  lrd_lock(&t->lock);
  int owes = owed(t) > 0;
  lrd_unlock(&t->lock);
  return owes;
}

/* --- what went wrong ------------------------------------------------------------------- */

int lrd_tls_error(struct lrd_tls *t, char *text, size_t size)
{
  lrd_lock(&t->lock);
  int known = t->fault.cause != LARDER_CAUSE_NONE;
  if (known)
    snprintf(text, size, "%s", t->fault.text);
  lrd_unlock(&t->lock);
  return known;
}

larder_cause lrd_tls_cause(struct lrd_tls *t)
{
  lrd_lock(&t->lock);
  larder_cause cause = t->fault.cause ? t->fault.cause : LARDER_CAUSE_CUT;
  lrd_unlock(&t->lock);
  return cause;
}
