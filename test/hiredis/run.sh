#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# make check-hiredis1: larder built against a hiredis 1.x, where replies come as RESP3, and the tests
# that a connection to Redis is in.  HIREDIS1=DIRECTORY: where hiredis and that build are kept (by
# default in the build directory); HIREDIS1_SUITE: the Debian it comes from; HIREDIS1_TESTS: which
# (as make print-tests names them).
set -eu
directory=${HIREDIS1:-$top_builddir/hiredis1}
pc=$(sh "$top_srcdir/test/hiredis/fetch.sh" "$directory" ${HIREDIS1_SUITE:-}) || {
  status=$?
  [ "$status" -ne 77 ] || echo "check-hiredis1: skipped, there is no hiredis 1.x to be had"
  exit "$status"
}
mkdir -p "$directory/build"
cd "$directory/build"
PKG_CONFIG_PATH=$pc${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
# Not -Werror in CFLAGS: configure's own probes would fail.
[ -f Makefile ] || "$top_srcdir/configure" --enable-debug --enable-werror CC="$CC" \
  CFLAGS="${CFLAGS:--O2 -g}" LDFLAGS="-Wl,-rpath,$(pkg-config --variable=libdir hiredis)" \
  >configure.out 2>&1 || { cat configure.out >&2; exit 1; }
grep 'define HAVE_HIREDIS_RESP3 1' config.h >/dev/null ||
  { echo "check-hiredis1: this hiredis has no RESP3"; exit 1; }

# Of this build's own tests: a source beside them need not be one.
tests=${HIREDIS1_TESTS:-$("$MAKE" -s print-tests | tr ' ' '\n' |
  grep -E '^test/(remote|fallback|conformance|outage|serve)/' || true)}
tests=$(echo $tests)
[ -n "$tests" ] || { echo "check-hiredis1: this build has no test of a connection to Redis"; exit 1; }
programs=
for t in $tests; do
  case $t in *.sh) ;; *) programs="$programs $t" ;; esac
done
# Nothing else that make check builds: the rest is a library and a dozen programs more.
"$MAKE" check TESTS="$tests" check_PROGRAMS="$programs" check_LTLIBRARIES= check_DATA=
