/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_WIRE_H
#define LRD_REMOTE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include <larder/backend.h>

#include "remote/reader.h"
#include "util/arena.h"
#include "util/buffer.h"

/*
 * The protocol machine of one connection, without I/O.
 *
 * Commands go in as tickets and come out as bytes in wire->out; bytes received
 * go in by lrd_wire_feed and come out as ended tickets.  A FIFO of slots, one a
 * call, says whose the next reply is.  A ticket whose owner gives up is cut out
 * if none of its bytes were handed over, else its slot stays as a tombstone: its
 * replies are parsed and dropped.  Whatever is not expected poisons the machine: the
 * connection is to be closed and lrd_wire_fail ends everything.
 *
 * A ticket goes in at once (lrd_wire_call), or takes turns with others (lrd_wire_enter): a batch
 * that is not atomic goes in pieces, of which as many may be unanswered as keep the server busy
 * (the window), so that a small call stands behind a window of it and not behind the whole.  What
 * is unanswered on the connection is bounded: beyond that calls wait for their turn, PENDING with
 * nothing put.  The size of the window follows Brakmo and Peterson, "TCP Vegas", 1995,
 * as that of the submit links does (flow.h).
 *
 * RESP2, and RESP3 once lrd_reader_speak has said so: then a push, which may come at any time, is
 * nobody's reply and is dropped.
 *
 * No lock, no clock, no I/O: a link (link.h) serialises the calls.
 */

enum lrd_ticket_state {
  LRD_TICKET_NEW = 0,
  LRD_TICKET_PENDING, /* in a wire */
  LRD_TICKET_DONE,    /* every reply is in value[] */
  LRD_TICKET_FAILED   /* value[0 .. got-1] is all there is; cause and error say why */
};

/* One call on one wire.  Memory of the caller, until it ended or was withdrawn. */
struct lrd_ticket {
  const larder_vector *vector;
  size_t count;
  int atomic;       /* MULTI, the vectors, EXEC: one reply */
  int home;         /* atomic: the connection's database, where a SELECT among the vectors
                       must not leave it */
  int64_t deadline; /* for the link: when the owner gives up */
  int64_t sent_at;  /* for the link: when it was put into a wire */

  enum lrd_ticket_state state;
  struct lrd_arena arena; /* the replies; freed by lrd_ticket_release */
  larder_value *value;    /* count of them (atomic: one), shaped (RESP3) */
  size_t got;
  size_t put;             /* vectors that went into the wire so far */
  size_t flight;          /* bytes of those that are put and not answered, by pieces */
  int starved;            /* failed: no memory for the vectors that are not put */
  struct lrd_ticket *turn_next; /* in wire->turn */
  size_t committed;       /* failed: the first so many vectors may have been executed */
  int stray;              /* atomic: 1: MULTI was refused, and all else too; 2: not all else */
  larder_cause cause;
  char error[200];

  larder_value one; /* value, if there is but one */
  int refused;              /* atomic: Redis would not queue a command */
  larder_value queue_error; /* MULTI's, else that of the first such command */
  struct lrd_ticket *next; /* in wire->ended */
};

void lrd_ticket_init(struct lrd_ticket *, const larder_memory *, const larder_vector *,
                     size_t count, int atomic);
/* Frees the replies.  Not while pending. */
void lrd_ticket_release(struct lrd_ticket *);
/* Number of replies that the owner gets: count, atomic: 1. */
size_t lrd_ticket_replies(const struct lrd_ticket *);
/* 1: the command may change data (its lost reply is UNKNOWN, not NO_ANSWER). */
int lrd_is_write(const larder_vector *);

struct lrd_slot {
  struct lrd_ticket *ticket; /* NULL: a tombstone */
  size_t first;              /* its first vector; not atomic: as many as replies */
  uint64_t begin, end;       /* its bytes, counted from the connection's first */
  size_t replies, got;       /* that the server sends */
  int64_t deadline;
  int writes;
};

enum {
  LRD_WIRE_PIECE = 16 << 10,        /* bytes; what a server reads at a time */
  LRD_WIRE_WINDOW_LEAST = 64 << 10, /* bytes of one ticket that are unanswered */
  LRD_WIRE_FLIGHT_MOST = 1 << 20,   /* of all of them, and one piece, call or command more */
  LRD_WIRE_WINDOW_MOST = LRD_WIRE_FLIGHT_MOST
};

struct lrd_wire {
  const larder_memory *memory;
  struct lrd_buffer out;
  size_t out_position; /* out.data[out_position ..] is not yet handed over */
  uint64_t handed;     /* bytes handed over since the connection's first */
  struct lrd_reader reader;
  struct lrd_slot *slot; /* a ring; slot[head], ... */
  size_t head, used, capacity;
  struct lrd_ticket *ended, **ended_tail;
  struct lrd_ticket *turn, **turn_tail; /* that have vectors to be put, the next one first */
  size_t turns, window;
  uint64_t sample_end; /* where the piece ends whose replies are timed; 0: none is */
  int64_t sample_at, fastest;
  int poisoned;
  char error[160];
};

enum { LRD_WIRE_OUT_LIMIT = 1 << 30 };

/* A machine for a new connection; reply_limit: bytes of one reply, 0: the default.
 * 0, or -1: no memory. */
int lrd_wire_init(struct lrd_wire *, const larder_memory *, size_t reply_limit);
/* Nothing may be pending.  Zeroed or freed already: nothing happens. */
void lrd_wire_free(struct lrd_wire *);

/* Encodes a ticket and queues its slot.  0, or -1: no memory, nothing changed. */
int lrd_wire_call(struct lrd_wire *, struct lrd_ticket *);

/* The same by turns: the ticket is PENDING, and what can be put is put by lrd_wire_turn.  0, or -1:
 * no memory, nothing changed. */
int lrd_wire_enter(struct lrd_wire *, struct lrd_ticket *);
/* Puts what may be put now: after lrd_wire_enter, lrd_wire_feed and lrd_wire_withdraw.  Tickets
 * without memory for it are among the ended. */
void lrd_wire_turn(struct lrd_wire *, int64_t now);
/* Bytes that were put and are not answered. */
size_t lrd_wire_flight(const struct lrd_wire *);

/* Bytes to be written, and how many of them have been handed to the kernel. */
static inline const char *lrd_wire_out(const struct lrd_wire *w, size_t *len)
{
  *len = w->out.len - w->out_position;
  return lrd_buffer_from(&w->out, w->out_position);
}
void lrd_wire_handed(struct lrd_wire *, size_t len);

/* Takes bytes from the server.  0, or -1: poisoned (error says why). */
int lrd_wire_feed(struct lrd_wire *, const char *bytes, size_t len);

/* Takes a pending ticket back, FAILED with cause and error; replies that it has
 * stay with it. */
void lrd_wire_withdraw(struct lrd_wire *, struct lrd_ticket *, larder_cause, const char *error);

/* The connection ended: every ticket is FAILED.  1: the server may hold a write
 * of ours whose reply has not been seen. */
int lrd_wire_fail(struct lrd_wire *, larder_cause, const char *error);

/* The tickets that ended (DONE or FAILED) since the last call, oldest first;
 * withdrawn ones are not among them. */
struct lrd_ticket *lrd_wire_ended(struct lrd_wire *);

/* The slot whose reply comes next; NULL: none is owed. */
static inline const struct lrd_slot *lrd_wire_head(const struct lrd_wire *w)
{
  return w->used ? &w->slot[w->head] : NULL;
}

#endif
