# What test programs share.
check_LTLIBRARIES += test/support/libtestsupport.la

test_support_libtestsupport_la_SOURCES = \
	test/support/server.c test/support/server.h
