# SPDX-License-Identifier: BSD-2-Clause

core_sources += \
  lib/store/async.c \
  lib/store/backend.c \
  lib/store/batch.c \
  lib/store/call.c \
  lib/store/call.h \
  lib/store/catalog.c \
  lib/store/cell.c \
  lib/store/cell.h \
  lib/store/config.c \
  lib/store/config.h \
  lib/store/describe.c \
  lib/store/dispatch.c \
  lib/store/dispatch.h \
  lib/store/docs.c \
  lib/store/environment.c \
  lib/store/fork.c \
  lib/store/fork.h \
  lib/store/front.c \
  lib/store/front.h \
  lib/store/getkeys.c \
  lib/store/names.c \
  lib/store/names.h \
  lib/store/prefix.c \
  lib/store/prefix.h \
  lib/store/prefix_rewrite.c \
  lib/store/prefix_submit.c \
  lib/store/prefix_walk.c \
  lib/store/promise.c \
  lib/store/promise.h \
  lib/store/queue.c \
  lib/store/queue.h \
  lib/store/reply.c \
  lib/store/reply.h \
  lib/store/session.c \
  lib/store/session.h \
  lib/store/settings.c \
  lib/store/settings.h \
  lib/store/status.c \
  lib/store/store.c \
  lib/store/store.h \
  lib/store/subscriber.c \
  lib/store/subscriber.h \
  lib/store/transaction.c \
  lib/store/url.c
