/* SPDX-License-Identifier: BSD-2-Clause */
#include "conformance/table.h"

const struct sequence sequences_connection[] = {
    SEQUENCE("ping", "PING", "PING hello", "PING \"\"", "PING a b", "ping"),
    SEQUENCE("echo", "ECHO hello", "ECHO \"\"", "ECHO \"\\x00\\r\\n\"", "ECHO", "ECHO a b"),
    SEQUENCE("in a transaction", "MULTI", "PING", "PING x", "ECHO y", "EXEC"),
    SEQUENCE("time", "TIME", "TIME x"),
    SEQUENCE("client", "CLIENT GETNAME", "CLIENT SETNAME me", "CLIENT GETNAME",
             "CLIENT SETNAME \"a b\"", "CLIENT GETNAME", "CLIENT SETNAME \"\"", "CLIENT GETNAME",
             "CLIENT ID", "CLIENT SETNAME", "CLIENT GETNAME x", "CLIENT ID x", "2> CLIENT GETNAME"),
    SEQUENCE("auth without a password", "AUTH secret", "AUTH", "AUTH default",
             "AUTH default secret", "AUTH a b c"),
    SEQUENCE("hello: errors", "HELLO 4", "HELLO abc", "HELLO 1", "HELLO 3 what", "HELLO 3 SETNAME",
             "HELLO 3 AUTH x"),
    {NULL, NULL},
};
