/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/table.h"

const struct sequence sequences_list[] = {
  SEQUENCE("push", "RPUSH l a", "LPUSH l b", "RPUSH l c d e", "LPUSH l x y z", "LRANGE l 0 -1", "LLEN l", "RPUSH l",
           "LPUSH", "RPUSH l \"\" \"\\x00\\xff\"", "LRANGE l 0 -1"),
  SEQUENCE("pop", "LPOP missing", "RPOP missing", "RPUSH l a b c", "LPOP l", "RPOP l", "LPOP l", "LPOP l", "EXISTS l"),
  SEQUENCE("pop with a count", "LPOP missing 1", "LPOP missing 0", "RPOP missing 3", "RPUSH l a b c d e", "LPOP l 2",
           "RPOP l 2", "LPOP l 0", "RPOP l 0", "LLEN l", "RPOP l 9", "EXISTS l", "LPOP l 1"),
  SEQUENCE("pop: errors", "LPOP", "RPOP", "RPUSH l a", "LPOP l -1", "LPOP l abc", "LPOP l 1 2", "RPOP l 1.5", "RPOP l \"\"",
           "LPOP l 9223372036854775808", "RPOP l -9223372036854775808", "LPOP missing -1", "LPOP missing abc",
           "LPOP l 9223372036854775807", "EXISTS l"),
  SEQUENCE("llen", "LLEN missing", "RPUSH l a b", "LLEN l", "LLEN", "LLEN a b"),
  SEQUENCE("lrange", "LRANGE missing 0 -1", "RPUSH l a b c d e", "LRANGE l 0 -1", "LRANGE l 1 3", "LRANGE l -3 -2",
           "LRANGE l 0 0", "LRANGE l 4 4", "LRANGE l 5 9", "LRANGE l -100 100", "LRANGE l 3 1", "LRANGE l -1 0",
           "LRANGE l -100 -100", "LRANGE l 2 -1", "LRANGE l 0 -6", "LRANGE l 0 -5",
           "LRANGE l -9223372036854775808 9223372036854775807", "LRANGE l 9223372036854775807 -9223372036854775808"),
  SEQUENCE("lrange: errors", "RPUSH l a", "LRANGE l", "LRANGE l 0", "LRANGE l 0 1 2", "LRANGE l a 1", "LRANGE l 0 b",
           "LRANGE l 0.0 1", "LRANGE l 9223372036854775808 1", "LRANGE l \"\" 1", "LRANGE missing a 1"),
  SEQUENCE("lists and wrong types", "SET k v", "RPUSH k a", "LPUSH k a", "LPOP k", "RPOP k", "RPOP k 0", "LPOP k -1",
           "LLEN k", "LRANGE k 0 -1", "LRANGE k a b", "HSET h f v", "RPUSH h a", "LLEN h", "GET k"),
  SEQUENCE("equal elements", "RPUSH l a a a", "LLEN l", "LPOP l", "LRANGE l 0 -1", "RPUSH l 1 2 3 007 -5",
           "LRANGE l 0 -1"),
  SEQUENCE("a long element", "RPUSH l aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b",
           "LRANGE l 0 -1", "LPOP l", "LRANGE l 0 -1"),
  {NULL, NULL},
};
