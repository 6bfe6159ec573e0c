/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory/t_geo.h"

#include "memory/kind.h"
#include "memory/sorting.h"
#include "memory/t_types.h"
#include "memory/zset.h"
#include "util/buffer.h"
#include "util/memory.h"

/* GEOSEARCH, GEORADIUS and their kin: what is in the cells that cover a shape and in the shape. */

enum order { AS_FOUND, NEAREST, FARTHEST };

struct search {
  struct lrd_exec *x;
  struct lrd_entry *entry;    /* NULL: there is no such key */
  struct lrd_geo_shape shape;
  const larder_bytes *store;  /* NULL: the result is replied */
  int has_middle, has_size;   /* of GEOSEARCH: how it was given: 1 or 2 */
  int distance, hash, place;  /* WITH... */
  int store_distance;
  int any;
  int64_t count;              /* 0: all */
  enum order order;
};

struct point {
  larder_bytes member;
  double score, distance; /* metres */
  struct lrd_place place;
};

/* --- parsing --------------------------------------------------------------------------- */

static int parse_length(struct lrd_exec *x, int i, double *value, const char *wrong)
{
  if (lrd_parse_double(x->argv[i].data, x->argv[i].len, value))
    return 1;
  lrd_error(x, wrong);
  return 0;
}

static int parse_radius(struct search *s, int i)
{
  if (!parse_length(s->x, i, &s->shape.radius, "ERR need numeric radius"))
    return 0;
  if (s->shape.radius < 0) {
    lrd_error(s->x, "ERR radius cannot be negative");
    return 0;
  }
  return lrd_argument_unit(s->x, i + 1, &s->shape.unit);
}

static int parse_box(struct search *s, int i)
{
  s->shape.is_box = 1;
  if (!parse_length(s->x, i, &s->shape.width, "ERR need numeric width") ||
      !parse_length(s->x, i + 1, &s->shape.height, "ERR need numeric height"))
    return 0;
  if (s->shape.width < 0 || s->shape.height < 0) {
    lrd_error(s->x, "ERR height or width cannot be negative");
    return 0;
  }
  return lrd_argument_unit(s->x, i + 2, &s->shape.unit);
}

/* Without a key there is no member to be found, and nothing to be found around it. */
static int parse_member(struct search *s, int i)
{
  double score;

  if (!s->entry)
    return 1;
  if (lrd_zset_score(lrd_value(s->entry), s->x->argv[i], &score)) {
    s->shape.middle = lrd_geo_place(score);
    return 1;
  }
  lrd_error(s->x, "ERR could not decode requested zset member");
  return 0;
}

static int parse_count(struct search *s, int i)
{
  if (!lrd_argument_integer(s->x, i, &s->count))
    return 0;
  if (s->count > 0)
    return 1;
  lrd_error(s->x, "ERR COUNT must be > 0");
  return 0;
}

/* An option without arguments; 0: it is none. */
static int parse_word(struct search *s, const larder_bytes *word)
{
  if (lrd_is_word(word, "WITHDIST"))
    s->distance = 1;
  else if (lrd_is_word(word, "WITHHASH"))
    s->hash = 1;
  else if (lrd_is_word(word, "WITHCOORD"))
    s->place = 1;
  else if (lrd_is_word(word, "ANY"))
    s->any = 1;
  else if (lrd_is_word(word, "ASC"))
    s->order = NEAREST;
  else if (lrd_is_word(word, "DESC"))
    s->order = FARTHEST;
  else
    return 0;
  return 1;
}

enum { WRONG = -1, UNKNOWN = -2 };

static int taken(int parsed, int arguments)
{
  return parsed ? arguments : WRONG;
}

/* An option of GEOSEARCH: how many arguments it has. */
static int parse_shape(struct search *s, int i, int left)
{
  const larder_bytes *word = &s->x->argv[i];

  if (left >= 1 && s->has_middle != 2 && lrd_is_word(word, "FROMMEMBER")) {
    s->has_middle = 1;
    return taken(parse_member(s, i + 1), 1);
  }
  if (left >= 2 && s->has_middle != 1 && lrd_is_word(word, "FROMLONLAT")) {
    s->has_middle = 2;
    return taken(lrd_argument_place(s->x, i + 1, &s->shape.middle), 2);
  }
  if (left >= 2 && s->has_size != 2 && lrd_is_word(word, "BYRADIUS")) {
    s->has_size = 1;
    return taken(parse_radius(s, i + 1), 2);
  }
  if (left >= 3 && s->has_size != 1 && lrd_is_word(word, "BYBOX")) {
    s->has_size = 2;
    return taken(parse_box(s, i + 1), 3);
  }
  if (s->store && lrd_is_word(word, "STOREDIST")) {
    s->store_distance = 1;
    return 0;
  }
  return UNKNOWN;
}

