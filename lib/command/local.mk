# SPDX-License-Identifier: BSD-2-Clause
core_sources += \
  lib/command/argv.c \
  lib/command/argv.h \
  lib/command/cause.c lib/command/wait.c \
  lib/command/command.c \
  lib/command/command.h \
  lib/command/count.c \
  lib/command/detail.c \
  lib/command/detail.h \
  lib/command/document.c \
  lib/command/document.h \
  lib/command/glob.c \
  lib/command/hub.c lib/command/hub.h \
  lib/command/hub_registry.c lib/command/hub_registry.h \
  lib/command/hub_source.c \
  lib/command/inbox.c lib/command/inbox.h \
  lib/command/keys.c \
  lib/command/keyspec.c lib/command/keyspec.h \
  lib/command/list.h \
  lib/command/lookup.h \
  lib/command/outcome.c \
  lib/command/reply.c \
  lib/command/resp.c \
  lib/command/sink.c \
  lib/command/sink.h \
  lib/command/tree.c
EXTRA_DIST += lib/command/lookup.awk
