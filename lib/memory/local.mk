# SPDX-License-Identifier: BSD-2-Clause
core_sources += \
  lib/memory/account.c lib/memory/account.h \
  lib/memory/ahead.c lib/memory/ahead.h \
  lib/memory/block.c lib/memory/block.h \
  lib/memory/check.c lib/memory/check.h \
  lib/memory/discard.c lib/memory/discard.h \
  lib/memory/encoding.c lib/memory/encoding.h \
  lib/memory/engine.h \
  lib/memory/entry.c lib/memory/entry.h \
  lib/memory/evict.c lib/memory/evict.h \
  lib/memory/evict_sample.c lib/memory/evict_shard.h lib/memory/evict_use.c \
  lib/memory/fifo.c lib/memory/fifo.h \
  lib/memory/ghost.c lib/memory/ghost.h \
  lib/memory/exec.c lib/memory/shard_set.h \
  lib/memory/handlers.c \
  lib/memory/hold.c lib/memory/hold.h \
  lib/memory/index.c lib/memory/index.h lib/memory/index_find.h \
  lib/memory/keyspace.c \
  lib/memory/kind.h \
  lib/memory/lookup.c \
  lib/memory/maintain.c \
  lib/memory/memory.c \
  lib/memory/parameter.c lib/memory/parameter.h \
  lib/memory/policy.c lib/memory/policy.h \
  lib/memory/run.c lib/memory/run.h \
  lib/memory/s3fifo.c lib/memory/s3fifo.h \
  lib/memory/shard.h \
  lib/memory/bits.c lib/memory/bits.h \
  lib/memory/t_bitfield.c \
  lib/memory/t_bitmap.c lib/memory/t_bitmap.h \
  lib/memory/t_bitop.c \
  lib/memory/t_config.c \
  lib/memory/t_engine.h \
  lib/memory/t_expire.c \
  lib/memory/t_generic.c \
  lib/memory/hll.c lib/memory/hll.h \
  lib/memory/hll_count.c \
  lib/memory/hll_run.c lib/memory/hll_run.h \
  lib/memory/t_hll.c lib/memory/t_hll.h \
  lib/memory/t_info.c \
  lib/memory/t_internal.c \
  lib/memory/t_keyspace.c \
  lib/memory/t_move.c \
  lib/memory/t_object.c \
  lib/memory/t_server.c \
  lib/memory/t_float.c \
  lib/memory/t_lcs.c \
  lib/memory/t_part.c \
  lib/memory/t_pubsub.c \
  lib/memory/t_string.c \
  lib/memory/t_strings.c \
  lib/memory/t_transaction.c \
  lib/memory/typed.c lib/memory/typed.h \
  lib/memory/unlocked.h \
  lib/memory/wheel.c lib/memory/wheel.h

# The collection types.
core_sources += \
  lib/memory/clone.c lib/memory/clone.h \
  lib/memory/hash.c lib/memory/hash.h \
  lib/memory/integers.c lib/memory/integers.h \
  lib/memory/list.c lib/memory/list.h \
  lib/memory/list_chunk.h \
  lib/memory/list_edit.c \
  lib/memory/order.c lib/memory/order.h \
  lib/memory/order_page.c lib/memory/order_page.h \
  lib/memory/order_read.c \
  lib/memory/packed.c lib/memory/packed.h \
  lib/memory/set.c lib/memory/set.h \
  lib/memory/set_sample.c \
  lib/memory/stream.c lib/memory/stream.h \
  lib/memory/stream_change.c lib/memory/stream_change.h \
  lib/memory/stream_group.c lib/memory/stream_group.h \
  lib/memory/stream_id.c lib/memory/stream_id.h \
  lib/memory/stream_map.c lib/memory/stream_map.h \
  lib/memory/stream_node.c lib/memory/stream_node.h \
  lib/memory/stream_rebuild.c lib/memory/stream_rebuild.h \
  lib/memory/t_stream.c lib/memory/t_stream.h \
  lib/memory/t_stream_claim.c \
  lib/memory/t_stream_group.c \
  lib/memory/t_stream_info.c \
  lib/memory/t_stream_read.c \
  lib/memory/t_hash.c \
  lib/memory/t_hash_read.c \
  lib/memory/t_scan.c \
  lib/memory/t_list.c \
  lib/memory/t_list_edit.c \
  lib/memory/t_list_move.c \
  lib/memory/t_set.c \
  lib/memory/t_set_algebra.c \
  lib/memory/t_set_part.c \
  lib/memory/listpack.c lib/memory/listpack.h \
  lib/memory/rdb.h lib/memory/rdb_load.c lib/memory/rdb_save.c \
  lib/memory/rdb_reader.c lib/memory/rdb_reader.h lib/memory/rdb_writer.h \
  lib/memory/rdb_stream.h lib/memory/rdb_stream_load.c lib/memory/rdb_stream_save.c \
  lib/memory/t_dump.c \
  lib/memory/geohash.c lib/memory/geohash.h \
  lib/memory/t_geo.c lib/memory/t_geo.h \
  lib/memory/t_geo_search.c \
  lib/memory/sorting.c lib/memory/sorting.h \
  lib/memory/t_sort.c \
  lib/memory/t_store.c \
  lib/memory/t_types.h \
  lib/memory/t_zset.c \
  lib/memory/t_zset_part.c \
  lib/memory/t_zset_pop.c \
  lib/memory/t_zset_read.c \
  lib/memory/t_zset_store.c \
  lib/memory/stage.c lib/memory/stage.h \
  lib/memory/table.c lib/memory/table.h \
  lib/memory/table_group.h lib/memory/table_walk.c \
  lib/memory/zrange.c lib/memory/zrange.h \
  lib/memory/zset.c lib/memory/zset.h \
  lib/memory/zset_entry.h \
  lib/memory/zset_score.h \
  lib/memory/zset_read.c
