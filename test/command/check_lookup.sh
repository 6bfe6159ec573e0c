#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# lookup.h is what lookup.awk makes of list.h.
cd "${top_srcdir:-.}/lib/command" || exit 1
if awk -f lookup.awk list.h | cmp -s - lookup.h; then
  exit 0
fi
echo "lookup.h does not fit list.h: cd lib/command && awk -f lookup.awk list.h > lookup.h" >&2
exit 1
