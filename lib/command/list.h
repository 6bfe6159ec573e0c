/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * All commands.  No include guard: define LRD_X and include; the rows are
 *
 *   LRD_X(ID, "name", arity, flags, CLASS, first, last, step, SHAPE, ABSENCE,
 *         "ACL categories", "group", "since", "syntax", "summary")
 *
 * in the order of struct lrd_command (command.h), CLASS, SHAPE and ABSENCE
 * without their prefixes.  After a change of names: lib/command/lookup.awk.
 */

/* --- string */
LRD_X(GET, "get", 2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NIL, "@read @string @fast", "string", "1.0.0",
      "key", "The value of a key")
LRD_X(SET, "set", -3, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @string @slow", "string", "1.0.0",
      "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
      "unix-time-milliseconds | KEEPTTL]",
      "Gives a key a value, whatever it held before")
LRD_X(GETDEL, "getdel", 2, LRD_WRITE | LRD_FAST,
      CONSUME, 1, 1, 1, PLAIN, NIL, "@write @string @fast", "string", "6.2.0",
      "key", "Takes a value out: replies it and deletes the key")
LRD_X(GETEX, "getex", -2, LRD_WRITE | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NIL, "@write @string @fast", "string", "6.2.0",
      "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds "
      "| PERSIST]",
      "The value of a key, changing when it expires")
LRD_X(MGET, "mget", -2, LRD_READONLY | LRD_FAST,
      READ, 1, -1, 1, PLAIN, NEVER, "@read @string @fast", "string", "1.0.0",
      "key [key ...]", "The values of several keys, nil for each that has none")
LRD_X(MSET, "mset", -3, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, -1, 2, PLAIN, NEVER, "@write @string @slow", "string", "1.0.1",
      "key value [key value ...]", "Gives several keys their values at once")
LRD_X(APPEND, "append", 3, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NEVER, "@write @string @fast", "string", "2.0.0",
      "key value", "Adds bytes to the end of a value; replies its new length")
LRD_X(STRLEN, "strlen", 2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @string @fast", "string", "2.2.0",
      "key", "How many bytes a value has")
LRD_X(INCR, "incr", 2, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NEVER, "@write @string @fast", "string", "1.0.0",
      "key", "Counts up by one; replies the new count")
LRD_X(DECR, "decr", 2, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NEVER, "@write @string @fast", "string", "1.0.0",
      "key", "Counts down by one; replies the new count")
LRD_X(INCRBY, "incrby", 3, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NEVER, "@write @string @fast", "string", "1.0.0",
      "key increment", "Counts up by a number; replies the new count")
LRD_X(DECRBY, "decrby", 3, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NEVER, "@write @string @fast", "string", "1.0.0",
      "key decrement", "Counts down by a number; replies the new count")
LRD_X(GETRANGE, "getrange", 4, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @string @slow", "string", "2.4.0",
      "key start end",
      "A part of a value, by positions")
LRD_X(SUBSTR, "substr", 4, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @string @slow", "string", "1.0.0",
      "key start end",
      "A part of a value, by positions: an old name for GETRANGE")
LRD_X(SETRANGE, "setrange", 4, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @string @slow", "string", "2.2.0",
      "key offset value",
      "Writes over a part of a value; replies its new length")
LRD_X(GETSET, "getset", 3, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      CONSUME, 1, 1, 1, PLAIN, NIL, "@write @string @fast", "string", "1.0.0",
      "key value",
      "Gives a key a value and replies the one before")
LRD_X(INCRBYFLOAT, "incrbyfloat", 3, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NEVER, "@write @string @fast", "string", "2.6.0",
      "key increment",
      "Adds a floating-point number; replies the sum")
LRD_X(LCS, "lcs", -3, LRD_READONLY,
      READ, 1, 2, 1, PLAIN, NEVER, "@read @string @slow", "string", "7.0.0",
      "key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]",
      "The longest common subsequence of two values")
LRD_X(SETNX, "setnx", 3, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      CONDITIONAL, 1, 1, 1, PLAIN, NEVER, "@write @string @fast", "string", "1.0.0",
      "key value",
      "Gives a key a value if it does not exist")
LRD_X(SETEX, "setex", 4, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @string @slow", "string", "2.0.0",
      "key seconds value",
      "Gives a key a value that expires after a number of seconds")
LRD_X(PSETEX, "psetex", 4, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @string @slow", "string", "2.6.0",
      "key milliseconds value",
      "Gives a key a value that expires after a number of milliseconds")
LRD_X(MSETNX, "msetnx", -3, LRD_WRITE | LRD_DENYOOM,
      CONDITIONAL, 1, -1, 2, PLAIN, NEVER, "@write @string @slow", "string", "1.0.1",
      "key value [key value ...]",
      "Gives several keys their values if none of them exists")

/* --- generic */
LRD_X(DEL, "del", -2, LRD_WRITE,
      OVERWRITE, 1, -1, 1, PLAIN, NEVER, "@keyspace @write @slow", "generic", "1.0.0",
      "key [key ...]", "Deletes keys; replies how many there were")
LRD_X(UNLINK, "unlink", -2, LRD_WRITE | LRD_FAST,
      OVERWRITE, 1, -1, 1, PLAIN, NEVER, "@keyspace @write @fast", "generic", "4.0.0",
      "key [key ...]", "Deletes keys, freeing large values later")
LRD_X(EXISTS, "exists", -2, LRD_READONLY | LRD_FAST,
      READ, 1, -1, 1, PLAIN, ZERO, "@keyspace @read @fast", "generic", "1.0.0",
      "key [key ...]", "How many of the keys exist")
LRD_X(TYPE, "type", 2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NONE, "@keyspace @read @fast", "generic", "1.0.0",
      "key", "What kind of value a key holds")
LRD_X(RENAME, "rename", 3, LRD_WRITE,
      OVERWRITE, 1, 2, 1, PLAIN, NEVER, "@keyspace @write @slow", "generic", "1.0.0",
      "key newkey", "Moves a value to another key")
LRD_X(SCAN, "scan", -2, LRD_READONLY | LRD_KEYSPACE,
      READ, 0, 0, 0, PLAIN, NEVER, "@keyspace @read @slow", "generic", "2.8.0",
      "cursor [MATCH pattern] [COUNT count] [TYPE type]",
      "Walks over the keys, some at a time")
LRD_X(KEYS, "keys", 2, LRD_READONLY | LRD_KEYSPACE,
      READ, 0, 0, 0, PLAIN, NEVER, "@keyspace @read @slow @dangerous", "generic", "1.0.0",
      "pattern", "All keys that match a pattern")
