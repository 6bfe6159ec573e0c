/* SPDX-License-Identifier: BSD-2-Clause */
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int tool_misuse(const char *name, const char *format, ...)
{
  va_list arguments;

  fprintf(stderr, "larder %s: ", name);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fprintf(stderr, " (see larder %s --help)\n", name);
  return TOOL_USAGE;
}

int tool_bad_option(const char *name, int argc, char **argv, int answer)
{
  const char *option = optind > 0 && optind <= argc ? argv[optind - 1] : "?";

  if (answer == ':')
    return tool_misuse(name, "option %s needs a value", option);
  if (optopt > 0 && optopt < 127 && strncmp(option, "--", 2) != 0)
    return tool_misuse(name, "there is no option -%c", optopt);
  return tool_misuse(name, "there is no option %s", option);
}

int64_t tool_duration(const char *text)
{
  static const struct {
    const char *unit;
    double ms;
  } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
  char *end;
  double value;
  size_t i;

  if (*text < '0' || *text > '9')
    return -1;
  value = strtod(text, &end);
  for (i = 0; i < sizeof units / sizeof *units; i++)
    if (strcmp(end, units[i].unit) == 0 && value * units[i].ms < 1e15)
      return (int64_t)(value * units[i].ms + 0.5);
  return -1;
}

int64_t tool_number(const char *name, const char *option, const char *text, int64_t least,
                    int64_t most)
{
  char *end;
  long long value;

  errno = 0;
  value = strtoll(text, &end, 10);
  if (*text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && value >= least &&
      value <= most)
    return value;
  tool_misuse(name, "%s: %s is not a whole number from %" PRId64 " to %" PRId64, option, text,
              least, most);
  return -1;
}

int tool_flush(const char *name, int status)
{
  if (fflush(stdout) == 0 && !ferror(stdout))
    return status;
  fprintf(stderr, "larder %s: standard output: %s\n", name, strerror(errno));
  return TOOL_UNREACHED;
}

void tool_event(void *context, const larder_event *event)
{
  static const char *const level[] = { "debug", "info", "warning", "fault" };
  char line[1024];
  char stamp[32] = "";
  struct timespec now;
  struct tm tm;
  size_t i, at;

  (void)context;
  clock_gettime(CLOCK_REALTIME, &now);
  if (gmtime_r(&now.tv_sec, &tm))
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
  at = (size_t)snprintf(line, sizeof line, "%s.%03dZ %s %s: %s", stamp,
                        (int)(now.tv_nsec / 1000000),
                        (unsigned)event->level < 4 ? level[event->level] : "?", event->name,
                        event->text);
  for (i = 0; i < event->fields && at < sizeof line; i++)
    if (strcmp(event->key[i], "text") != 0)
      at += (size_t)snprintf(line + at, sizeof line - at, " %s=%s", event->key[i], event->value[i]);
  if (event->suppressed && at < sizeof line)
    snprintf(line + at, sizeof line - at, " suppressed=%" PRIu64, event->suppressed);
  for (at = 0; line[at]; at++)
    if (line[at] == '\n' || line[at] == '\r')
      line[at] = ' ';
  fprintf(stderr, "%s\n", line); /* one call: lines of several threads don't mix */
}

void tool_sleep(int64_t ms)
{
  struct timespec left = { (time_t)(ms / 1000), (long)(ms % 1000 * 1000000) };

  while (nanosleep(&left, &left) != 0 && errno == EINTR)
    continue;
}
