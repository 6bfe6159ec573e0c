/* SPDX-License-Identifier: BSD-2-Clause */
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "remote/through.h"

/*
 * Where the server is: names whose resolver hangs, fails or changes its mind, several addresses of
 * which some are dead, and an address that nobody answers from.  The resolver is this program's own:
 * its getaddrinfo stands in front of libc's.
 */

enum { ADDRESSES = 4 };

static struct {
  pthread_mutex_t mutex;
  pthread_cond_t cond;
  int hangs, asked;
  size_t count; /* 0: no such name */
  struct {
    int family;
    const char *text;
  } of[ADDRESSES];
} names = {.mutex = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};

struct found {
  struct addrinfo info;
  struct sockaddr_storage address;
};

static struct addrinfo *one(size_t i, const char *service)
{
  struct found *f = calloc(1, sizeof *f);
  in_port_t port = htons((in_port_t)atoi(service));
  struct sockaddr_in *v4 = (void *)&f->address;
  struct sockaddr_in6 *v6 = (void *)&f->address;
  f->info.ai_family = names.of[i].family;
  f->info.ai_socktype = SOCK_STREAM;
  f->info.ai_addr = (void *)&f->address;
  if (names.of[i].family == AF_INET) {
    *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK + (in_addr_t)atoi(names.of[i].text) - 1);
    f->info.ai_addrlen = sizeof *v4;
  } else {
    *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port,
                                .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    f->info.ai_addrlen = sizeof *v6;
  }
  return &f->info;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
  (void)name, (void)hints;
  struct addrinfo *first = NULL, **last = &first;
  pthread_mutex_lock(&names.mutex);
  names.asked++;
  while (names.hangs)
    pthread_cond_wait(&names.cond, &names.mutex);
  for (size_t i = 0; i < names.count; i++) {
    *last = one(i, service);
    last = &(*last)->ai_next;
  }
  pthread_mutex_unlock(&names.mutex);
  *out = first;
  return first ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
  for (struct addrinfo *next; list; list = next) {
    next = list->ai_next;
    free(list);
  }
}

/* "4:1" is 127.0.0.1, "4:9" is 127.0.0.9, "6" is ::1. */
static void name_is(const char *a, const char *b, const char *c)
{
  const char *text[] = {a, b, c};
  pthread_mutex_lock(&names.mutex);
  names.count = 0;
  for (int i = 0; i < 3 && text[i]; i++) {
    names.of[names.count].family = text[i][0] == '4' ? AF_INET : AF_INET6;
    names.of[names.count++].text = text[i] + 2;
  }
  pthread_mutex_unlock(&names.mutex);
}

static void resolver_hangs(int hangs)
{
  pthread_mutex_lock(&names.mutex);
  names.hangs = hangs;
  pthread_cond_broadcast(&names.cond);
  pthread_mutex_unlock(&names.mutex);
}

static void by_name(struct lrd_config *c)
{
  c->host = (char *)"somewhere.test";
}

static struct rig_reply ask(const char *words, int timeout_ms)
{
  return rig_run_with(&through.rig, NULL, 0, timeout_ms, words);
}

/* A listener whose queue is full: it answers nobody. */
struct hole {
  int listener, waiting[8];
};

static void dig(struct hole *h, int last_byte, int port)
{
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port),
                          .sin_addr = {htonl(INADDR_LOOPBACK + (in_addr_t)last_byte - 1)}};
  h->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ck_assert_int_eq(bind(h->listener, (void *)&a, sizeof a), 0);
  ck_assert_int_eq(listen(h->listener, 0), 0);
  for (int i = 0; i < 8; i++) {
    h->waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)!connect(h->waiting[i], (void *)&a, sizeof a);
  }
}

static void fill_in(struct hole *h)
{
  for (int i = 0; i < 8; i++)
    close(h->waiting[i]);
  close(h->listener);
}

/* --- tests ----------------------------------------------------------------------------- */

START_TEST(a_resolver_that_hangs)
{
  through_prepare(NULL, 0);
  name_is("4:1", NULL, NULL);
  resolver_hangs(1);
  through_open(by_name);
  through_stall();
  struct rig_reply r = ask("SET s v", 60);
  ck_assert_int_eq(r.verdict.outcome, LARDER_NOT_SENT);
  ck_in_time(r.took_ms, 60);
  struct rig_asked a;
  rig_ask(&through.rig, &a, 0, 60, "SET s v");
  ck_assert_int_eq(rig_answers(&a, 3000, &r), 0);
  ck_assert_int_eq(r.verdict.outcome, LARDER_NOT_SENT);
  ck_in_time(r.took_ms, 60);
  rig_close(&through.rig); /* does not wait for it: the rig would tell */
  ck_side("EXISTS s", "0");
  resolver_hangs(0);
  through_open(by_name);
  through_heals("GET s", "nil", 3000);
  through_end();
}
END_TEST

