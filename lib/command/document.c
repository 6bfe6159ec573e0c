/* SPDX-License-Identifier: BSD-2-Clause */
#include "command/document.h"

#include <stdlib.h>
#include <string.h>

#define PLAIN(name, arguments) { name, arguments, NULL, NULL, NULL, NULL }
#define OLD(name, arguments, since, by) { name, arguments, NULL, NULL, since, by }
#define PART(name, arguments, since, summary) { name, arguments, since, summary, NULL, NULL }

/* As redis-server 7.0.15 answers COMMAND DOCS, but for the texts; sorted by name. */
static const struct lrd_document documents[] = {
  PLAIN("append", "key!k@0 value!s"),
  PLAIN("auth", "username!s?>6.0.0 password!s"),
  PLAIN("bitcount",
    "key!k@0 index!b?(start!i end!i index_unit!o?>7.0.0(byte!t=BYTE bit!t=BIT))"),
  PLAIN("bitfield",
    "key!k@0 operation!o?*(encoding_offset!b=GET(encoding!s offset!i) "
    "write!b(wrap_sat_fail!o?=OVERFLOW(wrap!t=WRAP sat!t=SAT fail!t=FAIL) "
    "write_operation!o(encoding_offset_value!b=SET(encoding!s offset!i value!i) "
    "encoding_offset_increment!b=INCRBY(encoding!s offset!i increment!i))))"),
  PLAIN("bitfield_ro", "key!k@0 encoding_offset!b?*+=GET(encoding!s offset!i)"),
  PLAIN("bitop", "operation!s destkey!k@0 key!k*@1"),
  PLAIN("bitpos",
    "key!k@0 bit!i index!b?(start!i end_index!b?(end!i index_unit!o?>7.0.0(byte!t=BYTE "
    "bit!t=BIT)))"),
  PLAIN("blmove",
    "source!k@0 destination!k@1 wherefrom!o(left!t=LEFT right!t=RIGHT) whereto!o(left!t=LEFT "
    "right!t=RIGHT) timeout!d"),
  PLAIN("blmpop",
    "timeout!d numkeys!i key!k*@0 where!o(left!t=LEFT right!t=RIGHT) count!i?=COUNT"),
  PLAIN("blpop", "key!k*@0 timeout!d"),
  PLAIN("brpop", "key!k*@0 timeout!d"),
  OLD("brpoplpush", "source!k@0 destination!k@1 timeout!d",
    "6.2.0", "BLMOVE with RIGHT and LEFT"),
  PLAIN("bzmpop", "timeout!d numkeys!i key!k*@0 where!o(min!t=MIN max!t=MAX) count!i?=COUNT"),
  PLAIN("bzpopmax", "key!k*@0 timeout!d"),
  PLAIN("bzpopmin", "key!k*@0 timeout!d"),
  PART("client|caching", "mode!o(yes!t=YES no!t=NO)",
    "6.0.0", "Whether the next command is tracked"),
  PART("client|getname", "", "2.6.9", "The name of this connection"),
  PART("client|getredir", "", "6.0.0", "Where invalidations of this connection go"),
  PART("client|help", "", "5.0.0", "Lines about the subcommands"),
  PART("client|id", "", "5.0.0", "The number of this connection"),
  PART("client|info", "", "6.2.0", "What is known of this connection"),
  PART("client|kill",
    "filter!o(ip:port!s<2.8.12 new-format!o*(client-id!i?>2.8.12=ID "
    "normal_master_slave_pubsub!o?>2.8.12=TYPE(normal!t=NORMAL master!t>3.2.0=MASTER "
    "slave!t=SLAVE replica!t>5.0.0=REPLICA pubsub!t=PUBSUB) username!s?=USER ip:port!s?=ADDR "
    "ip:port!s?>6.2.0=LADDR yes/no!s?=SKIPME))", "2.4.0", "Ends connections"),
  PART("client|list",
    "normal_master_replica_pubsub!o?>5.0.0=TYPE(normal!t=NORMAL master!t=MASTER "
    "replica!t=REPLICA pubsub!t=PUBSUB) id!b?>6.2.0=ID(client-id!i*)",
    "2.4.0", "What is known of every connection"),
  PART("client|no-evict", "enabled!o(on!t=ON off!t=OFF)",
    "7.0.0", "Spares this connection when connections are ended to free memory"),
  PART("client|pause", "timeout!i mode!o?>6.2.0(write!t=WRITE all!t=ALL)",
    "2.9.50", "Lets commands wait for some time"),
  PART("client|reply", "on_off_skip!o(on!t=ON off!t=OFF skip!t=SKIP)",
    "3.2.0", "Whether replies are sent"),
  PART("client|setname", "connection-name!s", "2.6.9", "Names this connection"),
  PART("client|tracking",
    "status!o(on!t=ON off!t=OFF) client-id!i?=REDIRECT prefix!s?*+=PREFIX bcast!t?=BCAST "
    "optin!t?=OPTIN optout!t?=OPTOUT noloop!t?=NOLOOP",
    "6.0.0", "Whether changes of keys that were read are told"),
  PART("client|trackinginfo", "", "6.2.0", "How changes of keys are told"),
  PART("client|unblock", "client-id!i timeout_error!o?(timeout!t=TIMEOUT error!t=ERROR)",
    "5.0.0", "Ends the wait of another connection"),
  PART("client|unpause", "", "6.2.0", "Ends a pause"),
  PART("command|count", "", "2.8.13", "How many commands there are"),
  PART("command|docs", "command-name!s?*", "7.0.0", "What commands are for and what they take"),
  PART("command|getkeys", "", "2.8.13", "The keys of a command with its arguments"),
  PART("command|getkeysandflags", "",
    "7.0.0", "The keys of a command, and what it does with each"),
  PART("command|help", "", "5.0.0", "Lines about the subcommands"),
  PART("command|info", "command-name!s?*", "2.8.13", "What is known of commands"),
  PART("command|list",
    "filterby!o?=FILTERBY(module-name!s=MODULE category!s=ACLCAT pattern!p=PATTERN)",
    "7.0.0", "The names of the commands"),
  PART("config|get", "parameter!b*(parameter!s)", "2.0.0", "Settings and their values"),
  PART("config|help", "", "5.0.0", "Lines about the subcommands"),
  PART("config|resetstat", "", "2.0.0", "Sets counters back"),
  PART("config|rewrite", "", "2.8.0", "Writes the settings to their file"),
  PART("config|set", "parameter_value!b*(parameter!s value!s)", "2.0.0", "Changes settings"),
  PLAIN("copy", "source!k@0 destination!k@1 destination-db!i?=DB replace!t?=REPLACE"),
  PLAIN("decr", "key!k@0"),
  PLAIN("decrby", "key!k@0 decrement!i"),
  PLAIN("del", "key!k*@0"),
  PLAIN("dump", "key!k@0"),
  PLAIN("echo", "message!s"),
  PLAIN("exists", "key!k*@0"),
  PLAIN("expire", "key!k@0 seconds!i condition!o?>7.0.0(nx!t=NX xx!t=XX gt!t=GT lt!t=LT)"),
  PLAIN("expireat",
    "key!k@0 unix-time-seconds!u condition!o?>7.0.0(nx!t=NX xx!t=XX gt!t=GT lt!t=LT)"),
  PLAIN("expiretime", "key!k@0"),
  PLAIN("flushall", "async!o?(async!t>4.0.0=ASYNC sync!t>6.2.0=SYNC)"),
  PLAIN("flushdb", "async!o?(async!t>4.0.0=ASYNC sync!t>6.2.0=SYNC)"),
  PLAIN("geoadd",
    "key!k@0 condition!o?>6.2.0(nx!t=NX xx!t=XX) change!t?>6.2.0=CH "
    "longitude_latitude_member!b*(longitude!d latitude!d member!s)"),
  PLAIN("geodist", "key!k@0 member1!s member2!s unit!o?(m!t=M km!t=KM ft!t=FT mi!t=MI)"),
  PLAIN("geohash", "key!k@0 member!s*"),
  PLAIN("geopos", "key!k@0 member!s*"),
  OLD("georadius",
    "key!k@0 longitude!d latitude!d radius!d unit!o(m!t=M km!t=KM ft!t=FT mi!t=MI) "
    "withcoord!t?=WITHCOORD withdist!t?=WITHDIST withhash!t?=WITHHASH count!b?(count!i=COUNT "
    "any!t?>6.2.0=ANY) order!o?(asc!t=ASC desc!t=DESC) key!k?@1=STORE key!k?@2=STOREDIST",
    "6.2.0", "GEOSEARCH and GEOSEARCHSTORE with BYRADIUS"),
  OLD("georadius_ro",
    "key!k@0 longitude!d latitude!d radius!d unit!o(m!t=M km!t=KM ft!t=FT mi!t=MI) "
    "withcoord!t?=WITHCOORD withdist!t?=WITHDIST withhash!t?=WITHHASH count!b?(count!i=COUNT "
    "any!t?>6.2.0=ANY) order!o?(asc!t=ASC desc!t=DESC)", "6.2.0", "GEOSEARCH with BYRADIUS"),
  OLD("georadiusbymember",
    "key!k@0 member!s radius!d unit!o(m!t=M km!t=KM ft!t=FT mi!t=MI) withcoord!t?=WITHCOORD "
    "withdist!t?=WITHDIST withhash!t?=WITHHASH count!b?(count!i=COUNT any!t?=ANY) "
    "order!o?(asc!t=ASC desc!t=DESC) key!k?@1=STORE key!k?@2=STOREDIST",
    "6.2.0", "GEOSEARCH and GEOSEARCHSTORE with BYRADIUS and FROMMEMBER"),
  OLD("georadiusbymember_ro",
    "key!k@0 member!s radius!d unit!o(m!t=M km!t=KM ft!t=FT mi!t=MI) withcoord!t?=WITHCOORD "
    "withdist!t?=WITHDIST withhash!t?=WITHHASH count!b?(count!i=COUNT any!t?=ANY) "
    "order!o?(asc!t=ASC desc!t=DESC)", "6.2.0", "GEOSEARCH with BYRADIUS and FROMMEMBER"),
  PLAIN("geosearch",
    "key!k@0 from!o(member!s=FROMMEMBER longitude_latitude!b=FROMLONLAT(longitude!d "
    "latitude!d)) by!o(circle!b(radius!d=BYRADIUS unit!o(m!t=M km!t=KM ft!t=FT mi!t=MI)) "
    "box!b(width!d=BYBOX height!d unit!o(m!t=M km!t=KM ft!t=FT mi!t=MI))) order!o?(asc!t=ASC "
    "desc!t=DESC) count!b?(count!i=COUNT any!t?=ANY) withcoord!t?=WITHCOORD "
    "withdist!t?=WITHDIST withhash!t?=WITHHASH"),
  PLAIN("geosearchstore",
    "destination!k@0 source!k@1 from!o(member!s=FROMMEMBER "
    "longitude_latitude!b=FROMLONLAT(longitude!d latitude!d)) "
    "by!o(circle!b(radius!d=BYRADIUS unit!o(m!t=M km!t=KM ft!t=FT mi!t=MI)) "
    "box!b(width!d=BYBOX height!d unit!o(m!t=M km!t=KM ft!t=FT mi!t=MI))) order!o?(asc!t=ASC "
    "desc!t=DESC) count!b?(count!i=COUNT any!t?=ANY) storedist!t?=STOREDIST"),
  PLAIN("get", "key!k@0"),
  PLAIN("getbit", "key!k@0 offset!i"),
  PLAIN("getdel", "key!k@0"),
  PLAIN("getex",
    "key!k@0 expiration!o?(seconds!i=EX milliseconds!i=PX unix-time-seconds!u=EXAT "
    "unix-time-milliseconds!u=PXAT persist!t=PERSIST)"),
  PLAIN("getrange", "key!k@0 start!i end!i"),
  OLD("getset", "key!k@0 value!s", "6.2.0", "SET with GET"),
  PLAIN("hdel", "key!k@0 field!s*"),
  PLAIN("hello",
    "arguments!b?(protover!i username_password!b?=AUTH(username!s password!s) "
    "clientname!s?=SETNAME)"),
  PLAIN("hexists", "key!k@0 field!s"),
  PLAIN("hget", "key!k@0 field!s"),
  PLAIN("hgetall", "key!k@0"),
  PLAIN("hincrby", "key!k@0 field!s increment!i"),
  PLAIN("hincrbyfloat", "key!k@0 field!s increment!d"),
  PLAIN("hkeys", "key!k@0"),
  PLAIN("hlen", "key!k@0"),
  PLAIN("hmget", "key!k@0 field!s*"),
  OLD("hmset", "key!k@0 field_value!b*(field!s value!s)", "4.0.0", "HSET with several fields"),
  PLAIN("hrandfield", "key!k@0 options!b?(count!i withvalues!t?=WITHVALUES)"),
  PLAIN("hscan", "key!k@0 cursor!i pattern!p?=MATCH count!i?=COUNT"),
  PLAIN("hset", "key!k@0 field_value!b*(field!s value!s)"),
  PLAIN("hsetnx", "key!k@0 field!s value!s"),
  PLAIN("hstrlen", "key!k@0 field!s"),
  PLAIN("hvals", "key!k@0"),
  PLAIN("incr", "key!k@0"),
  PLAIN("incrby", "key!k@0 increment!i"),
  PLAIN("incrbyfloat", "key!k@0 increment!d"),
  PLAIN("info", "section!s?*"),
  PLAIN("keys", "pattern!p"),
  PART("latency|doctor", "", "2.8.13", "What slow events may come from"),
  PART("latency|graph", "event!s", "2.8.13", "Slow events as a picture"),
  PART("latency|help", "", "2.8.13", "Lines about the subcommands"),
  PART("latency|histogram", "command!s?*", "7.0.0", "How long commands took"),
  PART("latency|history", "event!s", "2.8.13", "Slow events of one kind"),
  PART("latency|latest", "", "2.8.13", "The last slow event of each kind"),
  PART("latency|reset", "event!s?*", "2.8.13", "Forgets slow events"),
  PLAIN("lcs",
    "key1!k@0 key2!k@0 len!t?=LEN idx!t?=IDX len!i?=MINMATCHLEN withmatchlen!t?=WITHMATCHLEN"),
  PLAIN("lindex", "key!k@0 index!i"),
  PLAIN("linsert", "key!k@0 where!o(before!t=BEFORE after!t=AFTER) pivot!s element!s"),
  PLAIN("llen", "key!k@0"),
  PLAIN("lmove",
    "source!k@0 destination!k@1 wherefrom!o(left!t=LEFT right!t=RIGHT) whereto!o(left!t=LEFT "
    "right!t=RIGHT)"),
  PLAIN("lmpop", "numkeys!i key!k*@0 where!o(left!t=LEFT right!t=RIGHT) count!i?=COUNT"),
  PLAIN("lpop", "key!k@0 count!i?>6.2.0"),
  PLAIN("lpos", "key!k@0 element!s rank!i?=RANK num-matches!i?=COUNT len!i?=MAXLEN"),
  PLAIN("lpush", "key!k@0 element!s*"),
  PLAIN("lpushx", "key!k@0 element!s*"),
  PLAIN("lrange", "key!k@0 start!i stop!i"),
  PLAIN("lrem", "key!k@0 count!i element!s"),
  PLAIN("lset", "key!k@0 index!i element!s"),
  PLAIN("ltrim", "key!k@0 start!i stop!i"),
  PART("memory|doctor", "", "4.0.0", "What may be wrong with memory"),
  PART("memory|help", "", "4.0.0", "Lines about the subcommands"),
  PART("memory|malloc-stats", "", "4.0.0", "The allocator's own report"),
  PART("memory|purge", "", "4.0.0", "Gives free memory back"),
  PART("memory|stats", "", "4.0.0", "How much memory is used for what"),
  PART("memory|usage", "key!k@0 count!i?=SAMPLES",
    "4.0.0", "How many bytes a key and its value take"),
  PLAIN("mget", "key!k*@0"),
  PLAIN("move", "key!k@0 db!i"),
  PLAIN("mset", "key_value!b*(key!k@0 value!s)"),
  PLAIN("msetnx", "key_value!b*(key!k@0 value!s)"),
  PART("object|encoding", "key!k@0", "2.2.3", "How a value is kept"),
  PART("object|freq", "key!k@0", "4.0.0", "About how often a key was used"),
  PART("object|help", "", "6.2.0", "Lines about the subcommands"),
  PART("object|idletime", "key!k@0", "2.2.3", "How long a key was not used, in seconds"),
  PART("object|refcount", "key!k@0", "2.2.3", "How many refer to a value"),
  PLAIN("persist", "key!k@0"),
  PLAIN("pexpire",
    "key!k@0 milliseconds!i condition!o?>7.0.0(nx!t=NX xx!t=XX gt!t=GT lt!t=LT)"),
  PLAIN("pexpireat",
    "key!k@0 unix-time-milliseconds!u condition!o?>7.0.0(nx!t=NX xx!t=XX gt!t=GT lt!t=LT)"),
  PLAIN("pexpiretime", "key!k@0"),
  PLAIN("pfadd", "key!k@0 element!s?*"),
  PLAIN("pfcount", "key!k*@0"),
  PLAIN("pfmerge", "destkey!k@0 sourcekey!k*@1"),
  PLAIN("ping", "message!s?"),
  PLAIN("psetex", "key!k@0 milliseconds!i value!s"),
  PLAIN("psubscribe", "pattern!b*(pattern!p)"),
  PLAIN("pttl", "key!k@0"),
  PLAIN("publish", "channel!s message!s"),
  PART("pubsub|channels", "pattern!p?", "2.8.0", "Channels that somebody listens to"),
  PART("pubsub|help", "", "6.2.0", "Lines about the subcommands"),
  PART("pubsub|numpat", "", "2.8.0", "How many patterns are listened to"),
  PART("pubsub|numsub", "channel!s?*", "2.8.0", "How many listen to each channel"),
  PART("pubsub|shardchannels", "pattern!p?", "7.0.0", "Shard channels that somebody listens to"),
  PART("pubsub|shardnumsub", "shardchannel!s?*",
    "7.0.0", "How many listen to each shard channel"),
  PLAIN("punsubscribe", "pattern!p?*"),
  PLAIN("rename", "key!k@0 newkey!k@1"),
  PLAIN("renamenx", "key!k@0 newkey!k@1"),
  PLAIN("restore",
    "key!k@0 ttl!i serialized-value!s replace!t?>3.0.0=REPLACE absttl!t?>5.0.0=ABSTTL "
    "seconds!i?>5.0.0=IDLETIME frequency!i?>5.0.0=FREQ"),
  PLAIN("rpop", "key!k@0 count!i?>6.2.0"),
  OLD("rpoplpush", "source!k@0 destination!k@1", "6.2.0", "LMOVE with RIGHT and LEFT"),
  PLAIN("rpush", "key!k@0 element!s*"),
  PLAIN("rpushx", "key!k@0 element!s*"),
  PLAIN("sadd", "key!k@0 member!s*"),
  PLAIN("scan", "cursor!i pattern!p?=MATCH count!i?=COUNT type!s?>6.0.0=TYPE"),
  PLAIN("scard", "key!k@0"),
  PLAIN("sdiff", "key!k*@0"),
  PLAIN("sdiffstore", "destination!k@0 key!k*@1"),
  PLAIN("select", "index!i"),
  PLAIN("set",
    "key!k@0 value!s condition!o?>2.6.12(nx!t=NX xx!t=XX) get!t?>6.2.0=GET "
    "expiration!o?(seconds!i>2.6.12=EX milliseconds!i>2.6.12=PX "
    "unix-time-seconds!u>6.2.0=EXAT unix-time-milliseconds!u>6.2.0=PXAT "
    "keepttl!t>6.0.0=KEEPTTL)"),
  PLAIN("setbit", "key!k@0 offset!i value!i"),
  PLAIN("setex", "key!k@0 seconds!i value!s"),
  PLAIN("setnx", "key!k@0 value!s"),
  PLAIN("setrange", "key!k@0 offset!i value!s"),
  PLAIN("sinter", "key!k*@0"),
  PLAIN("sintercard", "numkeys!i key!k*@0 limit!i?=LIMIT"),
  PLAIN("sinterstore", "destination!k@0 key!k*@1"),
  PLAIN("sismember", "key!k@0 member!s"),
  PART("slowlog|get", "count!i?", "2.2.12", "The slow commands lately"),
  PART("slowlog|help", "", "6.2.0", "Lines about the subcommands"),
  PART("slowlog|len", "", "2.2.12", "How many slow commands are kept"),
  PART("slowlog|reset", "", "2.2.12", "Forgets the slow commands"),
  PLAIN("smembers", "key!k@0"),
  PLAIN("smismember", "key!k@0 member!s*"),
  PLAIN("smove", "source!k@0 destination!k@1 member!s"),
  PLAIN("sort",
    "key!k@0 pattern!p?@1=BY offset_count!b?=LIMIT(offset!i count!i) pattern!p?*+@1=GET "
    "order!o?(asc!t=ASC desc!t=DESC) sorting!t?=ALPHA destination!k?@2=STORE"),
  PLAIN("sort_ro",
    "key!k@0 pattern!p?@1=BY offset_count!b?=LIMIT(offset!i count!i) pattern!p?*+@1=GET "
    "order!o?(asc!t=ASC desc!t=DESC) sorting!t?=ALPHA"),
  PLAIN("spop", "key!k@0 count!i?>3.2.0"),
  PLAIN("spublish", "shardchannel!s message!s"),
  PLAIN("srandmember", "key!k@0 count!i?>2.6.0"),
  PLAIN("srem", "key!k@0 member!s*"),
  PLAIN("sscan", "key!k@0 cursor!i pattern!p?=MATCH count!i?=COUNT"),
  PLAIN("ssubscribe", "shardchannel!s*"),
  PLAIN("strlen", "key!k@0"),
  PLAIN("subscribe", "channel!s*"),
  OLD("substr", "key!k@0 start!i end!i", "2.0.0", "GETRANGE"),
  PLAIN("sunion", "key!k*@0"),
  PLAIN("sunionstore", "destination!k@0 key!k*@1"),
  PLAIN("sunsubscribe", "shardchannel!s?*"),
  PLAIN("swapdb", "index1!i index2!i"),
  PLAIN("touch", "key!k*@0"),
  PLAIN("ttl", "key!k@0"),
  PLAIN("type", "key!k@0"),
  PLAIN("unlink", "key!k*@0"),
  PLAIN("unsubscribe", "channel!s?*"),
  PLAIN("watch", "key!k*@0"),
  PLAIN("xack", "key!k@0 group!s id!s*"),
  PLAIN("xadd",
    "key!k@0 nomkstream!t?>6.2.0=NOMKSTREAM trim!b?(strategy!o(maxlen!t=MAXLEN "
    "minid!t>6.2.0=MINID) operator!o?(equal!t== approximately!t=~) threshold!s "
    "count!i?>6.2.0=LIMIT) id_or_auto!o(auto_id!t=* id!s) field_value!b*(field!s value!s)"),
  PLAIN("xautoclaim",
    "key!k@0 group!s consumer!s min-idle-time!s start!s count!i?=COUNT justid!t?=JUSTID"),
  PLAIN("xclaim",
    "key!k@0 group!s consumer!s min-idle-time!s id!s* ms!i?=IDLE "
    "unix-time-milliseconds!u?=TIME count!i?=RETRYCOUNT force!t?=FORCE justid!t?=JUSTID "
    "id!s?=LASTID"),
  PLAIN("xdel", "key!k@0 id!s*"),
  PART("xgroup|create",
    "key!k@0 groupname!s id!o(id!s new_id!t=$) mkstream!t?=MKSTREAM "
    "entries_read!i?=ENTRIESREAD", "5.0.0", "Creates a group of consumers"),
  PART("xgroup|createconsumer", "key!k@0 groupname!s consumername!s",
    "6.2.0", "Creates a consumer in a group"),
  PART("xgroup|delconsumer", "key!k@0 groupname!s consumername!s",
    "5.0.0", "Deletes a consumer and what it has pending"),
  PART("xgroup|destroy", "key!k@0 groupname!s", "5.0.0", "Deletes a group"),
  PART("xgroup|help", "", "5.0.0", "Lines about the subcommands"),
  PART("xgroup|setid", "key!k@0 groupname!s id!o(id!s new_id!t=$) entries_read!i?=ENTRIESREAD",
    "5.0.0", "Sets what a group was given last"),
  PART("xinfo|consumers", "key!k@0 groupname!s", "5.0.0", "The consumers of a group"),
  PART("xinfo|groups", "key!k@0", "5.0.0", "The groups of a stream"),
  PART("xinfo|help", "", "5.0.0", "Lines about the subcommands"),
  PART("xinfo|stream", "key!k@0 full!b?=FULL(count!i?=COUNT)",
    "5.0.0", "What is known of a stream"),
  PLAIN("xlen", "key!k@0"),
  PLAIN("xpending",
    "key!k@0 group!s filters!b?(min-idle-time!i?>6.2.0=IDLE start!s end!s count!i "
    "consumer!s?)"),
  PLAIN("xrange", "key!k@0 start!s end!s count!i?=COUNT"),
  PLAIN("xread", "count!i?=COUNT milliseconds!i?=BLOCK streams!b=STREAMS(key!k*@0 id!s*)"),
  PLAIN("xreadgroup",
    "group_consumer!b=GROUP(group!s consumer!s) count!i?=COUNT milliseconds!i?=BLOCK "
    "noack!t?=NOACK streams!b=STREAMS(key!k*@0 id!s*)"),
  PLAIN("xrevrange", "key!k@0 end!s start!s count!i?=COUNT"),
  PLAIN("xsetid",
    "key!k@0 last-id!s entries_added!i?>7.0.0=ENTRIESADDED "
    "max_deleted_entry_id!s?>7.0.0=MAXDELETEDID"),
  PLAIN("xtrim",
    "key!k@0 trim!b(strategy!o(maxlen!t=MAXLEN minid!t>6.2.0=MINID) operator!o?(equal!t== "
    "approximately!t=~) threshold!s count!i?>6.2.0=LIMIT)"),
  PLAIN("zadd",
    "key!k@0 condition!o?>3.0.2(nx!t=NX xx!t=XX) comparison!o?>6.2.0(gt!t=GT lt!t=LT) "
    "change!t?>3.0.2=CH increment!t?>3.0.2=INCR score_member!b*(score!d member!s)"),
  PLAIN("zcard", "key!k@0"),
  PLAIN("zcount", "key!k@0 min!d max!d"),
  PLAIN("zdiff", "numkeys!i key!k*@0 withscores!t?=WITHSCORES"),
  PLAIN("zdiffstore", "destination!k@0 numkeys!i key!k*@1"),
  PLAIN("zincrby", "key!k@0 increment!i member!s"),
  PLAIN("zinter",
    "numkeys!i key!k*@0 weight!i?*=WEIGHTS aggregate!o?=AGGREGATE(sum!t=SUM min!t=MIN "
    "max!t=MAX) withscores!t?=WITHSCORES"),
  PLAIN("zintercard", "numkeys!i key!k*@0 limit!i?=LIMIT"),
  PLAIN("zinterstore",
    "destination!k@0 numkeys!i key!k*@1 weight!i?*=WEIGHTS aggregate!o?=AGGREGATE(sum!t=SUM "
    "min!t=MIN max!t=MAX)"),
  PLAIN("zlexcount", "key!k@0 min!s max!s"),
  PLAIN("zmpop", "numkeys!i key!k*@0 where!o(min!t=MIN max!t=MAX) count!i?=COUNT"),
  PLAIN("zmscore", "key!k@0 member!s*"),
  PLAIN("zpopmax", "key!k@0 count!i?"),
  PLAIN("zpopmin", "key!k@0 count!i?"),
  PLAIN("zrandmember", "key!k@0 options!b?(count!i withscores!t?=WITHSCORES)"),
  PLAIN("zrange",
    "key!k@0 start!s stop!s sortby!o?>6.2.0(byscore!t=BYSCORE bylex!t=BYLEX) "
    "rev!t?>6.2.0=REV offset_count!b?>6.2.0=LIMIT(offset!i count!i) withscores!t?=WITHSCORES"),
  OLD("zrangebylex", "key!k@0 min!s max!s offset_count!b?=LIMIT(offset!i count!i)",
    "6.2.0", "ZRANGE with BYLEX"),
  OLD("zrangebyscore",
    "key!k@0 min!d max!d withscores!t?>2.0.0=WITHSCORES offset_count!b?=LIMIT(offset!i "
    "count!i)", "6.2.0", "ZRANGE with BYSCORE"),
  PLAIN("zrangestore",
    "dst!k@0 src!k@1 min!s max!s sortby!o?(byscore!t=BYSCORE bylex!t=BYLEX) rev!t?=REV "
    "offset_count!b?=LIMIT(offset!i count!i)"),
  PLAIN("zrank", "key!k@0 member!s"),
  PLAIN("zrem", "key!k@0 member!s*"),
  PLAIN("zremrangebylex", "key!k@0 min!s max!s"),
  PLAIN("zremrangebyrank", "key!k@0 start!i stop!i"),
  PLAIN("zremrangebyscore", "key!k@0 min!d max!d"),
  OLD("zrevrange", "key!k@0 start!i stop!i withscores!t?=WITHSCORES", "6.2.0", "ZRANGE with REV"),
  OLD("zrevrangebylex", "key!k@0 max!s min!s offset_count!b?=LIMIT(offset!i count!i)",
    "6.2.0", "ZRANGE with REV and BYLEX"),
  OLD("zrevrangebyscore",
    "key!k@0 max!d min!d withscores!t?=WITHSCORES offset_count!b?=LIMIT(offset!i count!i)",
    "6.2.0", "ZRANGE with REV and BYSCORE"),
  PLAIN("zrevrank", "key!k@0 member!s"),
  PLAIN("zscan", "key!k@0 cursor!i pattern!p?=MATCH count!i?=COUNT"),
  PLAIN("zscore", "key!k@0 member!s"),
  PLAIN("zunion",
    "numkeys!i key!k*@0 weight!i?*=WEIGHTS aggregate!o?=AGGREGATE(sum!t=SUM min!t=MIN "
    "max!t=MAX) withscores!t?=WITHSCORES"),
  PLAIN("zunionstore",
    "destination!k@0 numkeys!i key!k*@1 weight!i?*=WEIGHTS aggregate!o?=AGGREGATE(sum!t=SUM "
    "min!t=MIN max!t=MAX)"),
};

