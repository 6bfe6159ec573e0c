# SPDX-License-Identifier: BSD-2-Clause
if REDIS
check_PROGRAMS += test/outage/check_outage test/outage/check_switch
helper_programs += test/outage/check_replay
endif
test_outage_check_outage_SOURCES = \
  test/outage/check_outage.c \
  test/outage/caller.c test/outage/caller.h
test_outage_check_replay_SOURCES = $(conformance_sources) \
  test/outage/check_replay.c \
  test/conformance/random/generate.c test/conformance/random/generate.h \
  test/conformance/random/pattern.c test/conformance/random/pattern.h \
  test/conformance/random/history.c test/conformance/random/history.h
test_outage_check_switch_SOURCES = \
  test/outage/check_switch.c \
  test/outage/client.c test/outage/client.h \
  test/outage/ledger.c test/outage/ledger.h \
  test/outage/listener.c test/outage/listener.h \
  test/outage/recount.c test/outage/recount.h

# 20 outages behind `larder serve`.
check-switch: test/outage/check_switch tools/larder
	$(AM_TESTS_ENVIRONMENT) test/outage/check_switch --times 20
# Random commands before, during and after outages, compared with a second server.  Not
# part of make check yet: the judge executes a transaction whole of which larder
# has answered one write with UNAVAILABLE (doc/operations.md), and differs from then on.
check-replay: test/outage/check_replay
	$(AM_TESTS_ENVIRONMENT) test/outage/check_replay
.PHONY: check-switch check-replay
