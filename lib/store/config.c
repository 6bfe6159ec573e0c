/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/config.h"

#include <stdio.h>
#include <string.h>

#include "store/settings.h"
#include "util/clock.h"
#include "util/memory.h"

/* --- the options struct -------------------------------------------------- */

struct field {
  enum lrd_option_id id;
  int set;
  int64_t value, told;
};

/* Times that would overflow as ns are as wrong as they are in ms. */
static int64_t to_ns(int64_t ms)
{
  return ms > INT64_C(3600000) || ms < 0 ? -1 : ms * LRD_NS_PER_MS;
}

static int64_t bounded(size_t n)
{
  return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

static larder_outcome read_fields(struct lrd_settings *s, const larder_options *o)
{
  const struct field fields[] = {
      {LRD_OPTION_TIMEOUT, o->timeout_ms != 0, to_ns(o->timeout_ms), o->timeout_ms},
      {LRD_OPTION_CONNECT_TIMEOUT, o->connect_timeout_ms != 0, to_ns(o->connect_timeout_ms),
       o->connect_timeout_ms},
      {LRD_OPTION_MAX_RETRIES, o->max_retries != -1, o->max_retries, o->max_retries},
      {LRD_OPTION_PROTOCOL, o->protocol != 0, o->protocol, o->protocol},
      {LRD_OPTION_REQUIRED, o->required != LARDER_UNSET, (int64_t)o->required,
       (int64_t)o->required},
      {LRD_OPTION_ENABLED, o->enabled != LARDER_UNSET, (int64_t)o->enabled, (int64_t)o->enabled},
      {LRD_OPTION_FALLBACK, o->fallback != LARDER_UNSET, (int64_t)o->fallback,
       (int64_t)o->fallback},
      {LRD_OPTION_OUTAGE, o->outage != LARDER_OUTAGE_UNSET, (int64_t)o->outage,
       (int64_t)o->outage},
      {LRD_OPTION_CONNECTIONS, o->connections != 0, o->connections, o->connections},
      {LRD_OPTION_JOURNAL_BYTES, o->journal_bytes != 0, bounded(o->journal_bytes),
       bounded(o->journal_bytes)},
      {LRD_OPTION_JOURNAL_KEYS, o->journal_keys != 0, bounded(o->journal_keys),
       bounded(o->journal_keys)},
      {LRD_OPTION_SHARDS, o->shards != 0, o->shards, o->shards},
      {LRD_OPTION_BACKGROUND, o->background != LARDER_UNSET, (int64_t)o->background,
       (int64_t)o->background},
      {LRD_OPTION_MAXMEMORY, o->maxmemory != 0, bounded(o->maxmemory), bounded(o->maxmemory)},
      {LRD_OPTION_MAXMEMORY_POLICY, o->maxmemory_policy != LARDER_POLICY_UNSET,
       (int64_t)o->maxmemory_policy, (int64_t)o->maxmemory_policy},
      {LRD_OPTION_TLS_INSECURE, o->tls_insecure_accept_any_certificate != LARDER_UNSET,
       (int64_t)o->tls_insecure_accept_any_certificate,
       (int64_t)o->tls_insecure_accept_any_certificate},
      {LRD_OPTION_DELIVERY, o->delivery != LARDER_DELIVER_THREAD, (int64_t)o->delivery,
       (int64_t)o->delivery},
  };
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    if (!fields[i].set)
      continue;
    larder_outcome outcome = lrd_settings_number(s, fields[i].id, LRD_SOURCE_STRUCT,
                                                 fields[i].value, fields[i].told);
    if (outcome != LARDER_OK)
      return outcome;
  }
  return LARDER_OK;
}

static larder_outcome read_texts(struct lrd_settings *s, const larder_options *o)
{
  const struct {
    enum lrd_option_id id;
    const char *value;
  } texts[] = {{LRD_OPTION_USER, o->user},
               {LRD_OPTION_PASSWORD, o->password},
               {LRD_OPTION_CLIENT_NAME, o->client_name},
               {LRD_OPTION_TLS_CA, o->tls_ca},
               {LRD_OPTION_TLS_CERT, o->tls_cert},
               {LRD_OPTION_TLS_KEY, o->tls_key},
               {LRD_OPTION_TLS_NAME, o->tls_name},
               {LRD_OPTION_PREFIX, o->prefix && *o->prefix ? o->prefix : NULL}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (!texts[i].value)
      continue;
    larder_outcome outcome =
        lrd_settings_text(s, texts[i].id, LRD_SOURCE_STRUCT, lrd_options[texts[i].id].name,
                          texts[i].value, strlen(texts[i].value));
    if (outcome != LARDER_OK)
      return outcome;
  }
  return LARDER_OK;
}

