/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/through.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct through through;

/* --- how late the machine is ----------------------------------------------------------- */

static pthread_t meter;
static atomic_int metering, worst;

static void *measure(void *context)
{
  (void)context;
  for (int64_t last = rig_now_ms(); atomic_load(&metering);) {
    rig_sleep(2);
    int64_t now = rig_now_ms();
    int late = (int)(now - last) - 2, known = atomic_load(&worst);
    while (late > known && !atomic_compare_exchange_weak(&worst, &known, late))
      ;
    last = now;
  }
  return NULL;
}

int through_stall(void)
{
  return 2 * atomic_exchange(&worst, 0);
}

/* --- life ------------------------------------------------------------------------------ */

static int entries(const char *directory)
{
  DIR *d = opendir(directory);
  int n = 0;
  while (d && readdir(d))
    n++;
  if (d)
    closedir(d);
  return n;
}

void through_prepare(const struct server_options *options, int unix_socket)
{
  through.server = server_start(options);
  through.proxy = proxy_start(through.server, unix_socket);
  through.side = server_connect(through.server, 2);
  /* libuv keeps a pipe for the process from its first loop on. */
  uv_loop_t loop;
  if (uv_loop_init(&loop) != 0 || uv_loop_close(&loop) != 0)
    abort();
  atomic_store(&metering, 1);
  if (pthread_create(&meter, NULL, measure, NULL) != 0)
    abort();
}

void through_open(void (*change)(struct lrd_config *))
{
  struct lrd_config config;
  rig_config(&config, proxy_port(through.proxy), proxy_path(through.proxy));
  config.connections = 1;
  config.connect_timeout = 100 * LRD_NS_PER_MS;
  if (change)
    change(&config);
  /* What the proxy holds of an older rig goes first. */
  for (int i = 0; i < 2000 && proxy_connected(through.proxy); i++)
    rig_sleep(1);
  rig_sleep(1);
  through.fds = entries("/proc/self/fd");
  through.threads = entries("/proc/self/task");
  rig_open_hub(&through.rig, &config, through.hub);
}

void through_begin(const struct server_options *options, int unix_socket,
                   void (*change)(struct lrd_config *))
{
  through_prepare(options, unix_socket);
  through_open(change);
}

/* The proxy's own descriptors go a moment later than ours, a joined thread may be listed still. */
void through_close(void)
{
  rig_close(&through.rig);
  for (int i = 0; i < 1000; i++) {
    if (entries("/proc/self/fd") <= through.fds && entries("/proc/self/task") <= through.threads)
      return;
    rig_sleep(1);
  }
  ck_abort_msg("descriptors: %d, not %d; threads: %d, not %d", entries("/proc/self/fd"),
               through.fds, entries("/proc/self/task"), through.threads);
}

void through_end(void)
{
  proxy_set_door(through.proxy, PROXY_OPEN);
  through_close();
  atomic_store(&metering, 0);
  pthread_join(meter, NULL);
  resp_close(through.side);
  proxy_stop(through.proxy);
  server_stop(through.server);
}

/* --- asking ---------------------------------------------------------------------------- */

static void describe(const struct resp *r, char *out, size_t size)
{
  size_t used = strlen(out);
  if (r->type == RESP_INTEGER)
    snprintf(out + used, size - used, "%lld", (long long)r->integer);
  else if (r->type == RESP_NIL || r->type == RESP_NIL_ARRAY)
    snprintf(out + used, size - used, "nil");
  else if (r->type != RESP_ARRAY)
    snprintf(out + used, size - used, "%.*s", (int)r->len, r->str);
  for (size_t i = 0; r->type == RESP_ARRAY && i < r->len; i++) {
    if (i)
      snprintf(out + strlen(out), size - strlen(out), " ");
    describe(&r->element[i], out, size);
  }
}

const char *through_side(const char *words)
{
  static char text[8192];
  char copy[1024], *next;
  const char *argv[32];
  int argc = 0;
  snprintf(copy, sizeof copy, "%s", words);
  for (char *w = strtok_r(copy, " ", &next); w && argc < 32; w = strtok_r(NULL, " ", &next))
    argv[argc++] = w;
  struct resp *r = resp_call(through.side, argc, argv, NULL);
  ck_assert_msg(r != NULL, "%s: %s", words, resp_fault(through.side));
  text[0] = 0;
  describe(r, text, sizeof text);
  resp_free(r);
  return text;
}

void through_heals(const char *words, const char *text, int within_ms)
{
  struct rig_reply r;
  int64_t until = rig_now_ms() + within_ms;
  do
    r = rig_run_with(&through.rig, NULL, LARDER_CALL_PROBE, 1000, words);
  while (r.verdict.outcome != LARDER_OK && rig_now_ms() < until);
  ck_assert_msg(r.verdict.outcome == LARDER_OK && strcmp(r.text, text) == 0, "%s: %d %s", words,
                (int)r.verdict.outcome, r.text);
}