LRD_X(EXPIRE, "expire", -3, LRD_WRITE | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, ZERO, "@keyspace @write @fast", "generic", "1.0.0",
      "key seconds [NX | XX | GT | LT]",
      "Lets a key expire after a number of seconds")
LRD_X(PEXPIRE, "pexpire", -3, LRD_WRITE | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, ZERO, "@keyspace @write @fast", "generic", "2.6.0",
      "key milliseconds [NX | XX | GT | LT]",
      "Lets a key expire after a number of milliseconds")
LRD_X(PEXPIREAT, "pexpireat", -3, LRD_WRITE | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, ZERO, "@keyspace @write @fast", "generic", "2.6.0",
      "key unix-time-milliseconds [NX | XX | GT | LT]",
      "Lets a key expire at a point in time")
LRD_X(TTL, "ttl", 2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, MINUS2, "@keyspace @read @fast", "generic", "1.0.0",
      "key", "Seconds until a key expires")
LRD_X(PTTL, "pttl", 2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, MINUS2, "@keyspace @read @fast", "generic", "2.6.0",
      "key", "Milliseconds until a key expires")
LRD_X(PERSIST, "persist", 2, LRD_WRITE | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@keyspace @write @fast", "generic", "2.2.0",
      "key", "Lets a key expire no more")
LRD_X(OBJECT, "object", -2, LRD_PARTS,
      READ, 0, 0, 0, PLAIN, NEVER, "@slow", "generic", "2.2.3",
      "ENCODING key | FREQ key | IDLETIME key | REFCOUNT key | HELP",
      "What is known of a key beside its value")
LRD_X(COPY, "copy", -3, LRD_WRITE | LRD_DENYOOM,
      CONDITIONAL, 1, 2, 1, PLAIN, NEVER, "@keyspace @write @slow", "generic", "6.2.0",
      "source destination [DB destination-db] [REPLACE]",
      "Copies a value to another key")
LRD_X(DUMP, "dump", 2, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NIL, "@keyspace @read @slow", "generic", "2.6.0",
      "key",
      "A value in the form that RESTORE takes")
LRD_X(RESTORE, "restore", -4, LRD_WRITE | LRD_DENYOOM,
      CONDITIONAL, 1, 1, 1, PLAIN, NEVER, "@keyspace @write @slow @dangerous", "generic", "2.6.0",
      "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
      "Gives a key the value that DUMP replied")
LRD_X(EXPIREAT, "expireat", -3, LRD_WRITE | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, ZERO, "@keyspace @write @fast", "generic", "1.2.0",
      "key unix-time-seconds [NX | XX | GT | LT]",
      "Lets a key expire at a point in time")
LRD_X(EXPIRETIME, "expiretime", 2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, MINUS2, "@keyspace @read @fast", "generic", "7.0.0",
      "key",
      "When a key expires, in seconds since 1970")
LRD_X(PEXPIRETIME, "pexpiretime", 2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, MINUS2, "@keyspace @read @fast", "generic", "7.0.0",
      "key",
      "When a key expires, in milliseconds since 1970")
LRD_X(MOVE, "move", 3, LRD_WRITE | LRD_FAST,
      CONDITIONAL, 1, 1, 1, PLAIN, NEVER, "@keyspace @write @fast", "generic", "1.0.0",
      "key db",
      "Moves a key to another database")
LRD_X(RANDOMKEY, "randomkey", 1, LRD_READONLY | LRD_KEYSPACE,
      READ, 0, 0, 0, PLAIN, NIL, "@keyspace @read @slow", "generic", "1.0.0",
      "",
      "Any of the keys")
LRD_X(RENAMENX, "renamenx", 3, LRD_WRITE | LRD_FAST,
      CONDITIONAL, 1, 2, 1, PLAIN, NEVER, "@keyspace @write @fast", "generic", "1.0.0",
      "key newkey",
      "Moves a value to another key if that does not exist")
LRD_X(SORT, "sort", -2, LRD_WRITE | LRD_DENYOOM | LRD_MOVABLE_KEYS,
      READ, 1, 1, 1, PLAIN, NEVER, "@write @set @sortedset @list @slow @dangerous", "generic",
      "1.0.0",
      "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] "
      "[ALPHA] [STORE destination]",
      "Sorts the elements of a list, set or sorted set")
LRD_X(SORT_RO, "sort_ro", -2, LRD_READONLY | LRD_MOVABLE_KEYS,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @set @sortedset @list @slow @dangerous", "generic",
      "7.0.0",
      "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] "
      "[ALPHA]",
      "Sorts the elements of a list, set or sorted set; can't store them")
LRD_X(TOUCH, "touch", -2, LRD_READONLY | LRD_FAST,
      READ, 1, -1, 1, PLAIN, ZERO, "@keyspace @read @fast", "generic", "3.2.1",
      "key [key ...]",
      "Counts keys that exist, as if they were used")

/* --- server */
LRD_X(DBSIZE, "dbsize", 1, LRD_READONLY | LRD_FAST | LRD_KEYSPACE,
      READ, 0, 0, 0, PLAIN, NEVER, "@keyspace @read @fast", "server", "1.0.0",
      "", "How many keys the database has")
LRD_X(FLUSHDB, "flushdb", -1, LRD_WRITE | LRD_KEYSPACE,
      ADMIN, 0, 0, 0, PLAIN, NEVER, "@keyspace @write @slow @dangerous", "server", "1.0.0",
      "[ASYNC | SYNC]", "Deletes all keys of the database")
LRD_X(FLUSHALL, "flushall", -1, LRD_WRITE | LRD_KEYSPACE,
      ADMIN, 0, 0, 0, PLAIN, NEVER, "@keyspace @write @slow @dangerous", "server", "1.0.0",
      "[ASYNC | SYNC]", "Deletes all keys of all databases")
LRD_X(SWAPDB, "swapdb", 3, LRD_WRITE | LRD_FAST | LRD_KEYSPACE,
      ADMIN, 0, 0, 0, PLAIN, NEVER, "@keyspace @write @fast @dangerous", "server", "4.0.0",
      "index1 index2", "Exchanges the keys of two databases")

/* --- hash */
LRD_X(HSET, "hset", -4, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @hash @fast", "hash", "2.0.0",
      "key field value [field value ...]",
      "Gives fields of a hash their values; replies how many are new")
LRD_X(HGET, "hget", 3, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NIL, "@read @hash @fast", "hash", "2.0.0",
      "key field", "The value of a field of a hash")
LRD_X(HDEL, "hdel", -3, LRD_WRITE | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @hash @fast", "hash", "2.0.0",
      "key field [field ...]", "Deletes fields of a hash; replies how many there were")
