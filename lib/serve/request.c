/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve/request.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "command/argv.h"
#include "util/memory.h"
#include "util/number.h"

enum { KEPT_ARGUMENTS = 1024, SHORT_ARGUMENTS = 64, SHORT_DIGITS = 5 };

/* What one step of the parser came to. */
enum step { STEP_ON, STEP_MORE, STEP_ERROR, STEP_NO_MEMORY };

void lrd_request_init(struct lrd_request *r, const larder_memory *memory)
{
  memset(r, 0, sizeof *r);
  r->memory = memory;
  r->missing = r->bulk = -1;
  lrd_arena_init(&r->arena, memory);
}

static void release_lists(struct lrd_request *r)
{
  lrd_release(r->memory, r->vector, r->vectors * sizeof *r->vector);
  lrd_release(r->memory, r->argument, r->capacity * sizeof *r->argument);
  r->vector = NULL;
  r->argument = NULL;
  r->vectors = r->capacity = 0;
}

void lrd_request_free(struct lrd_request *r)
{
  release_lists(r);
  lrd_arena_free(&r->arena);
}

static int grow(const larder_memory *memory, void **block, size_t *capacity, size_t need,
                size_t size)
{
  size_t wanted = *capacity ? *capacity * 2 : 16;
  void *larger;

  if (need <= *capacity)
    return 0;
  if (wanted < need)
    wanted = need;
  larger = *block ? lrd_resize(memory, *block, *capacity * size, wanted * size)
                  : lrd_allocate(memory, wanted * size);
  if (!larger)
    return -1;
  *block = larger;
  *capacity = wanted;
  return 0;
}

static inline int room_for_arguments(struct lrd_request *r, size_t argc)
{
  void *block = r->argument;

  if (r->arguments + argc <= r->capacity)
    return 0;
  if (grow(r->memory, &block, &r->capacity, r->arguments + argc, sizeof *r->argument) != 0)
    return -1;
  r->argument = block;
  return 0;
}

static int add_arguments(struct lrd_request *r, const larder_bytes *argv, size_t argc)
{
  if (room_for_arguments(r, argc) != 0)
    return -1;
  memcpy(r->argument + r->arguments, argv, argc * sizeof *argv);
  r->arguments += argc;
  return 0;
}

static inline int room_for_vector(struct lrd_request *r)
{
  void *block = r->vector;

  if (r->count < r->vectors)
    return 0;
  if (grow(r->memory, &block, &r->vectors, r->count + 1, sizeof *r->vector) != 0)
    return -1;
  r->vector = block;
  return 0;
}

/* The arguments since the last one are a command. */
static inline int add_vector(struct lrd_request *r)
{
  if (room_for_vector(r) != 0)
    return -1;
  r->vector[r->count++] = (larder_vector){ .argc = (int)(r->arguments - r->complete) };
  r->complete = r->arguments;
  return 0;
}

static enum step protocol_error(struct lrd_request *r, const char *what)
{
  snprintf(r->text, sizeof r->text, "ERR Protocol error: %s", what);
  return STEP_ERROR;
}

/* Finds the end of the line at r->at.  ON: *line_len and *next are set. */
static enum step find_line(struct lrd_request *r, const char *data, size_t len, char end,
                           const char *too_long, size_t *line_len)
{
  const char *line = data + r->at;
  size_t there = len - r->at;
  const char *found = NULL;

  if (there > r->scanned)
    found = memchr(line + r->scanned, end, there - r->scanned);
  if (found) {
    *line_len = (size_t)(found - line);
    return STEP_ON;
  }
  r->scanned = there;
  return there > LRD_REQUEST_LINE ? protocol_error(r, too_long) : STEP_MORE;
}

static void take_line(struct lrd_request *r, size_t bytes)
{
  r->at += bytes;
  r->scanned = 0;
}

/* A line "*3\r\n" or "$5\r\n". */
struct length_line {
  size_t size; /* with its end */
  int valid;
  int64_t number;
};

