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
#include "remote/tls.h"
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

static void begin(void)
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
  ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(server_context, ca_path(ca, "good.crt")), 1);
  ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(server_context, ca_path(ca, "good.key"),
                                               SSL_FILETYPE_PEM), 1);
  server = SSL_new(server_context);
  SSL_set_fd(server, ends[1]);
  tls = lrd_tls_new(context, ends[0]);
  ck_assert_ptr_nonnull(tls);
  int ours = LRD_STREAM_AGAIN, theirs = 0;
  for (int i = 0; i < 100 && (ours || theirs != 1); i++) {
    if (ours)
      ours = lrd_tls_handshake(tls);
    if (theirs != 1)
      theirs = SSL_accept(server);
  }
  ck_assert(ours == 0 && theirs == 1);
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

static TCase *tests(void)
{
  TCase *c = tcase_create("tls_pipe");
  tcase_add_test(c, what_is_taken_arrives);
  tcase_add_test(c, one_read_takes_all);
  tcase_add_loop_test(c, an_end, 0, 2);
  return c;
}

int main(void)
{
  ca = ca_new("larder test CA");
  ca_issue(ca, &(struct ca_request){.file = "good", .name = "good", .names = "DNS:localhost"});
  Suite *s = suite_create("tls_pipe");
  suite_add_tcase(s, tests());
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  ca_free(ca);
  return failed ? 1 : 0;
}
