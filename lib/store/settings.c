/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "memory/policy.h"
#include "util/memory.h"

#define MS INT64_C(1000000)
#define SECOND INT64_C(1000000000)
#define MAX_TIMEOUT (INT64_C(3600000) * MS)
#define KIB INT64_C(1024)

static const char *const words_fallback[] = {"none", "memory", NULL};
static const char *const words_outage[] = {"journal", "cache", "strict", NULL};
static const char *const words_delivery[] = {"thread", "dispatch", NULL};

static const char allowed_duration[] = "1ms to 3600s (as 250ms, 0.5s or plain milliseconds)";
static const char allowed_yes_no[] = "yes, no, true, false, on, off, 1, 0";
static const char allowed_name[] = "1 to 128 printable characters without spaces";
static const char allowed_path[] = "1 to 4095 bytes without control characters";
static const char allowed_prefix[] = "1 to 128 printable characters without spaces and '*'";

const struct lrd_option lrd_options[LRD_OPTIONS] = {
    [LRD_OPTION_TIMEOUT] = {"timeout", LRD_KIND_DURATION, MS, MAX_TIMEOUT, 250 * MS,
                            allowed_duration, NULL, 0},
    [LRD_OPTION_CONNECT_TIMEOUT] = {"connect_timeout", LRD_KIND_DURATION, MS, MAX_TIMEOUT,
                                    1000 * MS, allowed_duration, NULL, 0},
    [LRD_OPTION_MAX_RETRIES] = {"max_retries", LRD_KIND_COUNT, 0, 100, 3, "0 to 100", NULL, 0},
    [LRD_OPTION_PROTOCOL] = {"protocol", LRD_KIND_COUNT, 2, 3, 0, "2, 3", NULL, 0},
    [LRD_OPTION_REQUIRED] = {"required", LRD_KIND_YES_NO, LARDER_NO, LARDER_YES, LARDER_NO,
                             allowed_yes_no, NULL, 0},
    [LRD_OPTION_ENABLED] = {"enabled", LRD_KIND_YES_NO, LARDER_NO, LARDER_YES, LARDER_YES,
                            allowed_yes_no, NULL, 0},
    [LRD_OPTION_FALLBACK] = {"fallback", LRD_KIND_WORD, LARDER_NO, LARDER_YES, LARDER_YES,
                             "memory, none", words_fallback, LARDER_NO},
    [LRD_OPTION_OUTAGE] = {"outage", LRD_KIND_WORD, LARDER_OUTAGE_JOURNAL, LARDER_OUTAGE_STRICT,
                           LARDER_OUTAGE_JOURNAL, "journal, cache, strict", words_outage,
                           LARDER_OUTAGE_JOURNAL},
    [LRD_OPTION_CONNECTIONS] = {"connections", LRD_KIND_COUNT, 1, 256, 8, "1 to 256", NULL, 0},
    [LRD_OPTION_JOURNAL_BYTES] = {"journal_bytes", LRD_KIND_SIZE, 4 * KIB, KIB * KIB * KIB * KIB,
                                  64 * KIB * KIB, "4kb to 1024gb", NULL, 0},
    [LRD_OPTION_JOURNAL_KEYS] = {"journal_keys", LRD_KIND_COUNT, 1, 1000000000, 1000000,
                                 "1 to 1000000000", NULL, 0},
    [LRD_OPTION_SHARDS] = {"shards", LRD_KIND_COUNT, 1, 1024, 16, "1 to 1024", NULL, 0},
    [LRD_OPTION_BACKGROUND] = {"background", LRD_KIND_YES_NO, LARDER_NO, LARDER_YES, LARDER_YES,
                               allowed_yes_no, NULL, 0},
    [LRD_OPTION_DELIVERY] = {"delivery", LRD_KIND_WORD, LARDER_DELIVER_THREAD,
                             LARDER_DELIVER_DISPATCH, LARDER_DELIVER_THREAD, "thread, dispatch",
                             words_delivery, LARDER_DELIVER_THREAD},
    [LRD_OPTION_MAXMEMORY] = {"maxmemory", LRD_KIND_SIZE, 0, KIB * KIB * KIB * KIB, 0,
                              "0 (no bound) to 1024gb (as 100mb)", NULL, 0},
    [LRD_OPTION_MAXMEMORY_POLICY] = {"maxmemory_policy", LRD_KIND_WORD,
                                     LARDER_POLICY_VOLATILE_LRU, LARDER_POLICY_ALLKEYS_S3FIFO,
                                     LARDER_POLICY_UNSET,
                                     "volatile-lru, volatile-lfu, volatile-random, volatile-ttl, "
                                     "allkeys-lru, allkeys-lfu, allkeys-random, noeviction, "
                                     "allkeys-s3fifo",
                                     lrd_policy_names, LARDER_POLICY_VOLATILE_LRU},
    [LRD_OPTION_TLS_INSECURE] = {"tls_insecure_accept_any_certificate", LRD_KIND_YES_NO, LARDER_NO,
                                 LARDER_YES, LARDER_NO, allowed_yes_no, NULL, 0},
    [LRD_OPTION_DB] = {"db", LRD_KIND_COUNT, 0, 15, 0, "0 to 15", NULL, 0},
    [LRD_OPTION_USER] = {"user", LRD_KIND_TEXT, 0, 0, 0, allowed_name, NULL, 0},
    [LRD_OPTION_PASSWORD] = {"password", LRD_KIND_SECRET, 0, 0, 0, "at most 512 bytes without NUL",
                             NULL, 0},
    [LRD_OPTION_CLIENT_NAME] = {"client_name", LRD_KIND_TEXT, 0, 0, 0, allowed_name, NULL, 0},
    [LRD_OPTION_PREFIX] = {"prefix", LRD_KIND_PREFIX, 0, 0, 0, allowed_prefix, NULL, 0},
    [LRD_OPTION_TLS_CA] = {"tls_ca", LRD_KIND_PATH, 0, 0, 0, allowed_path, NULL, 0},
    [LRD_OPTION_TLS_CERT] = {"tls_cert", LRD_KIND_PATH, 0, 0, 0, allowed_path, NULL, 0},
    [LRD_OPTION_TLS_KEY] = {"tls_key", LRD_KIND_PATH, 0, 0, 0, allowed_path, NULL, 0},
    [LRD_OPTION_TLS_NAME] = {"tls_name", LRD_KIND_TEXT, 0, 0, 0, allowed_name, NULL, 0},
};

