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

# plot FILE TITLE XLABEL YLABEL SETTINGS [STYLE], and on standard input lines of
# CASE|WHO|UNIT|LEGEND.  Each line has its own points too, for who doesn't see the colours.
plot() {
  n=0 lines=
  while IFS='|' read -r what who unit legend; do
    n=$((n + 1))
    series "$what" "$who" "$unit" > "$scratch/$1.$n"
    [ -s "$scratch/$1.$n" ] || continue
    style=${6:-linespoints lw 2 pt $((2 * n + 3)) ps 0.7}
    lines="$lines${lines:+, }'$scratch/$1.$n' using 1:2 with $style title '$legend'"
  done
  [ -n "$lines" ] || return 0
  draw "$1" <<END
set title '$2'
set xlabel '$3'
set ylabel '$4'
set grid
set key below maxrows 2 spacing 1.2 width 1
$5
plot $lines
END
}

plot keys 'GET against number of keys (values of 32 bytes, one thread)' 'keys in the table' \
  'ns a GET, or a load' \
  "set logscale xy
set autoscale xfix
set format x '10^{%L}'" <<'END'
keys-get|larder-typed|ns|larder, typed
keys-get|uthash-xxh3|ns|raw uthash, XXH3, no lock
keys-isolated|larder-typed|ns|larder, each key the value of the one before
keys-isolated|chase|ns|one dependent load in as much memory
END

cores=$(sed -n 's/^# processor:.*, \([0-9]*\) cores.*/\1/p' "$csv")
plot threads 'Reads of 1e6 keys against threads' "threads, on ${cores:-?} cores" \
  'operations a second, all threads' \
  "set yrange [0:]
set xtics 1
set format y '%.1s%c'" <<'END'
threads-read|larder-typed|op/s|larder, typed
threads-read|uthash-xxh3-mutex|op/s|uthash XXH3 under one mutex
threads-read|uthash-jenkins-mutex|op/s|uthash Jenkins under one mutex
END

plot expire 'A million keys expire at once: slowest GET in each 10 ms' \
  'ms since they expired' 'us, without waiting for a processor' \
  "set logscale y
set xrange [-200:3000]" 'lines lw 1.5' <<'END'
expire-timeline|larder|us slowest GET|larder, typed
expire-timeline|redis|us slowest GET|redis-server, unix socket
expire-timeline|redis-new|us slowest GET|newest Redis, unix socket
expire-timeline|valkey|us slowest GET|Valkey, unix socket
END

plot hits 'Hits against cache size (1e6 keys, asked for by Zipf 1.0)' \
  'size of the cache, % of the keys' 'hits, % of the requests' \
  "set logscale x
set yrange [0:100]" <<'END'
ratio-zipf|allkeys-s3fifo|% hits|allkeys-s3fifo
ratio-zipf|allkeys-lru|% hits|allkeys-lru
ratio-zipf|allkeys-lfu|% hits|allkeys-lfu
ratio-zipf|allkeys-random|% hits|allkeys-random
END

log2="set logscale x 2
set xtics (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)"
for unit in 'op/s' 'us p99'; do
  case $unit in
  op/s)
    name_of=remote-threads title='GETs of a redis-server against threads' label='calls a second, all threads'
    settings="$log2
set yrange [0:]
set format y '%.1s%c'" ;;
  *)
    name_of=remote-p99 title='GETs of a redis-server: the 99th percentile against threads' label='us'
    settings="$log2
set logscale y" ;;
  esac
  plot "$name_of" "$title" "threads, on ${cores:-?} cores" "$label" "$settings" <<END
remote-threads-unix|larder|$unit|larder, unix socket
remote-threads-unix|hiredis|$unit|hiredis, one connection a thread, unix socket
remote-threads-tcp|larder|$unit|larder, TCP
remote-threads-tcp|hiredis|$unit|hiredis, one connection a thread, TCP
END
done

plot remote-depth 'GETs of a redis-server: processor time against commands in flight (unix socket)' \
  'commands in flight' 'us of CPU a command' "$log2
set logscale y" <<'END'
remote-async-get-unix|larder|us CPU client|larder
remote-async-get-unix|larder-dispatch|us CPU client|larder, callbacks on the caller''s thread
remote-async-get-unix|hiredis|us CPU client|hiredis
remote-async-get-unix|larder|us CPU server|redis-server under larder
remote-async-get-unix|hiredis|us CPU server|redis-server under hiredis
END

# Memory: bars, at the first size of each kind, of those who were measured.
bytes() {
  series "memory-$1" "$2" 'bytes taken' | awk 'NR == 1 { print $2 }'
}
bars= column=1
for who in larder uthash redis redis-new valkey; do
  grep -q "^memory-[a-z-]*,$who,bytes taken," "$csv" || continue
  case $who in
  uthash) legend='raw uthash' ;;
  redis) legend='redis-server' ;;
  redis-new) legend='newest Redis' ;;
  valkey) legend=Valkey ;;
  *) legend=$who ;;
  esac
  column=$((column + 1))
  bars="$bars${bars:+, }'$scratch/memory' using $column:xtic(1) title '$legend'"
  measured="${measured:-} $who"
done
for kind in string ttl hash-field set-member zset-member list-element; do
  label=$(printf '%s' "$kind" | sed 's/^ttl$/with-TTL/; s/-/\\n/')
  printf '"%s"' "$label"
  for who in ${measured:-}; do
    value=$(bytes "$kind" "$who")
    printf ' %s' "${value:-?}"
  done
  printf '\n'
done > "$scratch/memory"
if [ -n "$bars" ]; then
  draw memory <<END
set title 'Memory per item, payload included, as the allocator took it'
set ylabel 'bytes an item'
set style data histograms
set style histogram gap 1
set style fill solid 0.8
set datafile missing '?'
set grid ytics
set yrange [0:]
set key top right spacing 1.2
set bmargin 3.5
plot $bars
END
fi
