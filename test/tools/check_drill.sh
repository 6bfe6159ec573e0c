#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# larder drill: it ends well, says so, and leaves nothing behind.
. "$top_srcdir/test/tools/lib.sh"

run 2 "$larder" drill --seconds 1
says '--seconds: 1'
run 2 "$larder" drill --threads 65
says '--threads: 65'
run 2 "$larder" drill what
says 'what is what'

TMPDIR=$directory run 0 "$larder" drill --seconds 3 --seed 1
case $out in
  *'0 lost, 0 doubled') ;;
  *) fail "drill: $out" ;;
esac
if "$larder" serve --help >/dev/null 2>&1 && command -v redis-server >/dev/null; then
  for words in 'killed with SIGKILL' 'started again' 'stopped with SIGSTOP' 'slowest call' \
    'served locally' 'replayed'; do
    case $out in *"$words"*) ;; *) fail "drill: no \"$words\" in $out" ;; esac
  done
fi

# It can tell: with the preset that replays nothing, what was acknowledged is lost.
if "$larder" serve --help >/dev/null 2>&1 && command -v redis-server >/dev/null; then
  TMPDIR=$directory run 1 "$larder" drill --seconds 2 --threads 2 --store-options outage=cache
  case $out in
    *'this must not happen') ;;
    *) fail "drill, outage=cache: $out" ;;
  esac
  TMPDIR=$directory run 2 "$larder" drill --store-options nonsense=1
  # Interrupted, it takes its server along.
  TMPDIR=$directory "$larder" drill >"$directory/out" 2>&1 </dev/null &
  pid=$!
  pids="$pids $pid"
  wait_for 50 grep -q 'redis-server runs' "$directory/out" || fail "drill: $(cat "$directory/out")"
  kill -TERM $pid
  wait $pid
  [ $? = 3 ] || fail 'drill: interrupted, and not 3'
  server=$(sed -n 's/.*(pid \([0-9]*\).*/\1/p' "$directory/out")
  kill -0 "$server" 2>/dev/null && fail "drill left redis-server $server behind"
fi
ls "$directory"/larder-drill-* >/dev/null 2>&1 && fail "left behind: $(ls "$directory")"

# What it can show without a redis-server.
run 0 "$larder" drill --in-process --seconds 2 --threads 2
case $out in
  *'engine in this process'*'local '*' OK '*'0 lost, 0 doubled') ;;
  *) fail "drill --in-process: $out" ;;
esac
finish