/* --- texts --------------------------------------------------------------- */

char *lrd_copy_text(const larder_memory *memory, const char *text, size_t len)
{
  char *copy = lrd_allocate(memory, len + 1);
  if (!copy)
    return NULL;
  memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

void lrd_release_text(const larder_memory *memory, char *text)
{
  if (!text)
    return;
  size_t size = strlen(text) + 1;
  lrd_wipe(text, size);
  lrd_release(memory, text, size);
}

const char *lrd_shown(char out[LRD_SHOWN_SIZE], const char *value, size_t len)
{
  size_t n = len < 64 ? len : 64;
  for (size_t i = 0; i < n; i++)
    out[i] = value[i];
  for (size_t i = 0; i < n; i++)
    if (out[i] < 0x20 || out[i] > 0x7e)
      out[i] = '?';
  if (n < len) {
    memcpy(out + n, "...", 4);
    return out;
  }
  out[n] = '\0';
  return out;
}

larder_outcome lrd_settings_refuse(struct lrd_settings *s, const char *format, ...)
{
  if (s->error && s->error_size) {
    va_list ap;
    va_start(ap, format);
    vsnprintf(s->error, s->error_size, format, ap);
    va_end(ap);
  }
  return LARDER_BAD_ARGUMENT;
}

larder_outcome lrd_settings_no_memory(struct lrd_settings *s)
{
  lrd_settings_refuse(s, "no memory for the options");
  return LARDER_NO_MEMORY;
}

/* --- one value ----------------------------------------------------------- */

/* Digits into *out, at most 15 of them; how many were read. */
static size_t read_digits(const char *p, size_t len, int64_t *out)
{
  size_t n = 0;
  *out = 0;
  while (n < len && n < 15 && p[n] >= '0' && p[n] <= '9')
    *out = *out * 10 + (p[n++] - '0');
  return n;
}

/* A decimal number times unit, cut to whole ones; 1: *out is set. */
static int read_decimal(const char *p, size_t len, int64_t unit, int64_t *out)
{
  int64_t whole, part = 0;
  size_t n = read_digits(p, len, &whole);
  if (n == 0 || whole > INT64_C(1000000000))
    return 0;
  *out = whole * unit;
  if (n == len)
    return 1;
  if (p[n] != '.' || len - n < 2)
    return 0;
  size_t digits = read_digits(p + n + 1, len - n - 1, &part);
  if (n + 1 + digits != len || digits > 9)
    return 0;
  int64_t scale = 1;
  for (size_t i = 0; i < digits; i++)
    scale *= 10;
  /* unit and scale are powers of ten: divide the smaller out first, so that
   * nothing overflows. */
  *out += unit >= scale ? part * (unit / scale) : part / (scale / unit);
  return 1;
}

static int ends_with(const char *p, size_t len, const char *unit)
{
  size_t n = strlen(unit);
  return len > n && strncasecmp(p + len - n, unit, n) == 0;
}

static int read_duration(const char *p, size_t len, int64_t *out)
{
  if (ends_with(p, len, "ms"))
    return read_decimal(p, len - 2, MS, out);
  if (ends_with(p, len, "s"))
    return read_decimal(p, len - 1, SECOND, out);
  return read_decimal(p, len, MS, out);
}

static int read_size(const char *p, size_t len, int64_t *out)
{
  static const struct {
    const char *unit;
    int64_t bytes;
  } units[] = {{"kb", KIB}, {"mb", KIB * KIB}, {"gb", KIB * KIB * KIB}};
  int64_t unit = 1;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (ends_with(p, len, units[i].unit)) {
      unit = units[i].bytes;
      len -= 2;
      break;
    }
  }
  int64_t n;
  if (len == 0 || read_digits(p, len, &n) != len || n > INT64_MAX / unit)
    return 0;
  *out = n * unit;
  return 1;
}

