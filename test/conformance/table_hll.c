/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/table.h"

const struct sequence sequences_hll[] = {
    SEQUENCE("pfadd and pfcount", "PFADD h a b c", "GET h", "PFADD h a b", "GET h", "PFCOUNT h",
             "GET h", "PFADD h a", "GET h", "PFADD h d e f g", "GET h", "PFCOUNT h", "PFADD e",
             "GET e", "PFADD e", "PFCOUNT e", "GET e", "OBJECT ENCODING e", "PFCOUNT none", "PFADD",
             "PFCOUNT",
             "PFADD x \"\" \" \" \"\\x00\" \"\\xff\\x00\\xfe\" longer-than-eight-bytes exactly8 "
             "sevenby fifteen-bytes-lo", "GET x", "PFCOUNT x", "EXPIRE x 100", "PFADD x more",
             "TTL x", "TYPE x", "STRLEN x"),
    SEQUENCE("pfcount of several", "PFADD a 1 2 3 4 5", "PFADD b 4 5 6", "PFCOUNT a b",
             "PFCOUNT a a", "PFCOUNT a none b", "PFCOUNT none nothing", "GET a"),
    SEQUENCE("pfmerge", "PFADD a 1 2 3 4 5", "PFADD b 4 5 6", "PFMERGE d a b", "GET d", "PFCOUNT d",
             "PFMERGE d", "GET d", "PFMERGE none", "GET none", "PFMERGE a b", "GET a",
             "PFMERGE d none nothing", "PFMERGE", "EXPIRE d 100", "PFMERGE d a", "TTL d"),
    SEQUENCE("hyperloglog: what is none", "SET s hello", "PFADD s a", "PFCOUNT s", "PFMERGE s",
             "PFMERGE d s", "PFMERGE s d", "SET n 5", "PFADD n a", "PFCOUNT n", "RPUSH l x",
             "PFADD l a", "PFCOUNT l", "PFCOUNT none l", "PFMERGE l", "PFMERGE d l", "EXISTS d",
             "PFCOUNT s none", "SET e \"\"", "PFADD e a"),
    SEQUENCE("hyperloglog: corrupt", "SET h "
             "\"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xff\\x00\"",
             "PFCOUNT h", "PFMERGE d h",
             "SET h \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\"",
             "PFCOUNT h", "SET h "
             "\"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xfe\"",
             "PFCOUNT h", "PFCOUNT h none",
             "SET h \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\"",
             "PFCOUNT h", "PFADD h a", "GET h",
             "SET h \"HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\"",
             "PFCOUNT h",
             "SET h \"HYLL\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\"",
             "PFCOUNT h",
             "SET h \"HYLL\\x01\\x00\\x00\\x00\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"",
             "PFCOUNT h",
             "SET h \"HYLM\\x01\\x00\\x00\\x00\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"",
             "PFCOUNT h", "SET h \"HYLL\"", "PFCOUNT h"),
    SEQUENCE("pfcount changes what is watched", "PFADD h a", "2> WATCH h", "PFCOUNT h", "2> MULTI",
             "2> PING", "2> EXEC", "2> WATCH h", "PFCOUNT h", "PFADD h a", "2> MULTI", "2> PING",
             "2> EXEC", "2> WATCH h", "PFMERGE h", "2> MULTI", "2> PING", "2> EXEC"),
    {NULL, NULL},
};
