/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/directory.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { START_MS = 15000, FIRST_PORT = 20000, PORTS = 12000 };

struct server {
  pid_t pid;     /* 0: not running */
  pid_t owner;   /* whose child it is */
  pid_t cleaner; /* removes the directory if we can't */
  int lifeline;  /* its other end tells the cleaner that we are gone */
  int port;
  int durable;
  char *password;
  char *config;
  char directory[64];
  char socket[96];
  char pidfile[96];
  char url[160];
};

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
  va_list list;
  va_start(list, format);
  fprintf(stderr, "test server: ");
  vfprintf(stderr, format, list);
  fprintf(stderr, "\n");
  fflush(stderr);
  va_end(list);
  _exit(1);
}

static int64_t now_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void nap(int ms)
{
  struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&t, NULL);
}

static char *copy(const char *text)
{
  char *mine = text ? strdup(text) : NULL;
  if (text && !mine)
    die("out of memory");
  return mine;
}

/* --- the program ---------------------------------------------------------- */

static const char *program(void)
{
  const char *path = getenv("REDIS_SERVER");
  return path && *path ? path : "redis-server";
}

static int in_directory(const char *directory, size_t length, const char *name)
{
  char path[4096];
  int n = snprintf(path, sizeof path, "%.*s/%s", (int)length, directory, name);
  return n > 0 && (size_t)n < sizeof path && access(path, X_OK) == 0;
}

static int program_exists(void)
{
  const char *name = program();
  if (strchr(name, '/'))
    return access(name, X_OK) == 0;
  const char *path = getenv("PATH");
  if (!path)
    path = "/usr/local/bin:/usr/bin:/bin";
  for (;;) {
    size_t length = strcspn(path, ":");
    if (in_directory(length ? path : ".", length ? length : 1, name))
      return 1;
    if (!path[length])
      return 0;
    path += length + 1;
  }
}

void server_require(void)
{
  if (program_exists())
    return;
  const char *skip = getenv("LARDER_SKIP_REDIS");
  if (skip && strcmp(skip, "1") == 0) {
    printf("skipped: no redis-server here (LARDER_SKIP_REDIS=1)\n");
    fflush(stdout);
    _exit(77);
  }
  die("this test compares with a real redis-server and there is none.\n"
      "  apt-get install redis-server\n"
      "  (or set LARDER_SKIP_REDIS=1 to skip such tests)");
}

/* --- addresses ------------------------------------------------------------- */

static int port_is_free(int port)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int one = 1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    die("socket: %s", strerror(errno));
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  int free_now = bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0;
  close(fd);
  return free_now;
}

int server_free_port(void)
{
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  uint64_t x =
      (uint64_t)t.tv_nsec * 2654435761u ^ (uint64_t)t.tv_sec << 20 ^ (uint64_t)getpid() << 40;
  for (int i = 0; i < 2000; i++) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    int port = FIRST_PORT + (int)((x >> 33) % PORTS);
    if (port_is_free(port))
      return port;
  }
  die("no free loopback port");
}

static int connect_to(const struct server *s)
{
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  memcpy(un.sun_path, s->socket, strlen(s->socket) + 1);
  int is_unix = s->port == 0;
  int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    die("socket: %s", strerror(errno));
  int failed = is_unix ? connect(fd, (struct sockaddr *)&un, sizeof un)
                       : connect(fd, (struct sockaddr *)&in, sizeof in);
  if (failed) {
    close(fd);
    return -1;
  }
  return fd;
}

/* Does it answer a PING, with whatever a server that has loaded its data says? */
static int answers(const struct server *s, int timeout_ms)
{
  int fd = connect_to(s);
  if (fd < 0)
    return 0;
  char reply[64] = "";
  struct pollfd p = {.fd = fd, .events = POLLIN};
  ssize_t n = -1;
  if (send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6 && poll(&p, 1, timeout_ms) == 1)
    n = recv(fd, reply, sizeof reply - 1, 0);
  close(fd);
  if (n <= 0)
    return 0;
  return strncmp(reply, "+PONG", 5) == 0 || strncmp(reply, "-NOAUTH", 7) == 0;
}

