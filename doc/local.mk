# SPDX-License-Identifier: BSD-2-Clause
dist_man1_MANS += doc/larder.1
dist_man3_MANS += doc/larder.3
dist_man7_MANS += doc/larder-urls.7
EXTRA_DIST += doc/architecture.md doc/benchmarks.md doc/events.md doc/faults.md doc/operations.md doc/prefix.md
EXTRA_DIST += doc/plots/expire.svg doc/plots/hits.svg doc/plots/keys.svg doc/plots/memory.svg \
  doc/plots/threads.svg

dist_check_SCRIPTS += doc/check_doc.sh
