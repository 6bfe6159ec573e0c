/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/settings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "util/memory.h"

/*
 * scheme:[//[user[:password]@]host[:port][/db]][?option=value&...]
 *
 * The text is copied once; its parts are cut out and percent-decoded inside the
 * copy, which is wiped at the end.  No error line shows anything that could be
 * a part of a password.
 */

struct part {
  char *text;
  size_t len;
};

struct url {
  struct lrd_settings *s;
  struct part user, password, host, port, path, query;
  int has_user, has_password, has_query;
  int late_at; /* an '@' behind the authority: host and port may be half a password */
};

static int hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/* Percent-decoding in place; 0: a '%' without two hex digits. */
static int decode(struct part *p)
{
  size_t out = 0;
  for (size_t i = 0; i < p->len; i++) {
    char c = p->text[i];
    if (c == '%') {
      if (p->len - i < 3)
        return 0;
      int high = hex_digit(p->text[i + 1]), low = hex_digit(p->text[i + 2]);
      if (high < 0 || low < 0)
        return 0;
      c = (char)(high * 16 + low);
      i += 2;
    }
    p->text[out++] = c;
  }
  p->len = out;
  return 1;
}

static struct part slice(char *begin, const char *end)
{
  struct part p = {begin, (size_t)(end - begin)};
  return p;
}

static char *find(struct part p, char c)
{
  return p.len ? memchr(p.text, c, p.len) : NULL;
}

/* --- the scheme ---------------------------------------------------------- */

static const struct {
  const char *name;
  enum lrd_scheme scheme;
  int slashes; /* "//" must follow */
} schemes[] = {
    {"memory:", LRD_SCHEME_MEMORY, 0},
    {"redis:", LRD_SCHEME_TCP, 1},
    {"rediss:", LRD_SCHEME_TLS, 1},
    {"unix:", LRD_SCHEME_UNIX, 1},
};

/* Where the rest begins; NULL: refused. */
static char *read_scheme(struct lrd_settings *s, char *text)
{
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
    size_t len = strlen(schemes[i].name);
    if (strncasecmp(text, schemes[i].name, len) != 0)
      continue;
    s->scheme = schemes[i].scheme;
    text += len;
    if (strncmp(text, "//", 2) == 0)
      return text + 2;
    if (!schemes[i].slashes)
      return text;
    lrd_settings_refuse(s, "url: '//' must follow %s", schemes[i].name);
    return NULL;
  }
  /* A password could stand anywhere in a text without a known scheme. */
  lrd_settings_refuse(s, "url: unknown scheme: allowed are memory:, redis://, rediss://, unix://");
  return NULL;
}

/* --- cutting ------------------------------------------------------------- */

static larder_outcome cut_userinfo(struct url *u, struct part *authority)
{
  char *at = NULL;
  for (size_t i = authority->len; i-- > 0 && !at;)
    if (authority->text[i] == '@')
      at = authority->text + i;
  if (!at)
    return LARDER_OK;
  struct part info = slice(authority->text, at);
  *authority = slice(at + 1, authority->text + authority->len);
  char *colon = find(info, ':');
  u->user = slice(info.text, colon ? colon : info.text + info.len);
  u->has_user = u->user.len > 0;
  if (colon) {
    u->password = slice(colon + 1, info.text + info.len);
    /* redis://:@host says nothing; redis://user:@host an empty password. */
    u->has_password = u->has_user || u->password.len > 0;
  }
  if (!decode(&u->user) || !decode(&u->password))
    return lrd_settings_refuse(u->s, "url: '%%' in user or password is not followed by two hex "
                                     "digits (write a percent sign as %%25)");
  return LARDER_OK;
}

static larder_outcome cut_host(struct url *u, struct part authority)
{
  char *end = authority.text + authority.len, *colon;
  if (authority.len && *authority.text == '[') {
    char *bracket = find(authority, ']');
    if (!bracket)
      return lrd_settings_refuse(u->s, "url: '[' of an IPv6 address without ']'");
    u->host = slice(authority.text + 1, bracket);
    colon = bracket + 1;
    if (colon < end && *colon != ':')
      return lrd_settings_refuse(u->s, "url: only ':port' may follow an IPv6 address in []");
  } else {
    colon = find(authority, ':');
    if (!colon)
      colon = end;
    u->host = slice(authority.text, colon);
  }
  if (colon < end)
    u->port = slice(colon + 1, end);
  else
    u->port.text = NULL;
  return LARDER_OK;
}