LRD_X(HGETALL, "hgetall", 2, LRD_READONLY,
      READ, 1, 1, 1, MAP, EMPTY, "@read @hash @slow", "hash", "2.0.0",
      "key", "All fields of a hash with their values")
LRD_X(HLEN, "hlen", 2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, ZERO, "@read @hash @fast", "hash", "2.0.0",
      "key", "How many fields a hash has")
LRD_X(HINCRBY, "hincrby", 4, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NEVER, "@write @hash @fast", "hash", "2.0.0",
      "key field increment", "Counts up in a field of a hash; replies the new count")
LRD_X(HEXISTS, "hexists", 3, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, ZERO, "@read @hash @fast", "hash", "2.0.0",
      "key field",
      "Whether a hash has a field")
LRD_X(HINCRBYFLOAT, "hincrbyfloat", 4, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NEVER, "@write @hash @fast", "hash", "2.6.0",
      "key field increment",
      "Adds a floating-point number to a field of a hash; replies the sum")
LRD_X(HKEYS, "hkeys", 2, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, EMPTY, "@read @hash @slow", "hash", "2.0.0",
      "key",
      "All fields of a hash")
LRD_X(HVALS, "hvals", 2, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, EMPTY, "@read @hash @slow", "hash", "2.0.0",
      "key",
      "All values of a hash")
LRD_X(HMGET, "hmget", -3, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @hash @fast", "hash", "2.0.0",
      "key field [field ...]",
      "The values of several fields, nil for each that there is not")
LRD_X(HMSET, "hmset", -4, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @hash @fast", "hash", "2.0.0",
      "key field value [field value ...]",
      "Gives fields of a hash their values")
LRD_X(HRANDFIELD, "hrandfield", -2, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NIL, "@read @hash @slow", "hash", "6.2.0",
      "key [count [WITHVALUES]]",
      "Fields of a hash, chosen by chance")
LRD_X(HSCAN, "hscan", -3, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @hash @slow", "hash", "2.8.0",
      "key cursor [MATCH pattern] [COUNT count]",
      "Walks over the fields of a hash, some at a time")
LRD_X(HSETNX, "hsetnx", 4, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      CONDITIONAL, 1, 1, 1, PLAIN, NEVER, "@write @hash @fast", "hash", "2.0.0",
      "key field value",
      "Gives a field of a hash a value if it does not exist")
LRD_X(HSTRLEN, "hstrlen", 3, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @hash @fast", "hash", "3.2.0",
      "key field",
      "How many bytes the value of a field of a hash has")

/* --- set */
LRD_X(SADD, "sadd", -3, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NEVER, "@write @set @fast", "set", "1.0.0",
      "key member [member ...]", "Adds members to a set; replies how many are new")
LRD_X(SREM, "srem", -3, LRD_WRITE | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @set @fast", "set", "1.0.0",
      "key member [member ...]", "Removes members from a set; replies how many there were")
LRD_X(SISMEMBER, "sismember", 3, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, ZERO, "@read @set @fast", "set", "1.0.0",
      "key member", "Whether a set has a member")
LRD_X(SMEMBERS, "smembers", 2, LRD_READONLY,
      READ, 1, 1, 1, SET, EMPTY, "@read @set @slow", "set", "1.0.0",
      "key", "All members of a set")
LRD_X(SCARD, "scard", 2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, ZERO, "@read @set @fast", "set", "1.0.0",
      "key", "How many members a set has")
LRD_X(SPOP, "spop", -2, LRD_WRITE | LRD_FAST,
      CONSUME, 1, 1, 1, PLAIN, NIL, "@write @set @fast", "set", "1.0.0",
      "key [count]", "Takes members out of a set, chosen by chance")
LRD_X(SDIFF, "sdiff", -2, LRD_READONLY,
      READ, 1, -1, 1, SET, NEVER, "@read @set @slow", "set", "1.0.0",
      "key [key ...]",
      "The members of a set that no other one has")
LRD_X(SDIFFSTORE, "sdiffstore", -3, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, -1, 1, PLAIN, NEVER, "@write @set @slow", "set", "1.0.0",
      "destination key [key ...]",
      "Keeps the members of a set that no other one has; replies how many")
LRD_X(SINTER, "sinter", -2, LRD_READONLY,
      READ, 1, -1, 1, SET, NEVER, "@read @set @slow", "set", "1.0.0",
      "key [key ...]",
      "The members that all sets have")
LRD_X(SINTERCARD, "sintercard", -3, LRD_READONLY | LRD_MOVABLE_KEYS,
      READ, 0, 0, 0, PLAIN, NEVER, "@read @set @slow", "set", "7.0.0",
      "numkeys key [key ...] [LIMIT limit]",
      "How many members all sets have")
LRD_X(SINTERSTORE, "sinterstore", -3, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, -1, 1, PLAIN, NEVER, "@write @set @slow", "set", "1.0.0",
      "destination key [key ...]",
      "Keeps the members that all sets have; replies how many")
LRD_X(SMISMEMBER, "smismember", -3, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @set @fast", "set", "6.2.0",
      "key member [member ...]",
      "Which of several members a set has")
LRD_X(SMOVE, "smove", 4, LRD_WRITE | LRD_FAST,
      CONSUME, 1, 2, 1, PLAIN, NEVER, "@write @set @fast", "set", "1.0.0",
      "source destination member",
      "Moves a member from a set to another")
LRD_X(SRANDMEMBER, "srandmember", -2, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NIL, "@read @set @slow", "set", "1.0.0",
      "key [count]",
      "Members of a set, chosen by chance")
LRD_X(SSCAN, "sscan", -3, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @set @slow", "set", "2.8.0",
      "key cursor [MATCH pattern] [COUNT count]",
      "Walks over the members of a set, some at a time")
LRD_X(SUNION, "sunion", -2, LRD_READONLY,
      READ, 1, -1, 1, SET, NEVER, "@read @set @slow", "set", "1.0.0",
      "key [key ...]",
      "The members that any of the sets has")
LRD_X(SUNIONSTORE, "sunionstore", -3, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, -1, 1, PLAIN, NEVER, "@write @set @slow", "set", "1.0.0",
      "destination key [key ...]",
      "Keeps the members that any of the sets has; replies how many")

/* --- list */
LRD_X(LPUSH, "lpush", -3, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NEVER, "@write @list @fast", "list", "1.0.0",
      "key element [element ...]", "Adds elements to the head of a list; replies its length")
LRD_X(RPUSH, "rpush", -3, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NEVER, "@write @list @fast", "list", "1.0.0",
      "key element [element ...]", "Adds elements to the tail of a list; replies its length")