static enum step read_length(struct lrd_request *r, const char *data, size_t len,
                             const char *too_long, struct length_line *line)
{
  size_t line_len = 0;
  enum step step = find_line(r, data, len, '\r', too_long, &line_len);

  if (step != STEP_ON)
    return step;
  line->size = line_len + 2;
  if (line->size > len - r->at) {
    r->scanned = line_len;
    return STEP_MORE;
  }
  line->valid = line_len > 0 && lrd_parse_integer(data + r->at + 1, line_len - 1, &line->number);
  return STEP_ON;
}

static enum step multibulk_line(struct lrd_request *r, const char *data, size_t len, int stranger)
{
  struct length_line line = { 0, 0, 0 };
  enum step step = read_length(r, data, len, "too big mbulk count string", &line);

  if (step != STEP_ON)
    return step;
  if (!line.valid || line.number > INT_MAX)
    return protocol_error(r, "invalid multibulk length");
  if (stranger && line.number > LRD_REQUEST_STRANGER_ARGUMENTS)
    return protocol_error(r, "unauthenticated multibulk length");
  take_line(r, line.size);
  if (line.number > 0)
    r->missing = line.number;
  else
    r->consumed = r->at;
  return STEP_ON;
}

static enum step bulk_line(struct lrd_request *r, const char *data, size_t len, size_t limit,
                           int stranger)
{
  struct length_line line = { 0, 0, 0 };
  enum step step = read_length(r, data, len, "too big bulk count string", &line);

  if (step != STEP_ON)
    return step;
  if (data[r->at] != '$') {
    char what[32] = "expected '$', got ' '";
    if (data[r->at] != '\r' && data[r->at] != '\n')
      what[19] = data[r->at];
    return protocol_error(r, what);
  }
  if (!line.valid || line.number < 0 || (uint64_t)line.number > limit)
    return protocol_error(r, "invalid bulk length");
  if (stranger && line.number > LRD_REQUEST_STRANGER_BULK)
    return protocol_error(r, "unauthenticated bulk length");
  take_line(r, line.size);
  r->bulk = line.number;
  return STEP_ON;
}

static enum step bulk_bytes(struct lrd_request *r, const char *data, size_t len)
{
  size_t bulk = (size_t)r->bulk;
  larder_bytes bytes = { data + r->at, bulk };

  if (len - r->at < bulk + 2)
    return STEP_MORE;
  if (add_arguments(r, &bytes, 1) != 0)
    return STEP_NO_MEMORY;
  r->at += bulk + 2;
  r->bulk = -1;
  if (--r->missing > 0)
    return STEP_ON;
  if (add_vector(r) != 0)
    return STEP_NO_MEMORY;
  r->missing = -1;
  r->consumed = r->at;
  return STEP_ON;
}

static enum step inline_line(struct lrd_request *r, const char *data, size_t len)
{
  size_t line_len = 0, size;
  int argc = 0;
  larder_bytes *argv = NULL;
  enum step step = find_line(r, data, len, '\n', "too big inline request", &line_len);
  larder_outcome outcome;

  if (step != STEP_ON)
    return step;
  size = line_len + 1;
  if (line_len > 0 && data[r->at + line_len - 1] == '\r')
    line_len--;
  outcome = lrd_argv_split(&r->arena, data + r->at, line_len, &argc, &argv);
  if (outcome == LARDER_NO_MEMORY)
    return STEP_NO_MEMORY;
  if (outcome != LARDER_OK)
    return protocol_error(r, "unbalanced quotes in request");
  if (argc > 0 && (add_arguments(r, argv, (size_t)argc) != 0 || add_vector(r) != 0))
    return STEP_NO_MEMORY;
  take_line(r, size);
  r->consumed = r->at;
  return STEP_ON;
}

/* --- the short way --------------------------------------------------------- */

/* Nearly all that arrives is a multibulk command with few short arguments that is there
 * whole.  It is taken in one step, or else nothing is: what is unusual in any way is for the
 * steps above to judge. */

