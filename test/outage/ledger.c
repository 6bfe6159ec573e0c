/* SPDX-License-Identifier: BSD-2-Clause */
#include "outage/ledger.h"

#include <stdio.h>
#include <stdlib.h>

const char *ledger_name(enum ledger_kind kind)
{
  static const char *const names[] = {"set",  "list",    "hash",  "zset",
                                      "pair", "counter", "field", "score"};
  return names[kind];
}

void ledger_add(struct ledger *l, enum ledger_kind kind, enum told told)
{
  if (l->count[kind] == l->room[kind]) {
    l->room[kind] = l->room[kind] ? l->room[kind] * 2 : 1024;
    l->entry[kind] = realloc(l->entry[kind], l->room[kind] * sizeof(struct entry));
    if (!l->entry[kind]) {
      fprintf(stderr, "out of memory\n");
      exit(1);
    }
  }
  l->entry[kind][l->count[kind]++] = (struct entry){.told = (unsigned char)told};
}

size_t ledger_told(const struct ledger *l, enum ledger_kind kind, enum told told)
{
  size_t n = 0;
  for (size_t i = 0; i < l->count[kind]; i++)
    n += l->entry[kind][i].told == told;
  return n;
}

void ledger_free(struct ledger *l)
{
  for (int kind = 0; kind < LEDGER_KINDS; kind++)
    free(l->entry[kind]);
}

void ledger_seen(struct ledger *l, enum ledger_kind kind, size_t number, int half,
                 struct verdict *v)
{
  if (number >= l->count[kind]) {
    v->invented++;
    return;
  }
  struct entry *e = &l->entry[kind][number];
  if (e->seen[half] < 255)
    e->seen[half]++;
}

static void judge_one(const struct entry *e, int is_pair, size_t number, enum ledger_kind kind,
                      struct verdict *v)
{
  static const char *const told[] = {"OK", "UNKNOWN", "NO"};
  int seen = e->seen[0];
  uint64_t before = v->lost + v->doubled + v->invented + v->halves;
  if (is_pair && !e->seen[0] != !e->seen[1])
    v->halves++;
  if (e->told == TOLD_OK && !seen)
    v->lost++;
  if (e->seen[0] > 1 || e->seen[1] > 1)
    v->doubled++;
  if (e->told == TOLD_NO && (e->seen[0] || e->seen[1]))
    v->invented++;
  if (e->told == TOLD_UNKNOWN) {
    v->unknown_there += seen != 0;
    v->unknown_gone += seen == 0;
  }
  uint64_t after = v->lost + v->doubled + v->invented + v->halves;
  if (after > before && after < 20)
    printf("  %s %zu: told %s, seen %d and %d times\n", ledger_name(kind), number, told[e->told],
           e->seen[0], e->seen[1]);
}

void ledger_judge(const struct ledger *l, struct verdict *v)
{
  for (int kind = LEDGER_SET; kind <= LEDGER_PAIR; kind++)
    for (size_t i = 0; i < l->count[kind]; i++)
      judge_one(&l->entry[kind][i], kind == LEDGER_PAIR, i, (enum ledger_kind)kind, v);
}
