/* SPDX-License-Identifier: BSD-2-Clause */
#include "simulate/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/task.h"
#include "simulate/world.h"

struct sim_server sim_server;
void (*sim_server_applied)(int database, const struct sim_bytes *argv, size_t argc);
void (*sim_server_forgot)(void);

enum { ARGUMENTS = 512, WATCHED = 8 };

struct queued {
  struct queued *next;
  size_t argc;
  struct sim_bytes *argv; /* the bytes stand behind */
};

struct session {
  struct sim_conn *conn;
  unsigned long long id;
  int database, multi, broken, closing;
  struct queued *first, **last;
  struct {
    int database;
    char key[64];
    uint64_t version;
  } watched[WATCHED];
  unsigned watches;
  struct sim_listens listens;
};

static struct sim_keyspace *data, *saved;
static unsigned long long ids;

const struct sim_keyspace *sim_server_keys(void)
{
  return data;
}

/* --- sessions ------------------------------------------------------------------------------- */

static struct session *session_of(struct sim_conn *c)
{
  return *sim_conn_session(c);
}

const struct sim_listens *sim_server_listens(struct sim_conn *c)
{
  return session_of(c) ? &session_of(c)->listens : NULL;
}

static void forget_queue(struct session *s)
{
  for (struct queued *q; (q = s->first);) {
    s->first = q->next;
    free(q->argv);
    free(q);
  }
  s->last = &s->first;
  s->multi = s->broken = 0;
}

int sim_server_accept(const struct sim_conn *c)
{
  (void)c;
  return sim_server.up;
}

void sim_server_accepted(struct sim_conn *c)
{
  struct session *s = calloc(1, sizeof *s);
  if (!s)
    abort();
  s->conn = c;
  s->id = ++ids;
  s->last = &s->first;
  *sim_conn_session(c) = s;
  sim_trace("accepted: port %lld, id %llu", sim_conn_port(c), s->id);
  if (sim_now() < sim_server.full_until) {
    static const char full[] = "-ERR max number of clients reached\r\n";
    sim_conn_reply(c, full, sizeof full - 1);
    sim_conn_drop(c, 0);
  }
}

void sim_server_gone(struct sim_conn *c)
{
  struct session *s = session_of(c);
  if (!s)
    return;
  forget_queue(s);
  free(s);
  *sim_conn_session(c) = NULL;
}

/* --- commands of the connection --------------------------------------------------------------- */

struct kill {
  unsigned long long id;
  struct sim_conn *found;
};

static void look_for(struct sim_conn *c, void *context)
{
  struct kill *k = context;
  if (session_of(c) && session_of(c)->id == k->id)
    k->found = c;
}

static void add_address(struct sim_text *out, const struct session *s)
{
  sim_text_format(out, "127.0.0.1:%lld", sim_conn_port(s->conn));
}

static unsigned long long to_number(struct sim_bytes b)
{
  char text[24];
  snprintf(text, sizeof text, "%.*s", (int)(b.len < 23 ? b.len : 23), b.data);
  return strtoull(text, NULL, 10);
}

/* CLIENT KILL ID n [ADDR a]: its own connection is not asked for. */
static void client_kill(struct session *s, const struct sim_bytes *argv, size_t argc,
                        struct sim_text *out)
{
  struct kill k = {to_number(argv[3]), NULL};
  sim_conn_each(look_for, &k);
  if (k.found && argc == 6) {
    struct sim_text address = {0};
    add_address(&address, session_of(k.found));
    if (address.len != argv[5].len || memcmp(address.data, argv[5].data, argv[5].len) != 0)
      k.found = NULL;
    free(address.data);
  }
  if (k.found && k.found != s->conn) {
    sim_trace("killed: port %lld, id %llu", sim_conn_port(k.found), k.id);
    sim_conn_drop(k.found, 0);
  }
  sim_text_format(out, ":%d\r\n", k.found != NULL);
}

static void add_bulk(struct sim_text *out, const struct sim_text *text)
{
  sim_text_format(out, "$%zu\r\n", text->len);
  sim_text_add(out, text->data, text->len);
  sim_text_add(out, "\r\n", 2);
}

