/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/command.h"
#include "memory/pool.h"
#include "proof/script.h"
#include "proof/stage.h"
#include "support/check.h"

/*
 * Out of memory, everywhere: each line of the script is played with its first
 * allocation failing, its second, and so on, once and from then on, until it works.
 * What says NO_MEMORY has changed nothing; what was executed has done all that it
 * does; nothing is leaked, the engine is sound and its account exact.
 */

/* What is stored at the end, if the line does nothing, and if it does all. */
struct ends {
  struct lrd_buffer none, all;
  struct played played;
};

static void find_ends(struct ends *e, const struct scene *scene)
{
  struct stage s;

  stage_open(&s, scene);
  stage_dump(&s, &e->none);
  stage_play(&s, scene, &e->played, 0, 0);
  check_ok(stage_check(&s));
  stage_dump(&s, &e->all);
  stage_close(&s);
}

/* A transaction that was cut short, and how much of it was executed. */
static int is_cut_short(const struct played *p, size_t *executed)
{
  size_t all;

  return sscanf(p->text, "UNKNOWN out of memory: of %zu commands the first %zu were executed",
                &all, executed) == 2;
}

static void find_end_of_part(struct lrd_buffer *end, const struct scene *scene, size_t executed)
{
  struct stage s;
  size_t first = 0;

  stage_open(&s, scene);
  for (size_t i = 0; i < scene->count && scene->kind == CALL_SESSION; i++)
    if (!strcmp(scene->command[i].argv[0], "MULTI"))
      first = i + 1;
  stage_say_some(&s, scene, first, executed);
  stage_dump(&s, end);
  stage_close(&s);
}

/* Of a batch: what the commands that were executed do. */
static void find_end_of_batch(struct lrd_buffer *end, const struct scene *scene,
                              const struct played *p)
{
  struct stage s;

  stage_open(&s, scene);
  for (size_t i = 0; i < scene->count; i++)
    if (p->outcome[i] != LARDER_NO_MEMORY && p->outcome[i] != LARDER_BAD_ARGUMENT)
      stage_say(&s, &scene->command[i]);
  stage_dump(&s, end);
  stage_close(&s);
}

/* Something was not done for want of memory. */
static int says_no(const struct played *p)
{
  for (size_t i = 0; i < p->count; i++)
    if (p->outcome[i] == LARDER_NO_MEMORY)
      return 1;
  return 0;
}

/* No call may end in a way that it does not have but for want of memory: NO_MEMORY,
 * UNKNOWN where it was executed and the reply is lost, and what follows from that. */
static void check_outcomes(const struct scene *scene, const struct played *p,
                           const struct played *expected, const char *how)
{
  ck_assert_uint_eq(p->count, expected->count);
  for (size_t i = 0; i < p->count; i++) {
    int same = p->outcome[i] == expected->outcome[i];
    int lost = p->outcome[i] == LARDER_NO_MEMORY || p->outcome[i] == LARDER_UNKNOWN;
    int several = scene->kind == CALL_SESSION || scene->kind == CALL_BATCH;
    int follows = several && i &&
                  (p->outcome[i] == LARDER_REFUSED || p->outcome[i] == LARDER_NOT_SENT ||
                   p->outcome[i] == LARDER_OK || p->outcome[i] == LARDER_ABSENT);

    ck_assert_msg(same || lost || follows, "%s, %s: command %zu is %s: %s", scene->line, how, i,
                  larder_outcome_name(p->outcome[i]), p->text);
  }
}

static void check_end(const struct scene *scene, struct stage *s, const struct ends *e,
                      const struct played *p, const char *how)
{
  struct lrd_buffer is, part = { 0 };
  const char *expected = says_no(p) ? e->none.data : e->all.data;
  size_t executed;

  stage_dump(s, &is);
  if (scene->kind == CALL_BATCH)
    find_end_of_batch(&part, scene, p);
  else if (is_cut_short(p, &executed))
    find_end_of_part(&part, scene, executed);
  if (part.data)
    expected = part.data;
  ck_assert_msg(scene->by_chance || !strcmp(is.data, expected),
                "%s, %s: %s %s\nis\n%.1500s\ninstead of\n%.1500s", scene->line, how,
                larder_outcome_name(p->outcome[p->count - 1]), p->text, is.data, expected);
  if (part.data)
    lrd_buffer_free(&part);
  lrd_buffer_free(&is);
}

static void check_line(const struct scene *scene, int lasting)
{
  struct ends e;
  int failed = 1;

  find_ends(&e, scene);
  for (long n = 1; failed; n++) {
    struct played p;
    struct stage s;
    const char *wrong;
    char how[64];

    ck_assert_int_lt(n, 2000);
    snprintf(how, sizeof how, "allocation %ld fails%s", n, lasting ? " and all behind it" : "");
    stage_open(&s, scene);
    failed = stage_play(&s, scene, &p, n, lasting);
    wrong = stage_check(&s);
    ck_assert_msg(!wrong, "%s, %s: %s", scene->line, how, wrong);
    check_outcomes(scene, &p, &e.played, how);
    check_end(scene, &s, &e, &p, how);
    stage_close(&s);
  }
  lrd_buffer_free(&e.none);
  lrd_buffer_free(&e.all);
}

START_TEST(a_line_without_memory)
{
  struct scene *scene = calloc(1, sizeof *scene);

  if (scene_read(scene, script_lines[_i]))
    for (int lasting = 0; lasting < 2; lasting++)
      check_line(scene, lasting);
  scene_free(scene);
  free(scene);
}
END_TEST

START_TEST(each_command_has_a_line)
{
  static unsigned char seen[LRD_COMMANDS];
  char missing[2000] = "";

  for (size_t i = 0; i < script_count; i++) {
    struct scene *scene = calloc(1, sizeof *scene);

    if (scene_read(scene, script_lines[i]) && scene->kind != CALL_GET && scene->kind != CALL_SET)
      for (size_t c = 0; c < scene->count; c++)
        seen[lrd_command_find(scene->command[c].argv[0], scene->command[c].len[0])] = 1;
    scene_free(scene);
    free(scene);
  }
  for (unsigned id = 0; id < LRD_COMMANDS; id++)
    if (!seen[id] && !(lrd_commands[id].flags & LRD_INTERNAL))
      snprintf(missing + strlen(missing), sizeof missing - strlen(missing), " %s",
               lrd_commands[id].name);
  ck_assert_msg(!*missing, "no line in test/proof/script.c for%s", missing);
}
END_TEST

/* Opening fails cleanly, wherever memory ends. */
START_TEST(opening_without_memory)
{
  for (int lasting = 0; lasting < 2; lasting++) {
    larder *store = NULL;

    for (long n = 1; !store; n++) {
      larder_options options = LARDER_OPTIONS_INIT;
      char error[LARDER_ERROR_SIZE] = "";
      struct heap heap;

      heap_init(&heap);
      heap.fail_at = n;
      heap.lasting = lasting;
      options.memory = &heap.memory;
      store = larder_open("memory:?shards=4", &options, error, sizeof error);
      ck_assert(store || error[0]);
      if (store)
        larder_close(store, 0);
      ck_assert_int_eq(heap.blocks, 0);
      ck_assert_int_eq(heap.bytes, 0);
      ck_assert_int_lt(n, 100);
    }
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("sweep");
  TCase *tests = tcase_create("sweep");

  tcase_add_test(tests, each_command_has_a_line);
  tcase_add_test(tests, opening_without_memory);
  tcase_add_loop_test(tests, a_line_without_memory, 0, (int)script_count);
  tcase_set_timeout(tests, 60);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
