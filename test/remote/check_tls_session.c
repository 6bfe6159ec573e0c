/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "remote/rig.h"
#include "remote/stream.h"
#include "remote/tls_part.h"
#include "support/ca.h"
#include "support/check.h"
#include "support/server.h"

/* Sessions of TLS that are resumed, and those that must not be, at a redis-server. */

static struct ca *ca;
static struct server *server;
static int tls_port;

static void start(const char *version)
{
  char lines[1024];
  tls_port = server_free_port();
  snprintf(lines, sizeof lines,
           "tls-port %d\ntls-cert-file %s.crt\ntls-key-file %s.key\ntls-auth-clients no\n"
           "tls-protocols \"%s\"\n", tls_port, ca_path(ca, "good"), ca_path(ca, "good"), version);
  server = server_start(&(struct server_options){.config = lines});
}

static struct lrd_tls_context *new_store(int insecure)
{
  static struct lrd_config config;
  char error[200] = "";
  struct lrd_tls_context *c;
  config = (struct lrd_config){.scheme = LRD_SCHEME_TLS, .host = (char *)"localhost",
                               .tls_ca = (char *)ca_path(ca, "ca.crt"), .tls_insecure = insecure};
  ck_assert_msg(lrd_tls_context_new(&c, &config, &rig_memory, error, sizeof error) == LARDER_OK,
                "%s", error);
  return c;
}

static void await(int fd)
{
  struct pollfd p = {.fd = fd, .events = POLLIN};
  ck_assert_int_eq(poll(&p, 1, 10000), 1);
}

static int dial(void)
{
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)tls_port),
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(connect(fd, (void *)&a, sizeof a), 0);
  return fd;
}

/* A connection with a PING, which brings the tickets of TLS 1.3, too: was it resumed? */
static int resumes(struct lrd_tls_context *c)
{
  char bytes[100];
  int fd = dial(), n;
  struct lrd_tls *t = lrd_tls_new(c, fd);
  ck_assert_ptr_nonnull(t);
  while ((n = lrd_tls_handshake(t)) == LRD_STREAM_AGAIN)
    await(fd);
  ck_assert_int_eq(n, 0);
  int resumed = SSL_session_reused(t->ssl);
  ck_assert_int_eq(lrd_tls_write(t, "PING\r\n", 6), 6);
  ssize_t got;
  while ((got = lrd_tls_read(t, bytes, sizeof bytes)) == LRD_STREAM_AGAIN)
    await(fd);
  ck_assert(got == 7 && memcmp(bytes, "+PONG\r\n", 7) == 0);
  lrd_tls_free(t);
  close(fd);
  return resumed;
}

static int kept(struct lrd_tls_context *c)
{
  int n = 0;
  for (int i = 0; i < LRD_TLS_SESSIONS; i++)
    n += atomic_load(&c->session[i]) != NULL;
  return n;
}

static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};

/* TLS 1.2: again and again; a ticket of 1.3 once, and none that a resumed connection brought. */
START_TEST(resumed)
{
  start(versions[_i]);
  struct lrd_tls_context *store = new_store(0), *other = new_store(0);
  ck_assert_int_eq(resumes(store), 0);
  int tickets = kept(store);
  ck_assert_int_ge(tickets, 1);
  for (int i = 0; i < tickets; i++)
    ck_assert_int_eq(resumes(store), 1);
  ck_assert_int_eq(resumes(store), _i ? 0 : 1);
  ck_assert_int_eq(resumes(other), 0);
  lrd_tls_context_free(store);
  lrd_tls_context_free(other);
  server_stop(server);
}
END_TEST

START_TEST(nothing_was_verified)
{
  start(versions[_i]);
  struct lrd_tls_context *store = new_store(1);
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(resumes(store), 0);
  ck_assert_int_eq(kept(store), 0);
  lrd_tls_context_free(store);
  server_stop(server);
}
END_TEST

START_TEST(too_old)
{
  start(versions[_i]);
  struct lrd_tls_context *store = new_store(0);
  for (int late = 0; late < 2; late++) {
    ck_assert_int_eq(resumes(store), 0);
    long at = (long)time(NULL) - (late ? LRD_TLS_SESSION_SECONDS : -100);
    for (int i = 0; i < LRD_TLS_SESSIONS; i++)
      if (atomic_load(&store->session[i]))
        SSL_SESSION_set_time(atomic_load(&store->session[i]), at);
  }
  ck_assert_int_eq(resumes(store), 0);
  lrd_tls_context_free(store);
  server_stop(server);
}
END_TEST

/* Another server at the port knows nothing of them: a whole handshake, no fault. */
START_TEST(of_another_server)
{
  start(versions[_i]);
  struct lrd_tls_context *store = new_store(0);
  ck_assert_int_eq(resumes(store), 0);
  server_restart(server);
  ck_assert_int_eq(resumes(store), 0);
  ck_assert_int_le(kept(store), LRD_TLS_SESSIONS);
  lrd_tls_context_free(store);
  server_stop(server);
}
END_TEST

/* More than there is room for. */
START_TEST(bounded)
{
  start(versions[_i]);
  struct lrd_tls_context *store = new_store(0);
  for (int i = 0; i < 3 * LRD_TLS_SESSIONS; i++)
    lrd_tls_session_keep(store, SSL_SESSION_new());
  ck_assert_int_eq(kept(store), LRD_TLS_SESSIONS);
  ck_assert_int_eq(resumes(store), 0); /* none of them can be */
  lrd_tls_context_free(store);
  server_stop(server);
}
END_TEST

/* A handshake that was resumed but never ended gives nothing back, and leaks nothing. */
START_TEST(broken_off)
{
  start(versions[_i]);
  struct lrd_tls_context *store = new_store(0);
  ck_assert_int_eq(resumes(store), 0);
  int before = kept(store), ends[2];
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  struct lrd_tls *t = lrd_tls_new(store, ends[0]);
  ck_assert_ptr_nonnull(t);
  ck_assert_int_eq(lrd_tls_handshake(t), LRD_STREAM_AGAIN);
  lrd_tls_free(t);
  close(ends[0]);
  close(ends[1]);
  ck_assert_int_eq(kept(store), before - 1);
  lrd_tls_context_free(store);
  server_stop(server);
}
END_TEST

int main(void)
{
  server_require();
  ca = ca_new("larder test CA");
  ca_issue(ca, &(struct ca_request){.file = "good", .name = "good", .names = "DNS:localhost"});
  Suite *s = suite_create("tls_session");
  TCase *c = tcase_create("tls_session");
  tcase_set_timeout(c, 60);
  tcase_add_loop_test(c, resumed, 0, 2);
  tcase_add_loop_test(c, nothing_was_verified, 0, 2);
  tcase_add_loop_test(c, too_old, 0, 2);
  tcase_add_loop_test(c, of_another_server, 0, 2);
  tcase_add_loop_test(c, bounded, 0, 2);
  tcase_add_loop_test(c, broken_off, 0, 2);
  suite_add_tcase(s, c);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  ca_free(ca);
  return failed ? 1 : 0;
}
