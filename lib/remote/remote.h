/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_REMOTE_H
#define LRD_REMOTE_H

#include <larder/backend.h>

/*
 * The remote backend: a real Redis behind the backend interface.
 *
 *   wire       the protocol machine of one connection, without I/O
 *   link       one connection: wire, descriptor, owners, the driver's loop
 *   group      the links of one database number; the pinned links of holds
 *   loop       the background thread (libuv): connecting, handshakes, submissions
 *   fence      which old connections the server must end before a new one is used
 */
extern const larder_backend_table lrd_remote_table;

#endif
