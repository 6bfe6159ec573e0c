# SPDX-License-Identifier: BSD-2-Clause
core_sources += lib/memory/engine.h lib/memory/kind.h

# The collection types.
core_sources += \
  lib/memory/hash.c lib/memory/hash.h \
  lib/memory/list.c lib/memory/list.h \
  lib/memory/order.c lib/memory/order.h \
  lib/memory/packed.c lib/memory/packed.h \
  lib/memory/set.c lib/memory/set.h \
  lib/memory/t_hash.c \
  lib/memory/t_list.c \
  lib/memory/t_set.c \
  lib/memory/t_types.h \
  lib/memory/t_zset.c \
  lib/memory/table.c lib/memory/table.h \
  lib/memory/zrange.c lib/memory/zrange.h \
  lib/memory/zset.c lib/memory/zset.h