LRD_X(LPOP, "lpop", -2, LRD_WRITE | LRD_FAST,
      CONSUME, 1, 1, 1, PLAIN, NIL, "@write @list @fast", "list", "1.0.0",
      "key [count]", "Takes elements from the head of a list")
LRD_X(RPOP, "rpop", -2, LRD_WRITE | LRD_FAST,
      CONSUME, 1, 1, 1, PLAIN, NIL, "@write @list @fast", "list", "1.0.0",
      "key [count]", "Takes elements from the tail of a list")
LRD_X(LLEN, "llen", 2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, ZERO, "@read @list @fast", "list", "1.0.0",
      "key", "How many elements a list has")
LRD_X(LRANGE, "lrange", 4, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @list @slow", "list", "1.0.0",
      "key start stop", "The elements of a list between two positions")
LRD_X(LINDEX, "lindex", 3, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NIL, "@read @list @slow", "list", "1.0.0",
      "key index",
      "The element of a list at a position")
LRD_X(LINSERT, "linsert", 5, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @list @slow", "list", "2.2.0",
      "key <BEFORE | AFTER> pivot element",
      "Puts an element before or after another one; replies the list's length")
LRD_X(LSET, "lset", 4, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @list @slow", "list", "1.0.0",
      "key index element",
      "Exchanges the element of a list at a position")
LRD_X(LREM, "lrem", 4, LRD_WRITE,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @list @slow", "list", "1.0.0",
      "key count element",
      "Removes elements that equal another; replies how many")
LRD_X(LTRIM, "ltrim", 4, LRD_WRITE,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @list @slow", "list", "1.0.0",
      "key start stop",
      "Removes all of a list but the elements between two positions")
LRD_X(LPOS, "lpos", -3, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NIL, "@read @list @slow", "list", "6.0.6",
      "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
      "Where in a list an element is")
LRD_X(LPUSHX, "lpushx", -3, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      CONDITIONAL, 1, 1, 1, PLAIN, NEVER, "@write @list @fast", "list", "2.2.0",
      "key element [element ...]",
      "Adds elements to the head of a list if there is one")
LRD_X(RPUSHX, "rpushx", -3, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      CONDITIONAL, 1, 1, 1, PLAIN, NEVER, "@write @list @fast", "list", "2.2.0",
      "key element [element ...]",
      "Adds elements to the tail of a list if there is one")
LRD_X(LMOVE, "lmove", 5, LRD_WRITE | LRD_DENYOOM,
      CONSUME, 1, 2, 1, PLAIN, NIL, "@write @list @slow", "list", "6.2.0",
      "source destination <LEFT | RIGHT> <LEFT | RIGHT>",
      "Moves an element from an end of a list to an end of another")
LRD_X(RPOPLPUSH, "rpoplpush", 3, LRD_WRITE | LRD_DENYOOM,
      CONSUME, 1, 2, 1, PLAIN, NIL, "@write @list @slow", "list", "1.2.0",
      "source destination",
      "Moves the last element of a list to the head of another")
LRD_X(LMPOP, "lmpop", -4, LRD_WRITE | LRD_MOVABLE_KEYS,
      CONSUME, 0, 0, 0, PLAIN, NIL, "@write @list @slow", "list", "7.0.0",
      "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
      "Takes elements from the first of several lists that has some")
LRD_X(BLPOP, "blpop", -3, LRD_WRITE | LRD_NOSCRIPT | LRD_BLOCKING,
      BLOCKING, 1, -2, 1, PLAIN, NEVER, "@write @list @slow @blocking", "list", "2.0.0",
      "key [key ...] timeout", "Takes the first element of the first list that has one, or waits")
LRD_X(BRPOP, "brpop", -3, LRD_WRITE | LRD_NOSCRIPT | LRD_BLOCKING,
      BLOCKING, 1, -2, 1, PLAIN, NEVER, "@write @list @slow @blocking", "list", "2.0.0",
      "key [key ...] timeout", "Takes the last element of the first list that has one, or waits")
LRD_X(BLMOVE, "blmove", 6, LRD_WRITE | LRD_DENYOOM | LRD_NOSCRIPT | LRD_BLOCKING,
      BLOCKING, 1, 2, 1, PLAIN, NEVER, "@write @list @slow @blocking", "list", "6.2.0",
      "source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout",
      "Moves an element from an end of a list to an end of another, or waits for one")
LRD_X(BRPOPLPUSH, "brpoplpush", 4, LRD_WRITE | LRD_DENYOOM | LRD_NOSCRIPT | LRD_BLOCKING,
      BLOCKING, 1, 2, 1, PLAIN, NEVER, "@write @list @slow @blocking", "list", "2.2.0",
      "source destination timeout",
      "Moves the last element of a list to the head of another, or waits for one")
LRD_X(BLMPOP, "blmpop", -5, LRD_WRITE | LRD_BLOCKING | LRD_MOVABLE_KEYS,
      BLOCKING, 0, 0, 0, PLAIN, NEVER, "@write @list @slow @blocking", "list", "7.0.0",
      "timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
      "Takes elements from the first of several lists that has some, or waits")

/* --- sorted-set */
LRD_X(ZADD, "zadd", -4, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @sortedset @fast", "sorted-set", "1.2.0",
      "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]",
      "Gives members of a sorted set their scores")
LRD_X(ZREM, "zrem", -3, LRD_WRITE | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @sortedset @fast", "sorted-set", "1.2.0",
      "key member [member ...]", "Removes members from a sorted set; replies how many there were")
LRD_X(ZSCORE, "zscore", 3, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, DOUBLE, NIL, "@read @sortedset @fast", "sorted-set", "1.2.0",
      "key member", "The score of a member of a sorted set")
LRD_X(ZINCRBY, "zincrby", 4, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, DOUBLE, NEVER, "@write @sortedset @fast", "sorted-set", "1.2.0",
      "key increment member", "Adds to the score of a member; replies the new score")
LRD_X(ZCARD, "zcard", 2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, ZERO, "@read @sortedset @fast", "sorted-set", "1.2.0",
      "key", "How many members a sorted set has")
LRD_X(ZRANK, "zrank", 3, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NIL, "@read @sortedset @fast", "sorted-set", "2.0.0",
      "key member", "How many members have a lower score")
LRD_X(ZRANGE, "zrange", -4, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @sortedset @slow", "sorted-set", "1.2.0",
      "key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
      "Members of a sorted set by rank, score or name")
LRD_X(ZREMRANGEBYSCORE, "zremrangebyscore", 4, LRD_WRITE,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @sortedset @slow", "sorted-set", "1.2.0",
      "key min max", "Removes the members whose scores lie in a range")
