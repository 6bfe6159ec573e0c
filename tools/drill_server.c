/* SPDX-License-Identifier: BSD-2-Clause */
#include "drill.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "tool.h"

enum { START_MS = 10000 };

int drill_server_find(struct drill_server *s)
{
  const char *path = getenv("PATH");
  char all[4096];
  char *directory, *rest = all;

  snprintf(all, sizeof all, "%s:/usr/bin:/usr/sbin:/usr/local/bin", path ? path : "");
  while ((directory = strsep(&rest, ":")) != NULL) {
    int n = snprintf(s->program, sizeof s->program, "%s/redis-server", directory);
    if (*directory && n < (int)sizeof s->program && access(s->program, X_OK) == 0)
      return 0;
  }
  return -1;
}

int drill_server_prepare(struct drill_server *s)
{
  const char *base = getenv("TMPDIR");

  if (!base || base[0] != '/' || strlen(base) > 60)
    base = "/tmp";
  snprintf(s->directory, sizeof s->directory, "%s/larder-drill-XXXXXX", base);
  if (!mkdtemp(s->directory)) {
    fprintf(stderr, "larder drill: %s: %s\n", s->directory, strerror(errno));
    s->directory[0] = '\0';
    return -1;
  }
  snprintf(s->socket, sizeof s->socket, "%s/redis.sock", s->directory);
  return 0;
}

/* In the child, between fork and exec: nothing but system calls. */
static void become_server(const char *program, char *const argv[], int out)
{
  sigset_t none;

#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever becomes of us, it does not stay behind */
#endif
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  setpgid(0, 0); /* Ctrl-C is for us */
  execv(program, argv);
  _exit(127);
}

int drill_server_launch(struct drill_server *s)
{
  char log[300];
  char *const argv[] = { s->program,       "--port",      "0",        "--unixsocket",
                         s->socket,        "--dir",       s->directory, "--unixsocketperm",
                         "700",            "--save",      "",         "--appendonly",
                         "yes",            "--appendfsync", "always", "--daemonize",
                         "no",             NULL };
  int out;

  snprintf(log, sizeof log, "%s/redis.log", s->directory);
  out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (out < 0) {
    fprintf(stderr, "larder drill: %s: %s\n", log, strerror(errno));
    return -1;
  }
  fflush(NULL);
  s->pid = fork();
  if (s->pid == 0)
    become_server(s->program, argv, out);
  close(out);
  if (s->pid > 0)
    return 0;
  fprintf(stderr, "larder drill: fork: %s\n", strerror(errno));
  s->pid = 0;
  return -1;
}

static int answers(const struct drill_server *s)
{
  struct drill_wire *wire = drill_wire_open(s->socket);
  char text[64] = "";
  int64_t n;
  int pong;

  if (!wire)
    return 0;
  pong = drill_wire_send(wire, "PING", NULL) == 0 &&
         drill_wire_read(wire, &n, text, sizeof text) == '+' && strcmp(text, "PONG") == 0;
  drill_wire_close(wire);
  return pong;
}

int drill_server_wait(struct drill_server *s)
{
  int waited;

  for (waited = 0; waited < START_MS; waited += 10) {
    if (answers(s))
      return 0;
    if (waitpid(s->pid, NULL, WNOHANG) == s->pid) {
      fprintf(stderr, "larder drill: %s ended by itself; its words are in %s/redis.log\n",
              s->program, s->directory);
      s->pid = 0;
      return -1;
    }
    tool_sleep(10);
  }
  fprintf(stderr, "larder drill: %s does not answer within %d s\n", s->program, START_MS / 1000);
  return -1;
}

int drill_server_start(struct drill_server *s)
{
  return drill_server_launch(s) == 0 ? drill_server_wait(s) : -1;
}

void drill_server_signal(struct drill_server *s, int signal_number)
{
  if (s->pid > 0)
    kill(s->pid, signal_number);
}

void drill_server_kill(struct drill_server *s)
{
  if (s->pid <= 0)
    return;
  kill(s->pid, SIGKILL);
  while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
    continue;
  s->pid = 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
  (void)st;
  (void)type;
  (void)where;
  return remove(path);
}

void drill_server_remove(struct drill_server *s)
{
  drill_server_kill(s);
  if (s->directory[0])
    nftw(s->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  s->directory[0] = '\0';
}
