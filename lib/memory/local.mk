core_sources += lib/memory/engine.h lib/memory/kind.h
