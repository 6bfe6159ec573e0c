/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/random/generate.h"
#include "conformance/random/pattern.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/compare.h"

enum { TYPES = 6, TEXT_SIZE = 8192, MAX_REPEAT = 4 };

static const char type_letters[] = "slSzht";

struct builder {
  struct generator *g;
  int argc;
  const char *argv[HISTORY_ARGS];
  size_t len[HISTORY_ARGS];
  char text[TEXT_SIZE];
  size_t used;
};

static void add_bytes(struct builder *b, const char *bytes, size_t len)
{
  if (b->argc == HISTORY_ARGS || b->used + len > TEXT_SIZE)
    return;
  memcpy(b->text + b->used, bytes, len);
  b->argv[b->argc] = b->text + b->used;
  b->len[b->argc++] = len;
  b->used += len;
}

static void add_text(struct builder *b, const char *text)
{
  add_bytes(b, text, strlen(text));
}

static unsigned below(struct builder *b, unsigned n)
{
  return dice_below(&b->g->dice, n);
}

#define CHOOSE(b, list) ((list)[below(b, sizeof(list) / sizeof *(list))])

/* --- arguments -------------------------------------------------------------- */

static void add_key(struct builder *b, char type)
{
  char name[16];
  int strays = type != 'y' && type != 'u' && !b->g->typed;
  if (strays && below(b, 300) == 0) {
    add_bytes(b, "odd\0key", below(b, 2) ? 7 : 0);
    return;
  }
  if (type == 'k' || (strays && below(b, 1000) < (b->g->calm ? 2 : 70)))
    type = type_letters[below(b, TYPES)];
  snprintf(name, sizeof name, "%c%u", type, below(b, b->g->keys));
  add_text(b, name);
}

static void add_long(struct builder *b)
{
  char text[400];
  size_t len = 50 + below(b, 300);
  memset(text, 'a' + (int)below(b, 3), len);
  add_bytes(b, text, len);
}

static const char *const edges[] = {
    "9223372036854775807",  "-9223372036854775808", "9223372036854775808",
    "-9223372036854775809", "9223372036854775806",  "-9223372036854775807",
    "4294967296",           "-2147483649",          "4611686018427387904"};

static const char *const odd_integers[] = {"",   "abc", "1.5", "01",   "+1",  " 1",
                                           "1 ", "-0",  "1e3", "0x1f", "--1", "-"};

static void add_integer(struct builder *b)
{
  char text[32];
  unsigned r = below(b, 100);
  if (r < 4) {
    add_text(b, CHOOSE(b, odd_integers));
    return;
  }
  if (r < 12 && !b->g->far_from_edges) {
    add_text(b, CHOOSE(b, edges));
    return;
  }
  unsigned shift = b->g->far_from_edges ? 20 + below(b, 43) : below(b, 63);
  int64_t value =
      r < 80 ? (int64_t)below(b, 21) - 10 : (int64_t)dice_next(&b->g->dice) >> shift;
  snprintf(text, sizeof text, "%" PRId64, value);
  add_text(b, text);
}

static void add_value(struct builder *b)
{
  static const char *const values[] = {"",   "a",   "b",    "value",    "0",        "1",
                                       "10", "007", "3.25", "\xff\xfe", "two words"};
  unsigned r = below(b, 100);
  if (r < 3)
    add_long(b);
  else if (r < 6)
    add_bytes(b, "nul\0inside\r\n", 12);
  else if (r < 35)
    add_integer(b);
  else
    add_text(b, CHOOSE(b, values));
}

static void add_member(struct builder *b)
{
  char text[32];
  unsigned i = below(b, b->g->members), r = below(b, 400);
  if (r == 0)
    add_long(b);
  else if (r == 1)
    add_text(b, "");
  else {
    snprintf(text, sizeof text, b->g->focus % 2 || i % 3 ? "%u" : "member:%u", i);
    add_text(b, text);
  }
}

/* Counts and indexes: small, sometimes strange. */
static void add_index(struct builder *b, int lowest)
{
  char text[16];
  if (below(b, 100) < 4) {
    add_integer(b);
    return;
  }
  int span = below(b, 4) ? 6 : 100;
  snprintf(text, sizeof text, "%d", (int)below(b, (unsigned)(span - lowest)) + lowest);
  add_text(b, text);
}

