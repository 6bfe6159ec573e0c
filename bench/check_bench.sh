#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# That the benchmarks run and write what they measured; not what they measure.
set -eu

csv=$(mktemp "${TMPDIR:-/tmp}/larder-bench.XXXXXX")
trap 'rm -f "$csv"' EXIT
bench=$top_builddir/bench/bench

"$bench" --quick --csv "$csv"
cases=$("$bench" --list | wc -l)
rows=$(grep -vc '^#' "$csv")
if [ "$rows" -ne $((cases * 5 + 1)) ]; then
  echo "$cases cases in 5 rounds gave $rows lines" >&2
  exit 1
fi

"$bench" --quick get/uthash-mutex | grep -q '^get *uthash-mutex'
if "$bench" --quick no/such-case 2>/dev/null; then
  echo "an unknown case was accepted" >&2
  exit 1
fi
