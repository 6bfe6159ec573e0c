#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Whatever fails: the password of a store's URL or environment is in no output of the program.
. "$top_srcdir/test/tools/lib.sh"

secret=hush-hush
any=0

silent() {
  "$larder" "$@" >"$directory/out" 2>&1 </dev/null
  any=$((any + $(wc -c <"$directory/out")))
  if grep -q "$secret" "$directory/out"; then
    fail "$*: $(cat "$directory/out")"
  fi
}

for url in "redis://joe:$secret@127.0.0.1:1" "redis://:$secret@127.0.0.1:1/?required=yes" \
  "redis://joe:$secret@127.0.0.1:1/?fallback=none" "rediss://joe:$secret@127.0.0.1:1/?required=yes" \
  "redis://joe:$secret@127.0.0.1:99999" "redis://joe:$secret/x@h" "redis//joe:$secret@h" \
  "redis://h?password=$secret&nosuch=1" "unix:///nowhere?password=$secret&required=yes"; do
  silent exec --store "$url" GET k
  silent exec --store "$url" --timeout 100ms SET k v
  silent status --store "$url"
  silent serve --store "$url" --listen nonsense
done
REDIS_PASSWORD=$secret
REDIS_URL=redis://127.0.0.1:1
export REDIS_PASSWORD REDIS_URL
silent exec GET k
silent status
LARDER_URL="redis://joe:$secret@:"
export LARDER_URL
silent exec GET k
silent status
[ "$any" -gt 500 ] || fail "it said only $any bytes in all"

finish
