# SPDX-License-Identifier: BSD-2-Clause
# What the tests of the program share.  To be sourced.

larder=$top_builddir/tools/larder
directory=$(mktemp -d "${TMPDIR:-/tmp}/larder-check-XXXXXX") || exit 1
failures=0
pids=
unset REDIS_USERNAME REDIS_PASSWORD LARDER_TLS_CA LARDER_TLS_CERT LARDER_TLS_KEY
unset LARDER_URL REDIS_URL LARDER_PASSWORD REDIS_ENABLED REDIS_REQUIRED

# Whatever happens, nothing stays behind.
clean_up() {
  for pid in $pids; do
    kill -KILL "$pid" 2>/dev/null
  done
  rm -rf "$directory"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

fail() {
  echo "FAIL: $*" >&2
  failures=$((failures + 1))
}

# run STATUS COMMAND...: its output goes to $out and $err.
run() {
  wanted=$1
  shift
  "$@" >"$directory/out" 2>"$directory/err" </dev/null
  got=$?
  out=$(cat "$directory/out")
  err=$(cat "$directory/err")
  [ "$got" = "$wanted" ] || fail "$*: exit status $got, not $wanted; said: $out $err"
}

# prints TEXT: so does the last command, to standard output, and nothing else.
prints() {
  [ "$out" = "$1" ] || fail "printed \"$out\", not \"$1\""
  [ -z "$err" ] || fail "said \"$err\""
}

# says TEXT: the last command does, on standard error, and prints nothing.
says() {
  case $err in
    *"$1"*) ;;
    *) fail "said \"$err\", not \"$1\"" ;;
  esac
  [ -z "$out" ] || fail "printed \"$out\""
}

# wait_for N COMMAND...: at most N tenths of a second, until it succeeds.
wait_for() {
  left=$1
  shift
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ $left -gt 0 ] || return 1
    sleep 0.1
  done
}

# serve_in_background ARGUMENT...: $pid, and $port of its first address; what it
# prints goes to $directory/served, what it says to $directory/events.
serve_in_background() {
  : >"$directory/served"
  "$larder" serve "$@" >"$directory/served" 2>"$directory/events" </dev/null &
  pid=$!
  pids="$pids $pid"
  wait_for 100 grep -q '^listening on ' "$directory/served" ||
    fail "serve $*: $(cat "$directory/events")"
  port=$(sed -n '1s/.*:\([0-9]*\)$/\1/p' "$directory/served")
}

# ends SIGNAL STATUS: the server in the background does so.
ends() {
  kill -"$1" "$pid"
  wait "$pid"
  got=$?
  [ "$got" = "$2" ] || fail "serve: exit status $got after SIG$1, not $2: $(cat "$directory/events")"
}

finish() {
  [ $failures = 0 ] || exit 1
}
