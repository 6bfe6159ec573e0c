/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/handshake.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "util/memory.h"
#include "util/number.h"

enum step {
  STEP_AUTH,
  STEP_SELECT,
  STEP_NAME,
  STEP_HELLO,
  STEP_ID,
  STEP_CLIENT,
  STEP_KILL, /* of nobody: may we? */
  STEP_SERVER,
  STEP_MEMORY,
  STEP_TIME,
  STEP_MULTI, /* and DISCARD: may we? */
  STEP_DISCARD,
  STEP_PING
};

/* --- asking ---------------------------------------------------------------------------- */

/* Adds a command: words, up to NULL. */
static void add(struct lrd_handshake *h, enum step step, ...)
{
  larder_vector *v = &h->vector[h->steps];
  *v = (larder_vector){.argv = &h->argument[h->arguments]};
  va_list words;
  va_start(words, step);
  for (const char *word; (word = va_arg(words, const char *));) {
    h->argument[h->arguments++] = (larder_bytes){word, strlen(word)};
    v->argc++;
  }
  va_end(words);
  h->step[h->steps++] = (unsigned char)step;
}

/* User (NULL: the default one) and password; NULL: none is needed. */
static const char *password_of(const struct lrd_handshake *h, const char **user)
{
  const struct lrd_config *config = h->link->remote->config;
  const larder_credentials *c = &h->credentials;
  *user = config->user;
  if (!config->credentials)
    return config->password;
  *user = c->user[0] ? c->user : NULL;
  return c->user[0] || c->password[0] ? c->password : NULL;
}

/* A server that hung up twice in a row before it had answered HELLO is not asked again.  Who
 * listens reads RESP2 (feed.h). */
static int offers_resp3(const struct lrd_link *l)
{
  const struct lrd_remote *r = l->remote;
  if (l->kind == LRD_LINK_LISTEN)
    return 0;
  return r->protocol == 3 && (atomic_load(&r->hello_cuts) < 2 || r->config->protocol == 3);
}

static void ask(struct lrd_handshake *h)
{
  const struct lrd_config *config = h->link->remote->config;
  const char *end = NULL, *user, *password = password_of(h, &user);
  if (password && user)
    add(h, STEP_AUTH, "AUTH", user, password, end);
  else if (password)
    add(h, STEP_AUTH, "AUTH", password, end);
  if (h->link->database) { /* a user may not be allowed to name the one that is selected anyway */
    snprintf(h->database, sizeof h->database, "%d", h->link->database);
    add(h, STEP_SELECT, "SELECT", h->database, end);
  }
  if (config->client_name)
    add(h, STEP_NAME, "CLIENT", "SETNAME", config->client_name, end);
  h->offered = offers_resp3(h->link);
  if (h->offered)
    add(h, STEP_HELLO, "HELLO", "3", end);
  add(h, STEP_ID, "CLIENT", "ID", end);
  add(h, STEP_CLIENT, "CLIENT", "INFO", end);
  add(h, STEP_KILL, "CLIENT", "KILL", "ID", "9223372036854775807", end);
  add(h, STEP_SERVER, "INFO", "server", end);
  add(h, STEP_MEMORY, "INFO", "memory", end);
  add(h, STEP_TIME, "TIME", end);
  add(h, STEP_MULTI, "MULTI", end);
  add(h, STEP_DISCARD, "DISCARD", end);
  add(h, STEP_PING, "PING", end);
}

static enum lrd_greeting send_ticket(struct lrd_handshake *h, const larder_vector *vector,
                                     size_t count)
{
  lrd_ticket_init(&h->ticket, &h->link->remote->base.memory, vector, count, 0);
  if (lrd_wire_call(&h->link->wire, &h->ticket) == 0)
    return LRD_GREETING_MORE;
  h->fault = (struct lrd_fault){LARDER_NO_MEMORY, LARDER_CAUSE_CALLER, "no memory to connect"};
  return LRD_GREETING_FAILED;
}