static larder_outcome check_hooks(struct lrd_settings *s, const larder_options *o)
{
  if (o->memory && (!o->memory->allocate || !o->memory->resize || !o->memory->release))
    return lrd_settings_refuse(s, "option memory: allowed is a hook with all three functions");
  if (o->clock && (!o->clock->monotonic || !o->clock->wall))
    return lrd_settings_refuse(s, "option clock: allowed is a hook with both functions");
  return LARDER_OK;
}

/* --- together ------------------------------------------------------------ */

static larder_outcome read_url(struct lrd_settings *s, const char *url)
{
  const char *variable = NULL;
  if (!url)
    url = lrd_environment_url(&variable);
  char *error = s->error;
  size_t size = s->error_size;
  if (variable && error && size) {
    int n = snprintf(error, size, "%s: ", variable);
    if (n > 0 && (size_t)n < size) {
      s->error = error + n;
      s->error_size = size - (size_t)n;
    }
  }
  larder_outcome outcome = lrd_url_read(s, url);
  s->error = error;
  s->error_size = size;
  return outcome;
}

/* Who names a CA wants TLS: not to have it would be a surprise. */
static larder_outcome check_tls(struct lrd_settings *s)
{
  static const enum lrd_option_id ids[] = {LRD_OPTION_TLS_CA, LRD_OPTION_TLS_CERT,
                                           LRD_OPTION_TLS_KEY, LRD_OPTION_TLS_NAME,
                                           LRD_OPTION_TLS_INSECURE};
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
    if (s->source[ids[i]] > LRD_SOURCE_ENVIRONMENT && s->scheme != LRD_SCHEME_TLS)
      return lrd_settings_refuse(s, "option %s: allowed is it only with rediss://",
                                 lrd_options[ids[i]].name);
  if (s->text[LRD_OPTION_TLS_KEY] && !s->text[LRD_OPTION_TLS_CERT])
    return lrd_settings_refuse(s, "option tls_key: needs tls_cert, the certificate of the key");
  return LARDER_OK;
}

/* The environment's user goes with the environment's password, not with another's. */
static void drop_lone_user(struct lrd_settings *s)
{
  if (s->source[LRD_OPTION_USER] != LRD_SOURCE_ENVIRONMENT ||
      s->source[LRD_OPTION_PASSWORD] == LRD_SOURCE_ENVIRONMENT)
    return;
  lrd_release_text(s->memory, s->text[LRD_OPTION_USER]);
  s->text[LRD_OPTION_USER] = NULL;
}

static larder_outcome check_whole(struct lrd_settings *s)
{
  drop_lone_user(s);
  if (s->text[LRD_OPTION_USER] && !s->text[LRD_OPTION_PASSWORD] && !s->asks)
    /* it may be the password that was given in its place: it isn't shown */
    return lrd_settings_refuse(s, "option user: needs a password too (user:password@host; an empty "
                                  "one: user:@host; a password alone: :password@host)");
  return check_tls(s);
}

static larder_outcome read_all(struct lrd_settings *s, const char *url, const larder_options *o)
{
  larder_outcome outcome = read_url(s, url);
  if (outcome == LARDER_OK)
    outcome = lrd_environment_read(s);
  if (outcome == LARDER_OK && o)
    outcome = read_fields(s, o);
  if (outcome == LARDER_OK && o)
    outcome = read_texts(s, o);
  return outcome == LARDER_OK ? check_whole(s) : outcome;
}

static char *move(char **from)
{
  char *text = *from;
  *from = NULL;
  return text;
}

static void describe_address(struct lrd_config *c)
{
  c->address[0] = '\0';
  if (c->path)
    snprintf(c->address, sizeof c->address, "%s", c->path);
  else if (c->host)
    snprintf(c->address, sizeof c->address, strchr(c->host, ':') ? "[%s]:%d" : "%s:%d", c->host,
             c->port);
}