LRD_X(ZPOPMIN, "zpopmin", -2, LRD_WRITE | LRD_FAST,
      CONSUME, 1, 1, 1, SCORED, NEVER, "@write @sortedset @fast", "sorted-set", "5.0.0",
      "key [count]", "Takes out the members with the lowest scores")
LRD_X(ZCOUNT, "zcount", 4, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @sortedset @fast", "sorted-set", "2.0.0",
      "key min max",
      "How many members have scores in a range")
LRD_X(ZLEXCOUNT, "zlexcount", 4, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @sortedset @fast", "sorted-set", "2.8.9",
      "key min max",
      "How many members lie in a range of names")
LRD_X(ZDIFF, "zdiff", -3, LRD_READONLY | LRD_MOVABLE_KEYS,
      READ, 0, 0, 0, PLAIN, NEVER, "@read @sortedset @slow", "sorted-set", "6.2.0",
      "numkeys key [key ...] [WITHSCORES]",
      "The members of a sorted set that no other one has")
LRD_X(ZDIFFSTORE, "zdiffstore", -4, LRD_WRITE | LRD_DENYOOM | LRD_MOVABLE_KEYS,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @sortedset @slow", "sorted-set", "6.2.0",
      "destination numkeys key [key ...]",
      "Keeps the members of a sorted set that no other one has")
LRD_X(ZINTER, "zinter", -3, LRD_READONLY | LRD_MOVABLE_KEYS,
      READ, 0, 0, 0, PLAIN, NEVER, "@read @sortedset @slow", "sorted-set", "6.2.0",
      "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] "
      "[WITHSCORES]",
      "The members that all sorted sets have")
LRD_X(ZINTERCARD, "zintercard", -3, LRD_READONLY | LRD_MOVABLE_KEYS,
      READ, 0, 0, 0, PLAIN, NEVER, "@read @sortedset @slow", "sorted-set", "7.0.0",
      "numkeys key [key ...] [LIMIT limit]",
      "How many members all sorted sets have")
LRD_X(ZINTERSTORE, "zinterstore", -4, LRD_WRITE | LRD_DENYOOM | LRD_MOVABLE_KEYS,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @sortedset @slow", "sorted-set", "2.0.0",
      "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN "
      "| MAX]",
      "Keeps the members that all sorted sets have")
LRD_X(ZUNION, "zunion", -3, LRD_READONLY | LRD_MOVABLE_KEYS,
      READ, 0, 0, 0, PLAIN, NEVER, "@read @sortedset @slow", "sorted-set", "6.2.0",
      "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] "
      "[WITHSCORES]",
      "The members that any of the sorted sets has")
LRD_X(ZUNIONSTORE, "zunionstore", -4, LRD_WRITE | LRD_DENYOOM | LRD_MOVABLE_KEYS,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @sortedset @slow", "sorted-set", "2.0.0",
      "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN "
      "| MAX]",
      "Keeps the members that any of the sorted sets has")
LRD_X(ZMPOP, "zmpop", -4, LRD_WRITE | LRD_MOVABLE_KEYS,
      CONSUME, 0, 0, 0, POPPED, NIL, "@write @sortedset @slow", "sorted-set", "7.0.0",
      "numkeys key [key ...] <MIN | MAX> [COUNT count]",
      "Takes members from the first of several sorted sets that has some")
LRD_X(BZPOPMIN, "bzpopmin", -3, LRD_WRITE | LRD_NOSCRIPT | LRD_BLOCKING | LRD_FAST,
      BLOCKING, 1, -2, 1, SCORED, NEVER, "@write @sortedset @fast @blocking", "sorted-set", "5.0.0",
      "key [key ...] timeout",
      "Takes the lowest member of the first sorted set that has one, or waits")
LRD_X(BZPOPMAX, "bzpopmax", -3, LRD_WRITE | LRD_NOSCRIPT | LRD_BLOCKING | LRD_FAST,
      BLOCKING, 1, -2, 1, SCORED, NEVER, "@write @sortedset @fast @blocking", "sorted-set", "5.0.0",
      "key [key ...] timeout",
      "Takes the highest member of the first sorted set that has one, or waits")
LRD_X(BZMPOP, "bzmpop", -5, LRD_WRITE | LRD_BLOCKING | LRD_MOVABLE_KEYS,
      BLOCKING, 0, 0, 0, POPPED, NEVER, "@write @sortedset @slow @blocking", "sorted-set", "7.0.0",
      "timeout numkeys key [key ...] <MIN | MAX> [COUNT count]",
      "Takes members from the first of several sorted sets that has some, or waits")
LRD_X(ZMSCORE, "zmscore", -3, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, DOUBLES, NEVER, "@read @sortedset @fast", "sorted-set", "6.2.0",
      "key member [member ...]",
      "The scores of several members, nil for each that there is not")
LRD_X(ZPOPMAX, "zpopmax", -2, LRD_WRITE | LRD_FAST,
      CONSUME, 1, 1, 1, SCORED, NEVER, "@write @sortedset @fast", "sorted-set", "5.0.0",
      "key [count]",
      "Takes out the members with the highest scores")
LRD_X(ZRANDMEMBER, "zrandmember", -2, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NIL, "@read @sortedset @slow", "sorted-set", "6.2.0",
      "key [count [WITHSCORES]]",
      "Members of a sorted set, chosen by chance")
LRD_X(ZRANGEBYLEX, "zrangebylex", -4, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @sortedset @slow", "sorted-set", "2.8.9",
      "key min max [LIMIT offset count]",
      "Members of a sorted set in a range of names")
LRD_X(ZRANGEBYSCORE, "zrangebyscore", -4, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @sortedset @slow", "sorted-set", "1.0.5",
      "key min max [WITHSCORES] [LIMIT offset count]",
      "Members of a sorted set with scores in a range")
LRD_X(ZRANGESTORE, "zrangestore", -5, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, 2, 1, PLAIN, NEVER, "@write @sortedset @slow", "sorted-set", "6.2.0",
      "dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]",
      "Keeps what ZRANGE would reply; replies how many members")
LRD_X(ZREMRANGEBYLEX, "zremrangebylex", 4, LRD_WRITE,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @sortedset @slow", "sorted-set", "2.8.9",
      "key min max",
      "Removes the members in a range of names")
LRD_X(ZREMRANGEBYRANK, "zremrangebyrank", 4, LRD_WRITE,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @sortedset @slow", "sorted-set", "2.0.0",
      "key start stop",
      "Removes the members between two ranks")
