# SPDX-License-Identifier: BSD-2-Clause
redis_sources += \
  lib/serve/address.c lib/serve/address.h \
  lib/serve/client.c lib/serve/client.h \
  lib/serve/client_heard.c lib/serve/client_part.h \
  lib/serve/client_wait.c lib/serve/client_wait.h \
  lib/serve/listener.c lib/serve/listener.h \
  lib/serve/listening.c lib/serve/listening.h \
  lib/serve/pool.c lib/serve/pool.h \
  lib/serve/request.c lib/serve/request.h
if REDIS
larderinclude_HEADERS += include/larder/serve.h
else
EXTRA_DIST += include/larder/serve.h
endif