static int by_name(const void *name, const void *row)
{
  return strcmp(name, ((const struct lrd_document *)row)->name);
}

const struct lrd_document *lrd_document_find(const char *name)
{
  return bsearch(name, documents, sizeof documents / sizeof *documents, sizeof *documents, by_name);
}

/* --- the arguments' text ----------------------------------------------------------- */

/* Takes the bytes up to any of ends off the text. */
static larder_bytes take(larder_bytes *text, const char *ends)
{
  larder_bytes part = { text->data, 0 };

  while (part.len < text->len && !strchr(ends, part.data[part.len]))
    part.len++;
  text->data += part.len;
  text->len -= part.len;
  return part;
}

static int take_mark(larder_bytes *text, char mark)
{
  if (!text->len || *text->data != mark)
    return 0;
  text->data++;
  text->len--;
  return 1;
}

/* What stands between this parenthesis, which is open, and its end. */
static larder_bytes take_inside(larder_bytes *text)
{
  larder_bytes inside = { text->data, 0 };
  int depth = 1;

  for (; inside.len < text->len; inside.len++) {
    depth += (inside.data[inside.len] == '(') - (inside.data[inside.len] == ')');
    if (!depth)
      break;
  }
  text->data += inside.len + 1;
  text->len -= inside.len + 1;
  return inside;
}

int lrd_argument_next(larder_bytes *text, struct lrd_argument *a)
{
  static const char ends[] = "?*+@><=( ";

  take_mark(text, ' ');
  if (!text->len)
    return 0;
  *a = (struct lrd_argument){ .name = take(text, "!") };
  take_mark(text, '!');
  a->type = take(text, ends).data[0];
  a->optional = take_mark(text, '?');
  a->multiple = take_mark(text, '*');
  a->multiple_token = take_mark(text, '+');
  if (take_mark(text, '@'))
    a->keyspec = take(text, ends);
  if (take_mark(text, '>'))
    a->since = take(text, ends);
  if (take_mark(text, '<'))
    a->deprecated = take(text, ends);
  if (take_mark(text, '='))
    a->token = take(text, "( ");
  if (take_mark(text, '('))
    a->inside = take_inside(text);
  return 1;
}