/* The same of GEORADIUS. */
static int parse_store(struct search *s, int i, int left)
{
  const larder_bytes *word = &s->x->argv[i];
  unsigned command = s->x->vector->command;
  int distance = lrd_is_word(word, "STOREDIST");

  if (!left || (command != LRD_GEORADIUS && command != LRD_GEORADIUSBYMEMBER) ||
      (!distance && !lrd_is_word(word, "STORE")))
    return UNKNOWN;
  s->store = word + 1;
  s->store_distance = distance;
  return 1;
}

static int parse_options(struct search *s, int i,
                         int (*parse_own)(struct search *, int i, int left))
{
  for (int more; i < s->x->argc; i += more + 1) {
    int left = s->x->argc - i - 1;

    if (parse_word(s, &s->x->argv[i]))
      more = 0;
    else if (left && lrd_is_word(&s->x->argv[i], "COUNT"))
      more = taken(parse_count(s, i + 1), 1);
    else
      more = parse_own(s, i, left);
    if (more == UNKNOWN)
      lrd_error(s->x, lrd_text_syntax);
    if (more < 0)
      return 0;
  }
  return 1;
}

/* What does not go together; GEOSEARCH is called as the caller has written it. */
static int fits(struct search *s, int is_search)
{
  const larder_bytes *name = &s->x->argv[0];

  if (s->store && (s->distance || s->hash || s->place))
    lrd_errorf(s->x, "ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
               is_search ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS");
  else if (is_search && !s->has_middle)
    lrd_errorf(s->x, "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %.*s",
               (int)name->len, name->data);
  else if (is_search && !s->has_size)
    lrd_errorf(s->x, "ERR exactly one of BYRADIUS and BYBOX can be specified for %.*s",
               (int)name->len, name->data);
  else if (s->any && !s->count)
    lrd_error(s->x, "ERR the ANY argument requires COUNT argument");
  else
    return 1;
  return 0;
}

/* --- searching ------------------------------------------------------------------------- */

/* Of one cell, in the order of the scores; 0: no memory. */
static int search_cell(const struct search *s, struct lrd_cell cell, struct lrd_buffer *points)
{
  struct lrd_cell next = { cell.bits + 1, cell.steps };
  double first = (double)lrd_geo_score(cell), end = (double)lrd_geo_score(next);
  const struct lrd_zset *zset = lrd_value(s->entry);
  size_t rank = lrd_zset_below(zset, first, 0);
  struct lrd_zset_cursor c;
  struct lrd_scored e;

  if (rank == zset->count)
    return 1;
  lrd_zset_seek(zset, rank, &c);
  do {
    struct point p;

    lrd_zset_get(zset, &c, &e);
    if (e.score >= end)
      break;
    p = (struct point){ .member = e.member, .score = e.score, .place = lrd_geo_place(e.score) };
    if (!lrd_geo_is_in(&s->shape, p.place, &p.distance))
      continue;
    if (lrd_buffer_append(points, &p, sizeof p))
      return 0;
    if (s->any && points->len / sizeof p >= (uint64_t)s->count)
      break;
  } while (lrd_zset_next(zset, &c));
  return 1;
}

/* Around the earth a cell may be its own neighbour's neighbour: Redis leaves out one that is the
 * same as the one before, but for the middle. */
static int search(const struct search *s, struct lrd_buffer *points)
{
  struct lrd_cell cells[LRD_GEO_CELLS];
  int last = 0;

  lrd_geo_cover(&s->shape, cells);
  for (int i = 0; i < LRD_GEO_CELLS; i++) {
    if (!cells[i].steps || (last && cells[i].bits == cells[last].bits))
      continue;
    if (s->any && points->len / sizeof(struct point) >= (uint64_t)s->count)
      break;
    if (!search_cell(s, cells[i], points))
      return 0;
    last = i;
  }
  return 1;
}

/* --- the result ------------------------------------------------------------------------ */

static void reply_point(const struct search *s, const struct point *p)
{
  int with = s->distance + s->hash + s->place;
  larder_sink *sink = s->x->sink;

  if (with)
    lrd_sink_array(sink, (size_t)with + 1);
  lrd_sink_string(sink, p->member.data, p->member.len);
  if (s->distance)
    lrd_reply_distance(s->x, p->distance / s->shape.unit);
  if (s->hash)
    lrd_sink_integer(sink, (int64_t)p->score);
  if (s->place)
    lrd_reply_place(s->x, p->place);
}

static struct lrd_zset *make_set(const struct search *s, const struct lrd_sorted *item, size_t n)
{
  const larder_memory *memory = lrd_memory_of(s->x->engine);
  struct lrd_zset *zset = lrd_zset_new(memory);
  struct lrd_zset_change change = { 0 };

  for (size_t i = 0; zset && i < n; i++) {
    const struct point *p = (const void *)item[i].by.data;
    struct lrd_scored e = { p->member,
                            s->store_distance ? p->distance / s->shape.unit : p->score };

    if (!lrd_zset_add(zset, memory, lrd_hash_key_of(s->x->engine), 0, 1, &e, &change))
      continue;
    lrd_zset_free(zset, memory);
    zset = NULL;
  }
  return zset;
}

static void keep(const struct search *s, const struct lrd_sorted *item, size_t n)
{
  struct lrd_zset *zset = n ? make_set(s, item, n) : NULL;

  if (n && !zset)
    lrd_no_memory(s->x);
  else if (lrd_store(s->x, *s->store, LRD_ZSET, zset, -1))
    lrd_sink_integer(s->x->sink, (int64_t)n);
}

static void answer(const struct search *s, const struct lrd_sorted *item, size_t n)
{
  if (s->store) {
    keep(s, item, n);
    return;
  }
  lrd_sink_array(s->x->sink, n);
  for (size_t i = 0; i < n; i++)
    reply_point(s, (const void *)item[i].by.data);
}

/* In order, and no more than wanted. */
static void put_in_order(const struct search *s, const struct lrd_buffer *points)
{
  const struct point *p = (const void *)points->data;
  const struct lrd_sorting how = { .down = s->order == FARTHEST };
  size_t n = points->len / sizeof *p, size = 2 * n * sizeof(struct lrd_sorted);
  struct lrd_sorted *item, *sorted;

  item = sorted = lrd_allocate(lrd_memory_of(s->x->engine), size ? size : 1);
  if (!item) {
    lrd_no_memory(s->x);
    return;
  }
  for (size_t i = 0; i < n; i++) /* equal distances keep their order: no element to compare */
    item[i] = (struct lrd_sorted){ .by = { (const char *)&p[i], 0 }, .score = p[i].distance };
  if (s->order != AS_FOUND)
    sorted = lrd_sort(&how, item, item + n, n);
  answer(s, sorted, s->count && (uint64_t)s->count < n ? (size_t)s->count : n);
  lrd_release(lrd_memory_of(s->x->engine), item, size ? size : 1);
}

static void run(struct search *s)
{
  struct lrd_buffer points;

  if (!s->entry) {
    answer(s, NULL, 0);
    return;
  }
  if (s->count && s->order == AS_FOUND && !s->any)
    s->order = NEAREST;
  lrd_buffer_init(&points, lrd_memory_of(s->x->engine), 0);
  if (search(s, &points))
    put_in_order(s, &points);
  else
    lrd_no_memory(s->x);
  lrd_buffer_free(&points);
}

/* --- the commands ---------------------------------------------------------------------- */

void lrd_t_geosearch(struct lrd_exec *x)
{
  int stores = x->vector->command == LRD_GEOSEARCHSTORE;
  struct search s = { .x = x, .store = stores ? &x->argv[1] : NULL };

  if (lrd_read(x, x->argv[1 + stores], LRD_ZSET, &s.entry) &&
      parse_options(&s, 2 + stores, parse_shape) && fits(&s, 1))
    run(&s);
}

void lrd_t_georadius(struct lrd_exec *x)
{
  unsigned command = x->vector->command;
  int by_member = command == LRD_GEORADIUSBYMEMBER || command == LRD_GEORADIUSBYMEMBER_RO;
  struct search s = { .x = x };

  if (!lrd_read(x, x->argv[1], LRD_ZSET, &s.entry))
    return;
  if (by_member ? s.entry && (!parse_member(&s, 2) || !parse_radius(&s, 3))
                : !lrd_argument_place(x, 2, &s.shape.middle) || !parse_radius(&s, 4))
    return;
  if (parse_options(&s, by_member ? 5 : 6, parse_store) && fits(&s, 0))
    run(&s);
}