LRD_X(ZREVRANGE, "zrevrange", -4, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @sortedset @slow", "sorted-set", "1.2.0",
      "key start stop [WITHSCORES]",
      "Members of a sorted set by rank from the highest score")
LRD_X(ZREVRANGEBYLEX, "zrevrangebylex", -4, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @sortedset @slow", "sorted-set", "2.8.9",
      "key max min [LIMIT offset count]",
      "Members of a sorted set in a range of names, last ones first")
LRD_X(ZREVRANGEBYSCORE, "zrevrangebyscore", -4, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @sortedset @slow", "sorted-set", "2.2.0",
      "key max min [WITHSCORES] [LIMIT offset count]",
      "Members of a sorted set with scores in a range, highest first")
LRD_X(ZREVRANK, "zrevrank", 3, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NIL, "@read @sortedset @fast", "sorted-set", "2.0.0",
      "key member",
      "How many members have a higher score")
LRD_X(ZSCAN, "zscan", -3, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @sortedset @slow", "sorted-set", "2.8.0",
      "key cursor [MATCH pattern] [COUNT count]",
      "Walks over the members of a sorted set, some at a time")

/* --- bitmap */
LRD_X(BITCOUNT, "bitcount", -2, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @bitmap @slow", "bitmap", "2.6.0",
      "key [start end [BYTE | BIT]]",
      "How many bits of a value are set")
LRD_X(BITFIELD, "bitfield", -2, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @bitmap @slow", "bitmap", "3.2.0",
      "key [GET encoding offset | [OVERFLOW WRAP | SAT | FAIL] <SET encoding offset value | "
      "INCRBY encoding offset increment> [GET encoding offset | [OVERFLOW WRAP | SAT | FAIL] "
      "<SET encoding offset value | INCRBY encoding offset increment> ...]]",
      "Reads and changes integers of any width inside a value")
LRD_X(BITFIELD_RO, "bitfield_ro", -2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @bitmap @fast", "bitmap", "6.0.0",
      "key [GET encoding offset [GET encoding offset ...]]",
      "Reads integers of any width inside a value")
LRD_X(BITOP, "bitop", -4, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 2, -1, 1, PLAIN, NEVER, "@write @bitmap @slow", "bitmap", "2.6.0",
      "operation destkey key [key ...]",
      "Combines the bits of values; replies the length of the result")
LRD_X(BITPOS, "bitpos", -3, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @bitmap @slow", "bitmap", "2.8.7",
      "key bit [start [end [BYTE | BIT]]]",
      "Where the first bit that is set, or not set, is")
LRD_X(GETBIT, "getbit", 3, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @bitmap @fast", "bitmap", "2.2.0",
      "key offset",
      "A bit of a value")
LRD_X(SETBIT, "setbit", 4, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @bitmap @slow", "bitmap", "2.2.0",
      "key offset value",
      "Changes a bit of a value; replies what it was")

/* --- geo */
LRD_X(GEOADD, "geoadd", -5, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @geo @slow", "geo", "3.2.0",
      "key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]",
      "Gives members of a geographic index their places")
LRD_X(GEODIST, "geodist", -4, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NIL, "@read @geo @slow", "geo", "3.2.0",
      "key member1 member2 [M | KM | FT | MI]",
      "How far apart two members are")
LRD_X(GEOHASH, "geohash", -2, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @geo @slow", "geo", "3.2.0",
      "key member [member ...]",
      "The places of members as geohash texts")
LRD_X(GEOPOS, "geopos", -2, LRD_READONLY,
      READ, 1, 1, 1, POSITIONS, NEVER, "@read @geo @slow", "geo", "3.2.0",
      "key member [member ...]",
      "The places of members as longitude and latitude")
LRD_X(GEORADIUS, "georadius", -6, LRD_WRITE | LRD_DENYOOM | LRD_MOVABLE_KEYS,
      READ, 1, 1, 1, PLACES, NEVER, "@write @geo @slow", "geo", "3.2.0",
      "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
      "[COUNT count [ANY]] [ASC | DESC] [STORE key] [STOREDIST key]",
      "Members within a distance of a place")
LRD_X(GEORADIUS_RO, "georadius_ro", -6, LRD_READONLY,
      READ, 1, 1, 1, PLACES, NEVER, "@read @geo @slow", "geo", "3.2.10",
      "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
      "[COUNT count [ANY]] [ASC | DESC]",
      "Members within a distance of a place; can't store them")
LRD_X(GEORADIUSBYMEMBER, "georadiusbymember", -5, LRD_WRITE | LRD_DENYOOM | LRD_MOVABLE_KEYS,
      READ, 1, 1, 1, PLACES, NEVER, "@write @geo @slow", "geo", "3.2.0",
      "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count "
      "[ANY]] [ASC | DESC] [STORE key] [STOREDIST key]",
      "Members within a distance of a member")
LRD_X(GEORADIUSBYMEMBER_RO, "georadiusbymember_ro", -5, LRD_READONLY,
      READ, 1, 1, 1, PLACES, NEVER, "@read @geo @slow", "geo", "3.2.10",
      "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count "
      "[ANY]] [ASC | DESC]",
      "Members within a distance of a member; can't store them")
LRD_X(GEOSEARCH, "geosearch", -7, LRD_READONLY,
      READ, 1, 1, 1, PLACES, NEVER, "@read @geo @slow", "geo", "6.2.0",
      "key <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius <M | KM | FT "
      "| MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] "
      "[WITHCOORD] [WITHDIST] [WITHHASH]",
      "Members in a circle or a box")
LRD_X(GEOSEARCHSTORE, "geosearchstore", -8, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, 2, 1, PLAIN, NEVER, "@write @geo @slow", "geo", "6.2.0",
      "destination source <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS "
      "radius <M | KM | FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] "
      "[COUNT count [ANY]] [STOREDIST]",
      "Keeps the members in a circle or a box; replies how many")

/* --- hyperloglog */
LRD_X(PFADD, "pfadd", -2, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NEVER, "@write @hyperloglog @fast", "hyperloglog", "2.8.9",
      "key [element [element ...]]",
      "Counts elements as seen; replies whether the estimate may have changed")
LRD_X(PFCOUNT, "pfcount", -2, LRD_READONLY,
      READ, 1, -1, 1, PLAIN, NEVER, "@read @hyperloglog @slow", "hyperloglog", "2.8.9",
      "key [key ...]",
      "Estimates how many different elements were seen")
LRD_X(PFMERGE, "pfmerge", -2, LRD_WRITE | LRD_DENYOOM,
      OVERWRITE, 1, -1, 1, PLAIN, NEVER, "@write @hyperloglog @slow", "hyperloglog", "2.8.9",
      "destkey sourcekey [sourcekey ...]",
      "Combines what was seen by several counters")

