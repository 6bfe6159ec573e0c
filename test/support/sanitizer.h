/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_SUPPORT_SANITIZER_H
#define TEST_SUPPORT_SANITIZER_H

/* Whether this is a build under a sanitizer, where everything takes ten times as long: 0 or 1. */

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define TEST_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif
#ifndef TEST_SANITIZED
#define TEST_SANITIZED 0
#endif

/* How often to do something: less under a sanitizer, which looks at each time more closely. */
#define TEST_TIMES(usual, sanitized) (TEST_SANITIZED ? (sanitized) : (usual))

#endif