static void client(struct session *s, const struct sim_bytes *argv, size_t argc,
                   struct sim_text *out)
{
  if (argc >= 2 && sim_is(&argv[1], "ID")) {
    sim_text_format(out, ":%llu\r\n", s->id);
  } else if (argc >= 4 && sim_is(&argv[1], "KILL")) {
    client_kill(s, argv, argc, out);
  } else if (argc == 2 && sim_is(&argv[1], "INFO")) {
    struct sim_text text = {0};
    sim_text_format(&text, "id=%llu addr=", s->id);
    add_address(&text, s);
    sim_text_format(&text, " laddr=127.0.0.1:6379 fd=8 name= db=%d\n", s->database);
    add_bulk(out, &text);
    free(text.data);
  } else {
    sim_text_format(out, "+OK\r\n");
  }
}

static void info(const struct sim_bytes *argv, size_t argc, struct sim_text *out)
{
  struct sim_text text = {0};
  if (argc == 2 && sim_is(&argv[1], "memory"))
    sim_text_format(&text, "# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n");
  else
    sim_text_format(&text, "# Server\r\nredis_version:7.0.15\r\nrun_id:%040llx\r\n",
                    sim_server.run);
  add_bulk(out, &text);
  free(text.data);
}

static void tell_time(struct sim_text *out)
{
  char seconds[24], us[24];
  int64_t now = sim_now();
  int n = snprintf(seconds, sizeof seconds, "%lld", 1790000000 + (long long)(now / SIM_S));
  int m = snprintf(us, sizeof us, "%lld", (long long)(now % SIM_S / 1000));
  sim_text_format(out, "*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", n, seconds, m, us);
}

static int connection_command(struct session *s, const struct sim_bytes *argv, size_t argc,
                              struct sim_text *out)
{
  if (sim_is(&argv[0], "PING") && argc == 1) {
    sim_text_format(out, s->listens.count ? "*2\r\n$4\r\npong\r\n$0\r\n\r\n" : "+PONG\r\n");
  } else if ((sim_is(&argv[0], "ECHO") || sim_is(&argv[0], "PING")) && argc == 2) {
    if (s->listens.count)
      sim_text_format(out, "*2\r\n$4\r\npong\r\n");
    sim_text_format(out, "$%zu\r\n", argv[1].len);
    sim_text_add(out, argv[1].data, argv[1].len);
    sim_text_add(out, "\r\n", 2);
  } else if (sim_is(&argv[0], "SELECT") && argc == 2) {
    s->database = (int)to_number(argv[1]);
    sim_text_format(out, "+OK\r\n");
  } else if (sim_is(&argv[0], "CLIENT")) {
    client(s, argv, argc, out);
  } else if (sim_is(&argv[0], "INFO")) {
    info(argv, argc, out);
  } else if (sim_is(&argv[0], "TIME")) {
    tell_time(out);
  } else if (sim_is(&argv[0], "AUTH")) {
    sim_text_format(out, "+OK\r\n");
  } else if (sim_is(&argv[0], "PUBLISH") && argc == 3) {
    sim_text_format(out, ":%d\r\n", sim_server_publish(&argv[1], &argv[2]));
  } else {
    return sim_listens_execute(&s->listens, argv, argc, out);
  }
  return 1;
}

/* --- executing ------------------------------------------------------------------------------- */

/* Why the command can't be executed now; NULL: it can. */
static const char *refusal(const struct sim_bytes *argv)
{
  int write = sim_keys_is_write(&argv[0]);
  if (sim_now() < sim_server.loading_until &&
      (write >= 0 || sim_is(&argv[0], "PING") || sim_is(&argv[0], "ECHO")))
    return "-LOADING Redis is loading the dataset in memory\r\n";
  if (write == 1 && sim_now() < sim_server.readonly_until)
    return "-READONLY You can't write against a read only replica.\r\n";
  if (write == 1 && sim_now() < sim_server.oom_until && !sim_is(&argv[0], "DEL"))
    return "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
  return NULL;
}

static void trace_call(const struct session *s, const struct sim_bytes *argv, size_t argc,
                       const struct sim_text *out, size_t from)
{
  char line[300];
  int n = 0;
  if (!sim_tracing)
    return;
  for (size_t i = 0; i < argc && n < 200; i++)
    n += snprintf(line + n, sizeof line - (size_t)n, " %.*s",
                  (int)(argv[i].len > 60 ? 60 : argv[i].len), argv[i].data);
  size_t len = out->len - from;
  while (len && (out->data[from + len - 1] == '\n' || out->data[from + len - 1] == '\r'))
    len--;
  char reply[64];
  size_t m = 0;
  for (; m < len && m < sizeof reply - 1; m++)
    reply[m] = out->data[from + m] < ' ' ? '|' : out->data[from + m];
  reply[m] = 0;
  sim_trace("server id %llu:%s -> %s", s->id, line, reply);
}