/* --- stream */
LRD_X(XADD, "xadd", -5, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      ACCUMULATE, 1, 1, 1, PLAIN, NIL, "@write @stream @fast", "stream", "5.0.0",
      "key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] * | id field value "
      "[field value ...]",
      "Adds an entry to a stream; replies its id")
LRD_X(XLEN, "xlen", 2, LRD_READONLY | LRD_FAST,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @stream @fast", "stream", "5.0.0",
      "key", "How many entries a stream has")
LRD_X(XRANGE, "xrange", -4, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @stream @slow", "stream", "5.0.0",
      "key start end [COUNT count]", "Entries of a stream, by their ids")
LRD_X(XREVRANGE, "xrevrange", -4, LRD_READONLY,
      READ, 1, 1, 1, PLAIN, NEVER, "@read @stream @slow", "stream", "5.0.0",
      "key end start [COUNT count]", "Entries of a stream, the last one first")
LRD_X(XDEL, "xdel", -3, LRD_WRITE | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @stream @fast", "stream", "5.0.0",
      "key id [id ...]", "Deletes entries of a stream; replies how many there were")
LRD_X(XTRIM, "xtrim", -4, LRD_WRITE,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @stream @slow", "stream", "5.0.0",
      "key MAXLEN | MINID [= | ~] threshold [LIMIT count]",
      "Deletes the oldest entries of a stream; replies how many")
LRD_X(XSETID, "xsetid", -3, LRD_WRITE | LRD_DENYOOM | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @stream @fast", "stream", "5.0.0",
      "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
      "Sets the last id of a stream")
LRD_X(XREAD, "xread", -4, LRD_READONLY | LRD_BLOCKING | LRD_MOVABLE_KEYS,
      READ, 0, 0, 0, STREAMS, NEVER, "@read @stream @slow @blocking", "stream", "5.0.0",
      "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
      "Entries of several streams behind the ids that are given")
LRD_X(XGROUP, "xgroup", -2, LRD_PARTS,
      CONSUME, 0, 0, 0, PLAIN, NEVER, "@slow", "stream", "5.0.0",
      "CREATE key group id | $ [MKSTREAM] [ENTRIESREAD entries-read] | SETID key group id | $ "
      "[ENTRIESREAD entries-read] | DESTROY key group | CREATECONSUMER key group consumer | "
      "DELCONSUMER key group consumer | HELP",
      "Groups of a stream's consumers")
LRD_X(XREADGROUP, "xreadgroup", -7, LRD_WRITE | LRD_BLOCKING | LRD_MOVABLE_KEYS,
      CONSUME, 0, 0, 0, STREAMS, NEVER, "@write @stream @slow @blocking", "stream", "5.0.0",
      "GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id "
      "[id ...]",
      "Hands entries of several streams out to a consumer, or those again that it has")
LRD_X(XACK, "xack", -4, LRD_WRITE | LRD_FAST,
      OVERWRITE, 1, 1, 1, PLAIN, NEVER, "@write @stream @fast", "stream", "5.0.0",
      "key group id [id ...]", "Entries are done, and pending no more; replies how many were")
LRD_X(XPENDING, "xpending", -3, LRD_READONLY,
      READ, 1, 1, 1, PENDING, NEVER, "@read @stream @slow", "stream", "5.0.0",
      "key group [[IDLE min-idle-time] start end count [consumer]]",
      "What was handed out to a group and is not done")
LRD_X(XCLAIM, "xclaim", -6, LRD_WRITE | LRD_FAST,
      CONSUME, 1, 1, 1, PLAIN, NEVER, "@write @stream @fast", "stream", "5.0.0",
      "key group consumer min-idle-time id [id ...] [IDLE milliseconds] [TIME "
      "unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID last-id]",
      "Pending entries change their consumer")
LRD_X(XAUTOCLAIM, "xautoclaim", -6, LRD_WRITE | LRD_FAST,
      CONSUME, 1, 1, 1, PLAIN, NEVER, "@write @stream @fast", "stream", "6.2.0",
      "key group consumer min-idle-time start [COUNT count] [JUSTID]",
      "Entries that are pending for long change their consumer")
LRD_X(XINFO, "xinfo", -2, LRD_PARTS,
      READ, 0, 0, 0, DETAILS, NEVER, "@slow", "stream", "5.0.0",
      "STREAM key [FULL [COUNT count]] | GROUPS key | CONSUMERS key group | HELP",
      "What is known of a stream beside its entries")

/* --- transactions */
LRD_X(MULTI, "multi", 1, LRD_NOSCRIPT | LRD_LOADING | LRD_STALE | LRD_FAST | LRD_ALLOW_BUSY |
      LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@fast @transaction", "transactions", "1.2.0",
      "", "Begins a transaction: what follows is kept until EXEC")
LRD_X(EXEC, "exec", 1, LRD_NOSCRIPT | LRD_LOADING | LRD_STALE | LRD_SKIP_SLOWLOG | LRD_SESSION |
      LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@slow @transaction", "transactions", "1.2.0",
      "", "Executes the transaction, unless a watched key has changed")
LRD_X(DISCARD, "discard", 1, LRD_NOSCRIPT | LRD_LOADING | LRD_STALE | LRD_FAST | LRD_ALLOW_BUSY |
      LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@fast @transaction", "transactions", "2.0.0",
      "", "Forgets the transaction and all watches")
LRD_X(WATCH, "watch", -2, LRD_NOSCRIPT | LRD_LOADING | LRD_STALE | LRD_FAST | LRD_ALLOW_BUSY |
      LRD_SESSION,
      CONDITIONAL, 1, -1, 1, PLAIN, NEVER, "@fast @transaction", "transactions", "2.2.0",
      "key [key ...]", "Makes the next EXEC depend on keys staying as they are")
LRD_X(UNWATCH, "unwatch", 1, LRD_NOSCRIPT | LRD_LOADING | LRD_STALE | LRD_FAST | LRD_ALLOW_BUSY |
      LRD_SESSION,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@fast @transaction", "transactions", "2.2.0",
      "", "Forgets all watches")

/* --- connection */
LRD_X(PING, "ping", -1, LRD_FAST,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@fast @connection", "connection", "1.0.0",
      "[message]", "Replies PONG, or the message")
LRD_X(ECHO, "echo", 2, LRD_LOADING | LRD_STALE | LRD_FAST,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@fast @connection", "connection", "1.0.0",
      "message", "Replies the message")
