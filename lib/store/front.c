/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/front.h"

#include <stdio.h>
#include <string.h>

#include "store/settings.h"
#include "util/number.h"

/*
 * Commands that are answered above the backends: about the conversation
 * (SELECT, HELLO, AUTH, CLIENT, QUIT, RESET) and about the commands themselves.
 * Replies and errors are those of Redis 7.0.
 */

static const char redis_version[] = "7.0.15";

const char lrd_text_subscriber[] =
    "ERR messages are no replies: they come through a larder_subscriber (larder/subscriber.h)";

static void fail(struct lrd_front *f, larder_cause cause, const char *text)
{
  f->verdict.outcome = LARDER_REFUSED;
  f->verdict.cause = cause;
  lrd_sink_error(f->sink, text);
}

void lrd_front_refuse(struct lrd_front *f, const char *text)
{
  fail(f, LARDER_CAUSE_CALLER, text);
}

/* At most 128 bytes of the argument, as Redis shows it. */
void lrd_front_refuse_word(struct lrd_front *f, const char *format, const larder_bytes *word)
{
  char text[256], shown[129];
  size_t n = word->len < 128 ? word->len : 128;
  memcpy(shown, word->data, n);
  shown[n] = '\0';
  for (size_t i = 0; i < n; i++)
    if (shown[i] == '\r' || shown[i] == '\n' || shown[i] == '\0')
      shown[i] = ' ';
  const char *at = strstr(format, "%s");
  snprintf(text, sizeof text, "%.*s%s%s", (int)(at - format), format, shown, at + 2);
  lrd_front_refuse(f, text);
}

void lrd_front_refuse_count(struct lrd_front *f, const char *name)
{
  char text[128];
  snprintf(text, sizeof text, "ERR wrong number of arguments for '%s' command", name);
  lrd_front_refuse(f, text);
}

void lrd_front_text(struct lrd_front *f, const char *s)
{
  lrd_sink_string(f->sink, s, strlen(s));
}

/* --- SELECT, QUIT -------------------------------------------------------- */

static void front_select(struct lrd_front *f)
{
  const larder_vector v = {.command = LRD_SELECT, .argc = f->argc, .argv = f->argv};
  const char *error = lrd_command_select(&v, &f->session->database);
  if (error)
    lrd_front_refuse(f, error);
  else
    lrd_sink_ok(f->sink);
}

static void front_quit(struct lrd_front *f)
{
  f->session->quit = 1;
  lrd_sink_ok(f->sink);
}

/* --- names --------------------------------------------------------------- */

/* 0: the reply is written. */
static int set_name(struct lrd_front *f, const larder_bytes *name)
{
  const larder_memory *m = &f->session->store->config.memory;
  for (size_t i = 0; i < name->len; i++) {
    if (name->data[i] < '!' || name->data[i] > '~') {
      lrd_front_refuse(
          f, "ERR Client names cannot contain spaces, newlines or special characters.");
      return 0;
    }
  }
  char *copy = NULL;
  if (name->len && !(copy = lrd_copy_text(m, name->data, name->len))) {
    f->verdict.outcome = LARDER_NO_MEMORY;
    lrd_sink_error(f->sink, "ERR out of memory");
    return 0;
  }
  lrd_release_text(m, f->session->name);
  f->session->name = copy;
  return 1;
}

static void client_setname(struct lrd_front *f)
{
  if (set_name(f, &f->argv[2]))
    lrd_sink_ok(f->sink);
}

static void client_getname(struct lrd_front *f)
{
  if (f->session->name)
    lrd_front_text(f, f->session->name);
  else
    lrd_sink_nil(f->sink);
}

static void client_id(struct lrd_front *f)
{
  lrd_sink_integer(f->sink, (int64_t)f->session->id);
}

static void front_client(struct lrd_front *f)
{
  static const struct {
    const char *word, *name;
    int argc;
    void (*run)(struct lrd_front *);
  } subcommands[] = {{"setname", "client|setname", 3, client_setname},
                     {"getname", "client|getname", 2, client_getname},
                     {"id", "client|id", 2, client_id}};
  for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++) {
    if (!lrd_is_word(&f->argv[1], subcommands[i].word))
      continue;
    if (f->argc == subcommands[i].argc)
      subcommands[i].run(f);
    else
      lrd_front_refuse_count(f, subcommands[i].name);
    return;
  }
  lrd_front_refuse_word(f, "ERR unknown subcommand '%s'. Try CLIENT HELP.", &f->argv[1]);
}

