/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SIMULATE_WORLD_H
#define TEST_SIMULATE_WORLD_H

#include <stddef.h>
#include <stdint.h>

/*
 * What surrounds the library: its threads' locks, its descriptors, the network, its memory, and the one
 * Redis.  The linker sends the library's calls of the system here (--wrap).
 */

/* --- sync.c: locks, conditions, threads, clocks ------------------------------------------ */

/* How often something of the kind goes wrong: once in so many; 0: never. */
struct sim_odds {
  unsigned thread;     /* pthread_create fails */
  unsigned spurious;   /* a condition wait ends by itself */
  unsigned allocation; /* an allocation fails */
  unsigned descriptor; /* socket() finds no descriptor */
  unsigned partial;    /* a send takes only a part, a read gives only a part */
};
extern struct sim_odds sim_odds;

void sim_sync_begin(void);
/* A task must hold no lock when it does this. */
void sim_assert_unlocked(const char *what);

/* --- descriptor.c: the table, poll() and eventfd() ---------------------------------------- */

struct sim_conn;

void sim_descriptors_begin(void);
/* Fails unless all are closed. */
void sim_descriptors_end(void);
/* What the descriptor is ready for may have changed. */
void sim_descriptor_changed(int fd);
/* Sleeps like poll(); wakes all that do. */
int sim_poll_block(const char *what, int64_t until);
void sim_poll_wake(void);
/* poll()'s POLLIN and POLLOUT that it is ready for now. */
short sim_descriptor_ready(int fd);

/* --- net.c: connections ------------------------------------------------------------------ */

void sim_net_begin(void);
void sim_net_end(void);
/* For descriptor.c. */
struct sim_conn *sim_conn_new(int fd);
short sim_conn_ready(const struct sim_conn *);
void sim_conn_closed(struct sim_conn *);
/* For the server: what came (to be consumed), and what it says. */
size_t sim_conn_input(struct sim_conn *, const char **bytes);
void sim_conn_consume(struct sim_conn *, size_t);
void sim_conn_reply(struct sim_conn *, const char *bytes, size_t len);
/* The server closes it: after what it has said. */
void sim_conn_hang_up(struct sim_conn *);
long long sim_conn_port(const struct sim_conn *);
void **sim_conn_session(struct sim_conn *);
/* Calls visit for each whose server side is open. */
void sim_conn_each(void (*visit)(struct sim_conn *, void *), void *context);

/* How the network is: set by the scenario, changed by faults. */
struct sim_net {
  int64_t delay_least, delay_most; /* of each part of a message */
  int64_t dial_least, dial_most;   /* until a connection stands */
  int64_t slow_until;              /* delays are longer */
  int64_t silent_until;            /* nothing arrives before, in both directions */
  int64_t deaf_until;              /* nothing arrives at the server */
  int64_t mute_until;              /* nothing arrives from the server */
  int64_t drip_until;              /* replies come byte by byte */
  int64_t unreachable_until;       /* a connection is never made */
  int64_t refused_until;           /* connections are refused */
  unsigned resolver;               /* once in so many a name's address takes long, or none is said */
  size_t window;                   /* bytes under way to the server, a connection */
};
extern struct sim_net sim_net;

/* Ends connections that stand: once in so many each (1: all).  reset: RST, else FIN.  lost: what is
 * under way does not arrive. */
void sim_net_cut(unsigned once_in, int reset, int lost);

/* --- heap.c: the allocator of a store ----------------------------------------------------- */

struct larder_memory;
void sim_heap_begin(void);
const struct larder_memory *sim_heap(void);
/* Fails unless all was given back. */
void sim_heap_end(void);
size_t sim_heap_bytes(void);

#endif