/* Outside MULTI, or of EXEC. */
static void execute(struct session *s, const struct sim_bytes *argv, size_t argc,
                    struct sim_text *out)
{
  size_t from = out->len;
  sim_server.commands++;
  sim_server.calls += sim_keys_is_write(&argv[0]) >= 0 || sim_is(&argv[0], "ECHO") ||
                      sim_is(&argv[0], "PUBLISH");
  if (sim_keys_execute(data, s->database, argv, argc, out)) {
    if (sim_keys_is_write(&argv[0]) && sim_server_applied)
      sim_server_applied(s->database, argv, argc);
  } else if (!connection_command(s, argv, argc, out)) {
    sim_text_format(out, "-ERR unknown command '%.*s', with args beginning with: \r\n",
                    (int)(argv[0].len > 100 ? 100 : argv[0].len), argv[0].data);
  }
  trace_call(s, argv, argc, out, from);
}

static void enqueue(struct session *s, const struct sim_bytes *argv, size_t argc,
                    struct sim_text *out)
{
  size_t size = argc * sizeof *argv;
  for (size_t i = 0; i < argc; i++)
    size += argv[i].len;
  struct queued *q = malloc(sizeof *q);
  struct sim_bytes *copy = malloc(size);
  if (!q || !copy)
    abort();
  char *bytes = (char *)(copy + argc);
  for (size_t i = 0; i < argc; i++) {
    copy[i] = (struct sim_bytes){bytes, argv[i].len};
    memcpy(bytes, argv[i].data, argv[i].len);
    bytes += argv[i].len;
  }
  *q = (struct queued){NULL, argc, copy};
  *s->last = q;
  s->last = &q->next;
  sim_text_format(out, "+QUEUED\r\n");
}

static int is_watch_stale(const struct session *s)
{
  for (unsigned i = 0; i < s->watches; i++) {
    struct sim_bytes key = {s->watched[i].key, strlen(s->watched[i].key)};
    if (sim_keys_version(data, s->watched[i].database, key) != s->watched[i].version)
      return 1;
  }
  return 0;
}

static void run_transaction(struct session *s, struct sim_text *out)
{
  if (s->broken) {
    sim_text_format(out, "-EXECABORT Transaction discarded because of previous errors.\r\n");
  } else if (is_watch_stale(s)) {
    sim_text_format(out, "*-1\r\n");
  } else {
    size_t n = 0;
    for (struct queued *q = s->first; q; q = q->next)
      n++;
    sim_text_format(out, "*%zu\r\n", n);
    for (struct queued *q = s->first; q; q = q->next)
      execute(s, q->argv, q->argc, out);
  }
  sim_trace("server id %llu: EXEC", s->id);
  forget_queue(s);
  s->watches = 0;
}

static void watch(struct session *s, const struct sim_bytes *argv, size_t argc)
{
  for (size_t i = 1; i < argc && s->watches < WATCHED; i++) {
    s->watched[s->watches].database = s->database;
    snprintf(s->watched[s->watches].key, sizeof s->watched[0].key, "%.*s", (int)argv[i].len,
             argv[i].data);
    s->watched[s->watches++].version = sim_keys_version(data, s->database, argv[i]);
  }
}

static void dispatch(struct session *s, const struct sim_bytes *argv, size_t argc,
                     struct sim_text *out)
{
  const char *why = refusal(argv);
  if (sim_is(&argv[0], "MULTI")) {
    s->multi = 1;
    sim_text_format(out, "+OK\r\n");
  } else if (sim_is(&argv[0], "EXEC")) {
    if (s->multi)
      run_transaction(s, out);
    else
      sim_text_format(out, "-ERR EXEC without MULTI\r\n");
  } else if (sim_is(&argv[0], "DISCARD")) {
    sim_text_format(out, s->multi ? "+OK\r\n" : "-ERR DISCARD without MULTI\r\n");
    forget_queue(s);
    s->watches = 0;
  } else if (sim_is(&argv[0], "WATCH")) {
    watch(s, argv, argc);
    sim_text_format(out, "+OK\r\n");
  } else if (sim_is(&argv[0], "UNWATCH")) {
    s->watches = 0;
    sim_text_format(out, "+OK\r\n");
  } else if (why) {
    s->broken |= s->multi;
    sim_text_add(out, why, strlen(why));
    sim_trace("server id %llu: %.*s refused", s->id, (int)argv[0].len, argv[0].data);
  } else if (s->multi) {
    enqueue(s, argv, argc, out);
  } else {
    execute(s, argv, argc, out);
  }
}

