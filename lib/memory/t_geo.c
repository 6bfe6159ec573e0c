/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_geo.h"

#include <math.h>
#include <stdio.h>

#include "memory/t_types.h"
#include "memory/zset.h"
#include "util/memory.h"

/* --- arguments ------------------------------------------------------------------------- */

/* printf's %f, which an error text has, without a locale: six digits, rounded. */
enum { DEGREES_SIZE = 340 };

static size_t print_degrees(char *out, double value)
{
  char digits[LRD_LONG_DOUBLE_SIZE];
  double whole = floor(fabs(value)), millionths = nearbyint((fabs(value) - whole) * 1e6);

  if (isinf(value))
    return (size_t)snprintf(out, DEGREES_SIZE, "%sinf", value < 0 ? "-" : "");
  if (millionths >= 1e6) {
    whole++;
    millionths = 0;
  }
  lrd_print_long_double(digits, whole);
  return (size_t)snprintf(out, DEGREES_SIZE, "%s%.315s.%06d", signbit(value) ? "-" : "", digits,
                          (int)millionths);
}

static void wrong_place(struct lrd_exec *x, const struct lrd_place *p)
{
  char longitude[DEGREES_SIZE], latitude[DEGREES_SIZE], text[2 * DEGREES_SIZE + 64];

  print_degrees(longitude, p->longitude);
  print_degrees(latitude, p->latitude);
  snprintf(text, sizeof text, "ERR invalid longitude,latitude pair %s,%s", longitude, latitude);
  lrd_error(x, text);
}

int lrd_argument_place(struct lrd_exec *x, int i, struct lrd_place *p)
{
  const larder_bytes *a = &x->argv[i];

  if (!lrd_parse_double(a[0].data, a[0].len, &p->longitude) ||
      !lrd_parse_double(a[1].data, a[1].len, &p->latitude)) {
    lrd_error(x, lrd_text_not_float);
    return 0;
  }
  if (fabs(p->longitude) <= LRD_GEO_LONGITUDE_MAX && fabs(p->latitude) <= LRD_GEO_LATITUDE_MAX)
    return 1;
  wrong_place(x, p);
  return 0;
}

int lrd_argument_unit(struct lrd_exec *x, int i, double *metres)
{
  static const struct {
    const char *word;
    double metres;
  } unit[] = { { "M", 1 }, { "KM", 1000 }, { "FT", 0.3048 }, { "MI", 1609.34 } };

  for (size_t k = 0; k < sizeof unit / sizeof *unit; k++)
    if (lrd_is_word(&x->argv[i], unit[k].word)) {
      *metres = unit[k].metres;
      return 1;
    }
  lrd_error(x, "ERR unsupported unit provided. please use M, KM, FT, MI");
  return 0;
}

/* --- replies --------------------------------------------------------------------------- */

/* Rounded as printf rounds, half to even, which only multiples of 1/32 meet. */
void lrd_reply_distance(struct lrd_exec *x, double value)
{
  char text[LRD_NUMBER_SIZE];
  double whole = floor(value), part = (value - whole) * 4294967296.0; /* 32 bits, then the rest */
  uint64_t high = (uint64_t)part * 10000;
  uint64_t low = (uint64_t)((part - floor(part)) * 4294967296.0) * 10000;
  uint64_t rest;

  high += low >> 32;
  rest = (high & UINT32_MAX) << 32 | (low & UINT32_MAX);
  high >>= 32;
  if (rest > UINT64_C(1) << 63 || (rest == UINT64_C(1) << 63 && high & 1))
    high++;
  lrd_sink_string(x->sink, text,
                  (size_t)snprintf(text, sizeof text, "%llu.%04llu",
                                   (unsigned long long)whole + high / 10000,
                                   (unsigned long long)(high % 10000)));
}

/* Of a value near zero the print says less; the number is what it says. */
static void reply_degrees(struct lrd_exec *x, double value)
{
  char text[LRD_LONG_DOUBLE_SIZE];
  size_t len = lrd_print_long_double(text, value);

  (void)lrd_parse_double(text, len, &value);
  x->sink->type->real(x->sink, value, text, len);
}

void lrd_reply_place(struct lrd_exec *x, struct lrd_place p)
{
  lrd_sink_array(x->sink, 2);
  reply_degrees(x, p.longitude);
  reply_degrees(x, p.latitude);
}

/* --- GEOADD ---------------------------------------------------------------------------- */