LRD_X(SELECT, "select", 2, LRD_LOADING | LRD_STALE | LRD_FAST | LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@fast @connection", "connection", "1.0.0",
      "index", "Chooses the database of this conversation")
LRD_X(QUIT, "quit", -1, LRD_NOSCRIPT | LRD_LOADING | LRD_STALE | LRD_FAST | LRD_NO_AUTH |
      LRD_ALLOW_BUSY | LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@fast @connection", "connection", "1.0.0",
      "", "Ends the conversation")
LRD_X(RESET, "reset", 1, LRD_NOSCRIPT | LRD_LOADING | LRD_STALE | LRD_FAST | LRD_NO_AUTH |
      LRD_ALLOW_BUSY | LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@fast @connection", "connection", "6.2.0",
      "", "Makes the conversation what it was at its beginning")
LRD_X(HELLO, "hello", -1, LRD_NOSCRIPT | LRD_LOADING | LRD_STALE | LRD_FAST | LRD_NO_AUTH |
      LRD_ALLOW_BUSY | LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, MAP, NEVER, "@fast @connection", "connection", "6.0.0",
      "[protover [AUTH username password] [SETNAME clientname]]",
      "Chooses the protocol of this conversation")
LRD_X(AUTH, "auth", -2, LRD_NOSCRIPT | LRD_LOADING | LRD_STALE | LRD_FAST | LRD_NO_AUTH |
      LRD_ALLOW_BUSY | LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@fast @connection", "connection", "1.0.0",
      "[username] password", "Shows who is calling")
LRD_X(CLIENT, "client", -2, LRD_SESSION | LRD_FRONT | LRD_PARTS,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@slow", "connection", "2.4.0",
      "SETNAME name | GETNAME | ID", "What is known of this conversation")

/* --- server */
LRD_X(COMMAND, "command", -1, LRD_LOADING | LRD_STALE | LRD_FRONT | LRD_PARTS,
      CONNECTION, 0, 0, 0, INFO, NEVER, "@slow @connection", "server", "2.8.13",
      "[LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] | INFO [name ...] | COUNT]",
      "What commands there are")
LRD_X(CONFIG, "config", -2, LRD_PARTS,
      ADMIN, 0, 0, 0, MAP, NEVER, "@slow", "server", "2.0.0",
      "GET parameter [parameter ...] | SET parameter value [parameter value ...] | RESETSTAT | "
      "HELP",
      "Settings of the server")
LRD_X(INFO, "info", -1, LRD_LOADING | LRD_STALE,
      CONNECTION, 0, 0, 0, VERBATIM, NEVER, "@slow @dangerous", "server", "1.0.0",
      "[section [section ...]]", "How the server is doing")
LRD_X(TIME, "time", 1, LRD_LOADING | LRD_STALE | LRD_FAST,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@fast", "server", "2.6.0",
      "", "The server's clock: seconds and microseconds")

/* --- pubsub */
LRD_X(SUBSCRIBE, "subscribe", -2, LRD_CHANNELS | LRD_NOSCRIPT | LRD_LOADING | LRD_STALE |
      LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@pubsub @slow", "pubsub", "2.0.0",
      "channel [channel ...]", "Listens to channels")
LRD_X(PSUBSCRIBE, "psubscribe", -2, LRD_CHANNELS | LRD_NOSCRIPT | LRD_LOADING | LRD_STALE |
      LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@pubsub @slow", "pubsub", "2.0.0",
      "pattern [pattern ...]", "Listens to channels whose names match")
LRD_X(SSUBSCRIBE, "ssubscribe", -2, LRD_CHANNELS | LRD_NOSCRIPT | LRD_LOADING | LRD_STALE |
      LRD_SESSION | LRD_FRONT,
      CONNECTION, 1, -1, 1, PLAIN, NEVER, "@pubsub @slow", "pubsub", "7.0.0",
      "shardchannel [shardchannel ...]", "Listens to shard channels")
LRD_X(UNSUBSCRIBE, "unsubscribe", -1, LRD_CHANNELS | LRD_NOSCRIPT | LRD_LOADING | LRD_STALE |
      LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@pubsub @slow", "pubsub", "2.0.0",
      "[channel [channel ...]]", "Listens to channels no more")
LRD_X(PUNSUBSCRIBE, "punsubscribe", -1, LRD_CHANNELS | LRD_NOSCRIPT | LRD_LOADING | LRD_STALE |
      LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@pubsub @slow", "pubsub", "2.0.0",
      "[pattern [pattern ...]]", "Listens to channels whose names match no more")
LRD_X(SUNSUBSCRIBE, "sunsubscribe", -1, LRD_CHANNELS | LRD_NOSCRIPT | LRD_LOADING | LRD_STALE |
      LRD_SESSION | LRD_FRONT,
      CONNECTION, 1, -1, 1, PLAIN, NEVER, "@pubsub @slow", "pubsub", "7.0.0",
      "[shardchannel [shardchannel ...]]", "Listens to shard channels no more")
LRD_X(PUBLISH, "publish", 3, LRD_CHANNELS | LRD_LOADING | LRD_STALE | LRD_FAST,
      PUBLISH, 0, 0, 0, PLAIN, NEVER, "@pubsub @fast", "pubsub", "2.0.0",
      "channel message", "Sends a message to all who listen to a channel")
LRD_X(SPUBLISH, "spublish", 3, LRD_CHANNELS | LRD_LOADING | LRD_STALE | LRD_FAST,
      PUBLISH, 1, 1, 1, PLAIN, NEVER, "@pubsub @fast", "pubsub", "7.0.0",
      "shardchannel message", "Sends a message to all who listen to a shard channel")
LRD_X(PUBSUB, "pubsub", -2, LRD_PARTS,
      ADMIN, 0, 0, 0, PLAIN, NEVER, "@slow", "pubsub", "2.8.0",
      "CHANNELS [pattern] | NUMPAT | NUMSUB [channel ...] | SHARDCHANNELS [pattern] | "
      "SHARDNUMSUB [shardchannel ...] | HELP",
      "Who listens to what")

/* --- between larder's own layers: unknown to callers */
LRD_X(LARDER_FORGET, "larder.forget", -2, LRD_WRITE | LRD_INTERNAL,
      ADMIN, 1, -1, 1, PLAIN, NEVER, "", "larder", "0.1.0",
      "key [key ...]", "Between larder's layers: the engine forgets keys")
LRD_X(LARDER_REBUILD, "larder.rebuild", 2, LRD_READONLY | LRD_INTERNAL,
      READ, 1, 1, 1, PLAIN, NEVER, "", "larder", "0.1.0",
      "key", "Between larder's layers: the commands that make a key what it is")