/* --- HELLO, AUTH --------------------------------------------------------- */

static const char text_wrongpass[] =
    "WRONGPASS invalid username-password pair or user is disabled.";

/* 0: the reply is written.  Without a password anybody is the default user. */
static int authenticate(struct lrd_front *f, larder_bytes user, larder_bytes password)
{
  const struct lrd_session_hooks *h = &f->session->hooks;
  int accepted = h->authenticate ? h->authenticate(h->context, user, password)
                                 : user.len == 7 && memcmp(user.data, "default", 7) == 0;
  if (!accepted) {
    fail(f, LARDER_CAUSE_AUTH, text_wrongpass);
    return 0;
  }
  f->session->authenticated = 1;
  return 1;
}

static void front_auth(struct lrd_front *f)
{
  const larder_bytes nobody = {"", 0};
  if (f->argc > 3) {
    lrd_front_refuse(f, "ERR syntax error");
    return;
  }
  if (f->argc == 2 && !f->session->hooks.authenticate) {
    lrd_front_refuse(f, "ERR AUTH <password> called without any password configured for the "
                        "default user. Are you sure your configuration is correct?");
    return;
  }
  if (authenticate(f, f->argc == 3 ? f->argv[1] : nobody, f->argv[f->argc - 1]))
    lrd_sink_ok(f->sink);
}

static void describe_server(struct lrd_front *f)
{
  lrd_sink_map(f->sink, 7);
  lrd_front_text(f, "server");
  lrd_front_text(f, "redis");
  lrd_front_text(f, "version");
  lrd_front_text(f, redis_version);
  lrd_front_text(f, "proto");
  lrd_sink_integer(f->sink, f->session->protocol);
  lrd_front_text(f, "id");
  lrd_sink_integer(f->sink, (int64_t)f->session->id);
  lrd_front_text(f, "mode");
  lrd_front_text(f, "standalone");
  lrd_front_text(f, "role");
  lrd_front_text(f, "master");
  lrd_front_text(f, "modules");
  lrd_sink_array(f->sink, 0);
}

/* The options behind HELLO's version: positions of AUTH's user and SETNAME's name; 0: a
 * reply is written. */
static int hello_options(struct lrd_front *f, int *auth, int *name)
{
  *auth = *name = 0;
  for (int i = 2; i < f->argc; i++) {
    if (lrd_is_word(&f->argv[i], "auth") && f->argc - i > 2) {
      *auth = i + 1;
      i += 2;
    } else if (lrd_is_word(&f->argv[i], "setname") && f->argc - i > 1) {
      *name = ++i;
    } else {
      lrd_front_refuse_word(f, "ERR Syntax error in HELLO option '%s'", &f->argv[i]);
      return 0;
    }
  }
  return 1;
}

static void choose_protocol(larder_session *s, int version)
{
  s->protocol = version;
  if (s->hooks.protocol)
    s->hooks.protocol(s->hooks.context, version);
}

static void front_hello(struct lrd_front *f)
{
  larder_session *s = f->session;
  int64_t version = s->protocol;
  int auth, name;
  if (f->argc > 1 && !lrd_parse_integer(f->argv[1].data, f->argv[1].len, &version)) {
    lrd_front_refuse(f, "ERR Protocol version is not an integer or out of range");
    return;
  }
  if (version < 2 || version > 3) {
    lrd_front_refuse(f, "NOPROTO unsupported protocol version");
    return;
  }
  if (!hello_options(f, &auth, &name))
    return;
  if (auth && !authenticate(f, f->argv[auth], f->argv[auth + 1]))
    return;
  if (!s->authenticated) {
    fail(f, LARDER_CAUSE_AUTH,
         "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
         "AUTH <user> <pass> option can be used to authenticate the client and select the RESP "
         "protocol version at the same time");
    return;
  }
  if (name && !set_name(f, &f->argv[name]))
    return;
  choose_protocol(s, (int)version);
  describe_server(f);
}

/* --- RESET --------------------------------------------------------------- */

