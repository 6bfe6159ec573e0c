#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The library gives out what exports.txt says, no name outside its own prefixes,
# and has no variable that is written to: everything hangs on the store.
set -eu
export LC_ALL=C

scratch=$(mktemp -d "${TMPDIR:-/tmp}/larder-exports.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
failed=0

shared=$top_builddir/.libs/liblarder.so
if [ ! -e "$shared" ]; then
  echo "no shared library here: $shared"
  exit 77
fi
nm -D --defined-only "$shared" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort \
  > "$scratch/exports"
if grep -q '^#define LARDER_REDIS 1' "$top_builddir/config.h"; then
  sed '/^#/d; s/ redis$//' "$top_srcdir/test/install/exports.txt"
else
  sed '/^#/d; / redis$/d' "$top_srcdir/test/install/exports.txt"
fi | sort > "$scratch/wanted"
if ! diff -u "$scratch/wanted" "$scratch/exports"; then
  echo "exported symbols differ from test/install/exports.txt"
  failed=1
fi

core=$top_builddir/.libs/liblarder-core.a
nm --defined-only "$core" 2>/dev/null | awk '$2 ~ /^[A-Z]$/ { print $3 }' |
  grep -Ev '^(larder_|lrd_|__(odr_)?asan|__tsan|__ubsan)' > "$scratch/foreign" || true
if [ -s "$scratch/foreign" ]; then
  echo "global names without the prefix larder_ or lrd_:"
  cat "$scratch/foreign"
  failed=1
fi

# Sanitizers add variables of their own.
if [ -z "${SANITIZER:-}" ]; then
  objdump -t "$core" 2>/dev/null |
    awk '/ O \.(data|bss)/ && !/ \.data\.rel\.ro/ { print $NF }' > "$scratch/state"
  if [ -s "$scratch/state" ]; then
    echo "variables in .data or .bss:"
    cat "$scratch/state"
    failed=1
  fi
fi
exit $failed
