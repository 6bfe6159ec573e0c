#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# That every case runs and gives its numbers; not what they are.
set -eu

scratch=$(mktemp -d "${TMPDIR:-/tmp}/larder-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
bench=$top_builddir/bench/bench

"$bench" --quick --csv "$scratch/csv" > "$scratch/report"
"$bench" --list | grep -vE '/(redis-new|valkey)$' | while IFS=/ read -r what who; do
  if ! grep -q "^$what,$who,.*,[0-9.e+-]*\$" "$scratch/csv" &&
     ! grep -q "^not measured: $what/$who" "$scratch/report"; then
    echo "$what/$who gave no number" >&2
    exit 1
  fi
done
grep -q 'raw uthash' "$scratch/report"

# What the bars of the remote backend are made of, where there is one.
if "$bench" --list | grep -q '^remote-threads-unix/'; then
  for unit in op/s 'us p99' 'us CPU server'; do
    grep -q "^remote-threads-unix,larder,$unit,64," "$scratch/csv"
    grep -q "^remote-threads-unix,hiredis,$unit,64," "$scratch/csv"
  done
fi

# Every bar stands in the table, measured or not, and with so few keys none is judged.
grep -qE '^0 bars met, 0 not met, [0-9]+ not measured' "$scratch/report"
if grep -E ' (NOT )?met$' "$scratch/report"; then
  echo "a bar was judged with too few keys" >&2
  exit 1
fi

"$bench" --quick get/larder-typed | grep -q '^get *larder-typed'
if "$bench" --quick no/such-case 2>/dev/null; then
  echo "an unknown case was accepted" >&2
  exit 1
fi