static void add_score(struct builder *b)
{
  static const char *const strange[] = {"inf",
                                        "-inf",
                                        "+inf",
                                        "1e308",
                                        "-1e308",
                                        "1e-320",
                                        "-0",
                                        "0.1",
                                        "0.30000000000000004",
                                        "1e21",
                                        "1e15",
                                        "123456789.123",
                                        "9007199254740993",
                                        "3.0",
                                        "5e-324",
                                        "1e17"};
  static const char *const wrong[] = {"nan", "", "abc", "1a", " 1", "1e400", "(1"};
  char text[32];
  unsigned r = below(b, 100);
  if (r < 2)
    add_text(b, CHOOSE(b, wrong));
  else if (r < 12)
    add_text(b, CHOOSE(b, strange));
  else {
    int whole = (int)below(b, 41) - 20;
    snprintf(text, sizeof text, r < 70 ? "%d" : "%d.%u", whole, below(b, 100));
    add_text(b, text);
  }
}

static void add_degrees(struct builder *b)
{
  static const char *const strange[] = {"0", "-0", "85.05112878", "180", "-85", "90", "abc", "1e1"};
  char text[32];
  if (below(b, 20) == 0) {
    add_text(b, CHOOSE(b, strange));
    return;
  }
  snprintf(text, sizeof text, "%d.%u", (int)below(b, 3), below(b, 10000));
  add_text(b, text);
}

/* What a redis-server replied to DUMP: 12, "aa...", a list, an intset, a hash, a sorted set; and
 * what none did. */
static void add_payload(struct builder *b)
{
#define PAYLOAD(text) {text, sizeof(text) - 1}
  static const struct {
    const char *bytes;
    size_t len;
  } payloads[] = {
      PAYLOAD("\0\xc0\x0c\n\0<*\xf8Q\\\x04\xbc\xd5"),
      PAYLOAD("\0\xc3\t+\x01"
              "aa\xe0\x1e\0\x01"
              "aa\n\0\xd9\x9d\x83\xcb\x95\xf3\x90\xef"),
      PAYLOAD("\x12\x01\x02\x12\x12\0\0\0\x03\0\x81"
              "a\x02\x0c\x01\x84"
              "bbbb\x05\xff\n\0\xfd\xba"
              "D\x98\x8e\x08\xe2q"),
      PAYLOAD("\x0b\x0e\x02\0\0\0\x03\0\0\0\x01\0\x02\0\x03\0\n\0\xa5\x02\\\xe2mnM\x1b"),
      PAYLOAD("\x10\x0c\x0c\0\0\0\x02\0\x81"
              "a\x02\x01\x01\xff\n\0\x84\xa6\x93\xe8\xaa\x17\xe4\xdb"),
      PAYLOAD("\x11\x14\x14\0\0\0\x04\0\x81"
              "a\x02\x83"
              "1.5\x04\x81"
              "b\x02\x02\x01\xff\n\0\xfa\x02\xb4%\xaf\x18\x87"
              "c"),
      PAYLOAD("junk"),
      PAYLOAD("\0\xc0\x0d\n\0<*\xf8Q\\\x04\xbc\xd5"),
  };
#undef PAYLOAD
  unsigned i = below(b, sizeof payloads / sizeof *payloads);
  add_bytes(b, payloads[i].bytes, payloads[i].len);
}

static void add_bound(struct builder *b)
{
  static const char *const bounds[] = {"-inf", "+inf", "(-inf", "(inf", "(1e308"};
  char text[32];
  unsigned r = below(b, 100);
  if (r < 25)
    add_text(b, CHOOSE(b, bounds));
  else if (r < 90) {
    snprintf(text, sizeof text, "%s%d%s", r < 50 ? "(" : "", (int)below(b, 41) - 20,
             r % 5 ? "" : ".5");
    add_text(b, text);
  } else
    add_score(b);
}

static void add_lex_bound(struct builder *b)
{
  static const char *const ends[] = {"-", "+", "-", "+", "[", "(", "", "m", "[member:2", "(5"};
  char text[32];
  if (below(b, 2)) {
    add_text(b, CHOOSE(b, ends));
    return;
  }
  snprintf(text, sizeof text, "%c%u", below(b, 2) ? '[' : '(', below(b, b->g->members));
  add_text(b, text);
}

/* A deadline that is at least 10 s away from any other, and from now. */
static int64_t deadline_ms(struct generator *g)
{
  return 3600000 + (int64_t)(++g->deadlines * 7919 % 1000003) * 10000;
}

static void add_expiry(struct builder *b, char kind)
{
  static const char *const past[] = {"0", "-1", "-9223372036854775808"};
  static const char *const wrong[] = {"abc", "", "1.5", "9223372036854775807",
                                      "9223372036854775808"};
  char text[32];
  unsigned r = below(b, 100);
  int64_t at = deadline_ms(b->g);
  if (r < 4) {
    add_text(b, CHOOSE(b, wrong));
    return;
  }
  if (r < 12) {
    add_text(b, (kind == 'a' || kind == 'A') && below(b, 2) ? "1" : CHOOSE(b, past));
    return;
  }
  if (kind == 'a' || kind == 'A')
    at += b->g->base;
  snprintf(text, sizeof text, "%" PRId64, kind == 'E' || kind == 'A' ? at : at / 1000);
  add_text(b, text);
}

