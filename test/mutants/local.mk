# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += test/mutants/list test/mutants/run.sh test/mutants/judge.sh

# Not part of make check: minutes.  MUTANT="name...": only these.
check-mutants: liblarder-core.la
	@$(AM_TESTS_ENVIRONMENT) \
	  COMPILE='$(COMPILE)'; LDADD='$(LDADD)'; LIBS='$(LIBS)'; MUTANT='$(MUTANT)'; \
	  LINK='$(LIBTOOL) --silent --tag=CC --mode=link $(CCLD) $(AM_CFLAGS) $(CFLAGS) $(AM_LDFLAGS) $(LDFLAGS)'; \
	  SIMULATED_CALLS='$(simulated_calls:%=-Wl,--wrap=%)'; \
	  export COMPILE LDADD LIBS LINK MUTANT SIMULATED_CALLS; $(SHELL) '$(srcdir)/test/mutants/run.sh'

objects_of = $($(subst -,_,$(subst /,_,$(1)))_OBJECTS)
print-objects:
	@$(foreach p,$(PROGRAMS_OF_MUTANTS),echo '$(p)' $(call objects_of,$(p));) :
.PHONY: check-mutants print-objects