static int read_word(const char *const *words, const char *p, size_t len, int64_t *out)
{
  for (int i = 0; words[i]; i++) {
    if (strlen(words[i]) == len && strncasecmp(words[i], p, len) == 0) {
      *out = i;
      return 1;
    }
  }
  return 0;
}

static int read_yes_no(const char *p, size_t len, int64_t *out)
{
  static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1", NULL};
  if (!read_word(words, p, len, out))
    return 0;
  *out = *out % 2 ? LARDER_YES : LARDER_NO;
  return 1;
}

static int read_number(const struct lrd_option *o, const char *p, size_t len, int64_t *out)
{
  switch (o->kind) {
  case LRD_KIND_DURATION:
    return read_duration(p, len, out);
  case LRD_KIND_COUNT:
    return len > 0 && read_digits(p, len, out) == len;
  case LRD_KIND_SIZE:
    return read_size(p, len, out);
  case LRD_KIND_YES_NO:
    return read_yes_no(p, len, out);
  case LRD_KIND_WORD:
    if (!read_word(o->words, p, len, out))
      return 0;
    *out += o->base;
    return 1;
  case LRD_KIND_TEXT:
  case LRD_KIND_PREFIX:
  case LRD_KIND_PATH:
  case LRD_KIND_SECRET:
    break;
  }
  return 0;
}

static int valid_path(const char *p, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
      return 0;
  return len > 0 && len < 4096;
}

static int valid_text(const struct lrd_option *o, const char *p, size_t len)
{
  if (o->kind == LRD_KIND_SECRET)
    return len <= 512 && !memchr(p, '\0', len);
  if (o->kind == LRD_KIND_PATH)
    return valid_path(p, len);
  if (len == 0 || len > 128)
    return 0;
  for (size_t i = 0; i < len; i++)
    if (p[i] < '!' || p[i] > '~' || (p[i] == '*' && o->kind == LRD_KIND_PREFIX))
      return 0;
  return 1;
}

