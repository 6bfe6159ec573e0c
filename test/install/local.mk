# SPDX-License-Identifier: BSD-2-Clause
dist_check_SCRIPTS += \
  test/install/check_exports.sh \
  test/install/check_headers.sh \
  test/install/check_install.sh
EXTRA_DIST += test/install/exports.txt

test/install/check_exports.log: liblarder.la
