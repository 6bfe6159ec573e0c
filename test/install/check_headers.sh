#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Each public header compiles alone, as strict C11 and as C++11, and so do the initialisers.
set -eu

cd "$top_srcdir/include"
headers=$(ls larder.h larder/*.h | grep -v larder/uv.h)
for header in $headers; do
  echo "#include <$header>" |
    $CC -std=c11 -pedantic -Wall -Wextra -Wstrict-prototypes -Werror -I. -x c -fsyntax-only -
done
if ! command -v g++ >/dev/null; then
  echo "no g++ here: headers were not compiled as C++"
  exit 77
fi
for header in $headers; do
  echo "#include <$header>" |
    g++ -std=c++11 -pedantic -Wall -Wextra -Werror -I. -x c++ -fsyntax-only -
done

for standard in c++98 c++11 c++17 c++20; do
  g++ -std=$standard -pedantic -Wall -Wextra -Wno-long-long -Wno-variadic-macros -Werror -I. \
    -x c++ -fsyntax-only - <<END
#include <larder.h>
#include <larder/serve.h>
int main()
{
  larder_options o = LARDER_OPTIONS_INIT;
  larder_listen_options l = LARDER_LISTEN_OPTIONS_INIT;
  return o.size == sizeof o && o.max_retries == -1 && l.size == sizeof l ? 0 : 1;
}
END
done

# larder/uv.h needs libuv's header, which is no strict C.
if echo '#include <uv.h>' | $CC -x c -fsyntax-only - 2>/dev/null; then
  echo '#include <larder/uv.h>' |
    $CC -std=gnu11 -pedantic -Wall -Wextra -Wconversion -Werror -I. -x c -fsyntax-only -
  for standard in gnu++11 gnu++20; do
    echo '#include <larder/uv.h>' |
      g++ -std=$standard -Wall -Wextra -Wconversion -Werror -I. -x c++ -fsyntax-only -
  done
fi