/* --- setting ------------------------------------------------------------- */

void lrd_settings_init(struct lrd_settings *s, const larder_memory *memory, char *error,
                       size_t error_size)
{
  memset(s, 0, sizeof *s);
  s->memory = memory;
  s->error = error;
  s->error_size = error_size;
  for (int i = 0; i < LRD_NUMBER_OPTIONS; i++)
    s->number[i] = lrd_options[i].initial;
}

void lrd_settings_release(struct lrd_settings *s)
{
  lrd_release_text(s->memory, s->host);
  lrd_release_text(s->memory, s->path);
  for (int i = LRD_NUMBER_OPTIONS; i < LRD_OPTIONS; i++)
    lrd_release_text(s->memory, s->text[i]);
}

enum lrd_option_id lrd_option_find(const char *name, size_t len)
{
  int i = 0;
  while (i < LRD_OPTIONS &&
         (strlen(lrd_options[i].name) != len || memcmp(lrd_options[i].name, name, len) != 0))
    i++;
  return (enum lrd_option_id)i;
}

static void keep_number(struct lrd_settings *s, enum lrd_option_id id, enum lrd_source source,
                        int64_t value)
{
  if (source < s->source[id])
    return;
  s->number[id] = value;
  s->source[id] = (unsigned char)source;
}

static larder_outcome keep_text(struct lrd_settings *s, enum lrd_option_id id,
                                enum lrd_source source, const char *value, size_t len)
{
  if (source < s->source[id])
    return LARDER_OK;
  char *copy = lrd_copy_text(s->memory, value, len);
  if (!copy)
    return lrd_settings_no_memory(s);
  lrd_release_text(s->memory, s->text[id]);
  s->text[id] = copy;
  s->source[id] = (unsigned char)source;
  return LARDER_OK;
}

larder_outcome lrd_settings_text(struct lrd_settings *s, enum lrd_option_id id,
                                 enum lrd_source source, const char *shown, const char *value,
                                 size_t len)
{
  const struct lrd_option *o = &lrd_options[id];
  char buffer[LRD_SHOWN_SIZE];
  if (id >= LRD_NUMBER_OPTIONS) {
    if (valid_text(o, value, len))
      return keep_text(s, id, source, value, len);
    if (o->kind == LRD_KIND_SECRET)
      return lrd_settings_refuse(s, "option %s: allowed is %s", shown, o->allowed);
    return lrd_settings_refuse(s, "option %s=%s: allowed is %s", shown,
                               lrd_shown(buffer, value, len), o->allowed);
  }
  int64_t number;
  if (!read_number(o, value, len, &number) || number < o->minimum || number > o->maximum)
    return lrd_settings_refuse(s, "option %s=%s: allowed is %s", shown,
                               lrd_shown(buffer, value, len), o->allowed);
  keep_number(s, id, source, number);
  return LARDER_OK;
}

larder_outcome lrd_settings_seconds(struct lrd_settings *s, enum lrd_option_id id,
                                    enum lrd_source source, const char *shown, const char *value,
                                    size_t len)
{
  const struct lrd_option *o = &lrd_options[id];
  char buffer[LRD_SHOWN_SIZE];
  int64_t number;
  if (!read_decimal(value, len, SECOND, &number) || number < o->minimum || number > o->maximum)
    return lrd_settings_refuse(s, "option %s=%s: allowed is 0.001 to 3600 seconds", shown,
                               lrd_shown(buffer, value, len));
  keep_number(s, id, source, number);
  return LARDER_OK;
}

larder_outcome lrd_settings_number(struct lrd_settings *s, enum lrd_option_id id,
                                   enum lrd_source source, int64_t value, int64_t told)
{
  const struct lrd_option *o = &lrd_options[id];
  if (value < o->minimum || value > o->maximum)
    return lrd_settings_refuse(s, "option %s=%lld: allowed is %s", o->name, (long long)told,
                               o->allowed);
  keep_number(s, id, source, value);
  return LARDER_OK;
}
