/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_SERVE_LISTENER_H
#define LRD_SERVE_LISTENER_H

#include <stdatomic.h>
#include <sys/types.h>

#include <uv.h>

#include <larder/serve.h>

#include "serve/address.h"
#include "serve/pool.h"
#include "util/lock.h"
#include "util/memory.h"

/*
 * A listener: one libuv loop on a thread of its own, which owns everything here
 * but the counters, `stopping` and the pool, which are shared.
 */

enum { LRD_SERVE_PASSWORD = 512 };

struct lrd_client;
struct lrd_client_wait;

struct lrd_endpoint {
  uv_poll_t poll;
  struct lrd_address address;
};

struct larder_listener {
  larder *store;
  const larder_memory *memory;
  pid_t pid;
  int local; /* the store never waits for a network: commands run on the loop's thread */
  char *password; /* LRD_SERVE_PASSWORD bytes, zero-padded; or NULL */
  size_t password_len;
  unsigned max_clients;
  size_t query_buffer, output_buffer, output_limit;

  struct lrd_endpoint *endpoint;
  size_t endpoints;

  uv_loop_t loop;
  uv_async_t wake;
  uv_timer_t pause; /* not accepting for a while: no descriptors left */
  uv_thread_t thread;
  struct lrd_pool *pool; /* NULL if local */
  struct lrd_client *clients;
  struct lrd_lock heard_lock;
  struct lrd_client *heard; /* those for whom messages came: under heard_lock */
  struct lrd_client_wait *waited; /* calls that waited for a key, and have ended: likewise */
  int ended;             /* the loop's side of stopping was begun */
  atomic_int stopping;

  atomic_uint_fast64_t clients_now, accepted, rejected, commands, protocol_errors, bytes_in,
      bytes_out;
};

static inline void lrd_count_up(atomic_uint_fast64_t *counter, uint64_t by)
{
  atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

#endif