/* --- the process ----------------------------------------------------------- */

/* Its state letter in /proc, or 0 if there is no such process. */
static char process_state(pid_t pid)
{
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0)
    return 0;
  text[n] = 0;
  char *end = strrchr(text, ')');
  return end && end[1] ? end[2] : 0;
}

/* Reaps it if it is our child and has ended; 1: it is gone. */
static int is_gone(struct server *s)
{
  if (s->owner == getpid()) {
    pid_t r = waitpid(s->pid, NULL, WNOHANG);
    return r == s->pid || (r < 0 && errno == ECHILD);
  }
  char state = process_state(s->pid);
  return state == 0 || state == 'Z';
}

static void write_config(const struct server *s)
{
  char path[128];
  snprintf(path, sizeof path, "%s/redis.conf", s->directory);
  FILE *file = fopen(path, "we");
  if (!file)
    die("%s: %s", path, strerror(errno));
  fprintf(file, "daemonize no\nsave \"\"\npidfile %s\ndir %s\nlogfile %s/log\n", s->pidfile,
          s->directory, s->directory);
  if (s->port)
    fprintf(file, "bind 127.0.0.1\nport %d\n", s->port);
  else
    fprintf(file, "port 0\nunixsocket %s\nunixsocketperm 600\n", s->socket);
  fprintf(file, "appendonly %s\nappendfsync always\n", s->durable ? "yes" : "no");
  if (s->password)
    fprintf(file, "requirepass \"%s\"\n", s->password);
  if (s->config)
    fputs(s->config, file);
  if (fclose(file) != 0)
    die("%s: %s", path, strerror(errno));
}

static void become_server(const struct server *s, pid_t parent)
{
  char path[128];
  sigset_t none;
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  if (getppid() != parent)
    _exit(1);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  setpgid(0, 0); /* an interrupt at the terminal is for the test, which ends us */
  snprintf(path, sizeof path, "%s/redis.conf", s->directory);
  int null = open("/dev/null", O_RDWR);
  if (null >= 0) {
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
  }
  for (int fd = 3; fd < 1024; fd++)
    close(fd);
  execlp(program(), program(), path, (char *)NULL);
  _exit(127);
}

void server_launch(struct server *s)
{
  write_config(s);
  unlink(s->pidfile);
  if (!s->port)
    unlink(s->socket);
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0)
    die("fork: %s", strerror(errno));
  if (pid == 0)
    become_server(s, parent);
  s->pid = pid;
  s->owner = parent;
}

/* It writes this file once it has its address: before that, whoever answers
 * there is somebody else. */
static int has_address(const struct server *s)
{
  return access(s->pidfile, F_OK) == 0;
}

int server_wait(struct server *s, int timeout_ms)
{
  int64_t end = now_ms() + timeout_ms;
  for (;;) {
    if (!s->pid || is_gone(s)) {
      s->pid = 0;
      return -1;
    }
    int64_t left = end - now_ms();
    if (has_address(s) && answers(s, left < 1000 ? (int)(left > 0 ? left : 0) : 1000))
      return 0;
    if (left <= 0)
      return -1;
    nap(3);
  }
}

static void print_log(const struct server *s)
{
  char path[128], text[4096];
  snprintf(path, sizeof path, "%s/log", s->directory);
  FILE *file = fopen(path, "re");
  if (!file)
    return;
  if (fseek(file, -(long)sizeof text, SEEK_END) != 0)
    rewind(file);
  size_t n = fread(text, 1, sizeof text, file);
  fclose(file);
  fprintf(stderr, "%.*s\n", (int)n, text);
}

void server_kill(struct server *s)
{
  if (!s->pid)
    return;
  kill(s->pid, SIGKILL);
  int64_t end = now_ms() + START_MS;
  while (!is_gone(s)) {
    if (now_ms() >= end)
      die("redis-server %ld does not die", (long)s->pid);
    nap(1);
  }
  s->pid = 0;
}

