/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "remote/rig.h"
#include "remote/stream.h"
#include "remote/tls_part.h"
#include "support/ca.h"
#include "support/check.h"

/* The TLS layer alone, over a pair of sockets with little room, both ends in this thread. */

static struct ca *ca;
static struct lrd_config config;
static struct lrd_tls_context *context;
static struct lrd_tls *tls;
static SSL_CTX *server_context;
static SSL *server;
static int ends[2];

static void pair(const char *certificate, const char *key)
{
  char error[200] = "";
  int room = 4096;
  config = (struct lrd_config){.scheme = LRD_SCHEME_TLS, .host = (char *)"localhost",
                               .tls_ca = (char *)ca_path(ca, "ca.crt")};
  ck_assert_msg(lrd_tls_context_new(&context, &config, &rig_memory, error, sizeof error) ==
                  LARDER_OK, "%s", error);
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  server_context = SSL_CTX_new(TLS_server_method());
  ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(server_context, ca_path(ca, certificate)), 1);
  ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(server_context, ca_path(ca, key),
                                               SSL_FILETYPE_PEM), 1);
  server = SSL_new(server_context);
  SSL_set_fd(server, ends[1]);
  tls = lrd_tls_new(context, ends[0]);
  ck_assert_ptr_nonnull(tls);
}

static int shake_hands(void)
{
  int ours = LRD_STREAM_AGAIN, theirs = 0;
  for (int i = 0; i < 100 && ours != LRD_STREAM_FAULT && (ours || theirs != 1); i++) {
    if (ours)
      ours = lrd_tls_handshake(tls);
    if (theirs != 1)
      theirs = SSL_accept(server);
  }
  return ours == 0 && theirs == 1;
}

static void begin(void)
{
  pair("good.crt", "good.key");
  ck_assert(shake_hands());
}

static void end(void)
{
  lrd_tls_free(tls);
  lrd_tls_context_free(context);
  SSL_free(server);
  SSL_CTX_free(server_context);
  close(ends[0]);
  close(ends[1]);
}

enum { SIZE = 300000 };

/* What is taken arrives; what is not taken may be something else the next time. */
START_TEST(what_is_taken_arrives)
{
  static char sent[SIZE], received[SIZE], offer[40000];
  size_t taken = 0, arrived = 0;
  int full = 0, owed_alone = 0;
  begin();
  for (int round = 0; taken < SIZE - sizeof offer; round++) {
    memset(offer, 'a' + round % 26, sizeof offer);
    ssize_t n = lrd_tls_write(tls, offer, sizeof offer);
    if (n > 0) {
      memcpy(sent + taken, offer, (size_t)n);
      taken += (size_t)n;
      owed_alone += lrd_tls_owes(tls);
      continue;
    }
    ck_assert_int_eq(n, LRD_STREAM_AGAIN);
    ck_assert_int_eq(lrd_tls_owes(tls), 1);
    full++;
    int got = SSL_read(server, received + arrived, 3000);
    arrived += got > 0 ? (size_t)got : 0;
  }
  for (int i = 0; i < 100000 && arrived < taken; i++) {
    ck_assert_int_ne(lrd_tls_flush(tls), LRD_STREAM_FAULT);
    int got = SSL_read(server, received + arrived, (int)(SIZE - arrived));
    arrived += got > 0 ? (size_t)got : 0;
  }
  ck_assert_int_eq(lrd_tls_owes(tls), 0);
  ck_assert_uint_eq(arrived, taken);
  ck_assert(memcmp(sent, received, taken) == 0);
  ck_assert(full > 0 && owed_alone > 0);
  end();
}
END_TEST

/* One read takes all that one recv brought, however many records. */
START_TEST(one_read_takes_all)
{
  static char bytes[LRD_STREAM_READ_SIZE];
  begin();
  for (int i = 0; i < 50; i++)
    ck_assert_int_eq(SSL_write(server, "0123456789", 10), 10);
  ck_assert_int_eq(lrd_tls_read(tls, bytes, sizeof bytes), 500);
  ck_assert_int_eq(lrd_tls_read(tls, bytes, sizeof bytes), LRD_STREAM_AGAIN);
  ck_assert_int_eq(SSL_write(server, "0123456789", 10), 10);
  for (int i = 0; i < 10; i++)
    ck_assert_int_eq(lrd_tls_read(tls, bytes, 1), 1);
  ck_assert_int_eq(lrd_tls_read(tls, bytes, 1), LRD_STREAM_AGAIN);
  end();
}
END_TEST

/* The end behind the last bytes, with and without a goodbye; no signal in writing to nobody. */
START_TEST(an_end)
{
  char bytes[100], text[LRD_STREAM_ERROR_SIZE];
  begin();
  ck_assert_int_eq(SSL_write(server, "last", 4), 4);
  if (_i)
    SSL_shutdown(server);
  close(ends[1]);
  ends[1] = -1;
  ck_assert_int_eq(lrd_tls_read(tls, bytes, sizeof bytes), 4);
  ck_assert_int_eq(lrd_tls_read(tls, bytes, sizeof bytes), _i ? 0 : LRD_STREAM_FAULT);
  if (!_i) {
    ck_assert_int_eq(lrd_tls_error(tls, text, sizeof text), 1);
    ck_assert_msg(strstr(text, "close_notify"), "%s", text);
    ck_assert_int_eq(lrd_tls_cause(tls), LARDER_CAUSE_CUT);
  }
  ck_assert_int_eq(lrd_tls_write(tls, "x", 1), LRD_STREAM_FAULT);
  end();
}
END_TEST

