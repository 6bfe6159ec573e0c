/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOL_H
#define TOOL_H

#include <stdint.h>
#include <stdio.h>

#include <larder.h>

/* What the subcommands of the program larder share.  They use the library's
 * public interface only. */

/* Exit statuses. */
enum {
  TOOL_OK = 0,
  TOOL_REFUSED = 1,  /* an error reply */
  TOOL_USAGE = 2,    /* a bad call */
  TOOL_UNREACHED = 3 /* the store can't be reached, or the outcome isn't known */
};

/* One subcommand: argv[0] is its name.  Returns the exit status. */
typedef int tool_run(int argc, char **argv);

tool_run tool_exec, tool_status, tool_drill;
#ifdef LARDER_REDIS
tool_run tool_serve;
#endif

/* "larder NAME: ..." and where help is, on standard error; returns TOOL_USAGE. */
int tool_misuse(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* getopt's complaint about argv as one of ours; returns TOOL_USAGE. */
int tool_bad_option(const char *name, int argc, char **argv, int answer);

/* "250ms", "1s", "1.5s", "2m" as milliseconds; -1: not a duration. */
int64_t tool_duration(const char *text);

/* A whole number in a range; -1: it is none, and that was said. */
int64_t tool_number(const char *name, const char *option, const char *text, int64_t least,
                    int64_t most);

/* Everything written so far has arrived; else says so, and the status is TOOL_UNREACHED. */
int tool_flush(const char *name, int status);

/* An event of a store as one line on standard error. */
larder_event_fn tool_event;

/* How a reply is printed. */
struct tool_format {
  int raw;   /* for other programs, not for eyes */
  int resp3; /* with RESP3's types; else as RESP2 shows them */
};
void tool_print(FILE *, const larder_value *, const struct tool_format *);

/* Sleeps. */
void tool_sleep(int64_t ms);

#endif