/* Digits as a number is printed, with the line's end; where the next line begins, or NULL. */
static inline const char *short_number(const char *p, const char *end, size_t *number)
{
  const char *first = p;
  size_t n = 0, digit;

  while (p < end && (digit = (size_t)(unsigned char)*p - '0') <= 9) {
    n = n * 10 + digit;
    p++;
  }
  *number = n;
  if (p == first || p - first > SHORT_DIGITS || (*first == '0' && p - first > 1))
    return NULL;
  return end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? p + 2 : NULL;
}

static int take_short(struct lrd_request *r, const char *data, size_t len, size_t limit)
{
  const char *p = data + r->at, *end = data + len;
  larder_bytes *argument;
  size_t argc, bulk, i;

  if (p == end || *p != '*' || !(p = short_number(p + 1, end, &argc)) || argc == 0 ||
      argc > SHORT_ARGUMENTS || room_for_arguments(r, argc) != 0 || room_for_vector(r) != 0)
    return 0;
  argument = r->argument + r->arguments;
  for (i = 0; i < argc; i++) {
    if (p == end || *p != '$' || !(p = short_number(p + 1, end, &bulk)) || bulk > limit ||
        (size_t)(end - p) < bulk + 2)
      return 0;
    argument[i] = (larder_bytes){ p, bulk };
    p += bulk + 2;
  }
  r->arguments += argc;
  r->at = r->consumed = (size_t)(p - data);
  r->scanned = 0;
  return add_vector(r) == 0;
}

/* --- all of it --------------------------------------------------------------- */

static enum step parse_step(struct lrd_request *r, const char *data, size_t len, size_t limit,
                            int stranger)
{
  if (r->bulk >= 0)
    return bulk_bytes(r, data, len);
  if (r->at >= len)
    return STEP_MORE;
  if (r->missing >= 0)
    return bulk_line(r, data, len, limit, stranger);
  if (data[r->at] == '*')
    return multibulk_line(r, data, len, stranger);
  return inline_line(r, data, len);
}

/* The arguments may have moved while they were collected. */
static void link_vectors(struct lrd_request *r)
{
  const larder_bytes *argv = r->argument;
  size_t i;

  for (i = 0; i < r->count; i++) {
    r->vector[i].argv = argv;
    argv += r->vector[i].argc;
  }
}

enum lrd_request_end lrd_request_parse(struct lrd_request *r, const char *data, size_t len,
                                       size_t max, size_t bulk_limit, int stranger)
{
  enum step step = STEP_ON;

  if (bulk_limit > LRD_REQUEST_BULK)
    bulk_limit = LRD_REQUEST_BULK;
  while (step == STEP_ON && r->count < max)
    if (stranger || r->missing >= 0 || !take_short(r, data, len, bulk_limit))
      step = parse_step(r, data, len, bulk_limit, stranger);
  link_vectors(r);
  switch (step) {
  case STEP_ON:
    return LRD_REQUEST_FULL;
  case STEP_MORE:
    return LRD_REQUEST_MORE;
  case STEP_ERROR:
    return LRD_REQUEST_ERROR;
  default:
    return LRD_REQUEST_NO_MEMORY;
  }
}

size_t lrd_request_next(struct lrd_request *r)
{
  size_t consumed = r->consumed;
  size_t left = r->arguments - r->complete;

  if (r->arena.block)
    lrd_arena_free(&r->arena);
  lrd_arena_init(&r->arena, r->memory);
  if (left > 0 && r->complete > 0)
    memmove(r->argument, r->argument + r->complete, left * sizeof *r->argument);
  r->arguments = left;
  r->complete = 0;
  r->count = 0;
  r->at -= consumed;
  r->consumed = 0;
  if (left == 0 && r->capacity > KEPT_ARGUMENTS)
    release_lists(r);
  return consumed;
}

void lrd_request_moved(struct lrd_request *r, uintptr_t from, const char *to)
{
  size_t i;

  for (i = r->complete; i < r->arguments; i++)
    r->argument[i].data = to + ((uintptr_t)r->argument[i].data - from);
}
