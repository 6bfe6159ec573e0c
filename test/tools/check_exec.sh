#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# larder exec, status and the program itself: output, messages, exit statuses.
. "$top_srcdir/test/tools/lib.sh"

newline='
'

# --- the program
run 0 "$larder" --help
case $out in *exec*status*drill*) ;; *) fail "help: $out" ;; esac
run 0 "$larder" --version
case $out in 'larder '[0-9]*) ;; *) fail "version: $out" ;; esac
for name in exec status drill; do
  run 0 "$larder" $name --help
  case $out in "usage: larder $name "*"Exit status"*) ;; *) fail "help: $out" ;; esac
done
run 2 "$larder"
run 2 "$larder" nonsense
says 'no subcommand nonsense'

# --- replies as redis-cli prints them
run 0 "$larder" exec SET k v
prints OK
run 0 "$larder" exec GET k
prints ''
run 0 "$larder" exec --no-raw GET k
prints '(nil)'
run 0 "$larder" exec --no-raw INCR n
prints '(integer) 1'
run 0 "$larder" exec --raw INCR n
prints 1
run 0 "$larder" exec ECHO 'a b'
prints 'a b'
run 0 "$larder" exec --no-raw ECHO "a\"b${newline}c	d"
prints '"a\"b\nc\td"'
run 0 "$larder" exec --no-raw SMEMBERS none
prints '(empty array)'
run 0 "$larder" exec -3 --no-raw SMEMBERS none
prints '(empty set)'
run 0 "$larder" exec -3 --no-raw HGETALL none
prints '(empty hash)'
run 0 "$larder" exec --no-raw MGET a b
prints "1) (nil)${newline}2) (nil)"
run 0 "$larder" exec -- PING
prints PONG
run 0 "$larder" exec PING -h
prints -h
run 0 "$larder" exec SELECT 3
prints OK
run 0 "$larder" exec --timeout 1s --store memory: PING
prints PONG

# --- refused, wrong, unreachable
run 1 "$larder" exec SELECT 99
prints 'ERR DB index is out of range'
run 1 "$larder" exec --no-raw SET k v PX 0
prints "(error) ERR invalid expire time in 'set' command"
run 2 "$larder" exec
says 'which command'
run 2 "$larder" exec NOSUCHCOMMAND a
says NOSUCHCOMMAND
run 2 "$larder" exec GET
says "wrong number of arguments for 'get'"
run 2 "$larder" exec --nonsense GET k
says 'no option --nonsense'
run 2 "$larder" exec -x GET k
says 'no option -x'
run 2 "$larder" exec --store
says '--store needs a value'
run 2 "$larder" exec --timeout fast PING
says '--timeout fast'
run 2 "$larder" exec --timeout 0ms PING
says '--timeout 0ms'
run 2 "$larder" exec --store nonsense: PING
says 'unknown scheme'
run 2 "$larder" exec --store 'memory:?nonsense=1' PING
says nonsense
run 2 env LARDER_URL=nonsense: "$larder" exec PING
says LARDER_URL
run 0 env LARDER_URL=memory: "$larder" exec PING
prints PONG

# --- status
run 0 "$larder" status
for field in 'backend: memory' 'serving: memory' 'state: up' 'last_error_ms: -1' 'journal_keys: 0'; do
  case "$newline$out$newline" in
    *"$newline$field$newline"*) ;;
    *) fail "status: no line \"$field\" in $out" ;;
  esac
done
run 0 "$larder" status --json
case $out in '{'*'"state": "up"'*'}') ;; *) fail "status --json: $out" ;; esac
run 0 "$larder" status --prometheus
for line in '# TYPE larder_calls_total counter' 'larder_state{state="up"} 1' 'larder_keys 0'; do
  case "$newline$out$newline" in
    *"$newline$line$newline"*) ;;
    *) fail "status --prometheus: no line \"$line\" in $out" ;;
  esac
done
[ -z "$(echo "$out" | grep '^# TYPE' | sort | uniq -d)" ] || fail "a family twice: $out"
run 2 "$larder" status --prometheus --json
says 'exclude each other'
run 2 "$larder" status what
says 'what is what'
run 2 "$larder" status --timeout never
says '--timeout never'

# --- without Redis
if "$larder" serve --help >/dev/null 2>&1; then
  dead="unix://$directory/nobody"
  run 3 "$larder" exec --store "$dead" GET k
  says NOT_SENT
  run 3 "$larder" exec --store "$dead" SET k v
  says NOT_SENT
  run 3 "$larder" status --store "$dead"
  case $out in *'serving: memory'*'state: down'*'breaker: open'*'outages: 1'*) ;; *) fail "status: $out" ;; esac
  run 3 "$larder" status --store "$dead?outage=strict"
  case $out in *'serving: none'*'state: down'*'breaker: open'*) ;; *) fail "status: $out" ;; esac
  run 3 "$larder" status --store "$dead?fallback=none&prefix=app:"
  case $out in *'serving: none'*'state: down'*'prefix: app:'*) ;; *) fail "status: $out" ;; esac
  case $out in *"address: $directory/nobody"*) ;; *) fail "status: $out" ;; esac
  run 3 "$larder" status --prometheus --store "$dead"
  case $out in *'larder_breaker{state="open"} 1'*'larder_connections 0'*) ;; *) fail "status: $out" ;; esac
  run 3 "$larder" status --store "redis://user:secret@127.0.0.1:1/"
  case $out$err in *secret*) fail "status shows a password: $out$err" ;; esac
fi
finish
