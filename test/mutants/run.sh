#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# make check-mutants: are the tests worth anything?  Every mutant in test/mutants/list is one small
# mistake in a copy of one source file.  It is linked in front of the library with the test that
# must find it, which must then fail, in the named case.  Of lib/ nothing is touched.
#
#   mutant NAME FILE      what follows is its, up to the next
#   -LINE, +LINE          lines of the file, without their indentation, and what replaces them;
#                         they stand in it exactly once
#   killed PROGRAM CASE   a test program, and the test in it that fails; several: each of them
#
# MUTANTS="NAME...": only these.  Exit status 1: one survived, or its lines are not there any more.

work=${TMPDIR:-/tmp}/larder-mutants.$$
list=$top_srcdir/test/mutants/list
mkdir "$work" || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
killed=0 survived='' stale=''

# Writes each mutant's change and tests into files of its own.
awk -v work="$work" '
  /^mutant / { name = $2; print name > (work "/names"); print $3 > (work "/" name ".file") }
  /^-/ { print substr($0, 2) > (work "/" name ".old") }
  /^\+/ { print substr($0, 2) > (work "/" name ".new") }
  /^killed / { print $2, $3 > (work "/" name ".tests") }' "$list" || exit 1

# mutate FILE OLD NEW: FILE with the lines replaced; status 1: not there exactly once.
mutate() {
  awk -v old="$2" -v new="$3" '
    function bare(s) { sub(/^[ \t]+/, "", s); return s }
    BEGIN { while ((getline s < old) > 0) want[wants++] = bare(s)
            while ((getline s < new) > 0) put = put s "\n" }
    { line[NR] = $0 }
    END {
      for (i = 1; i + wants - 1 <= NR; i++) {
        for (j = 0; j < wants && bare(line[i + j]) == want[j]; j++) ;
        if (j == wants) { found++; at = i }
      }
      for (i = 1; i <= NR; i++) {
        if (i == at) printf "%s", put
        if (!at || i < at || i >= at + wants) print line[i]
      }
      exit found != 1
    }' "$1"
}

# judge NAME: 0: every one of its tests found it.
judge() {
  file=$(cat "$work/$1.file")
  [ -f "$work/$1.new" ] || : >"$work/$1.new"
  if ! mutate "$top_srcdir/$file" "$work/$1.old" "$work/$1.new" >"$work/mutant.c"; then
    echo "$1: its lines are not in $file exactly once"
    stale="$stale $1"
    return 1
  fi
  if ! $COMPILE -w -c -o "$work/mutant.o" "$work/mutant.c" 2>"$work/log"; then
    echo "$1: it can't be compiled"
    cat "$work/log"
    stale="$stale $1"
    return 1
  fi
  while read -r program case; do
    objects=$($MAKE -s print-objects PROGRAM="$program") || return 1
    # shellcheck disable=SC2086  # lists of words
    if ! $LINK -o "$work/test" $objects "$work/mutant.o" $LDADD $LIBS >"$work/log" 2>&1; then
      cat "$work/log"
      return 1
    fi
    timeout 240 "$work/test" >"$work/log" 2>&1 </dev/null
    if ! grep -q ":[FE]:[^:]*:$case:" "$work/log"; then
      echo "$1: SURVIVED $program $case"
      survived="$survived $1"
      return 1
    fi
    echo "$1: killed by $program $case"
  done <"$work/$1.tests"
}

# shellcheck disable=SC2046
$MAKE -s $(awk '/^killed / && !seen[$2]++ { print $2 }' "$list") test/support/libtestsupport.la ||
  exit 1
for name in ${MUTANTS:-$(cat "$work/names")}; do
  if judge "$name"; then
    killed=$((killed + 1))
  fi
done
echo "mutants: $killed killed; survived:${survived:- none}; stale:${stale:- none}"
[ -z "$survived$stale" ]
