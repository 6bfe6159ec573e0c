# SPDX-License-Identifier: BSD-2-Clause
support_sources += \
  test/support/check.h \
  test/support/compare.c test/support/compare.h \
  test/support/resp.c test/support/resp.h \
  test/support/sanitizer.h \
  test/support/server.c test/support/server.h