static larder_outcome cut(struct url *u, char *rest)
{
  char *end = rest + strlen(rest);
  size_t plain = strcspn(rest, "?#");
  if (memchr(rest, '#', (size_t)(end - rest)))
    return lrd_settings_refuse(u->s, "url: '#' has no meaning here (write %%23 for the character)");
  if (rest[plain] == '?') {
    u->query = slice(rest + plain + 1, end);
    u->has_query = 1;
  }
  struct part all = slice(rest, rest + plain);
  char *slash = find(all, '/');
  struct part authority = slice(rest, slash ? slash : rest + plain);
  if (slash)
    u->path = slice(slash, rest + plain);
  u->late_at = strchr(authority.text + authority.len, '@') != NULL;
  larder_outcome outcome = cut_userinfo(u, &authority);
  return outcome == LARDER_OK ? cut_host(u, authority) : outcome;
}

/* --- checking ------------------------------------------------------------ */

static larder_outcome refuse_host(struct url *u, const char *why)
{
  char shown[LRD_SHOWN_SIZE];
  if (u->late_at)
    return lrd_settings_refuse(u->s, "url: %s (a '/', '?' or '@' in user or password must be "
                                     "written %%2F, %%3F, %%40)", why);
  return lrd_settings_refuse(u->s, "url: host '%s': %s",
                             lrd_shown(shown, u->host.text, u->host.len), why);
}

static int is_name(struct part host)
{
  for (size_t i = 0; i < host.len; i++) {
    char c = host.text[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
          c == '-' || c == '.' || c == '_'))
      return 0;
  }
  return 1;
}

/* An address, perhaps with a %zone behind it. */
static int is_ipv6(struct part host)
{
  char text[INET6_ADDRSTRLEN];
  struct in6_addr address;
  char *zone = find(host, '%');
  size_t len = zone ? (size_t)(zone - host.text) : host.len;
  if (len >= sizeof text)
    return 0;
  if (zone && (host.len - len < 2 || !is_name(slice(zone + 1, host.text + host.len))))
    return 0;
  memcpy(text, host.text, len);
  text[len] = '\0';
  return strlen(text) == len && inet_pton(AF_INET6, text, &address) == 1;
}

static larder_outcome take_host(struct url *u)
{
  if (u->host.len == 0)
    return refuse_host(u, "empty; allowed is a name or an address, as redis://localhost");
  int bracketed = u->host.text[-1] == '[';
  if (!decode(&u->host))
    return refuse_host(u, "'%' is not followed by two hex digits");
  if (u->host.len > 253)
    return refuse_host(u, "longer than 253 bytes");
  if (bracketed && !is_ipv6(u->host))
    return refuse_host(u, "not an IPv6 address");
  if (!bracketed && !is_name(u->host))
    return refuse_host(u, "allowed are letters, digits, '-', '.' and '_' (IPv6 in [])");
  u->s->host = lrd_copy_text(u->s->memory, u->host.text, u->host.len);
  return u->s->host ? LARDER_OK : lrd_settings_no_memory(u->s);
}

static larder_outcome take_port(struct url *u)
{
  char shown[LRD_SHOWN_SIZE];
  int port = 0;
  u->s->port = 6379;
  if (!u->port.text)
    return LARDER_OK;
  for (size_t i = 0; i < u->port.len && port <= 65535; i++) {
    char c = u->port.text[i];
    port = c >= '0' && c <= '9' ? port * 10 + (c - '0') : 65536;
  }
  if (port < 1 || port > 65535) {
    if (u->late_at)
      return refuse_host(u, "bad port");
    return lrd_settings_refuse(u->s, "url: port '%s': allowed is 1 to 65535",
                               lrd_shown(shown, u->port.text, u->port.len));
  }
  u->s->port = port;
  return LARDER_OK;
}

static larder_outcome take_database(struct url *u)
{
  if (u->path.len <= 1)
    return LARDER_OK;
  if (u->late_at)
    return refuse_host(u, "a database is a number from 0 to 15");
  return lrd_settings_text(u->s, LRD_OPTION_DB, LRD_SOURCE_URL, "db", u->path.text + 1,
                           u->path.len - 1);
}