/* Options, then triples; where those begin.  0: replied. */
static int parse_options(struct lrd_exec *x)
{
  int i = 2, nx = 0, xx = 0;

  for (; i < x->argc; i++) {
    if (lrd_is_word(&x->argv[i], "NX"))
      nx = 1;
    else if (lrd_is_word(&x->argv[i], "XX"))
      xx = 1;
    else if (!lrd_is_word(&x->argv[i], "CH"))
      break;
  }
  if (i < x->argc && (x->argc - i) % 3 == 0 && !(nx && xx))
    return i;
  lrd_error(x, lrd_text_syntax);
  return 0;
}

/* The scores as texts, into the vector of a ZADD; 0: replied. */
static int convert(struct lrd_exec *x, int first, larder_bytes *argv, char *text)
{
  larder_bytes *to = argv + first;

  for (int i = first; i < x->argc; i += 3, text += LRD_NUMBER_SIZE) {
    struct lrd_place p;
    uint64_t score;

    if (!lrd_argument_place(x, i, &p))
      return 0;
    score = lrd_geo_score(lrd_geo_cell(p, LRD_GEO_STEPS, LRD_GEO_LATITUDE_MAX));
    *to++ = (larder_bytes){ text, lrd_print_integer(text, (int64_t)score) };
    *to++ = x->argv[i + 2];
  }
  return 1;
}

/* To whoever is told of changes it is a ZADD. */
void lrd_t_geoadd(struct lrd_exec *x)
{
  const larder_memory *memory = lrd_memory_of(x->engine);
  const larder_bytes *given = x->argv;
  int first = parse_options(x), argc = x->argc, triples;
  size_t vector, size;
  larder_bytes *argv;

  if (!first)
    return;
  triples = (argc - first) / 3;
  vector = (size_t)(first + 2 * triples) * sizeof *argv;
  size = vector + (size_t)triples * LRD_NUMBER_SIZE;
  argv = lrd_allocate(memory, size);
  if (!argv) {
    lrd_no_memory(x);
    return;
  }
  argv[0] = (larder_bytes){ "ZADD", 4 };
  for (int i = 1; i < first; i++)
    argv[i] = given[i];
  if (convert(x, first, argv, (char *)argv + vector)) {
    x->argv = argv;
    x->argc = first + 2 * triples;
    lrd_t_zadd(x);
    x->argv = given;
    x->argc = argc;
  }
  x->hashed = NULL;
  lrd_release(memory, argv, size);
}

/* --- reading --------------------------------------------------------------------------- */

static int find(const struct lrd_entry *entry, larder_bytes member, struct lrd_place *p)
{
  double score;

  if (!entry || !lrd_zset_score(lrd_value(entry), member, &score))
    return 0;
  *p = lrd_geo_place(score);
  return 1;
}

void lrd_t_geodist(struct lrd_exec *x)
{
  struct lrd_entry *entry;
  struct lrd_place a, b;
  double unit = 1;

  if (x->argc == 5 && !lrd_argument_unit(x, 4, &unit))
    return;
  if (x->argc > 5) {
    lrd_error(x, lrd_text_syntax);
    return;
  }
  if (!lrd_read(x, x->argv[1], LRD_ZSET, &entry))
    return;
  if (find(entry, x->argv[2], &a) && find(entry, x->argv[3], &b))
    lrd_reply_distance(x, lrd_geo_distance(a, b) / unit);
  else
    lrd_sink_nil(x->sink);
}

/* Of each member that is named its place, as `reply` says it, or what `nil` says. */
static void reply_each(struct lrd_exec *x, void (*reply)(struct lrd_exec *, struct lrd_place),
                       void (*nil)(larder_sink *))
{
  struct lrd_entry *entry;
  struct lrd_place p;

  if (!lrd_read(x, x->argv[1], LRD_ZSET, &entry))
    return;
  lrd_sink_array(x->sink, (size_t)x->argc - 2);
  for (int i = 2; i < x->argc; i++)
    if (find(entry, x->argv[i], &p))
      reply(x, p);
    else
      nil(x->sink);
}

void lrd_t_geopos(struct lrd_exec *x)
{
  reply_each(x, lrd_reply_place, lrd_sink_nil_array);
}

/* Geohashes as everybody writes them have latitudes up to 90 degrees, and 5 bits a letter. */
static void reply_letters(struct lrd_exec *x, struct lrd_place p)
{
  static const char letters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
  uint64_t bits = lrd_geo_cell(p, LRD_GEO_STEPS, 90).bits;
  char text[11];

  for (unsigned i = 0; i < 10; i++)
    text[i] = letters[bits >> (52 - 5 * (i + 1)) & 31];
  text[10] = '0'; /* there are 52 bits, not 55 */
  lrd_sink_string(x->sink, text, sizeof text);
}

void lrd_t_geohash(struct lrd_exec *x)
{
  reply_each(x, reply_letters, lrd_sink_nil);
}
