#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# bench/profile.sh [CALL...], in a build directory: what the bars on GET and SET are made of, counted by
# callgrind, so the same on a busy machine: instructions of one call, in which functions they are,
# and how many of its cache lines come from memory.  A few minutes.
set -eu
export LC_ALL=C

for tool in valgrind callgrind_annotate; do
  command -v $tool >/dev/null ||
    { echo "no $tool here (Debian: apt-get install valgrind): no profile" >&2; exit 1; }
done
steps=100000
scratch=$(mktemp -d "${TMPDIR:-/tmp}/larder-profile.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

echo "Keys in the index, 1e6 of them:"
bench/profile chains
echo
echo "Of one call among 1e6 keys: instructions; loads that miss simulated caches of 32 KiB and 32 MiB."

[ $# -gt 0 ] || set -- $(bench/profile --list)
for call; do
  valgrind --tool=callgrind --toggle-collect=counted --cache-sim=yes --I1=32768,8,64 \
    --D1=32768,8,64 --LL=33554432,16,64 --callgrind-out-file="$scratch/$call" \
    bench/profile "$call" 2> "$scratch/errors" || { cat "$scratch/errors" >&2; exit 1; }
  callgrind_annotate --show=Ir,DLmr --threshold=99 --auto=no "$scratch/$call" |
    awk -v call="$call" -v steps=$steps '
      { gsub(/\([ 0-9.]*%\)/, ""); gsub(/,/, "") }
      /PROGRAM TOTALS/ {
        printf "\n%-16s %6.1f instructions, %.2f loads\n", call, $1 / steps, $2 / steps
      }
      /^ *[0-9]+ +[0-9.]+ +.*:/ && $1 / steps >= 1 {
        n = split($3, part, "/")
        place = n > 1 ? part[n - 1] "/" part[n] : $3
        printf "%16s %6.1f %19.2f  %s\n", "", $1 / steps, $2 / steps, place
      }'
done
