# SPDX-License-Identifier: BSD-2-Clause
# The store shows them; a build without Redis has none to show.
core_sources += lib/remote/metrics.c lib/remote/metrics.h
redis_sources += \
  lib/remote/dial.c lib/remote/dial_greet.c lib/remote/dial_part.h \
  lib/remote/drive.c lib/remote/due.c \
  lib/remote/expect.c lib/remote/expect.h \
  lib/remote/feed.c lib/remote/feed.h \
  lib/remote/fence.c lib/remote/fence.h \
  lib/remote/flow.c lib/remote/flow.h \
  lib/remote/group.c lib/remote/group.h \
  lib/remote/handshake.c lib/remote/handshake.h \
  lib/remote/hold.c lib/remote/hold.h \
  lib/remote/instance.c lib/remote/instance.h \
  lib/remote/job.c lib/remote/job.h \
  lib/remote/link.c lib/remote/link.h \
  lib/remote/listen.c lib/remote/listen.h \
  lib/remote/loop.c lib/remote/loop.h \
  lib/remote/reader.c lib/remote/reader.h \
  lib/remote/remote.c lib/remote/remote.h \
  lib/remote/report.c lib/remote/report.h \
  lib/remote/resolve.c lib/remote/resolve.h \
  lib/remote/sieve.c lib/remote/sieve.h \
  lib/remote/stream.c lib/remote/stream.h \
  lib/remote/submit.c \
  lib/remote/tls.h \
  lib/remote/wire.c lib/remote/wire.h lib/remote/wire_part.h lib/remote/wire_turn.c \
  lib/remote/wire_end.c

if TLS
redis_sources += lib/remote/tls.c lib/remote/tls_context.c lib/remote/tls_fault.c lib/remote/tls_part.h
else
redis_sources += lib/remote/tls_none.c
endif
