/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_PROOF_SCRIPT_H
#define TEST_PROOF_SCRIPT_H

#include <stddef.h>

/*
 * At least one call that means something for each command and group of options, on
 * each encoding.  A line may begin with how the commands that it names, separated by
 * "; ", are to be called:
 *
 *   (nothing)   one command, by its arguments     async:  the same, asynchronously
 *   batch:      a batch     atomic:  an atomic one     session:  one after another
 *   get: KEY    larder_get     set: KEY VALUE [TTL]  larder_set
 *
 * Keys that a line names exist before if script_world knows them.  LONG is a text of
 * 300 bytes.  A '~' in front: what is changed is up to chance.
 * Lines with commands that are not in the command list are left out.
 */
extern const char *const script_lines[];
extern const size_t script_count;

/* Commands that make the key, one a call: returns how many (0: it is not to exist). */
size_t script_world(const char *key, const char *commands[2]);

/* The keys that script_world makes of a pattern are larger: "<n>" at the end of a
 * command repeats what stands in "{...}" so often, '#' is the number. */

#endif