int lrd_handshake_prepare(struct lrd_handshake *h, const struct lrd_config *config)
{
  memset(h, 0, sizeof *h);
  if (!config->credentials)
    return 1;
  lrd_lock_assert_none();
  larder_credentials *c = &h->credentials;
  int ok = config->credentials(config->credentials_context, c) == 0;
  c->user[sizeof c->user - 1] = c->password[sizeof c->password - 1] = '\0';
  if (!ok)
    h->fault = (struct lrd_fault){LARDER_NOT_SENT, LARDER_CAUSE_AUTH,
                                  "the callback gave no user and password"};
  return ok;
}

enum lrd_greeting lrd_handshake_begin(struct lrd_handshake *h, struct lrd_link *link)
{
  h->link = link;
  const larder_clock *clock = &link->remote->base.clock;
  h->begun_at = clock->wall(clock->context);
  ask(h);
  lrd_reader_speak(&link->wire.reader, h->offered);
  lrd_buffer_reserve(&link->wire.out, 2048); /* one block, so that the password can be wiped */
  return send_ticket(h, h->vector, h->steps);
}

void lrd_handshake_wipe(struct lrd_handshake *h)
{
  if (h->link && h->link->wire.out.data)
    lrd_wipe(h->link->wire.out.data, h->link->wire.out.capacity);
}

void lrd_handshake_release(struct lrd_handshake *h)
{
  lrd_wipe(&h->credentials, sizeof h->credentials);
  if (h->link)
    lrd_ticket_release(&h->ticket);
}

/* --- listening ------------------------------------------------------------------------- */

/* The value of "name:value\r\n" in INFO's text, or of "name=value " in CLIENT INFO's. */
static void find_field(const larder_value *v, const char *name, char *out, size_t size)
{
  size_t len = strlen(name);
  const char *p = v->str, *end = p + v->len;
  out[0] = 0;
  while (p < end) {
    const char *stop = p;
    while (stop < end && *stop != '\r' && *stop != '\n' && *stop != ' ')
      stop++;
    if ((size_t)(stop - p) > len && memcmp(p, name, len) == 0) {
      snprintf(out, size, "%.*s", (int)(stop - p - (ptrdiff_t)len), p + len);
      return;
    }
    p = stop + 1;
  }
}

static enum lrd_greeting protocol_fault(struct lrd_handshake *h)
{
  h->fault = (struct lrd_fault){LARDER_NOT_SENT, LARDER_CAUSE_PROTOCOL,
                                "the server's handshake is not Redis's"};
  return LRD_GREETING_FAILED;
}

static int says(const larder_value *v, size_t len, const char *secret)
{
  return secret && *secret && memmem(v->str, len, secret, strlen(secret));
}

/* Why AUTH was refused.  A server that doesn't know the command repeats its arguments, perhaps cut
 * off: they come in quotes, behind words that have none. */
static void quote_refusal(struct lrd_handshake *h, const larder_value *v)
{
  const char *user, *password = password_of(h, &user);
  size_t len = v->len < 190 ? v->len : 190, n = 0;
  while (n < len && !memchr("'\"`", v->str[n], 3))
    n++;
  if (says(v, n, password))
    for (n = 0; n < len && v->str[n] != ' ';)
      n++;
  while (n && v->str[n - 1] == ' ')
    n--;
  if (!n || says(v, n, password))
    snprintf(h->fault.text, sizeof h->fault.text, "the server refuses AUTH");
  else
    snprintf(h->fault.text, sizeof h->fault.text, "%.*s", (int)n, v->str);
}

