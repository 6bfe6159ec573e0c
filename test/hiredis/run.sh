#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# make check-hiredis1: larder built against a hiredis 1.x, where replies come as RESP3, and the tests
# that a connection to Redis is in.  HIREDIS1=DIRECTORY: where hiredis and that build are kept (by
# default in the build directory); HIREDIS1_SUITE: the Debian it comes from; HIREDIS1_TESTS: which.
set -eu
directory=${HIREDIS1:-$top_builddir/hiredis1}
pc=$(sh "$top_srcdir/test/hiredis/fetch.sh" "$directory" ${HIREDIS1_SUITE:-}) || {
  status=$?
  [ "$status" -ne 77 ] || echo "check-hiredis1: skipped, there is no hiredis 1.x to be had"
  exit "$status"
}
tests=${HIREDIS1_TESTS:-$(cd "$top_srcdir" && find test/remote test/fallback test/conformance \
  test/outage test/serve -name 'check_*.c' | sed 's/\.c$//; s|/random/|/|' | sort)}
mkdir -p "$directory/build"
cd "$directory/build"
PKG_CONFIG_PATH=$pc${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
[ -f Makefile ] || "$top_srcdir/configure" --enable-debug CC="$CC" LDFLAGS="-Wl,-rpath,$(pkg-config --variable=libdir hiredis)" \
  CFLAGS="${CFLAGS:--O2 -g} -Werror" \
  >configure.out 2>&1 || { cat configure.out >&2; exit 1; }
grep 'define HAVE_HIREDIS_RESP3 1' config.h >/dev/null ||
  { echo "check-hiredis1: this hiredis has no RESP3"; exit 1; }
"$MAKE" -s
"$MAKE" check TESTS="$(echo $tests)"