/* Ids of a stream's entries: near each other, so that they are met again. */
static void add_id(struct builder *b, int strict)
{
  static const char *const ends[] = {"-", "+", "-", "+", "(5-1", "(0", "(20-3", "(-"};
  static const char *const odd[] = {"abc", "", "5-", "-5", "1-2-3", "01-1", "5--1", "0-0",
                                    "18446744073709551615-18446744073709551615", "5-*"};
  char text[32];
  unsigned r = below(b, 100);
  if (r < 3)
    add_text(b, CHOOSE(b, odd));
  else if (!strict && r < 40)
    add_text(b, CHOOSE(b, ends));
  else {
    snprintf(text, sizeof text, r < 50 ? "%u" : "%u-%u", below(b, 1 + b->g->entries / 4),
             below(b, 4));
    add_text(b, text);
  }
}

/* Of a new entry: mostly behind all others. */
static void add_new_id(struct builder *b)
{
  char text[32];
  if (below(b, 10) == 0) {
    add_id(b, 1);
    return;
  }
  b->g->entries += below(b, 3);
  snprintf(text, sizeof text, "%u-*", b->g->entries / 4);
  add_text(b, text);
}

static void add_pattern(struct builder *b)
{
  static const char *const globs[] = {"*",       "s*", "?0", "[hl]*", "[^s]?",
                                      "nosuch*", "z1", "",   "*\\*",  "[a-l]0"};
  add_text(b, CHOOSE(b, globs));
}

static void placeholder(struct builder *b, char kind)
{
  switch (kind) {
  case 'v': add_value(b); return;
  case 'i': add_integer(b); return;
  case 'm': add_member(b); return;
  case 'n': add_index(b, -1); return;
  case 'j': add_index(b, -6); return;
  case 'r': add_score(b); return;
  case 'b': add_bound(b); return;
  case 'd': add_payload(b); return;
  case 'g': add_degrees(b); return;
  case 'x': add_lex_bound(b); return;
  case 'I': add_id(b, 1); return;
  case 'R': add_id(b, 0); return;
  case 'N': add_new_id(b); return;
  case 'p': add_pattern(b); return;
  case 'e':
  case 'E':
  case 'a':
  case 'A': add_expiry(b, kind); return;
  default: add_key(b, kind); return;
  }
}

/* --- patterns ------------------------------------------------------------------ */

static void expand(struct builder *b, const char *p, const char *end);

/* The words of one of the alternatives between p and end. */
static void expand_choice(struct builder *b, const char *p, const char *end)
{
  unsigned alternatives = 1;
  for (const char *q = p; q < end; q++)
    alternatives += *q == '|';
  for (unsigned chosen = below(b, alternatives); chosen; chosen--)
    p = (const char *)memchr(p, '|', (size_t)(end - p)) + 1;
  const char *stop = memchr(p, '|', (size_t)(end - p));
  expand(b, p, stop ? stop : end);
}

static void expand(struct builder *b, const char *p, const char *end)
{
  while (p < end) {
    if (*p == ' ') {
      p++;
    } else if (*p == '$') {
      placeholder(b, p[1]);
      p += 2;
    } else if (*p == '{') {
      const char *close = memchr(p, '}', (size_t)(end - p));
      expand_choice(b, p + 1, close);
      p = close + 1;
    } else if (*p == '<') {
      const char *close = memchr(p, '>', (size_t)(end - p));
      for (unsigned n = below(b, 3) ? 1 : 1 + below(b, MAX_REPEAT); n; n--)
        expand(b, p + 1, close);
      p = close + 1;
    } else {
      const char *stop = p;
      while (stop < end && *stop != ' ')
        stop++;
      add_bytes(b, p, (size_t)(stop - p));
      p = stop;
    }
  }
}

static const struct pattern *choose_pattern(struct builder *b)
{
  for (;;) {
    const struct pattern *p = &patterns[below(b, (unsigned)pattern_count)];
    if (b->g->typed && p->type == 'k' && (strstr(p->text, "$k $k") || strstr(p->text, "$d")))
      continue;
    if (b->g->typed && p->type == 't') /* what is not wholly known can't be added to */
      continue;
    int in_focus = p->type == type_letters[b->g->focus];
    if (below(b, 12) >= p->weight || (!in_focus && below(b, 100) < 60))
      continue;
    if (b->g->calm && !in_focus && below(b, 100) < 95)
      continue;
    if (p->adds && (below(b, 100) < b->g->grow) != (p->adds > 0))
      continue;
    return p;
  }
}

