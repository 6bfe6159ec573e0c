#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# larder serve: addresses, passwords, signals, and Redis's own tools as clients.
. "$top_srcdir/test/tools/lib.sh"

# --- bad calls
run 0 "$larder" serve --help
run 2 "$larder" serve
says '--listen ADDRESS is needed'
run 2 "$larder" serve --listen tcp://127.0.0.1
says 'tcp://127.0.0.1'
run 2 "$larder" serve --listen tcp://0.0.0.0:0
says 'allow_remote'
run 2 "$larder" serve --listen tcp://127.0.0.1:0 --max-clients 0
says '--max-clients: 0'
run 2 "$larder" serve --listen tcp://127.0.0.1:0 --password-file "$directory/none"
says 'No such file'
run 2 "$larder" serve --listen tcp://127.0.0.1:0 --store nonsense:
says 'unknown scheme'
run 2 "$larder" serve --listen tcp://127.0.0.1:0 what
says 'what is what'
run 3 "$larder" serve --listen "unix://$directory/no/such/place"
says 'No such file'

# --- two addresses; a second one can't have them; the end
serve_in_background --listen tcp://127.0.0.1:0 --listen "unix://$directory/sock" --store memory:
[ "$(sed -n 2p "$directory/served")" = "listening on unix://$directory/sock" ] ||
  fail "served: $(cat "$directory/served")"
[ "$(ls -l "$directory/sock" | cut -c1-10)" = srw------- ] || fail "mode: $(ls -l "$directory/sock")"
run 3 "$larder" serve --listen "tcp://127.0.0.1:$port"
says 'in use'
run 3 "$larder" serve --listen "unix://$directory/sock"
says 'somebody listens'
run 0 "$larder" exec --store "redis://127.0.0.1:$port/0" SET k v
prints OK
run 0 "$larder" exec --store "unix://$directory/sock?db=0" GET k
prints v
run 1 "$larder" exec --store "redis://127.0.0.1:$port/0" LPUSH k v
prints 'WRONGTYPE Operation against a key holding the wrong kind of value'
run 0 "$larder" status --store "redis://127.0.0.1:$port/0"
ends TERM 0
[ -e "$directory/sock" ] && fail "the socket was left behind"
serve_in_background --listen tcp://127.0.0.1:0
ends INT 0

# --- a password, from a file and from the environment
echo 'open sesame' >"$directory/password"
serve_in_background --listen tcp://127.0.0.1:0 --password-file "$directory/password"
run 0 "$larder" exec --store "redis://:open%20sesame@127.0.0.1:$port" PING
prints PONG
"$larder" exec --store "redis://:wrong@127.0.0.1:$port" PING >"$directory/out" 2>&1 &&
  fail 'a wrong password was accepted'
grep -q WRONGPASS "$directory/out" || fail "wrong password: $(cat "$directory/out")"
ends TERM 0
LARDER_PASSWORD=simsalabim
export LARDER_PASSWORD
serve_in_background --listen tcp://127.0.0.1:0
unset LARDER_PASSWORD
run 0 "$larder" exec --store "redis://:simsalabim@127.0.0.1:$port" PING
ends TERM 0

# --- Redis's own tools
if command -v redis-cli >/dev/null && command -v redis-benchmark >/dev/null; then
  serve_in_background --listen tcp://127.0.0.1:0 --listen "unix://$directory/sock"
  cli="redis-cli -p $port"
  run 0 $cli SET k 'a b'
  prints OK
  run 0 redis-cli -s "$directory/sock" GET k
  prints 'a b'
  run 0 $cli INFO larder
  case $out in *'# Larder'*'state:up'*) ;; *) fail "INFO larder: $out" ;; esac
  run 0 $cli CONFIG RESETSTAT
  prints OK
  run 0 $cli INFO stats
  case $out in *keyspace_hits:0*) ;; *) fail "after CONFIG RESETSTAT: $out" ;; esac
  run 0 $cli -3 HSET h f v
  run 0 $cli --no-raw -3 HGETALL h
  prints '1# "f" => "v"'
  printf 'MULTI\nINCR n\nINCR n\nEXEC\n' | $cli >"$directory/out" 2>&1
  [ "$(tr '\n' ' ' <"$directory/out")" = 'OK QUEUED QUEUED 1 2 ' ] || fail "MULTI: $(cat "$directory/out")"
  awk 'BEGIN { for (i = 0; i < 10000; i++) printf "*2\r\n$4\r\nINCR\r\n$1\r\np\r\n" }' |
    $cli --pipe >"$directory/out" 2>&1
  grep -q 'errors: 0, replies: 10000' "$directory/out" || fail "pipe: $(cat "$directory/out")"
  redis-benchmark -p "$port" -q -n 2000 -c 50 \
    -t set,get,incr,lpush,rpop,sadd,hset,spop,zadd,zpopmin,lrange,mset \
    >"$directory/out" 2>"$directory/err" || fail "redis-benchmark: $(cat "$directory/err")"
  [ "$(tr '\r' '\n' <"$directory/out" | grep -c 'requests per second')" -ge 12 ] ||
    fail "redis-benchmark: $(cat "$directory/out" "$directory/err")"
  grep -iq error "$directory/out" "$directory/err" && fail "redis-benchmark: $(cat "$directory/out")"
  redis-benchmark -p "$port" -q -n 20000 -P 16 -t set,get >"$directory/out" 2>&1 ||
    fail "redis-benchmark -P 16: $(cat "$directory/out")"
  ends TERM 0
else
  echo 'redis-cli and redis-benchmark are missing (Debian: apt-get install redis-tools)' >&2
fi

# --- a Redis that is not there: the process goes on, and says what happens
serve_in_background --listen tcp://127.0.0.1:0 --store "unix://$directory/nobody"
run 0 "$larder" exec --store "redis://127.0.0.1:$port?timeout=2s" INCR n
prints 1
"$larder" exec --store "redis://127.0.0.1:$port?timeout=2s" SCARD s >"$directory/out" 2>&1 &&
  fail "an unknown set has a size: $(cat "$directory/out")"
grep -q UNAVAILABLE "$directory/out" || fail "unknown: $(cat "$directory/out")"
ends TERM 3
grep -q 'did not reach Redis' "$directory/events" || fail "lost writes were not named"
finish
