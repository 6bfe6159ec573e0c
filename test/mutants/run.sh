#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# make check-mutants: are the tests worth anything?  Every mutant in test/mutants/list is one small
# mistake in a copy of one source file.  It is linked in front of the library with the test that
# must find it, which must then fail, in the named case.  Of lib/ nothing is touched, and nothing
# but the copy is compiled anew.
#
#   mutant NAME FILE            what follows is its, up to the next
#   -LINE, +LINE                lines of the file, without their indentation, and what replaces
#                               them; they stand in it exactly once
#   killed PROGRAM CASE [TURN]  a test program, the test in it that fails, and the turn if it is a
#                               loop; several: each of them.  CASE status: the program is its
#                               only test, and TURN a pattern in what it says when it fails; the
#                               simulator's: its mode, and the number of seeds
#
# MUTANT="NAME...": only these.  MUTANT_JOBS: how many at a time (2).  MUTANT_SECONDS: how long a
# test may take (120); who hangs longer is not killed.  Exit status 1: one survived, its lines are
# not there any more, or a test can't be built.

work=${TMPDIR:-/tmp}/larder-mutants.$$
list=$top_srcdir/test/mutants/list
mkdir "$work" || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
export work

# Writes each mutant's change and tests into files of its own.
awk -v work="$work" -v only=" $MUTANT " '
  /^mutant / { name = $2; wanted = only ~ /^ *$/ || index(only, " " name " ")
               if (seen[name]++) { print "two mutants are called " name; exit 1 }
               if (wanted) { print name > (work "/names"); print $3 > (work "/" name ".file") } }
  !wanted { next }
  /^-/ { print substr($0, 2) > (work "/" name ".old") }
  /^\+/ { print substr($0, 2) > (work "/" name ".new") }
  /^killed / { print $2, $3, $4 > (work "/" name ".tests"); print $2 > (work "/programs") }
  END { if (!wanted && NR == 0) exit 1 }' "$list" || exit 1
if ! [ -s "$work/names" ]; then
  echo "no mutant is called $MUTANT: test/mutants/list names them"
  exit 1
fi

programs=$(echo tools/larder | sort -u - "$work/programs" | tr '\n' ' ')
# shellcheck disable=SC2086  # a list
$MAKE -s $programs test/support/libtestsupport.la || exit 1
$MAKE -s print-objects PROGRAMS_OF_MUTANTS="$programs" >"$work/objects" || exit 1

began=$(date +%s)
xargs -n 1 -P "${MUTANT_JOBS:-2}" "$top_srcdir/test/mutants/judge.sh" <"$work/names"
count() { cat "$work"/*."$1" 2>/dev/null | wc -l; }
echo "mutants: $(wc -l <"$work/names") in $(($(date +%s) - began)) s; killed $(count killed)," \
  "survived $(count survived), stale $(count stale)"
cat "$work"/*.survived "$work"/*.stale 2>/dev/null
[ "$(count killed)" -eq "$(wc -l <"$work/names")" ]