void server_pause(struct server *s)
{
  if (!s->pid)
    die("pause: it is not running");
  kill(s->pid, SIGSTOP);
  for (int64_t end = now_ms() + START_MS; process_state(s->pid) != 'T'; nap(1))
    if (now_ms() >= end)
      die("redis-server %ld does not stand still", (long)s->pid);
}

void server_resume(struct server *s)
{
  if (s->pid)
    kill(s->pid, SIGCONT);
}

void server_restart(struct server *s)
{
  server_kill(s);
  server_launch(s);
  if (server_wait(s, START_MS) != 0) {
    print_log(s);
    die("redis-server did not come back on %s", s->url);
  }
}

/* --- directories ----------------------------------------------------------- */

void server_wipe(struct server *s)
{
  char path[128];
  if (s->pid)
    die("wipe: it is running");
  snprintf(path, sizeof path, "%s/appendonlydir", s->directory);
  directory_remove(path);
  snprintf(path, sizeof path, "%s/dump.rdb", s->directory);
  unlink(path);
}

/* --- from start to stop ------------------------------------------------------ */

static void make_directory(struct server *s)
{
  const char *base = getenv("TMPDIR");
  if (!base || strlen(base) > 32)
    base = "/tmp";
  snprintf(s->directory, sizeof s->directory, "%s/larder-test-XXXXXX", base);
  if (!mkdtemp(s->directory))
    die("%s: %s", s->directory, strerror(errno));
  snprintf(s->socket, sizeof s->socket, "%s/socket", s->directory);
  snprintf(s->pidfile, sizeof s->pidfile, "%s/pid", s->directory);
}

static void choose_address(struct server *s, int is_unix)
{
  s->port = is_unix ? 0 : server_free_port();
  if (is_unix)
    snprintf(s->url, sizeof s->url, "unix://%s?db=0", s->socket);
  else
    snprintf(s->url, sizeof s->url, "redis://127.0.0.1:%d/0", s->port);
}

struct server *server_start(const struct server_options *options)
{
  static const struct server_options defaults;
  if (!options)
    options = &defaults;
  server_require();
  struct server *s = calloc(1, sizeof *s);
  if (!s)
    die("out of memory");
  s->durable = options->durable;
  s->password = copy(options->password);
  s->config = copy(options->config);
  make_directory(s);
  s->owner = getpid();
  s->cleaner = directory_guard(s->directory, &s->lifeline);
  if (s->cleaner < 0)
    die("no process that cleans up: %s", strerror(errno));
  for (int attempt = 0; attempt < 5; attempt++) {
    choose_address(s, options->unix_socket);
    server_launch(s);
    if (server_wait(s, START_MS) == 0)
      return s;
    server_kill(s); /* somebody took the port between our look and its bind */
  }
  print_log(s);
  die("%s does not start in %s", program(), s->directory);
}

void server_stop(struct server *s)
{
  if (!s)
    return;
  server_kill(s);
  directory_remove(s->directory);
  close(s->lifeline);
  if (s->owner == getpid())
    waitpid(s->cleaner, NULL, 0);
  free(s->password);
  free(s->config);
  free(s);
}

void server_set_password(struct server *s, const char *password)
{
  char *mine = copy(password);
  free(s->password);
  s->password = mine;
}

struct resp_client *server_connect(const struct server *s, int protocol)
{
  struct resp_client *c =
      s->port ? resp_open_port(s->port, START_MS) : resp_open_path(s->socket, START_MS);
  if (!c)
    die("connect to %s: %s", s->url, strerror(errno));
  struct resp *r = s->password ? resp_words(c, "AUTH", s->password, NULL) : NULL;
  if ((s->password && !resp_is_text(r, "OK")) || resp_hello(c, protocol) != 0)
    die("%s does not let us in: %s", s->url, resp_fault(c));
  resp_free(r);
  return c;
}

int server_running(const struct server *s)
{
  return s->pid != 0;
}

pid_t server_pid(const struct server *s)
{
  return s->pid;
}

int server_port(const struct server *s)
{
  return s->port;
}

const char *server_socket(const struct server *s)
{
  return s->port ? NULL : s->socket;
}

const char *server_directory(const struct server *s)
{
  return s->directory;
}

const char *server_url(const struct server *s)
{
  return s->url;
}
