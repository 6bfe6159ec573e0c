#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The man pages are well-formed, links between documents lead somewhere, and
# every event that the code knows is in events.md, and the other way round.
set -eu
export LC_ALL=C
failed=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/larder-doc.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# shellcheck disable=SC2154
cd "$top_srcdir"

for page in doc/*.[137]; do
  if [ -n "${MANDOC:-}" ] && ! "$MANDOC" -Tlint -Wwarning "$page"; then
    failed=1
  fi
done

for page in README.md doc/*.md; do
  for link in $(grep -oE '\]\([^)#]+' "$page" | cut -c3- | grep -v '://' || true); do
    if [ ! -e "$(dirname "$page")/$link" ]; then
      echo "$page: leads to $link, which is not there"
      failed=1
    fi
  done
done

# An event's name is the third argument of lrd_event (perhaps one of two), and of those
# that hand it on.
find lib -name '*.c' ! -name hook.c -exec cat {} + | tr '\n' ' ' |
  grep -oE '(lrd_event|lrd_remote_tell|given_up)\([^,]*,[^,]*,[^,]*,' | cut -d, -f3 | grep -oE '"[a-z_-]+"' | tr -d '"' |
  sort -u > "$scratch/code"
sed -n 's/^| `\([a-z_-]*\)` |.*/\1/p' doc/events.md | sort -u > "$scratch/doc"
for event in $(comm -13 "$scratch/doc" "$scratch/code"); do
  echo "doc/events.md does not tell of the event $event"
  failed=1
done
for event in $(cat "$scratch/doc"); do
  if ! grep -rqF "\"$event\"" lib; then
    echo "doc/events.md tells of the event $event, which nobody sends"
    failed=1
  fi
done
exit $failed
