#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# judge.sh NAME: one mutant, for run.sh.  Writes NAME.killed, NAME.survived or NAME.stale in $work.

name=$1
top=$top_srcdir
own=$work/$name
file=$(cat "$own.file")

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

stale() {
  echo "$name: $1"
  echo "stale: $name: $1" >"$own.stale"
  exit 0
}

[ -f "$own.new" ] || : >"$own.new"
[ -f "$own.tests" ] || stale "no test is named"
mutate "$top/$file" "$own.old" "$own.new" >"$own.c" ||
  stale "its lines are not in $file exactly once"
compile() {
  # shellcheck disable=SC2086  # lists of words
  $COMPILE $1 -w -c -o "$2" "$own.c" 2>"$own.log" || stale "it can't be compiled: $(cat "$own.log")"
}
compile '' "$own.o"
# link PROGRAM OUT: with the mutant in front of the library, the simulator's with its own.
link() {
  if [ "$1" = test/simulate/simulate ]; then
    compile "-include $top/test/simulate/redirect.h" "$own.simulated.o"
    # shellcheck disable=SC2046,SC2086  # lists of words
    $LINK $SIMULATED_CALLS -o "$2" $(sed -n "s|^$1 ||p" "$work/objects") "$own.simulated.o" \
      test/simulate/libsimulated.la $LIBS >"$own.log" 2>&1 ||
      stale "it can't be linked: $(cat "$own.log")"
    return
  fi
  # shellcheck disable=SC2046,SC2086  # lists of words
  $LINK -o "$2" $(sed -n "s|^$1 ||p" "$work/objects") "$own.o" $LDADD $LIBS >"$own.log" 2>&1 ||
    stale "it can't be linked: $(cat "$own.log")"
}

# Whether the case fails; of a program that has no cases, whether its status says so.
fails() {
  if [ "$program" = test/simulate/simulate ]; then
    timeout "${MUTANT_SECONDS:-120}" "$own.test" --mode "$case" --seeds "$turn" >"$own.log" 2>&1
    said=$(sed -n 's/^\(seed [0-9]* of mode [a-z]*\) failed at$/ (\1)/p' "$own.log")
    [ -n "$said" ]
  elif [ "$case" != status ]; then
    LARDER_TEST=$case CK_VERBOSITY=normal timeout "${MUTANT_SECONDS:-120}" \
      env ${turn:+"LARDER_LOOP=$turn"} "$own.test" >"$own.log" 2>&1 </dev/null
    grep -q ":[FE]:[^:]*:$case:" "$own.log"
  else
    link tools/larder "$own.tool"
    LARDER=$own.tool timeout "${MUTANT_SECONDS:-120}" "$own.test" >"$own.log" 2>&1 </dev/null
    [ $? -eq 1 ] && grep -q -e "${turn:-.}" "$own.log"
  fi
}

while read -r program case turn; do
  said=
  link "$program" "$own.test"
  if ! fails; then
    tail -3 "$own.log"
    echo "$name: SURVIVED $program $case"
    echo "survived: $name: $program $case" >"$own.survived"
    exit 0
  fi
  echo "$name: killed by $program $case$said"
done <"$own.tests"
echo "$name" >"$own.killed"
