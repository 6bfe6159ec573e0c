# SPDX-License-Identifier: BSD-2-Clause
core_sources += \
  lib/util/arena.c \
  lib/util/arena.h \
  lib/util/barrier.c \
  lib/util/barrier.h \
  lib/util/bell.c lib/util/bell.h \
  lib/util/buffer.c \
  lib/util/buffer.h \
  lib/util/bytes.h \
  lib/util/cancel.h \
  lib/util/clock.c \
  lib/util/clock.h \
  lib/util/crc64.c \
  lib/util/crc64.h \
  lib/util/double.c \
  lib/util/fence.h \
  lib/util/grace.c \
  lib/util/grace.h \
  lib/util/hash.c \
  lib/util/hash.h \
  lib/util/histogram.c \
  lib/util/histogram.h \
  lib/util/hook.c \
  lib/util/hook.h \
  lib/util/latch.c \
  lib/util/latch.h \
  lib/util/long_double.c \
  lib/util/lock.c \
  lib/util/lock.h \
  lib/util/lzf.c \
  lib/util/lzf.h \
  lib/util/memory.c \
  lib/util/memory.h \
  lib/util/number.c \
  lib/util/number.h \
  lib/util/page.c \
  lib/util/page.h \
  lib/util/park.c \
  lib/util/park.h \
  lib/util/slab.c \
  lib/util/slab.h \
  lib/util/prefetch.h \
  lib/util/thread.c \
  lib/util/thread.h \
  lib/util/universal.c \
  lib/util/universal.h \
  lib/util/yield.h
