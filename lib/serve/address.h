/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_SERVE_ADDRESS_H
#define LRD_SERVE_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/* One place to listen at, and its listening socket. */
struct lrd_address {
  char text[160]; /* "tcp://127.0.0.1:34567", "unix:///path" */
  int port;       /* 0: unix socket */
  int fd;         /* -1: not open */
  struct sockaddr_storage name;
  socklen_t name_len;
  dev_t device; /* of the socket file that we made: only that one is removed */
  ino_t inode;
};

/* 0, or -1 and one line in error.  Opens nothing. */
int lrd_address_parse(struct lrd_address *, const char *text, int allow_remote, char *error,
                      size_t error_size);

/* Binds and listens (non-blocking, close-on-exec).  A unix socket has mode 0600
 * from the moment its name appears; one that nobody serves is replaced.  0, or
 * -1, one line in error, and errno. */
int lrd_address_open(struct lrd_address *, char *error, size_t error_size);

/* Closes the socket and removes its file. */
void lrd_address_close(struct lrd_address *);

/* Accepts one connection (non-blocking, close-on-exec, no delay, keepalive); -1:
 * errno says why. */
int lrd_address_accept(const struct lrd_address *);

#endif
