# SPDX-License-Identifier: BSD-2-Clause
dist_check_SCRIPTS += test/tools/check_drill.sh test/tools/check_exec.sh test/tools/check_secret.sh
if REDIS
dist_check_SCRIPTS += test/tools/check_serve.sh
else
EXTRA_DIST += test/tools/check_serve.sh
endif
EXTRA_DIST += test/tools/lib.sh