static enum lrd_greeting refused(struct lrd_handshake *h, enum step step, const larder_value *v)
{
  larder_cause cause = lrd_error_cause(v->str, v->len);
  if (v->len >= 6 && memcmp(v->str, "DENIED", 6) == 0)
    cause = LARDER_CAUSE_SERVER; /* protected mode: it would deny anybody */
  else if (step == STEP_AUTH && cause != LARDER_CAUSE_SERVER && cause != LARDER_CAUSE_QUOTA)
    cause = LARDER_CAUSE_AUTH;
  int ours = cause == LARDER_CAUSE_AUTH || cause == LARDER_CAUSE_CALLER;
  h->fault.outcome = ours ? LARDER_REFUSED : LARDER_NOT_SENT;
  h->fault.cause = cause;
  if (step == STEP_AUTH)
    quote_refusal(h, v);
  else if (step == STEP_HELLO && cause == LARDER_CAUSE_CALLER)
    snprintf(h->fault.text, sizeof h->fault.text,
             "option protocol=3: the server speaks no RESP3: %.*s",
             (int)(v->len < 120 ? v->len : 120), v->str);
  else
    snprintf(h->fault.text, sizeof h->fault.text, "%.*s", (int)(v->len < 190 ? v->len : 190),
             v->str);
  return LRD_GREETING_FAILED;
}

static int is_status(const larder_value *v, const char *word)
{
  return v->type == LARDER_STATUS && v->len == strlen(word) && memcmp(v->str, word, v->len) == 0;
}

static int take_time(struct lrd_handshake *h, const larder_value *v)
{
  int64_t seconds, us;
  if (v->type != LARDER_ARRAY || v->len != 2 || v->element[0].type != LARDER_STRING ||
      v->element[1].type != LARDER_STRING ||
      !lrd_parse_integer(v->element[0].str, v->element[0].len, &seconds) ||
      !lrd_parse_integer(v->element[1].str, v->element[1].len, &us) || seconds < 0 ||
      seconds > INT64_MAX / 2000000 || us < 0 || us >= 1000000)
    return 0;
  const larder_clock *clock = &h->link->remote->base.clock;
  int64_t ours = clock->wall(clock->context);
  ours = h->begun_at + (ours - h->begun_at) / 2;
  h->clock_offset_us = seconds * 1000000 + us - ours;
  return 1;
}

/* INFO's text: in RESP3 a verbatim string. */
static int is_text(const larder_value *v)
{
  return v->type == LARDER_STRING || v->type == LARDER_VERBATIM;
}

/* The reply to a step that may fail: 0: it is not what Redis replies. */
static int take_optional(struct lrd_handshake *h, enum step step, const larder_value *v)
{
  char field[32];
  switch (step) {
  case STEP_NAME:
  case STEP_DISCARD:
    return is_status(v, "OK");
  case STEP_HELLO:
    h->protocol = v->type == LARDER_MAP ? 3 : 2;
    return v->type == LARDER_MAP || v->type == LARDER_ARRAY;
  case STEP_ID:
    h->identity.id = v->type == LARDER_INTEGER ? v->integer : 0;
    return v->type == LARDER_INTEGER;
  case STEP_CLIENT:
    /* A unix socket's is its path: the same for all, and it may have spaces. */
    if (is_text(v) && h->link->remote->config->scheme != LRD_SCHEME_UNIX)
      find_field(v, "addr=", h->identity.address, sizeof h->identity.address);
    return is_text(v);
  case STEP_KILL:
    h->can_fence = v->type == LARDER_INTEGER;
    return h->can_fence;
  case STEP_SERVER:
    if (is_text(v))
      find_field(v, "run_id:", h->identity.run_id, sizeof h->identity.run_id);
    return is_text(v);
  case STEP_MEMORY:
    if (!is_text(v))
      return 0;
    find_field(v, "maxmemory_policy:", field, sizeof field);
    h->volatile_marker = strncmp(field, "allkeys-", 8) == 0;
    return 1;
  case STEP_TIME:
    return take_time(h, v);
  default:
    return is_status(v, "OK");
  }
}

/* An error that says nothing of other commands: the user may not ask, there is no such command, or
 * the server takes no writes (PING is refused with them, for a disk's sake). */
