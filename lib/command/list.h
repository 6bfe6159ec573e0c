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
LRD_X(OBJECT, "object", -2, 0,
      READ, 0, 0, 0, PLAIN, NEVER, "@slow", "generic", "2.2.3",
      "ENCODING key | FREQ key | IDLETIME key | REFCOUNT key | HELP",
      "What is known of a key beside its value")

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
LRD_X(HELLO, "hello", -1, LRD_NOSCRIPT | LRD_LOADING | LRD_STALE | LRD_FAST | LRD_NO_AUTH |
      LRD_ALLOW_BUSY | LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, MAP, NEVER, "@fast @connection", "connection", "6.0.0",
      "[protover [AUTH username password] [SETNAME clientname]]",
      "Chooses the protocol of this conversation")
LRD_X(AUTH, "auth", -2, LRD_NOSCRIPT | LRD_LOADING | LRD_STALE | LRD_FAST | LRD_NO_AUTH |
      LRD_ALLOW_BUSY | LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@fast @connection", "connection", "1.0.0",
      "[username] password", "Shows who is calling")
LRD_X(CLIENT, "client", -2, LRD_SESSION | LRD_FRONT,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@slow", "connection", "2.4.0",
      "SETNAME name | GETNAME | ID", "What is known of this conversation")

/* --- server */
LRD_X(COMMAND, "command", -1, LRD_LOADING | LRD_STALE | LRD_FRONT,
      CONNECTION, 0, 0, 0, INFO, NEVER, "@slow @connection", "server", "2.8.13",
      "[LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] | INFO [name ...] | COUNT]",
      "What commands there are")
LRD_X(CONFIG, "config", -2, 0,
      ADMIN, 0, 0, 0, MAP, NEVER, "@slow", "server", "2.0.0",
      "GET parameter [parameter ...] | SET parameter value [parameter value ...] | HELP",
      "Settings of the server")
LRD_X(INFO, "info", -1, LRD_LOADING | LRD_STALE,
      CONNECTION, 0, 0, 0, VERBATIM, NEVER, "@slow @dangerous", "server", "1.0.0",
      "[section [section ...]]", "How the server is doing")
LRD_X(TIME, "time", 1, LRD_LOADING | LRD_STALE | LRD_FAST,
      CONNECTION, 0, 0, 0, PLAIN, NEVER, "@fast", "server", "2.6.0",
      "", "The server's clock: seconds and microseconds")

/* --- between larder's own layers: unknown to callers */
LRD_X(LARDER_FORGET, "larder.forget", -2, LRD_WRITE | LRD_INTERNAL,
      ADMIN, 1, -1, 1, PLAIN, NEVER, "", "larder", "0.1.0",
      "key [key ...]", "Between larder's layers: the engine forgets keys")
LRD_X(LARDER_REBUILD, "larder.rebuild", 2, LRD_READONLY | LRD_INTERNAL,
      READ, 1, 1, 1, PLAIN, NEVER, "", "larder", "0.1.0",
      "key", "Between larder's layers: the commands that make a key what it is")