START_TEST(a_name_that_nobody_knows_and_then_somebody)
{
  through_prepare(NULL, 0);
  name_is(NULL, NULL, NULL);
  through_open(by_name);
  struct rig_reply r = ask("SET s v", 60);
  ck_fate(r, LARDER_NOT_SENT, LARDER_CAUSE_REFUSED);
  name_is("4:1", NULL, NULL); /* asked again at each attempt */
  through_heals("GET s", "nil", 3000);
  ck_side("EXISTS s", "0");
  through_end();
}
END_TEST

/* The server has moved: whoever connects anew asks for the name anew. */
START_TEST(a_name_that_changes)
{
  through_prepare(NULL, 0);
  name_is("4:1", NULL, NULL);
  through_open(by_name);
  through_heals("GET s", "nil", 3000);
  int asked = names.asked;
  proxy_set_door(through.proxy, PROXY_CLOSED);
  struct proxy_fault cut = {.verb = PROXY_CUT};
  proxy_arm(through.proxy, &cut, 1);
  ck_assert_int_eq(ask("GET s", 100).verdict.outcome, LARDER_NO_ANSWER);
  name_is("4:7", NULL, NULL);
  ck_assert_int_eq(ask("GET s", 100).verdict.outcome, LARDER_NOT_SENT);
  proxy_set_door(through.proxy, PROXY_OPEN);
  name_is("4:7", "4:1", NULL);
  through_heals("GET s", "nil", 3000);
  ck_assert_int_gt(names.asked, asked);
  through_end();
}
END_TEST

static const char *const lists[][3] = {
  {"6", "4:1", NULL},     /* v6 is dead, v4 alive */
  {"4:9", "4:1", NULL},   /* refused, alive */
  {"4:9", "4:8", "4:1"},
  {"4:5", "4:1", NULL},   /* a black hole, alive */
  {"4:5", "6", "4:1"},
};

START_TEST(one_address_alive_is_enough)
{
  struct hole hole;
  through_prepare(NULL, 0);
  dig(&hole, 5, proxy_port(through.proxy));
  name_is(lists[_i][0], lists[_i][1], lists[_i][2]);
  through_open(by_name);
  through_stall();
  struct rig_reply r = ask("SET s v", 2000); /* connect_timeout is 100 ms, of all together */
  ck_fate(r, LARDER_OK, LARDER_CAUSE_NONE);
  ck_in_time(r.took_ms, 100);
  ck_assert_uint_eq(rig_status(&through.rig).connect_faults, 0); /* by one attempt */
  fill_in(&hole);
  through_end();
}
END_TEST

static void patient(struct lrd_config *c)
{
  by_name(c);
  c->max_retries = 0;
}

/* Nobody answers, from any address: one deadline for all. */
START_TEST(black_holes)
{
  struct hole hole[3];
  through_prepare(NULL, 0);
  for (int i = 0; i < 3; i++)
    dig(&hole[i], 5 + i, proxy_port(through.proxy));
  name_is("4:5", "4:6", "4:7");
  through_open(patient);
  through_stall();
  struct rig_reply r = ask("SET s v", 2000);
  ck_fate(r, LARDER_NOT_SENT, LARDER_CAUSE_SILENT);
  ck_in_time(r.took_ms, 100);
  r = ask("SET s v", 30); /* and the call's own, if that is shorter */
  ck_assert_int_eq(r.verdict.outcome, LARDER_NOT_SENT);
  ck_in_time(r.took_ms, 30);
  ck_side("EXISTS s", "0");
  for (int i = 0; i < 3; i++)
    fill_in(&hole[i]);
  name_is("4:1", NULL, NULL);
  through_heals("GET s", "nil", 3000);
  through_end();
}
END_TEST

int main(void)
{
  server_require();
  Suite *suite = suite_create("addresses");
  TCase *t = tcase_create("addresses");
  tcase_set_timeout(t, 30);
  tcase_add_test(t, a_resolver_that_hangs);
  tcase_add_test(t, a_name_that_nobody_knows_and_then_somebody);
  tcase_add_test(t, a_name_that_changes);
  tcase_add_loop_test(t, one_address_alive_is_enough, 0, sizeof lists / sizeof *lists);
  tcase_add_test(t, black_holes);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
