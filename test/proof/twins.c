/* SPDX-License-Identifier: BSD-2-Clause */
#include "proof/hall.h"

#include <inttypes.h>
#include <time.h>

size_t make_value(struct guest *g, uint64_t version)
{
  char mark[24];
  size_t n = (size_t)snprintf(mark, sizeof mark, "%" PRIu64 ";", version), len;

  len = n * (1 + roll(&g->prng, (unsigned)(VALUE / n)));
  for (size_t i = 0; i < len; i++)
    g->value[i] = mark[i % n];
  return len;
}

/* 0: no value.  One that is torn or of two versions is an error. */
static uint64_t version_of(struct guest *g, const char *value, size_t len)
{
  uint64_t version = len ? strtoull(value, NULL, 10) : 0;
  size_t n = len ? (size_t)((const char *)memchr(value, ';', len) - value) + 1 : 1;

  for (size_t i = n; i < len; i++)
    if (value[i] != value[i - n])
      complain(g, "a value is torn");
  if (len % n)
    complain(g, "a value is cut off");
  return version;
}

void write_twins(struct guest *g)
{
  unsigned pair = roll(&g->prng, TWINS);
  size_t len = make_value(g, atomic_fetch_add(&g->hall->version[pair], 1) + 1);
  larder_batch *b;

  switch (roll(&g->prng, 3)) {
  case 0:
    larder_reply_free(larder_command(g->hall->store, "MSET a%u %b b%u %b", pair, g->value, len,
                                     pair, g->value, len));
    return;
  case 1:
    b = larder_batch_new(g->hall->store);
    larder_batch_command(b, "SET a%u %b", pair, g->value, len);
    larder_batch_command(b, "SET b%u %b", pair, g->value, len);
    larder_batch_run(b, 1, 0);
    larder_batch_free(b);
    return;
  default:
    larder_reply_free(larder_session_command(g->session, "MULTI"));
    larder_reply_free(larder_session_command(g->session, "SET b%u %b", pair, g->value, len));
    larder_reply_free(larder_session_command(g->session, "SET a%u %b", pair, g->value, len));
    larder_reply_free(larder_session_command(g->session, "EXEC"));
  }
}

/* Both in one step, each with the same end. */
void write_mortal_twins(struct guest *g)
{
  unsigned pair = roll(&g->prng, TWINS);
  size_t len = make_value(g, atomic_fetch_add(&g->hall->version[pair], 1) + 1);
  struct timespec now;
  larder_batch *b = larder_batch_new(g->hall->store);
  long long end;

  clock_gettime(CLOCK_REALTIME, &now);
  end = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1 + roll(&g->prng, 4);
  larder_batch_command(b, "SET a%u %b PXAT %lld", pair, g->value, len, end);
  larder_batch_command(b, "SET b%u %b PXAT %lld", pair, g->value, len, end);
  larder_batch_run(b, 1, 0);
  larder_batch_free(b);
}

/* Both go together, by a command that names both or in one step. */
void remove_twins(struct guest *g)
{
  unsigned pair = roll(&g->prng, TWINS);
  larder_batch *b;

  if (roll(&g->prng, 2)) {
    larder_reply_free(larder_command(g->hall->store, "DEL a%u b%u", pair, pair));
    return;
  }
  b = larder_batch_new(g->hall->store);
  larder_batch_command(b, "GETDEL b%u", pair);
  larder_batch_command(b, "UNLINK a%u", pair);
  larder_batch_run(b, 1, 0);
  larder_batch_free(b);
}

static void compare_twins(struct guest *g, const larder_value *a, const larder_value *b)
{
  uint64_t first = a->type == LARDER_STRING ? version_of(g, a->str, a->len) : 0;
  uint64_t second = b->type == LARDER_STRING ? version_of(g, b->str, b->len) : 0;

  if (first != second && !(g->hall->lossy && (!first || !second)))
    complain(g, "twins differ");
}

void read_twins(struct guest *g)
{
  unsigned pair = roll(&g->prng, TWINS);
  larder_batch *b;
  larder_reply *r;

  if (roll(&g->prng, 2)) {
    r = larder_command(g->hall->store, "MGET a%u b%u", pair, pair);
    compare_twins(g, &r->value.element[0], &r->value.element[1]);
    larder_reply_free(r);
    return;
  }
  b = larder_batch_new(g->hall->store);
  larder_batch_command(b, "GET a%u", pair);
  larder_batch_command(b, "GET b%u", pair);
  larder_batch_run(b, 1, 0);
  compare_twins(g, &larder_batch_reply(b, 0)->value, &larder_batch_reply(b, 1)->value);
  larder_batch_free(b);
}

static uint64_t typed_version(struct guest *g, char twin, unsigned pair, char *buffer)
{
  char key[4] = { twin, (char)('0' + pair), 0 };
  size_t len;

  if (larder_get(g->hall->store, key, 2, buffer, sizeof g->seen[0], &len) != LARDER_OK)
    return 0;
  return version_of(g, buffer, len);
}

void read_in_turn(struct guest *g)
{
  unsigned pair = TWINS;
  uint64_t first = typed_version(g, 'a', pair, g->seen[0]);
  uint64_t second = typed_version(g, 'b', pair, g->seen[1]);

  if (second < first)
    complain(g, "the second twin is older than the first");
}

void write_in_order(struct guest *g)
{
  static const char *const forms[] = { "MSET a%u %b b%u %b", "MSET b%u %b a%u %b" };
  unsigned pair = TWINS;
  size_t len = make_value(g, atomic_fetch_add(&g->hall->version[0], 1) + 1);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  larder_reply_free(larder_command(g->hall->store, forms[roll(&g->prng, 2)], pair, g->value, len,
                                   pair, g->value, len));
#pragma GCC diagnostic pop
}
