# SPDX-License-Identifier: BSD-2-Clause
bin_PROGRAMS += tools/larder
tools_larder_SOURCES = \
  tools/common.c \
  tools/drill.c tools/drill.h \
  tools/drill_count.c \
  tools/drill_load.c \
  tools/drill_report.c \
  tools/drill_server.c \
  tools/drill_wire.c \
  tools/exec.c \
  tools/main.c \
  tools/print.c \
  tools/status.c \
  tools/tool.h
if REDIS
tools_larder_SOURCES += tools/serve.c
else
EXTRA_DIST += tools/serve.c
endif
tools_larder_LDADD = liblarder.la