/* Now and then an argument too many, too few or of no sense. */
static void spoil(struct builder *b)
{
  static const char *const odd[] = {"",   "abc", "-1", "0",  "9223372036854775807", "1.5",
                                    "NX", "XX",  "GT", "CH", "WITHSCORES",          "INCR"};
  unsigned r = below(b, 3);
  if (r == 0)
    add_text(b, CHOOSE(b, odd));
  else if (r == 1 && b->argc > 1)
    b->argc--;
  else if (b->argc > 1) {
    int i = 1 + (int)below(b, (unsigned)b->argc - 1);
    const char *text = CHOOSE(b, odd);
    b->argv[i] = text;
    b->len[i] = strlen(text);
  }
}

/* What has to stay as its pattern says. */
static int is_delicate(const struct builder *b)
{
  return (b->len[0] && b->argv[0][b->len[0] - 1] == 'N') || /* SCAN and its like */
         (b->len[0] && b->argv[0][0] == 'X') || /* times in replies */
         compare_is_word(b->argv, b->len, 0, "SORT") ||
         (b->argc > 1 && b->len[1] && (b->argv[1][0] == 'y' || b->argv[1][0] == 'u'));
}

/* Inside a transaction a pop of some of the members can't be repeated elsewhere. */
static void pop_all(struct builder *b)
{
  if (!compare_is_word(b->argv, b->len, 0, "SPOP") || b->argc > 3 || b->argc < 2)
    return;
  b->argc = 2;
  add_text(b, "1000000");
}

static int is_unwanted(const struct builder *b)
{
  for (int k = 0; k < GENERATOR_WITHOUT && b->g->without[k]; k++)
    for (int i = 0; i < b->argc; i++)
      if (compare_is_word(b->argv, b->len, i, b->g->without[k]))
        return 1;
  return 0;
}

static void emit(struct builder *b, struct history *h, int session)
{
  if (!is_unwanted(b))
    history_add(h, command_new(session, b->argc, b->argv, b->len));
  b->argc = 0;
  b->used = 0;
}

static void emit_words(struct builder *b, struct history *h, int session, const char *text)
{
  b->argc = 0;
  b->used = 0;
  expand(b, text, text + strlen(text));
  emit(b, h, session);
}

static void emit_command(struct builder *b, struct history *h, int session, int in_multi)
{
  const struct pattern *p = choose_pattern(b);
  b->argc = 0;
  b->used = 0;
  expand(b, p->text, p->text + strlen(p->text));
  if (!b->g->typed && below(b, 100) < 2 && !is_delicate(b))
    spoil(b);
  if (in_multi)
    pop_all(b);
  emit(b, h, session);
}

static void emit_transaction(struct builder *b, struct history *h, int session)
{
  if (below(b, 100) < 50) {
    emit_words(b, h, session, "WATCH <$k>");
    for (unsigned n = below(b, 3); n; n--)
      emit_command(b, h, below(b, 2) ? session : !session, 0);
    if (below(b, 10) == 0)
      emit_words(b, h, session, "UNWATCH");
  }
  emit_words(b, h, session, "MULTI");
  for (unsigned n = below(b, 7); n; n--)
    emit_command(b, h, session, 1);
  if (below(b, 40) == 0)
    emit_words(b, h, session, "{MULTI|WATCH $k|NOSUCH|GET|SELECT 0}");
  emit_words(b, h, session, below(b, 10) ? "EXEC" : "DISCARD");
}

void generator_turn(struct generator *g)
{
  static const unsigned keys[] = {1, 2, 3, 8};
  static const unsigned members[] = {3, 20, 200, 700};
  static const unsigned grow[] = {45, 50, 60, 80};
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  g->base = (int64_t)t.tv_sec * 1000 + 20000000000;
  g->keys = keys[dice_below(&g->dice, 4)];
  g->members = members[dice_below(&g->dice, 4)];
  g->grow = grow[dice_below(&g->dice, 4)];
  g->focus = dice_below(&g->dice, TYPES);
  g->calm = dice_percent(&g->dice, 40);
  g->entries = 4;
}

void generate(struct generator *g, struct history *h, size_t count)
{
  struct builder b;
  b.g = g;
  while (h->count < count) {
    unsigned r = below(&b, 3000);
    int session = below(&b, 40) == 0;
    if (r < 60)
      emit_transaction(&b, h, session);
    else if (r < 64)
      emit_words(&b, h, session, "SELECT {0|1}");
    else if (r < 65 && !g->calm)
      emit_words(&b, h, session, "{FLUSHDB|FLUSHALL} {ASYNC|SYNC|}");
    else
      emit_command(&b, h, session, 0);
  }
}
