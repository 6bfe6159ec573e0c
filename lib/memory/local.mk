# SPDX-License-Identifier: BSD-2-Clause
core_sources += lib/memory/engine.h lib/memory/kind.h

# The collection types.
core_sources += lib/memory/t_types.h
