/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_DIRECTORY_H
#define TEST_SUPPORT_DIRECTORY_H

#include <sys/types.h>

/* Directories that tests make, and what is left of them. */

/* With all that is in it: 0, or -1: errno. */
int directory_remove(const char *path);
/* A process that removes it once nobody holds the lifeline (the test has ended, however; the
 * kernel has killed its servers by then); -1: errno. */
pid_t directory_guard(const char *path, int *lifeline);

#endif