/* What counts what a connection has received must not come round to its beginning. */
START_TEST(a_long_life)
{
  char bytes[100];
  begin();
  tls->heard = -1; /* as after 2^32 - 1 times */
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(SSL_write(server, "0123456789", 10), 10);
    ck_assert_int_eq(lrd_tls_read(tls, bytes, sizeof bytes), 10);
  }
  end();
}
END_TEST

/* Plain text without an end of line, as much as one recv takes: nothing is read behind it. */
START_TEST(a_long_plain_text)
{
  char text[LRD_STREAM_ERROR_SIZE], plain[sizeof tls->in];
  pair("good.crt", "good.key");
  memset(plain, 'A', sizeof plain);
  ck_assert_int_eq(write(ends[1], plain, sizeof plain), sizeof plain);
  ck_assert_int_eq(lrd_tls_handshake(tls), LRD_STREAM_FAULT);
  ck_assert_int_eq(lrd_tls_error(tls, text, sizeof text), 1);
  ck_assert_msg(strstr(text, "it answered 'AAAA"), "%s", text);
  end();
}
END_TEST

/* A certificate whose address is neither of 4 nor of 16 bytes: it is not read behind its end. */
START_TEST(an_address_of_one_byte)
{
  char text[LRD_STREAM_ERROR_SIZE];
  pair("odd.crt", "odd.key");
  ck_assert(!shake_hands());
  ck_assert_int_eq(lrd_tls_error(tls, text, sizeof text), 1);
  ck_assert_msg(strstr(text, "not for 'localhost'; its names: none"), "%s", text);
  end();
}
END_TEST

#if OPENSSL_VERSION_NUMBER >= 0x30000000L /* SSL_new_session_ticket */
/* A ticket too long for one record, as large as its server wants it. */
static int fatten(SSL *ssl, void *unused)
{
  static const char much[3000];
  (void)unused;
  return SSL_SESSION_set1_ticket_appdata(SSL_get0_session(ssl), much, sizeof much);
}

static SSL_TICKET_RETURN keep(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                              size_t name_len, SSL_TICKET_STATUS status, void *unused)
{
  (void)ssl, (void)session, (void)name, (void)name_len, (void)status, (void)unused;
  return SSL_TICKET_RETURN_IGNORE;
}

/* In the middle of a ticket OpenSSL writes nothing: what it is given goes out behind it. */
START_TEST(a_write_that_has_to_read_first)
{
  char bytes[8192], *ticket, got[sizeof bytes];
  pair("good.crt", "good.key");
  SSL_CTX_set_session_ticket_cb(server_context, fatten, keep, NULL);
  ck_assert(shake_hands());
  ck_assert_int_eq(lrd_tls_read(tls, bytes, sizeof bytes), LRD_STREAM_AGAIN);
  SSL_set_max_send_fragment(server, 512);
  SSL_set0_wbio(server, BIO_new(BIO_s_mem()));
  ck_assert_int_eq(SSL_new_session_ticket(server), 1);
  ck_assert_int_eq(SSL_do_handshake(server), 1);
  long len = BIO_get_mem_data(SSL_get_wbio(server), &ticket);
  ck_assert_int_gt(len, 3000);
  ck_assert_int_eq(send(ends[1], ticket, 1200, 0), 1200);
  ck_assert_int_eq(lrd_tls_read(tls, bytes, sizeof bytes), LRD_STREAM_AGAIN);
  ck_assert_int_eq(lrd_tls_write(tls, "hello", 5), 5);
  ck_assert_int_eq(lrd_tls_write(tls, " world", 6), 6);
  ck_assert_int_eq(lrd_tls_owes(tls), 0); /* or a poll for writing would spin */
  ck_assert_int_eq(lrd_tls_flush(tls), 0);
  ck_assert_int_le(SSL_read(server, got, sizeof got), 0);
  memset(bytes, 'x', sizeof bytes);
  ssize_t n, held = 11;
  while ((n = lrd_tls_write(tls, bytes, sizeof bytes)) > 0)
    held += n;
  ck_assert_int_eq(n, LRD_STREAM_AGAIN);
  ck_assert_int_eq(held, LRD_TLS_OWED);
  ck_assert_int_eq(send(ends[1], ticket + 1200, (size_t)len - 1200, 0), len - 1200);
  ssize_t arrived = 0;
  for (int i = 0; i < 1000 && arrived < held; i++) {
    ck_assert_int_eq(lrd_tls_read(tls, bytes, sizeof bytes), LRD_STREAM_AGAIN);
    ck_assert_int_ne(lrd_tls_flush(tls), LRD_STREAM_FAULT);
    int part = SSL_read(server, got, sizeof got);
    if (part > 0 && arrived == 0)
      ck_assert(memcmp(got, "hello world", 11) == 0);
    arrived += part > 0 ? part : 0;
  }
  ck_assert_int_eq(arrived, held);
  end();
}
END_TEST
#endif

static TCase *tests(void)
{
  TCase *c = tcase_create("tls_pipe");
  tcase_add_test(c, what_is_taken_arrives);
  tcase_add_test(c, one_read_takes_all);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
  tcase_add_test(c, a_write_that_has_to_read_first);
#endif
  tcase_add_loop_test(c, an_end, 0, 2);
  tcase_add_test(c, a_long_life);
  tcase_add_test(c, a_long_plain_text);
  tcase_add_test(c, an_address_of_one_byte);
  return c;
}

int main(void)
{
  ca = ca_new("larder test CA");
  ca_issue(ca, &(struct ca_request){.file = "good", .name = "good", .names = "DNS:localhost"});
  ca_issue(ca, &(struct ca_request){.file = "odd", .name = "odd", .names = "DER:30:03:87:01:0a"});
  Suite *s = suite_create("tls_pipe");
  suite_add_tcase(s, tests());
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  ca_free(ca);
  return failed ? 1 : 0;
}
