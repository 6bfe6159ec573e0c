# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += test/hiredis/fetch.sh test/hiredis/run.sh

# Not part of make check: it asks a Debian mirror, and builds everything once more.
check-hiredis1:
	+@$(AM_TESTS_ENVIRONMENT) $(SHELL) '$(srcdir)/test/hiredis/run.sh'
.PHONY: check-hiredis1
