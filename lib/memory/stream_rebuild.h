/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LRD_MEMORY_STREAM_REBUILD_H
#define LRD_MEMORY_STREAM_REBUILD_H

#include "command/sink.h"
#include "memory/stream.h"

/*
 * As rebuild of a kind (kind.h): the commands that make a missing key this stream.  XADD for each
 * entry, also for those that are gone and still pending, which XDEL takes again; XSETID where the
 * counts need it; XGROUP CREATE, CREATECONSUMER, and XCLAIM with FORCE for what is pending.  An
 * entry with more fields than a vector may have is one vector all the same.  When consumers were
 * last seen is lost.
 */
size_t lrd_xstream_rebuild(const struct lrd_xstream *, larder_bytes key, larder_sink *);

#endif
