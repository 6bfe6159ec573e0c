#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# bench/plot.sh FILE.csv [DIRECTORY [PREFIX]]: the plots of one run, as SVG, by gnuplot; each that
# the run has figures for.  Points are medians of the rounds.  PREFIX: of the files' names,
# instead of the CSV's.
set -eu
export LC_ALL=C

csv=$1
directory=${2:-$(dirname "$csv")}
name=${3-$(basename "$csv" .csv)-}
if ! command -v gnuplot >/dev/null; then
  echo "no gnuplot here (Debian: apt-get install gnuplot-nox): no plots" >&2
  exit 0
fi
scratch=$(mktemp -d "${TMPDIR:-/tmp}/larder-plot.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# series CASE WHO UNIT: lines of "x median", by x.
series() {
  grep "^$1,$2,$3," "$csv" | sort -t, -k4,4g -k7,7g | awk -F, '
    function out() { if (n) print x, n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }
    $4 != x { out(); n = 0; x = $4 }
    { v[++n] = $7 }
    END { out() }' || true
}

# draw FILE, and on standard input what gnuplot is to do.
draw() {
  {
    echo "set terminal svg size 800,500 font 'sans,13' background rgb 'white'"
    echo "set output '$directory/$name$1.svg'"
    cat
  } > "$scratch/gnuplot"
  if gnuplot "$scratch/gnuplot"; then
    echo "$directory/$name$1.svg"
  else
    echo "gnuplot failed on $1" >&2
  fi
}

# plot FILE TITLE XLABEL YLABEL SETTINGS, and on standard input lines of CASE|WHO|UNIT|LEGEND.
plot() {
  n=0 lines=
  while IFS='|' read -r what who unit legend; do
    n=$((n + 1))
    series "$what" "$who" "$unit" > "$scratch/$1.$n"
    [ -s "$scratch/$1.$n" ] || continue
    lines="$lines${lines:+, }'$scratch/$1.$n' using 1:2 with linespoints lw 2 pt 7 ps 0.5 title '$legend'"
  done
  [ -n "$lines" ] || return 0
  draw "$1" <<END
set title '$2'
set xlabel '$3'
set ylabel '$4'
set grid
set key outside below
$5
plot $lines
END
}

plot keys 'GET against number of keys (values of 32 bytes, one thread)' 'keys' 'ns' \
  "set logscale x
set autoscale xfix
set yrange [0:]
set format x '10^{%L}'" <<'END'
keys-get|larder-typed|ns|larder, typed
keys-get|uthash-xxh3|ns|raw uthash, XXH3, no lock
keys-isolated|larder-typed|ns|larder, each key the value of the one before
keys-isolated|chase|ns|one dependent load in as much memory
END

cores=$(sed -n 's/^# processor:.*, \([0-9]*\) cores.*/\1/p' "$csv")
plot threads 'Reads of 1e6 keys against threads' "threads, on ${cores:-?} cores" \
  'operations per second, all threads' \
  "set yrange [0:]
set xtics 1
set format y '%.0s%c'" <<'END'
threads-read|larder-typed|op/s|larder, typed
threads-read|uthash-xxh3-mutex|op/s|uthash XXH3 under one mutex
threads-read|uthash-jenkins-mutex|op/s|uthash Jenkins under one mutex
END

plot expire 'A million keys expire at once: slowest GET in 10 ms, less what the scheduler took' \
  'ms since the moment' 'us' \
  "set logscale y
set xrange [-200:3000]" <<'END'
expire-timeline|larder|us slowest GET|larder, typed
expire-timeline|redis|us slowest GET|redis-server, unix socket
expire-timeline|redis-new|us slowest GET|newest Redis, unix socket
expire-timeline|valkey|us slowest GET|Valkey, unix socket
END

plot hits 'Hits against cache size (keys asked for by Zipf 1.0)' 'cache, % of the keys' '% hits' \
  "set logscale x
set yrange [0:100]" <<'END'
ratio-zipf|allkeys-s3fifo|% hits|allkeys-s3fifo
ratio-zipf|allkeys-lru|% hits|allkeys-lru
ratio-zipf|allkeys-lfu|% hits|allkeys-lfu
ratio-zipf|allkeys-random|% hits|allkeys-random
END

# Memory: bars, at the first size of each kind.
for kind in string ttl hash-field set-member zset-member list-element; do
  row=$kind
  for who in larder uthash redis redis-new valkey; do
    row="$row $(series "memory-$kind" "$who" 'bytes taken' | awk 'NR == 1 { print $2 }' | grep . || echo '?')"
  done
  label=$(printf '%s' "$kind" | sed 's/^ttl$/with-TTL/; s/-/\\n/')
  printf '"%s" %s\n' "$label" "${row#* }"
done > "$scratch/memory"
if grep -q '[0-9]' "$scratch/memory"; then
  draw memory <<END
set title 'Memory per item, payload included, as the allocator took it'
set ylabel 'bytes'
set style data histograms
set style fill solid 0.8
set datafile missing '?'
set grid ytics
set yrange [0:]
set key top right
set bmargin 3.5
plot '$scratch/memory' using 2:xtic(1) title 'larder', '' using 3 title 'raw uthash', \
  '' using 4 title 'redis-server', '' using 5 title 'newest Redis', '' using 6 title 'Valkey'
END
fi
