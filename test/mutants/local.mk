# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += test/mutants/list test/mutants/run.sh

# Not part of make check: minutes.
check-mutants: liblarder-core.la
	@$(AM_TESTS_ENVIRONMENT) \
	  COMPILE='$(COMPILE)'; LDADD='$(LDADD)'; LIBS='$(LIBS)'; \
	  LINK='$(LIBTOOL) --silent --tag=CC --mode=link $(CCLD) $(AM_CFLAGS) $(CFLAGS) $(AM_LDFLAGS) $(LDFLAGS)'; \
	  export COMPILE LDADD LIBS LINK; $(SHELL) '$(srcdir)/test/mutants/run.sh'

print-objects:
	@echo $($(subst -,_,$(subst /,_,$(PROGRAM)))_OBJECTS)
.PHONY: check-mutants print-objects
