/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_SERVER_H
#define TEST_SUPPORT_SERVER_H

#include <sys/types.h>

#include "support/resp.h"

/*
 * A real redis-server that belongs to a test: on a free loopback port, or a
 * unix socket, with a temporary directory of its own.
 *
 * It is signalled by its pid only, and the kernel kills it when the thread that
 * started it ends: start servers from a thread that lives as long as they are
 * needed (the main thread, or that of the forked test).  Whatever goes wrong is
 * printed and ends the process with status 1: a test without its server says nothing.
 */

struct server;

/* All zero: a loopback port, no persistence, no password. */
struct server_options {
  int unix_socket;      /* listen on a unix socket, not on TCP */
  int durable;          /* appendonly yes, appendfsync always */
  const char *password; /* requirepass */
  const char *config;   /* more lines of redis.conf, each with its newline */
};

/* To be called first in main(), outside the forked tests: looks whether there is a
 * redis-server program.  If not: exit status 1 and the line that installs it,
 * or with LARDER_SKIP_REDIS=1 exit status 77. */
void server_require(void);

/* Starts one and waits until it answers.  options: NULL for the defaults. */
struct server *server_start(const struct server_options *options);

/* Kills it if it runs, removes its directory, frees.  NULL is allowed. */
void server_stop(struct server *);

/* SIGKILL, and waits until it is gone.  Its data stay.  Not running: nothing. */
void server_kill(struct server *);

/* SIGSTOP and SIGCONT; pause returns when it stands still. */
void server_pause(struct server *);
void server_resume(struct server *);

/* Starts it again on the same address and directory (after killing it, if it
 * runs) and waits until it answers. */
void server_restart(struct server *);
/* Starts it, not waiting for its first answer. */
void server_launch(struct server *);
/* Waits until it answers PING (with PONG or NOAUTH): 0, or -1 after timeout_ms. */
int server_wait(struct server *, int timeout_ms);

/* Removes what it has saved: the next restart begins empty.  Not while it runs. */
void server_wipe(struct server *);
/* The password of the next restart; NULL: none. */
void server_set_password(struct server *, const char *password);

int server_running(const struct server *);        /* started and not killed by us */
pid_t server_pid(const struct server *);          /* 0: not running */
int server_port(const struct server *);           /* 0: on a unix socket */
const char *server_socket(const struct server *); /* NULL: on a port */
const char *server_directory(const struct server *);
/* "redis://127.0.0.1:PORT/0" or "unix:///path?db=0", without the password. */
const char *server_url(const struct server *);

/* A connection of the test's own, past AUTH and HELLO. */
struct resp_client *server_connect(const struct server *, int protocol);

/* A loopback port that nobody listens on now, outside the range from which the
 * kernel takes ports for outgoing connections (so that nobody connects to itself). */
int server_free_port(void);

#endif
