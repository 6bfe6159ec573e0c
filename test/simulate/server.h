/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SIMULATE_SERVER_H
#define TEST_SIMULATE_SERVER_H

#include <stddef.h>
#include <stdint.h>

/*
 * The one Redis of the world: the commands that the library and the workload use, with the
 * replies of Redis 7.0 (check_replies.c compares them with a real one's), and what can become of
 * a server.  Executing is instantaneous; a frozen server executes nothing, but its connections
 * stand and take bytes.
 */

struct sim_conn;

struct sim_bytes {
  const char *data;
  size_t len;
};

struct sim_server {
  int up;               /* it listens */
  int64_t frozen_until; /* stopped by a signal, so to say */
  int64_t loading_until, oom_until, readonly_until, full_until;
  unsigned long long run;        /* the run id is made of it */
  unsigned long long commands;   /* executed */
  unsigned long long calls;      /* of these the workload's: of the data, ECHO and PUBLISH */
  unsigned losses;               /* how often data was lost */
  int64_t lost_at;               /* the last time */
};
extern struct sim_server sim_server;

void sim_server_begin(void);
void sim_server_end(void);

/* --- faults ----------------------------------------------------------------------------------- */

/* The process ends; keep: what it has written is there when it comes back. */
void sim_server_crash(int keep);
void sim_server_start(void);
void sim_server_freeze(int64_t until);
/* Ends every fault, its own and the network's. */
void sim_server_heal(void);

/* Executes PUBLISH, as if another client had asked for it: how many heard it. */
int sim_server_publish(const struct sim_bytes *channel, const struct sim_bytes *payload);

/* --- for net.c -------------------------------------------------------------------------------- */

int sim_server_accept(const struct sim_conn *); /* 0: nobody listens */
void sim_server_accepted(struct sim_conn *);
void sim_server_input(struct sim_conn *);
void sim_server_gone(struct sim_conn *);

int sim_conn_is_ending(const struct sim_conn *); /* 1: FIN has come, 2: RST */
int sim_conn_is_open(const struct sim_conn *);
void sim_conn_drop(struct sim_conn *, int reset);

/* --- for keys.c, which holds the data ----------------------------------------------------------- */

struct sim_text { /* grows */
  char *data;
  size_t len, capacity;
};
void sim_text_add(struct sim_text *, const void *, size_t);
void sim_text_format(struct sim_text *, const char *format, ...)
  __attribute__((format(printf, 2, 3)));

struct sim_keyspace;
struct sim_keyspace *sim_keys_new(void);
struct sim_keyspace *sim_keys_copy(const struct sim_keyspace *);
void sim_keys_free(struct sim_keyspace *);
/* Executes a command of the data: 1; 0: it is none. */
int sim_keys_execute(struct sim_keyspace *, int database, const struct sim_bytes *argv,
                     size_t argc, struct sim_text *reply);
/* 1: it writes, -1: it is none of the data's. */
int sim_keys_is_write(const struct sim_bytes *name);
/* A number that changes whenever the key does. */
uint64_t sim_keys_version(const struct sim_keyspace *, int database, struct sim_bytes key);
/* What a GET, LRANGE 0 -1 or HGETALL of the key would show, as a hash; 0: it is not there. */
uint64_t sim_keys_hash(const struct sim_keyspace *, int database, struct sim_bytes key);
/* The value of a string, or the items one behind the other. */
void sim_keys_text(const struct sim_keyspace *, int database, const char *key, struct sim_text *);

/* --- for channels.c, which publishes --------------------------------------------------------------- */

enum { SIM_LISTENS = 8 };

struct sim_listens { /* a connection's subscriptions */
  struct {
    int pattern;
    char name[16];
  } one[SIM_LISTENS];
  unsigned count;
};
/* Executes SUBSCRIBE, PSUBSCRIBE and their opposites, with names: 1; 0: it is none.  Nobody may
 * listen to "x". */
int sim_listens_execute(struct sim_listens *, const struct sim_bytes *argv, size_t argc,
                        struct sim_text *reply);
/* NULL: the connection is none any more. */
const struct sim_listens *sim_server_listens(struct sim_conn *);

/* The data that there is now. */
const struct sim_keyspace *sim_server_keys(void);

/* --- for the judge ------------------------------------------------------------------------------ */

/* Called for each command of the data that was executed and may have changed the key. */
extern void (*sim_server_applied)(int database, const struct sim_bytes *argv, size_t argc);
/* Called for each PUBLISH, before anybody is told. */
extern void (*sim_server_published)(const struct sim_bytes *channel,
                                    const struct sim_bytes *payload);
/* Data was lost: the present one is what a restart found. */
extern void (*sim_server_forgot)(void);

int sim_is(const struct sim_bytes *, const char *word); /* without regard to case */
uint64_t sim_hash(uint64_t seed, const void *bytes, size_t len);

#endif