static larder_outcome take_path(struct url *u)
{
  char shown[LRD_SHOWN_SIZE];
  struct sockaddr_un address;
  if (u->host.len || u->port.text)
    return lrd_settings_refuse(u->s, "url: a unix socket has no host: write unix:///path");
  if (!decode(&u->path))
    return lrd_settings_refuse(u->s, "url: '%%' in the path is not followed by two hex digits");
  const char *why = NULL;
  if (u->path.len <= 1)
    why = "empty; write unix:///path";
  else if (u->path.len >= sizeof address.sun_path)
    why = "longer than a socket's path may be (107 bytes)";
  for (size_t i = 0; i < u->path.len && !why; i++)
    if ((unsigned char)u->path.text[i] < 0x20 || u->path.text[i] == 0x7f)
      why = "control characters are not allowed";
  if (why)
    return lrd_settings_refuse(u->s, "url: path '%s': %s",
                               lrd_shown(shown, u->path.text, u->path.len), why);
  u->s->path = lrd_copy_text(u->s->memory, u->path.text, u->path.len);
  return u->s->path ? LARDER_OK : lrd_settings_no_memory(u->s);
}

static larder_outcome take_userinfo(struct url *u)
{
  larder_outcome outcome = LARDER_OK;
  if (u->has_user)
    outcome = lrd_settings_text(u->s, LRD_OPTION_USER, LRD_SOURCE_URL, "user", u->user.text,
                                u->user.len);
  if (outcome == LARDER_OK && u->has_password)
    outcome = lrd_settings_text(u->s, LRD_OPTION_PASSWORD, LRD_SOURCE_URL, "password",
                                u->password.text, u->password.len);
  return outcome;
}

/* --- the query ----------------------------------------------------------- */

static larder_outcome refuse_name(struct url *u, struct part name)
{
  char shown[LRD_SHOWN_SIZE];
  if (u->late_at)
    return refuse_host(u, "unknown option in the query");
  return lrd_settings_refuse(u->s, "option %s: unknown; see larder/options.h for the list",
                             lrd_shown(shown, name.text, name.len));
}

static larder_outcome take_option(struct url *u, struct part pair)
{
  char *equals = find(pair, '=');
  struct part name = slice(pair.text, equals ? equals : pair.text + pair.len);
  enum lrd_option_id id = lrd_option_find(name.text, name.len);
  if (id == LRD_OPTIONS)
    return refuse_name(u, name);
  const char *shown = lrd_options[id].name;
  if (!equals)
    return lrd_settings_refuse(u->s, "option %s: has no value; allowed is %s", shown,
                               lrd_options[id].allowed);
  if (u->s->source[id] == LRD_SOURCE_URL)
    return lrd_settings_refuse(u->s, "option %s: given twice in the url; allowed is once", shown);
  struct part value = slice(equals + 1, pair.text + pair.len);
  if (!decode(&value))
    return lrd_settings_refuse(u->s, "option %s: '%%' is not followed by two hex digits", shown);
  return lrd_settings_text(u->s, id, LRD_SOURCE_URL, shown, value.text, value.len);
}

static larder_outcome take_query(struct url *u)
{
  struct part rest = u->query;
  if (!u->has_query || rest.len == 0)
    return LARDER_OK;
  for (;;) {
    char *end = find(rest, '&');
    larder_outcome outcome =
        take_option(u, slice(rest.text, end ? end : rest.text + rest.len));
    if (outcome != LARDER_OK || !end)
      return outcome;
    rest = slice(end + 1, rest.text + rest.len);
  }
}

static larder_outcome take(struct url *u)
{
  larder_outcome outcome = LARDER_OK;
  switch (u->s->scheme) {
  case LRD_SCHEME_MEMORY:
    if (u->host.len || u->port.text || u->has_user || u->has_password)
      return lrd_settings_refuse(u->s, "url: memory: has neither host nor user");
    outcome = take_database(u);
    break;
  case LRD_SCHEME_TCP:
  case LRD_SCHEME_TLS:
    outcome = take_host(u);
    if (outcome == LARDER_OK)
      outcome = take_port(u);
    if (outcome == LARDER_OK)
      outcome = take_database(u);
    break;
  case LRD_SCHEME_UNIX:
    outcome = take_path(u);
    break;
  }
  if (outcome == LARDER_OK)
    outcome = take_userinfo(u);
  return outcome == LARDER_OK ? take_query(u) : outcome;
}

larder_outcome lrd_url_read(struct lrd_settings *s, const char *url)
{
  size_t len = strlen(url);
  struct url u = {.s = s};
  if (len > 8192)
    return lrd_settings_refuse(s, "url: longer than 8192 bytes");
  char *copy = lrd_copy_text(s->memory, url, len);
  if (!copy)
    return lrd_settings_no_memory(s);
  larder_outcome outcome = LARDER_BAD_ARGUMENT;
  char *rest = read_scheme(s, copy);
  if (rest)
    outcome = cut(&u, rest);
  if (rest && outcome == LARDER_OK)
    outcome = take(&u);
  lrd_wipe(copy, len + 1);
  lrd_release(s->memory, copy, len + 1);
  return outcome;
}