static int is_for_ping_only(const larder_value *v)
{
  static const char unknown[] = "ERR unknown command", denied[] = "NOPERM ";
  return lrd_error_cause(v->str, v->len) == LARDER_CAUSE_CAPACITY ||
         strncmp(v->str, denied, sizeof denied - 1) == 0 ||
         strncmp(v->str, unknown, sizeof unknown - 1) == 0;
}

/* HELLO where the application wants RESP3 and nothing else. */
static int is_mandatory(const struct lrd_handshake *h, enum step step)
{
  return step == STEP_AUTH || step == STEP_SELECT || step == STEP_PING ||
         (step == STEP_HELLO && h->link->remote->config->protocol == 3);
}

static enum lrd_greeting take(struct lrd_handshake *h, enum step step, const larder_value *v)
{
  int mandatory = is_mandatory(h, step);
  if (v->type == LARDER_ERROR && step == STEP_PING && is_for_ping_only(v))
    return LRD_GREETING_MORE;
  if (v->type == LARDER_ERROR) {
    if (mandatory)
      return refused(h, step, v);
    if (step == STEP_MULTI)
      snprintf(h->no_multi, sizeof h->no_multi, "%.*s", (int)(v->len < 120 ? v->len : 120), v->str);
    return LRD_GREETING_MORE;
  }
  int plain = mandatory && step != STEP_HELLO;
  if (plain ? is_status(v, step == STEP_PING ? "PONG" : "OK") : take_optional(h, step, v))
    return LRD_GREETING_MORE;
  return protocol_fault(h);
}

/* The old connections of this server end before anything goes over this one. */
static enum lrd_greeting fence(struct lrd_handshake *h)
{
  h->can_fence = h->can_fence && h->identity.run_id[0] && h->identity.id;
  struct lrd_fence *f = &h->link->remote->fence;
  if (!lrd_kill_list(&h->kill, f, h->identity.run_id))
    return LRD_GREETING_DONE;
  if (!h->can_fence) {
    lrd_fence_forget(f, h->kill.old, h->kill.count);
    return fence(h);
  }
  h->fencing = 1;
  return send_ticket(h, h->kill.vector, h->kill.count);
}

enum lrd_greeting lrd_handshake_next(struct lrd_handshake *h)
{
  if (h->fencing) {
    if (lrd_kill_result(&h->kill, &h->link->remote->fence, h->ticket.value) != 0)
      h->can_fence = 0;
  } else {
    lrd_handshake_wipe(h);
    for (size_t i = 0; i < h->steps; i++)
      if (take(h, h->step[i], &h->ticket.value[i]) == LRD_GREETING_FAILED)
        return LRD_GREETING_FAILED;
    lrd_wipe(&h->credentials, sizeof h->credentials);
    if (h->offered)
      atomic_store(&h->link->remote->hello_cuts, 0);
    lrd_reader_speak(&h->link->wire.reader, h->protocol == 3);
  }
  lrd_ticket_release(&h->ticket);
  lrd_arena_init(&h->ticket.arena, &h->link->remote->base.memory);
  return fence(h);
}

/* Was HELLO what the other side could not bear?  Where it hangs up with commands unread, replies
 * to earlier ones may be lost, too. */
static void note_cut(struct lrd_handshake *h)
{
  atomic_uint *cuts = &h->link->remote->hello_cuts;
  size_t hello = 0;
  while (hello < h->steps && h->step[hello] != STEP_HELLO)
    hello++;
  if (!h->offered)
    atomic_store(cuts, 0);
  else if (h->ticket.got <= hello)
    atomic_fetch_add(cuts, 1);
}

void lrd_handshake_cut(struct lrd_handshake *h, larder_cause cause, const char *text)
{
  if (!h->fencing && h->ticket.got && h->ticket.value[0].type == LARDER_ERROR) {
    refused(h, h->step[0], &h->ticket.value[0]);
    return;
  }
  if (!h->fencing)
    note_cut(h);
  h->fault.outcome = LARDER_NOT_SENT;
  h->fault.cause = cause;
  snprintf(h->fault.text, sizeof h->fault.text, "%s", text);
}
