#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# timed.sh TEST: runs it; the end of its output says how long that took, and how much of the
# processor's time: of this shell, and of the test and what it waited for, each user and system.
# `make print-slowest` reads that.
begin=$(date +%s)
"$@"
status=$?
end=$(date +%s)
printf '# time: %d s\n' $((end - begin))
times
exit $status