static void fill(struct lrd_config *c, struct lrd_settings *s)
{
  const int64_t *n = s->number;
  c->scheme = s->scheme;
  c->host = move(&s->host);
  c->port = s->port;
  c->path = move(&s->path);
  c->database = (int)n[LRD_OPTION_DB];
  c->user = move(&s->text[LRD_OPTION_USER]);
  c->password = move(&s->text[LRD_OPTION_PASSWORD]);
  c->client_name = move(&s->text[LRD_OPTION_CLIENT_NAME]);
  c->tls_ca = move(&s->text[LRD_OPTION_TLS_CA]);
  c->tls_cert = move(&s->text[LRD_OPTION_TLS_CERT]);
  c->tls_key = move(&s->text[LRD_OPTION_TLS_KEY]);
  c->tls_name = move(&s->text[LRD_OPTION_TLS_NAME]);
  c->tls_insecure = n[LRD_OPTION_TLS_INSECURE] == LARDER_YES;
  c->prefix = move(&s->text[LRD_OPTION_PREFIX]);
  c->timeout = n[LRD_OPTION_TIMEOUT];
  c->connect_timeout = n[LRD_OPTION_CONNECT_TIMEOUT];
  c->max_retries = (int)n[LRD_OPTION_MAX_RETRIES];
  c->protocol = (int)n[LRD_OPTION_PROTOCOL];
  c->required = n[LRD_OPTION_REQUIRED] == LARDER_YES;
  c->enabled = n[LRD_OPTION_ENABLED] == LARDER_YES;
  c->fallback = n[LRD_OPTION_FALLBACK] == LARDER_YES;
  c->background = n[LRD_OPTION_BACKGROUND] == LARDER_YES;
  c->outage = (larder_outage)n[LRD_OPTION_OUTAGE];
  c->connections = (unsigned)n[LRD_OPTION_CONNECTIONS];
  c->shards = (unsigned)n[LRD_OPTION_SHARDS];
  c->journal_bytes = (size_t)n[LRD_OPTION_JOURNAL_BYTES];
  c->journal_keys = (size_t)n[LRD_OPTION_JOURNAL_KEYS];
  c->maxmemory = (size_t)n[LRD_OPTION_MAXMEMORY];
  c->maxmemory_policy = (larder_policy)n[LRD_OPTION_MAXMEMORY_POLICY];
  c->delivery = (larder_delivery)n[LRD_OPTION_DELIVERY];
  describe_address(c);
}

larder_outcome lrd_config_read(struct lrd_config *c, const char *url, const larder_options *o,
                               char *error, size_t error_size)
{
  struct lrd_settings s;
  memset(c, 0, sizeof *c);
  lrd_settings_init(&s, &lrd_memory_system, error, error_size);
  if (error && error_size)
    *error = '\0';
  if (o && o->size != sizeof *o)
    return lrd_settings_refuse(
        &s, "options: size %zu: allowed is %zu (LARDER_OPTIONS_INIT sets it)", o->size, sizeof *o);
  if (o && check_hooks(&s, o) != LARDER_OK)
    return LARDER_BAD_ARGUMENT;
  c->memory = o && o->memory ? *o->memory : lrd_memory_system;
  c->clock = o && o->clock ? *o->clock : lrd_clock_system;
  if (o) {
    c->event = o->event;
    c->event_context = o->event_context;
    c->backend = o->backend;
    c->credentials = o->credentials;
    c->credentials_context = o->credentials_context;
  }
  s.memory = &c->memory;
  s.asks = o && o->credentials;
  larder_outcome outcome = read_all(&s, url, o);
  if (outcome == LARDER_OK)
    fill(c, &s);
  lrd_settings_release(&s);
  return outcome;
}

void lrd_config_release(struct lrd_config *c)
{
  lrd_release_text(&c->memory, c->host);
  lrd_release_text(&c->memory, c->path);
  lrd_release_text(&c->memory, c->user);
  lrd_release_text(&c->memory, c->password);
  lrd_release_text(&c->memory, c->client_name);
  lrd_release_text(&c->memory, c->tls_ca);
  lrd_release_text(&c->memory, c->tls_cert);
  lrd_release_text(&c->memory, c->tls_key);
  lrd_release_text(&c->memory, c->tls_name);
  lrd_release_text(&c->memory, c->prefix);
  c->tls_ca = c->tls_cert = c->tls_key = c->tls_name = NULL;
  c->host = c->path = c->user = c->password = c->client_name = c->prefix = NULL;
}
