# SPDX-License-Identifier: BSD-2-Clause
if REDIS
check_PROGRAMS += \
  test/serve/check_break \
  test/serve/check_listen \
  test/serve/check_protocol \
  test/serve/check_pubsub \
  test/serve/check_request \
  test/serve/check_serve \
  test/serve/check_wait \
  test/serve/check_workers
endif
test_serve_check_break_SOURCES = test/serve/check_break.c test/serve/talk.c test/serve/talk.h
test_serve_check_listen_SOURCES = test/serve/check_listen.c test/serve/talk.c test/serve/talk.h
test_serve_check_protocol_SOURCES = test/serve/check_protocol.c test/serve/talk.c test/serve/talk.h
test_serve_check_pubsub_SOURCES = test/serve/check_pubsub.c test/serve/talk.c test/serve/talk.h
test_serve_check_request_SOURCES = test/serve/check_request.c
test_serve_check_serve_SOURCES = test/serve/check_serve.c test/serve/talk.c test/serve/talk.h
test_serve_check_wait_SOURCES = test/serve/check_wait.c test/serve/talk.c test/serve/talk.h
test_serve_check_workers_SOURCES = test/serve/check_workers.c test/serve/talk.c test/serve/talk.h