static void front_reset(struct lrd_front *f)
{
  larder_session *s = f->session;
  lrd_transaction_reset(s);
  if (s->hooks.listen)
    s->hooks.listen(s->hooks.context, NULL, f->sink, &f->verdict);
  s->database = s->store->config.database;
  s->authenticated = s->hooks.authenticate == NULL;
  lrd_release_text(&s->store->config.memory, s->name);
  s->name = NULL;
  choose_protocol(s, 2);
  lrd_sink_status(f->sink, "RESET");
}

/* --- SUBSCRIBE and its like ------------------------------------------------ */

static void front_listen(struct lrd_front *f)
{
  const struct lrd_session_hooks *h = &f->session->hooks;
  if (h->listen) {
    h->listen(h->context, f->v, f->sink, &f->verdict);
    return;
  }
  f->verdict.outcome = LARDER_BAD_ARGUMENT;
  f->verdict.cause = LARDER_CAUSE_CALLER;
  lrd_sink_error(f->sink, lrd_text_subscriber);
}

static void beside_ping(struct lrd_front *f)
{
  if (f->argc > 2) {
    lrd_front_refuse_count(f, "ping");
    return;
  }
  lrd_sink_array(f->sink, 2);
  lrd_front_text(f, "pong");
  lrd_sink_string(f->sink, f->argc == 2 ? f->argv[1].data : "", f->argc == 2 ? f->argv[1].len : 0);
}

/* "client|id": of a command with subcommands, which has been checked. */
static const char *find_part(const larder_vector *v)
{
  const char *part = NULL;
  for (size_t i = 0; (part = lrd_command_part(v->command, i)) != NULL; i++)
    if (v->argc > 1 && lrd_is_word(&v->argv[1], part))
      return part;
  return NULL;
}

static void refuse_beside(struct lrd_front *f)
{
  char text[224];
  const char *part = find_part(f->v);
  snprintf(text, sizeof text,
           "%s Can't execute '%s%s%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
           "RESET are allowed in this context",
           f->v->command == LRD_EXEC ? "EXECABORT Transaction discarded because of:" : "ERR",
           lrd_commands[f->v->command].name, part ? "|" : "", part ? part : "");
  lrd_front_refuse(f, text);
}

int lrd_front_beside(larder_session *s, const larder_vector *v, larder_sink *sink)
{
  unsigned flags = lrd_commands[v->command].flags;
  if (v->command == LRD_QUIT || v->command == LRD_RESET ||
      (flags & LRD_CHANNELS && flags & LRD_SESSION))
    return 0;
  struct lrd_front f = {.store = s->store,
                        .session = s,
                        .v = v,
                        .argc = v->argc,
                        .argv = v->argv,
                        .sink = sink,
                        .verdict = {.outcome = LARDER_OK, .age_ms = -1}};
  if (v->command == LRD_PING)
    beside_ping(&f);
  else
    refuse_beside(&f);
  lrd_sink_end(sink, &f.verdict);
  return 1;
}

/* --- one of them --------------------------------------------------------- */

static void answer(struct lrd_front *f)
{
  switch (f->v->command) {
  case LRD_COMMAND:
    lrd_front_catalog(f);
    break;
  case LRD_INFO:
    lrd_front_info(f);
    break;
  case LRD_SELECT:
    front_select(f);
    break;
  case LRD_QUIT:
    front_quit(f);
    break;
  case LRD_RESET:
    front_reset(f);
    break;
  case LRD_CLIENT:
    front_client(f);
    break;
  case LRD_AUTH:
    front_auth(f);
    break;
  case LRD_HELLO:
    front_hello(f);
    break;
  case LRD_SUBSCRIBE:
  case LRD_PSUBSCRIBE:
  case LRD_SSUBSCRIBE:
  case LRD_UNSUBSCRIBE:
  case LRD_PUNSUBSCRIBE:
  case LRD_SUNSUBSCRIBE:
    front_listen(f);
    break;
  default:
    f->verdict.outcome = LARDER_UNSUPPORTED;
    lrd_sink_error(f->sink, "ERR this command is not supported here");
    break;
  }
}

void lrd_front(larder *store, larder_session *session, const larder_vector *v, larder_sink *sink)
{
  struct lrd_front f = {.store = store,
                    .session = session,
                    .v = v,
                    .argc = v->argc,
                    .argv = v->argv,
                    .sink = sink,
                    .verdict = {.outcome = LARDER_OK, .age_ms = -1}};
  answer(&f);
  lrd_sink_end(sink, &f.verdict);
}
