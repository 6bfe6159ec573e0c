/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_PEER_H
#define TEST_SUPPORT_PEER_H

#include <stddef.h>

/*
 * A scripted fake Redis in a thread, on a unix socket or a loopback port.
 *
 * The script is an array of steps, run in order; each acts on the connection that was
 * accepted (or named by PEER_USE) last.  Barriers keep script and test in step without
 * sleeping.  A step that finds something else than it says ends the script;
 * peer_stop tells.  Every command received is kept in a log, "0: GET key" (number of
 * the connection first).
 */

enum peer_verb {
  PEER_STEP_ACCEPT, PEER_STEP_GREET, PEER_STEP_EXPECT, PEER_STEP_SEND, PEER_STEP_DRIP,
  PEER_STEP_CLOSE, PEER_STEP_RST, PEER_STEP_USE, PEER_STEP_SYNC, PEER_STEP_HANG, PEER_STEP_GONE,
  PEER_STEP_UNBIND, PEER_STEP_SERVE, PEER_STEP_READ
};

struct peer_step {
  enum peer_verb verb;
  const char *text;
  size_t len;
  int number;
};

/* Waits for the next connection, which gets the next number. */
#define PEER_ACCEPT {.verb = PEER_STEP_ACCEPT}
/* Answers a client's handshake as Redis would, up to its PING. */
#define PEER_GREET {.verb = PEER_STEP_GREET}
/* Reads one command: its words joined by spaces; NULL: any. */
#define PEER_EXPECT(words) {.verb = PEER_STEP_EXPECT, .text = (words)}
/* Reads at least so many bytes, whatever they are, and forgets them. */
#define PEER_READ(least) {.verb = PEER_STEP_READ, .number = (least)}
/* Sends bytes up to a NUL; PEER_DRIP: one every so many milliseconds. */
#define PEER_SEND(bytes) {.verb = PEER_STEP_SEND, .text = (bytes)}
#define PEER_DRIP(bytes, ms) {.verb = PEER_STEP_DRIP, .text = (bytes), .number = (ms)}
/* Closes; PEER_RST: with a reset (TCP). */
#define PEER_CLOSE {.verb = PEER_STEP_CLOSE}
#define PEER_RST {.verb = PEER_STEP_RST}
/* Acts on connection n from here on. */
#define PEER_USE(n) {.verb = PEER_STEP_USE, .number = (n)}
/* Meets the test (peer_meet): both wait until the other is there.  PEER_HANG: the same, a
 * better name for a peer that is to do nothing. */
#define PEER_SYNC {.verb = PEER_STEP_SYNC}
#define PEER_HANG {.verb = PEER_STEP_HANG}
/* Waits until the client has closed the connection. */
#define PEER_GONE {.verb = PEER_STEP_GONE}
/* Stops listening: further connections are refused. */
#define PEER_UNBIND {.verb = PEER_STEP_UNBIND}
/* Serves every connection until peer_stop: handshake, GET key -> key, anything else -> +OK;
 * replies are cut into pieces of at most so many bytes (0: whole). */
#define PEER_SERVE(piece) {.verb = PEER_STEP_SERVE, .number = (piece)}

struct peer_options {
  int unix_socket;
  /* What replaces the handshake's replies: {"PING", "-LOADING ...\r\n"}, ..., {NULL};
   * the first entry is compared with the beginning of the command. */
  const char *const (*reply)[2];
  /* What PEER_SERVE says to whatever comes, in place of all else. */
  const char *retort;
};

struct peer;

/* Listens, and starts the script.  Ends the process if it can't. */
struct peer *peer_start(const struct peer_options *options, const struct peer_step *script,
                        size_t steps);
/* Meets the script at its next PEER_SYNC or PEER_HANG: 0, or -1 after timeout_ms (or if the
 * script has ended). */
int peer_meet(struct peer *, int timeout_ms);
/* Ends thread and sockets.  0: the script ran to its end; -1: why says which step did not. */
int peer_stop(struct peer *, char *why, size_t size);

int peer_port(const struct peer *);         /* 0: a unix socket */
const char *peer_path(const struct peer *); /* NULL: a port */
/* How many lines of the log contain text. */
int peer_saw(struct peer *, const char *text);
int peer_connections(struct peer *);

#endif