/* --- reading --------------------------------------------------------------------------------- */

/* The bytes of one command; 0: it is not whole yet. */
static size_t parse(const char *bytes, size_t len, struct sim_bytes *argv, size_t *argc)
{
  const char *p = bytes, *end = bytes + len;
  const char *line = memchr(p, '\n', len);
  if (!line)
    return 0;
  if (*p != '*')
    sim_fail("the server got \"%.*s\", which is no command", (int)(len > 40 ? 40 : len), bytes);
  size_t n = strtoul(p + 1, NULL, 10);
  if (!n || n > ARGUMENTS)
    sim_fail("the server got a command of %zu arguments", n);
  p = line + 1;
  for (size_t i = 0; i < n; i++) {
    line = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
    if (!line)
      return 0;
    if (*p != '$')
      sim_fail("the server got no length");
    size_t size = strtoul(p + 1, NULL, 10);
    p = line + 1;
    if ((size_t)(end - p) < size + 2)
      return 0;
    argv[i] = (struct sim_bytes){p, size};
    p += size + 2;
  }
  *argc = n;
  return (size_t)(p - bytes);
}

void sim_server_input(struct sim_conn *c)
{
  struct sim_bytes argv[ARGUMENTS];
  size_t argc, len, used;
  const char *bytes;
  if (!sim_server.up || sim_now() < sim_server.frozen_until)
    return;
  struct sim_text out = {0};
  while (sim_conn_is_open(c) && session_of(c) && (len = sim_conn_input(c, &bytes)) &&
         (used = parse(bytes, len, argv, &argc))) {
    dispatch(session_of(c), argv, argc, &out);
    sim_conn_consume(c, used);
  }
  if (out.len && sim_conn_is_open(c))
    sim_conn_reply(c, out.data, out.len);
  free(out.data);
  if (sim_conn_is_open(c) && sim_conn_is_ending(c))
    sim_conn_drop(c, 0);
}

/* --- life and faults --------------------------------------------------------------------------- */

static void save(void)
{
  sim_keys_free(saved);
  saved = sim_keys_copy(data);
}

static void drop_one(struct sim_conn *c, void *context)
{
  (void)context;
  sim_conn_drop(c, sim_once_in(2));
}

void sim_server_crash(int keep)
{
  sim_trace("server: crash, its data is %s", keep ? "kept" : "lost");
  sim_server.up = 0;
  sim_server.frozen_until = 0;
  sim_conn_each(drop_one, NULL);
  if (keep) {
    save();
    return;
  }
  sim_keys_free(data);
  data = saved && sim_once_in(2) ? sim_keys_copy(saved) : sim_keys_new();
  sim_server.losses++;
  sim_server.lost_at = sim_now();
  if (sim_server_forgot)
    sim_server_forgot();
}

void sim_server_start(void)
{
  if (sim_server.up)
    return;
  sim_server.up = 1;
  sim_server.run++;
  ids = sim_random(3); /* ids begin anew: those of before mean others now */
  sim_trace("server: started, run %llu", sim_server.run);
}

static void resume_one(struct sim_conn *c, void *context)
{
  (void)context;
  sim_server_input(c);
}

static void thaw(void *argument)
{
  (void)argument;
  if (sim_now() < sim_server.frozen_until || !sim_server.up)
    return;
  sim_trace("server: goes on");
  sim_conn_each(resume_one, NULL);
}

void sim_server_freeze(int64_t until)
{
  if (until <= sim_server.frozen_until)
    return;
  sim_trace("server: stopped");
  sim_server.frozen_until = until;
  sim_at(until, thaw, NULL);
}

void sim_server_heal(void)
{
  sim_net.slow_until = sim_net.silent_until = sim_net.deaf_until = sim_net.mute_until = 0;
  sim_net.drip_until = sim_net.unreachable_until = sim_net.refused_until = 0;
  sim_server.loading_until = sim_server.oom_until = sim_server.readonly_until = 0;
  sim_server.full_until = sim_server.frozen_until = 0;
  sim_server_start();
  thaw(NULL);
}

void sim_server_begin(void)
{
  memset(&sim_server, 0, sizeof sim_server);
  sim_server.up = 1;
  sim_server.run = 1 + sim_random(UINT64_C(1) << 60);
  ids = sim_random(1000);
  data = sim_keys_new();
  saved = NULL;
}

void sim_server_end(void)
{
  sim_keys_free(data);
  sim_keys_free(saved);
  data = saved = NULL;
}
