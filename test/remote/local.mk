# SPDX-License-Identifier: BSD-2-Clause
if REDIS
support_sources += \
  test/support/peer.c test/support/peer.h \
  test/support/peer_wire.c test/support/peer_wire.h \
  test/support/proxy.c test/support/proxy.h \
  test/support/proxy_pair.c test/support/proxy_pair.h

rig_sources = test/remote/rig.c test/remote/rig.h

ear_sources = test/remote/ear.c test/remote/ear.h

through_sources = test/remote/through.c test/remote/through.h $(rig_sources)

against_sources = test/remote/against.c test/remote/against.h $(rig_sources)

check_PROGRAMS += \
  test/remote/check_addresses \
  test/remote/check_break \
  test/remote/check_callers \
  test/remote/check_deadline \
  test/remote/check_faults \
  test/remote/check_feed \
  test/remote/check_flow \
  test/remote/check_handshake \
  test/remote/check_hello \
  test/remote/check_link \
  test/remote/check_listen \
  test/remote/check_listen_faults \
  test/remote/check_lost \
  test/remote/check_many \
  test/remote/check_refusals \
  test/remote/check_secret \
  test/remote/check_resp3 \
  test/remote/check_server \
  test/remote/check_submit \
  test/remote/check_turns \
  test/remote/check_waiting \
  test/remote/check_wire
test_remote_check_wire_SOURCES = test/remote/check_wire.c $(rig_sources)
test_remote_check_callers_SOURCES = test/remote/check_callers.c $(against_sources)
test_remote_check_deadline_SOURCES = test/remote/check_deadline.c $(against_sources)
test_remote_check_faults_SOURCES = test/remote/check_faults.c $(through_sources)
test_remote_check_feed_SOURCES = test/remote/check_feed.c $(ear_sources) $(rig_sources)
test_remote_check_flow_SOURCES = test/remote/check_flow.c
test_remote_check_handshake_SOURCES = test/remote/check_handshake.c $(against_sources)
test_remote_check_listen_SOURCES = test/remote/check_listen.c $(ear_sources) $(through_sources)
test_remote_check_listen_faults_SOURCES = test/remote/check_listen_faults.c $(ear_sources) \
  $(through_sources)
test_remote_check_hello_SOURCES = test/remote/check_hello.c $(against_sources)
test_remote_check_resp3_SOURCES = test/remote/check_resp3.c $(rig_sources)
test_remote_check_link_SOURCES = test/remote/check_link.c $(against_sources)
test_remote_check_turns_SOURCES = test/remote/check_turns.c $(against_sources)
test_remote_check_submit_SOURCES = test/remote/check_submit.c $(rig_sources)
test_remote_check_waiting_SOURCES = test/remote/check_waiting.c
test_remote_check_addresses_SOURCES = test/remote/check_addresses.c $(through_sources)
test_remote_check_lost_SOURCES = test/remote/check_lost.c $(through_sources)
test_remote_check_many_SOURCES = test/remote/check_many.c $(rig_sources)
test_remote_check_refusals_SOURCES = test/remote/check_refusals.c $(through_sources)
test_remote_check_secret_SOURCES = test/remote/check_secret.c $(rig_sources)
test_remote_check_server_SOURCES = test/remote/check_server.c $(rig_sources)
test_remote_check_break_SOURCES = test/remote/check_break.c $(rig_sources)

if TLS
support_sources += \
  test/support/ca.c test/support/ca.h \
  test/support/tls_proxy.c test/support/tls_proxy.h

check_PROGRAMS += test/remote/check_tls test/remote/check_tls_pipe test/remote/check_tls_session \
  test/remote/check_tls_store test/remote/check_tls_trust
test_remote_check_tls_session_SOURCES = test/remote/check_tls_session.c $(rig_sources)
test_remote_check_tls_trust_SOURCES = test/remote/check_tls_trust.c $(rig_sources)
test_remote_check_tls_pipe_SOURCES = test/remote/check_tls_pipe.c $(rig_sources)
test_remote_check_tls_store_SOURCES = test/remote/check_tls_store.c
test_remote_check_tls_SOURCES = test/remote/check_tls.c $(against_sources)
endif

helper_programs += test/remote/pace
test_remote_pace_SOURCES = test/remote/pace.c $(rig_sources)
endif
