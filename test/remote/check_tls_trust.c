/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remote/rig.h"
#include "support/ca.h"
#include "support/check.h"
#include "support/sanitizer.h"
#include "support/server.h"
#include "util/clock.h"

/* Whom the remote backend trusts: names, addresses and chains, shown by a redis-server with
 * certificates of this run. */

static struct ca *ca;

static const struct ca_request requests[] = {
  {.file = "star", .name = "star", .names = "DNS:*.cache.example"},
  {.file = "part", .name = "part", .names = "DNS:a*.cache.example"},
  {.file = "addresses", .name = "addresses", .names = "IP:127.0.0.1,IP:::1"},
  {.file = "dressed", .name = "dressed", .names = "DNS:127.0.0.1,DNS:::1"},
  {.file = "middle", .name = "middle CA", .authority = 1},
  {.file = "old", .name = "old CA", .authority = 1, .from = -20, .to = -2},
  {.file = "none", .name = "no CA", .names = "DNS:localhost"},
  {.file = "chained", .name = "chained", .names = "DNS:localhost", .issuer = "middle", .chain = 1},
  {.file = "alone", .name = "alone", .names = "DNS:localhost", .issuer = "middle"},
  {.file = "stale", .name = "stale", .names = "DNS:localhost", .issuer = "old", .chain = 1},
  {.file = "forged", .name = "forged", .names = "DNS:localhost", .issuer = "none", .chain = 1},
};

static const struct trial {
  const char *certificate, *name;
  const char *says[2]; /* of the refusal; NULL: it is trusted */
} trials[] = {
  {"star", "a.cache.example", {NULL}},
  {"star", "A.Cache.EXAMPLE", {NULL}},
  {"star", "a.cache.example.", {NULL}},
  {"star", "a.b.cache.example", {"not for 'a.b.cache.example'", "*.cache.example"}},
  {"star", "cache.example", {"not for 'cache.example'", "*.cache.example"}},
  {"star", "127.0.0.1", {"not for '127.0.0.1'", "*.cache.example"}},
  {"part", "ab.cache.example", {"not for 'ab.cache.example'", "a*.cache.example"}},
  {"addresses", "127.0.0.1", {NULL}},
  {"addresses", "::1", {NULL}},
  {"addresses", "0:0::0:1", {NULL}},
  {"addresses", "::1%lo", {NULL}},
  {"addresses", "127.0.0.2", {"not for '127.0.0.2'", "127.0.0.1, ::1"}},
  {"addresses", "::2", {"not for '::2'", "127.0.0.1, ::1"}},
  {"addresses", "::ffff:127.0.0.1", {"not for '::ffff:127.0.0.1'", "127.0.0.1"}},
  {"dressed", "127.0.0.1", {"not for '127.0.0.1'", ""}},
  {"dressed", "::1", {"not for '::1'", ""}},
  {"chained", "localhost", {NULL}},
  {"alone", "localhost", {"issued by 'middle CA'", "not trusted (option tls_ca)"}},
  {"stale", "localhost", {"of the issuer 'old CA' expired on 20", "UTC"}},
  {"forged", "localhost", {"'no CA'", "invalid CA"}},
};

START_TEST(trust)
{
  const struct trial *t = &trials[_i];
  static struct rig rig;
  struct lrd_config c;
  char lines[1024];
  int port = server_free_port();
  snprintf(lines, sizeof lines,
           "tls-port %d\ntls-cert-file %s.crt\ntls-key-file %s.key\ntls-auth-clients no\n", port,
           ca_path(ca, t->certificate), ca_path(ca, t->certificate));
  struct server *server = server_start(&(struct server_options){.config = lines});
  rig_config(&c, port, NULL);
  c.scheme = LRD_SCHEME_TLS;
  c.tls_ca = (char *)ca_path(ca, "ca.crt");
  c.tls_name = (char *)t->name;
  c.timeout = c.connect_timeout = TEST_TIMES(5000, 30000) * LRD_NS_PER_MS;
  c.max_retries = 0;
  rig_open(&rig, &c);
  struct rig_reply r = rig_run(&rig, "SET a 1");
  int wanted = t->says[0] ? LARDER_NOT_SENT : LARDER_OK;
  ck_assert_msg((int)r.verdict.outcome == wanted, "%s for %s: %d, not %d: %s", t->certificate,
                t->name, (int)r.verdict.outcome, wanted, r.text);
  if (t->says[0]) {
    ck_assert_int_eq(r.verdict.cause, LARDER_CAUSE_TLS);
    ck_assert_msg(strstr(r.text, t->says[0]) && strstr(r.text, t->says[1]), "'%s' and '%s': %s",
                  t->says[0], t->says[1], r.text);
    ck_assert_uint_eq(rig_status(&rig).commands_sent, 0);
  }
  rig_close(&rig);
  server_stop(server);
}
END_TEST

int main(void)
{
  server_require();
  ca = ca_new("larder test CA");
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
    ca_issue(ca, &requests[i]);
  Suite *s = suite_create("tls_trust");
  TCase *c = tcase_create("tls_trust");
  tcase_set_timeout(c, TEST_TIMES(60, 120));
  tcase_add_loop_test(c, trust, 0, sizeof trials / sizeof *trials);
  suite_add_tcase(s, c);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  ca_free(ca);
  return failed ? 1 : 0;
}
