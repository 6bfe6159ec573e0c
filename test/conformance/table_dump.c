/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/table.h"

const struct sequence sequences_dump[] = {
    SEQUENCE("dump", "SET a hello", "DUMP a", "SET a 12", "DUMP a", "SET a -129", "DUMP a",
             "SET a 70000", "DUMP a", "SET a 2147483648", "DUMP a", "SET a -2147483648", "DUMP a",
             "SET a 99999999999", "DUMP a", "SET a 007", "DUMP a", "SET a \"\"", "DUMP a",
             "SET a aaaaaaaaaaaaaaaaaaaa", "DUMP a", "APPEND e 12", "DUMP e",
             "RPUSH l a 12 bbbb \"\" 128 -1 4095 4096 -4096 -4097 32767 32768 8388607 8388608 "
             "2147483647 2147483648 9223372036854775807 -9223372036854775808 9223372036854775808",
             "DUMP l", "SADD i 1 2 3", "DUMP i", "SADD i 100000", "DUMP i", "SADD s a", "DUMP s",
             "HSET h a 1", "DUMP h", "HSET h b bbb c 9999", "DUMP h",
             "ZADD z 1.5 a 2 b -3 c inf d -inf e 0.25 f", "DUMP z",
             "GEOADD g 13.361389 38.115556 Palermo", "DUMP g", "DUMP none", "DUMP", "DUMP a b",
             "EXPIRE a 1000", "DUMP a"),
    SEQUENCE("restore", "RESTORE x 0 \"\\x00\\xc0\\x0c\\n\\x00<*\\xf8Q\\\\\\x04\\xbc\\xd5\"",
             "GET x", "OBJECT ENCODING x", "TTL x",
             "RESTORE x 0 \"\\x00\\xc0\\x0c\\n\\x00<*\\xf8Q\\\\\\x04\\xbc\\xd5\"",
             "RESTORE x 100000 \"\\x00\\xc0\\x0c\\n\\x00<*\\xf8Q\\\\\\x04\\xbc\\xd5\" REPLACE",
             "TTL x",
             "RESTORE x 9999999999999 \"\\x00\\xc0\\x0c\\n\\x00<*\\xf8Q\\\\\\x04\\xbc\\xd5\" "
             "REPLACE ABSTTL", "PEXPIRETIME x",
             "RESTORE x 1 \"\\x00\\xc0\\x0c\\n\\x00<*\\xf8Q\\\\\\x04\\xbc\\xd5\" ABSTTL REPLACE",
             "EXISTS x",
             "RESTORE x 1 \"\\x00\\xc0\\x0c\\n\\x00<*\\xf8Q\\\\\\x04\\xbc\\xd5\" ABSTTL",
             "EXISTS x",
             "RESTORE x 0 \"\\x00\\xc0\\x0c\\n\\x00<*\\xf8Q\\\\\\x04\\xbc\\xd5\" FREQ 7",
             "RESTORE y 0 \"\\x00\\xc0\\x0c\\n\\x00<*\\xf8Q\\\\\\x04\\xbc\\xd5\" IDLETIME 7",
             "RESTORE z 9223372036854775807 "
             "\"\\x00\\xc0\\x0c\\n\\x00<*\\xf8Q\\\\\\x04\\xbc\\xd5\" ABSTTL",
             "RESTORE s 0 \"\\x00\\xc3\\t+\\x01aa\\xe0\\x1e\\x00\\x01aa\\n\\x00\\xd9\\x9d\\x83"
             "\\xcb\\x95\\xf3\\x90\\xef\"", "GET s",
             "RESTORE l 0 \"\\x12\\x01\\x02\\x12\\x12\\x00\\x00\\x00\\x03\\x00\\x81a\\x02\\x0c"
             "\\x01\\x84bbbb\\x05\\xff\\n\\x00\\xfd\\xbaD\\x98\\x8e\\x08\\xe2q\"", "LRANGE l 0 -1",
             "RESTORE i 0 \"\\x0b\\x0e\\x02\\x00\\x00\\x00\\x03\\x00\\x00\\x00\\x01\\x00\\x02"
             "\\x00\\x03\\x00\\n\\x00\\xa5\\x02\\\\\\xe2mnM\\x1b\"", "SMEMBERS i",
             "OBJECT ENCODING i",
             "RESTORE t 0 \"\\x02\\x02\\x01b\\x01a\\n\\x00u\\xd9\\x9d\\x83^\\xf8_e\"", "SMEMBERS t",
             "RESTORE h 0 \"\\x10\\x0c\\x0c\\x00\\x00\\x00\\x02\\x00\\x81a\\x02\\x01\\x01"
             "\\xff\\n\\x00\\x84\\xa6\\x93\\xe8\\xaa\\x17\\xe4\\xdb\"", "HGETALL h",
             "OBJECT ENCODING h",
             "RESTORE zs 0 \"\\x11\\x14\\x14\\x00\\x00\\x00\\x04\\x00\\x81a\\x02\\x831.5\\x04"
             "\\x81b\\x02\\x02\\x01\\xff\\n\\x00\\xfa\\x02\\xb4%\\xaf\\x18\\x87c\"",
             "ZRANGE zs 0 -1 WITHSCORES", "OBJECT ENCODING zs",
             "RESTORE b 0 \"\\x04\\x01\\x01a\\xc3\\t@d\\x01bb\\xe0W\\x00\\x01bb\\n\\x00\\xee"
             "\\xe3\\xf0\\x0fd\\xa7\\xc6\\x15\"", "HGETALL b", "OBJECT ENCODING b"),
    SEQUENCE("restore: errors", "SET a 1", "RESTORE x 0 junk", "RESTORE a 0 junk",
             "RESTORE a 0 junk REPLACE", "GET a", "RESTORE x -1 junk", "RESTORE x y junk",
             "RESTORE a y junk", "RESTORE x 0 junk REPLACE NOPE", "RESTORE x 0 junk IDLETIME",
             "RESTORE x 0 junk IDLETIME -1", "RESTORE x 0 junk IDLETIME x", "RESTORE x 0 junk FREQ",
             "RESTORE x 0 junk FREQ 256", "RESTORE x 0 junk FREQ -1", "RESTORE x 0 junk FREQ x",
             "RESTORE x 0 junk FREQ 1 IDLETIME 1", "RESTORE x 0 junk IDLETIME 1 FREQ 1",
             "RESTORE x 0 junk ABSTTL REPLACE", "RESTORE x 0 \"\"", "RESTORE x 0", "RESTORE x",
             "RESTORE x 0 \"\\x00\\x05hello\\x0a\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"",
             "RESTORE x 0 \"\\x00\\xc0\\x0d\\n\\x00<*\\xf8Q\\\\\\x04\\xbc\\xd5\"", "EXISTS x"),
    SEQUENCE("restore: what is no value",
             "RESTORE x 0 \"\\x63\\x01\\x61\\x0a\\x00\\x53\\xc0\\xfb\\xdf\\xba\\xb5\\xae\\x06\" "
             "REPLACE",
             "RESTORE x 0 \"\\x00\\x05\\x61\\x62\\x0a\\x00\\x27\\xa9\\xb3\\x54\\xd1\\x94\\xf9"
             "\\x9e\" REPLACE",
             "RESTORE x 0 \"\\x01\\x00\\x0a\\x00\\x5b\\xf8\\x25\\xcc\\x6c\\x17\\x43\\x56\" "
             "REPLACE",
             "RESTORE x 0 \"\\x02\\x00\\x0a\\x00\\x3a\\xce\\x39\\x00\\x9b\\x89\\x39\\xe8\" "
             "REPLACE",
             "RESTORE x 0 \"\\x04\\x00\\x0a\\x00\\x93\\x31\\x96\\xc0\\x27\\x92\\x95\\xbf\" "
             "REPLACE",
             "RESTORE x 0 \"\\x05\\x00\\x0a\\x00\\x95\\x52\\xef\\x4c\\x44\\xfa\\x74\\x33\" "
             "REPLACE",
             "RESTORE x 0 \"\\x12\\x00\\x0a\\x00\\x69\\xf6\\x84\\x5b\\x6a\\x1b\\xbf\\x57\" "
             "REPLACE",
             "RESTORE x 0 \"\\x02\\x02\\x01\\x61\\x01\\x61\\x0a\\x00\\x57\\xbe\\x76\\x2f\\xc2"
             "\\xd6\\x52\\x3a\" REPLACE",
             "RESTORE x 0 \"\\x04\\x02\\x01\\x61\\x01\\x62\\x0a\\x00\\x66\\xfd\\x42\\x92\\x97"
             "\\x03\\x73\\x9d\" REPLACE",
             "RESTORE x 0 \"\\x05\\x01\\x01\\x61\\x00\\x00\\x00\\x00\\x00\\x00\\xf8\\x7f\\x0a"
             "\\x00\\xf0\\xf9\\x29\\xa9\\x06\\x54\\x59\\x27\" REPLACE",
             "RESTORE x 0 \"\\x00\\xc3\\x03\\x20\\xff\\xff\\xff\\x0a\\x00\\x63\\xa3\\x47\\x59"
             "\\xb1\\xf0\\xfe\\xae\" REPLACE",
             "RESTORE x 0 \"\\x00\\x81\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x0a\\x00\\xe7"
             "\\xec\\x61\\xdc\\x36\\x1a\\x1f\\x57\" REPLACE",
             "RESTORE x 0 \"\\x00\\xc4\\x61\\x0a\\x00\\xb2\\xec\\xa7\\xaf\\x33\\x9c\\x0a\\x8f\" "
             "REPLACE",
             "RESTORE x 0 \"\\x0a\\x00\\x5d\\x9b\\x5c\\x40\\x0f\\x7f\\xa2\\xda\" REPLACE",
             "RESTORE x 0 \"\\x0b\\x09\\x03\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x01\\x0a\\x00"
             "\\x96\\xe6\\xd6\\x24\\x1d\\xbb\\x01\\x32\" REPLACE",
             "RESTORE x 0 \"\\x00\\x01\\x61\\x0b\\x00\\xd6\\x21\\x52\\xe8\\x72\\xa9\\x94\\x3d\" "
             "REPLACE", "EXISTS x"),
    SEQUENCE("restore: older forms",
             "RESTORE a 0 \"\\x01\\x02\\x01\\x61\\x01\\x62\\x06\\x00\\xa4\\x45\\xf8\\xfe\\x20"
             "\\x56\\x26\\xd6\"", "OBJECT ENCODING a",
             "RESTORE b 0 \"\\x03\\x02\\x01\\x61\\x03\\x32\\x2e\\x35\\x01\\x62\\xfe\\x06\\x00"
             "\\x5f\\xcc\\xde\\xb4\\x2f\\x80\\x13\\x31\"", "OBJECT ENCODING b",
             "RESTORE c 0 \"\\x05\\x02\\x01\\x61\\x00\\x00\\x00\\x00\\x00\\x00\\xf8\\x3f\\x01"
             "\\x62\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x06\\x00\\x10\\x8f\\xf1\\x76\\x8d"
             "\\x71\\xef\\xbd\"", "OBJECT ENCODING c",
             "RESTORE d 0 \"\\x04\\x01\\xc0\\x05\\xc1\\x00\\x10\\x06\\x00\\xf2\\x20\\x47\\xac"
             "\\xce\\x36\\x9a\\x70\"", "OBJECT ENCODING d",
             "RESTORE e 0 \"\\x02\\x02\\xc0\\x05\\xc0\\x06\\x06\\x00\\x2b\\xf6\\xf7\\xca\\x92"
             "\\xbf\\xf0\\x23\"", "OBJECT ENCODING e",
             "RESTORE f 0 \"\\x00\\x01\\x61\\x74\\x72\\x61\\x69\\x6c\\x69\\x6e\\x67\\x20\\x62"
             "\\x79\\x74\\x65\\x73\\x06\\x00\\x0d\\x0d\\xbc\\x3d\\xb9\\x0d\\x7c\\xf8\"",
             "OBJECT ENCODING f"),
    {NULL, NULL},
};
