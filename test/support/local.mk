# SPDX-License-Identifier: BSD-2-Clause
support_sources += \
  test/support/backend.h \
  test/support/bytes.h \
  test/support/check.h \
  test/support/compare.c test/support/compare.h \
  test/support/directory.c test/support/directory.h \
  test/support/events.h \
  test/support/resp.c test/support/resp.h test/support/resp_tree.c \
  test/support/sanitizer.h \
  test/support/server.c test/support/server.h
