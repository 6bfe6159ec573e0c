# SPDX-License-Identifier: BSD-2-Clause
# Compiled into test/support/libtestsupport.la, which every test program is linked with.
support_sources += \
  test/support/server.c test/support/server.h
