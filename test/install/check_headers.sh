#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Each public header compiles alone, as strict C11 and as C++11.
set -eu

cd "$top_srcdir/include"
for header in larder.h larder/*.h; do
  echo "#include <$header>" |
    $CC -std=c11 -pedantic -Wall -Wextra -Wstrict-prototypes -Werror -I. -x c -fsyntax-only -
done
if ! command -v g++ >/dev/null; then
  echo "no g++ here: headers were not compiled as C++"
  exit 77
fi
for header in larder.h larder/*.h; do
  echo "#include <$header>" |
    g++ -std=c++11 -pedantic -Wall -Wextra -Werror -I. -x c++ -fsyntax-only -
done
