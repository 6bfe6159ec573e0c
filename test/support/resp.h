/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_RESP_H
#define TEST_SUPPORT_RESP_H

#include <stddef.h>
#include <stdint.h>

/*
 * A small blocking client that shares no code with the library: what it sees is
 * what the wire says, so it can be the judge of it.
 *
 * One thread at a time for each client.
 */

enum resp_type {
  RESP_NIL,       /* "$-1" or "_" */
  RESP_NIL_ARRAY, /* "*-1" */
  RESP_STRING,
  RESP_STATUS,
  RESP_ERROR,
  RESP_INTEGER,
  RESP_DOUBLE, /* real, and its text in str */
  RESP_BOOLEAN,
  RESP_BIGNUM,
  RESP_VERBATIM, /* without its "txt:" */
  RESP_ARRAY,
  RESP_MAP, /* len values: key, value, key, value */
  RESP_SET,
  RESP_PUSH
};

struct resp {
  enum resp_type type;
  int64_t integer;
  double real;
  size_t len; /* bytes of str, or number of elements */
  char *str;  /* with a NUL behind it; NULL for types without text */
  struct resp *element;
};

/* Frees a reply; NULL is allowed. */
void resp_free(struct resp *);
/* Frees what it points to, not itself. */
void resp_clear(struct resp *);
/* Makes *to a copy of *from. */
void resp_copy(struct resp *to, const struct resp *from);
/* Sets the text of a node. */
void resp_set_text(struct resp *, enum resp_type, const char *, size_t len);
/* Makes it an aggregate of len zeroed elements. */
void resp_set_aggregate(struct resp *, enum resp_type, size_t len);

/* The reply as redis-cli might print it, in one line; to be freed. */
char *resp_text(const struct resp *);
int resp_is_error(const struct resp *, const char *prefix); /* an error that begins so */
int resp_is_text(const struct resp *, const char *text);    /* a string or status, equal */

struct resp_client;

/* Connects; NULL: errno says why not.  timeout_ms: for connecting, and then for
 * each wait for bytes. */
struct resp_client *resp_open_port(int port, int timeout_ms);
struct resp_client *resp_open_path(const char *path, int timeout_ms);
void resp_close(struct resp_client *);
void resp_set_timeout(struct resp_client *, int timeout_ms);

/* Puts a command into the output buffer.  len NULL: strings. */
void resp_append(struct resp_client *, int argc, const char *const *argv, const size_t *len);
/* Puts bytes there as they are. */
void resp_append_raw(struct resp_client *, const char *bytes, size_t len);
/* Sends the buffer, taking in what arrives meanwhile: 0, or -1. */
int resp_flush(struct resp_client *);
/* The next reply; NULL: timeout, end of stream or garbage: see resp_fault. */
struct resp *resp_read(struct resp_client *);
/* Are there bytes of one already? */
int resp_has_bytes(const struct resp_client *);
/* append, flush, read. */
struct resp *resp_call(struct resp_client *, int argc, const char *const *argv, const size_t *len);
/* The same with strings up to a NULL. */
struct resp *resp_words(struct resp_client *, const char *word, ...) __attribute__((sentinel));

/* HELLO protocol; 0, or -1. */
int resp_hello(struct resp_client *, int protocol);
int resp_protocol(const struct resp_client *);
/* What went wrong; "" if nothing did.  After a fault the client is of no use. */
const char *resp_fault(const struct resp_client *);
/* 1: the fault was a timeout. */
int resp_timed_out(const struct resp_client *);

#endif
