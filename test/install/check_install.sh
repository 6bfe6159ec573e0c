#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What an application sees: the README's example, compiled with what pkg-config says
# of an installed larder, linked shared and static, as C and as C++.
# PREFIX: where it is installed already (make installcheck); else it is installed here.
set -eu

scratch=$(mktemp -d "${TMPDIR:-/tmp}/larder-install.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL LARDER_URL REDIS_URL REDIS_ENABLED

if [ -z "${PREFIX:-}" ]; then
  ${MAKE:-make} -s -C "$top_builddir" install DESTDIR="$scratch/root" > "$scratch/log" 2>&1 ||
    { cat "$scratch/log"; exit 1; }
  pc=$(find "$scratch/root" -name larder.pc)
  PREFIX=$scratch/root$(sed -n 's/^prefix=//p' "$pc")
else
  pc=$(find "$PREFIX" -name larder.pc)
fi
PKG_CONFIG_PATH=$(dirname "$pc")${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
flags() {
  pkg-config --define-variable=prefix="$PREFIX" "$@" larder
}
lib=$(flags --variable=libdir)

# The first C block of the README.
awk '/^```c$/ { inside = 1; next } /^```/ { if (inside) exit } inside' "$top_srcdir/README.md" \
  > "$scratch/example.c"
[ -s "$scratch/example.c" ] || { echo "README.md has no example"; exit 1; }
[ "$(wc -l < "$scratch/example.c")" -le 25 ] || { echo "the README's example grew"; exit 1; }

run() {
  output=$("$@")
  printf '%s: %s\n' "$1" "$output"
  [ "$output" = "visits: 3 (OK, from local)" ] || { echo "not what the README promises"; exit 1; }
}

# shellcheck disable=SC2046,SC2086
$CC ${SANITIZER:-} -std=c11 -Wall -Wextra -Werror $(flags --cflags) "$scratch/example.c" \
  -o "$scratch/shared" $(flags --libs)
LD_LIBRARY_PATH=$lib
export LD_LIBRARY_PATH
run "$scratch/shared"

# The library can be loaded and dropped again and again; nothing of it stays behind.
cat > "$scratch/load.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv)
{
  for (int i = 0; i < 1000 && argc == 2; i++) {
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    const char *(*version)(void);
    if (library == NULL || (*(void **)&version = dlsym(library, "larder_version")) == NULL) {
      fprintf(stderr, "%s\n", dlerror());
      return 1;
    }
    version();
    dlclose(library);
  }
  return 0;
}
END
if [ -z "${SANITIZER:-}" ]; then
  $CC -o "$scratch/load" "$scratch/load.c" -ldl
  "$scratch/load" "$lib/liblarder.so"
fi

if command -v g++ >/dev/null && [ -z "${SANITIZER:-}" ]; then
  # shellcheck disable=SC2046
  g++ -x c++ -std=c++11 -Wall -Wextra -Werror $(flags --cflags) "$scratch/example.c" -x none \
    -o "$scratch/cplusplus" $(flags --libs)
  run "$scratch/cplusplus"
fi

if [ -e "$lib/liblarder.a" ]; then
  mkdir "$scratch/static"
  cp "$lib/liblarder.a" "$scratch/static"
  # flags makes the prefix of the packages that larder needs ours too: none of these paths
  # shellcheck disable=SC2046,SC2086
  $CC ${SANITIZER:-} $(flags --cflags) "$scratch/example.c" -o "$scratch/archive" \
    -L"$scratch/static" $(flags --static --libs | sed "s#-L$lib[^ ]*##g")
  unset LD_LIBRARY_PATH
  run "$scratch/archive"
fi
