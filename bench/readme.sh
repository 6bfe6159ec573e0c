#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# bench/readme.sh SOURCE-DIRECTORY [BENCH-ARGUMENT...], in a build directory: runs the benchmarks
# and writes what they gave into README.md, between its markers, and the plots into doc/plots.
set -eu
export LC_ALL=C

source=$1
shift
results=$source/bench/results
csv=$results/$(date -u +%Y%m%dT%H%M%SZ).csv
scratch=$(mktemp -d "${TMPDIR:-/tmp}/larder-readme.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$results" "$source/doc/plots"

for marker in '<!-- make bench-readme writes' '<!-- to here -->'; do
  grep -qF "$marker" "$source/README.md" ||
    { echo "README.md has no line \"$marker\"" >&2; exit 1; }
done
bench/bench --markdown --csv "$csv" "$@" > "$scratch/table"

# What the link says, for each plot that there is.
"$source/bench/plot.sh" "$csv" "$source/doc/plots" '' >/dev/null
links=
while IFS='|' read -r name text; do
  [ -f "$source/doc/plots/$name.svg" ] || continue
  links="$links${links:+,
}[$text](doc/plots/$name.svg)"
done <<'END'
keys|latency against number of keys
threads|throughput against threads
memory|memory per item against Redis
expire|latency while a million keys expire
hits|hit ratio against cache size
remote-threads|calls of a redis-server against threads
remote-p99|their 99th percentile against threads
remote-depth|processor time of a command against commands in flight
END
[ -z "$links" ] || printf '\nPlots of the same run: %s.\n' "$links" > "$scratch/links"

awk -v scratch="$scratch" '
  function put(file,  line) { while ((getline line < file) > 0) print line; close(file) }
  /^<!-- to here -->/ { inside = 0 }
  !inside { print }
  /^<!-- make bench-readme writes/ {
    inside = 1
    print ""; put(scratch "/table"); put(scratch "/links"); print ""
  }' "$source/README.md" > "$scratch/readme"
cat "$scratch/readme" > "$source/README.md"
echo "README.md and doc/plots are of $csv"
