# SPDX-License-Identifier: BSD-2-Clause
redis_sources += \
  lib/fallback/breaker.c lib/fallback/breaker.h \
  lib/fallback/contract.c lib/fallback/contract.h \
  lib/fallback/fallback.c lib/fallback/fallback.h \
  lib/fallback/fold.c lib/fallback/fold.h \
  lib/fallback/ask.c lib/fallback/ask.h \
  lib/fallback/batch.c \
  lib/fallback/journal.c lib/fallback/journal.h \
  lib/fallback/keeper.c \
  lib/fallback/local.c \
  lib/fallback/op.c \
  lib/fallback/purse.c \
  lib/fallback/relay.c lib/fallback/relay.h \
  lib/fallback/replay.c \
  lib/fallback/route.c \
  lib/fallback/submit.c
