/* SPDX-License-Identifier: BSD-2-Clause */
#include "outage/listener.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/resp.h"
#include "support/server.h"

enum { START_MS = 20000, STOP_MS = 20000 };

struct listener {
  pid_t pid;
  int port;
  int status; /* of waitpid, once it has ended */
  int ended;
};

static void nap(int ms)
{
  struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&t, NULL);
}

static void find_program(char *path, size_t size)
{
  const char *given = getenv("LARDER"), *build = getenv("top_builddir");
  if (given && *given)
    snprintf(path, size, "%s", given);
  else
    snprintf(path, size, "%s/tools/larder", build && *build ? build : ".");
  if (access(path, X_OK) == 0)
    return;
  fprintf(stderr, "no program %s: set LARDER to it, or top_builddir\n", path);
  exit(1);
}

static void become_larder(const char *path, const char *store, const char *log, int port,
                          pid_t parent)
{
  char address[64];
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(1);
  setpgid(0, 0);
  snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
  int null = open("/dev/null", O_RDONLY);
  if (null >= 0)
    dup2(null, 0);
  int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (out >= 0 && dup2(out, 1) == 1)
    dup2(out, 2);
  for (int fd = 3; fd < 1024; fd++)
    close(fd);
  execl(path, path, "serve", "--store", store, "--listen", address, (char *)NULL);
  _exit(127);
}

int listener_running(struct listener *l)
{
  if (!l->ended && waitpid(l->pid, &l->status, WNOHANG) == l->pid)
    l->ended = 1;
  return !l->ended;
}

static int answers(int port)
{
  struct resp_client *c = resp_open_port(port, 1000);
  struct resp *r = c ? resp_words(c, "PING", NULL) : NULL;
  int yes = resp_is_text(r, "PONG");
  resp_free(r);
  resp_close(c);
  return yes;
}

struct listener *listener_start(const char *store, const char *log)
{
  char path[4096];
  find_program(path, sizeof path);
  struct listener *l = calloc(1, sizeof *l);
  if (!l)
    exit(1);
  l->port = server_free_port();
  pid_t parent = getpid();
  l->pid = fork();
  if (l->pid == 0)
    become_larder(path, store, log, l->port, parent);
  for (int waited = 0; waited < START_MS && listener_running(l); waited += 10) {
    if (answers(l->port))
      return l;
    nap(10);
  }
  fprintf(stderr, "%s serve --store %s does not answer on port %d\n", path, store, l->port);
  listener_stop(l);
  exit(1);
}

int listener_port(const struct listener *l)
{
  return l->port;
}

int listener_stop(struct listener *l)
{
  if (listener_running(l))
    kill(l->pid, SIGTERM);
  for (int waited = 0; waited < STOP_MS && listener_running(l); waited += 10)
    nap(10);
  if (listener_running(l)) {
    kill(l->pid, SIGKILL);
    waitpid(l->pid, &l->status, 0);
  }
  int status = WIFEXITED(l->status) ? WEXITSTATUS(l->status) : 128 + WTERMSIG(l->status);
  free(l);
  return status;
}
