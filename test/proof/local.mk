# SPDX-License-Identifier: BSD-2-Clause

# What the whole in-process store must show: each file says what.
check_PROGRAMS += \
  test/proof/check_linear
test_proof_check_linear_SOURCES = test/proof/check_linear.c test/memory/pool.h \
  test/proof/linear.c test/proof/linear.h test/proof/model.c test/proof/model.h
