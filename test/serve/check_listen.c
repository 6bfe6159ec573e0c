/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "serve/talk.h"
#include "support/check.h"

/* Where a listener listens, and what it leaves alone in its process. */

/* --- addresses -------------------------------------------------------------- */

static larder_listener *try_listen(larder *store, const char *address, int remote, char *error)
{
  larder_listen_options o = LARDER_LISTEN_OPTIONS_INIT;

  o.address = &address;
  o.addresses = 1;
  o.allow_remote = remote;
  return larder_listen(store, &o, error, LARDER_ERROR_SIZE);
}

START_TEST(bad_addresses)
{
  static const struct {
    const char *address, *said;
  } bad[] = {
    { "127.0.0.1:7777", "tcp://127.0.0.1:PORT" },
    { "tcp://127.0.0.1", "port" },
    { "tcp://127.0.0.1:65536", "port" },
    { "tcp://127.0.0.1:-1", "port" },
    { "tcp://127.0.0.1:", "port" },
    { "tcp://example.com:7777", "IP address" },
    { "tcp://:7777", "IP address" },
    { "tcp://0.0.0.0:0", "allow_remote" },
    { "tcp://[::]:0", "allow_remote" },
    { "tcp://10.0.0.1:0", "allow_remote" },
    { "unix://relative", "absolute" },
    { "unix:///", "absolute" },
    { "unix:///no/such/directory/s", "No such file" },
    { "unix:///tmp/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "at most" },
    { "", "allowed" },
  };
  char error[LARDER_ERROR_SIZE];
  larder *store = larder_open("memory:", NULL, error, sizeof error);
  size_t i;

  for (i = 0; i < sizeof bad / sizeof *bad; i++) {
    ck_assert_ptr_null(try_listen(store, bad[i].address, 0, error));
    ck_assert_msg(strstr(error, bad[i].said) && strstr(error, bad[i].address), "%s: %s",
                  bad[i].address, error);
  }
  larder_close(store, 0);
}
END_TEST

START_TEST(bad_options)
{
  static const char *const address[] = { "tcp://127.0.0.1:0" };
  char error[LARDER_ERROR_SIZE], password[600];
  larder *store = larder_open("memory:", NULL, error, sizeof error);
  larder_listen_options good = LARDER_LISTEN_OPTIONS_INIT, o;

  memset(password, 'x', sizeof password);
  password[sizeof password - 1] = '\0';
  good.address = address;
  good.addresses = 1;
  o = good;
  o.max_clients = 100001;
  ck_assert_ptr_null(larder_listen(store, &o, error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, "max_clients: 100001"));
  o = good;
  o.workers = 257;
  ck_assert_ptr_null(larder_listen(store, &o, error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, "workers: 257"));
  o = good;
  o.query_buffer = 10;
  ck_assert_ptr_null(larder_listen(store, &o, error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, "query_buffer: 10"));
  o = good;
  o.password = password;
  ck_assert_ptr_null(larder_listen(store, &o, error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, "password"));
  ck_assert_ptr_null(strstr(error, "xxx"));
  o = good;
  o.addresses = 0;
  ck_assert_ptr_null(larder_listen(store, &o, error, sizeof error));
  ck_assert_ptr_nonnull(strstr(error, "addresses: 0"));
  ck_assert_ptr_null(larder_listen(NULL, &good, error, sizeof error));
  ck_assert_ptr_null(larder_listen(store, NULL, error, sizeof error));
  larder_close(store, 0);
}
END_TEST

START_TEST(several_addresses)
{
  static const char *const address[] = { "tcp://127.0.0.1:0", "tcp://localhost:0",
                                         "tcp://[::1]:0" };
  larder_listen_options o = LARDER_LISTEN_OPTIONS_INIT;
  char expected[64], error[LARDER_ERROR_SIZE];
  struct house h;
  int fd, i, six = socket(AF_INET6, SOCK_STREAM, 0);

  o.address = address;
  o.addresses = six >= 0 ? 3 : 2;
  if (six >= 0)
    close(six);
  house_open(&h, NULL, &o);
  for (i = 0; i < 2; i++) {
    snprintf(expected, sizeof expected, "tcp://127.0.0.1:%d",
             larder_listener_port(h.listener, (size_t)i));
    ck_assert_str_eq(larder_listener_address(h.listener, (size_t)i), expected);
    fd = talk_connect(larder_listener_port(h.listener, (size_t)i));
    talk_say(fd, "PING\r\n");
    talk_expect(fd, "+PONG\r\n");
    close(fd);
  }
  ck_assert_ptr_null(larder_listener_address(h.listener, 3));
  ck_assert_int_eq(larder_listener_port(h.listener, 3), -1);
  snprintf(expected, sizeof expected, "tcp://127.0.0.1:%d", h.port);
  ck_assert_ptr_null(try_listen(h.store, expected, 0, error));
  ck_assert_ptr_nonnull(strstr(error, "in use"));
  house_close(&h);
}
END_TEST

/* A unix socket: only its owner, whatever the umask; stale ones are replaced,
 * served ones and other files are left alone. */
START_TEST(unix_socket)
{
  char directory[] = "/tmp/larder-check-XXXXXX", path[64], url[80], error[LARDER_ERROR_SIZE];
  larder *store = larder_open("memory:", NULL, error, sizeof error);
  larder_listener *listener, *second;
  struct sockaddr_un un = { .sun_family = AF_UNIX };
  struct stat st;
  int fd;

  umask(0);
  ck_assert_ptr_nonnull(mkdtemp(directory));
  snprintf(path, sizeof path, "%s/sock", directory);
  snprintf(url, sizeof url, "unix://%s", path);
  listener = try_listen(store, url, 0, error);
  ck_assert_msg(listener != NULL, "%s", error);
  ck_assert_int_eq(larder_listener_port(listener, 0), 0);
  ck_assert_str_eq(larder_listener_address(listener, 0), url);
  ck_assert_int_eq(lstat(path, &st), 0);
  ck_assert_uint_eq(st.st_mode & 0777, 0600);
  fd = talk_connect_path(path);
  talk_say(fd, "PING\r\n");
  talk_expect(fd, "+PONG\r\n");
  close(fd);
  second = try_listen(store, url, 0, error);
  ck_assert_ptr_null(second);
  ck_assert_ptr_nonnull(strstr(error, "somebody listens"));
  larder_listener_close(listener);
  ck_assert_int_ne(lstat(path, &st), 0);

  fd = socket(AF_UNIX, SOCK_STREAM, 0); /* stale */
  strcpy(un.sun_path, path);
  ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
  close(fd);
  listener = try_listen(store, url, 0, error);
  ck_assert_msg(listener != NULL, "%s", error);
  ck_assert_int_eq(unlink(path), 0); /* now it is somebody else's file */
  fd = open(path, O_CREAT | O_WRONLY, 0600);
  close(fd);
  ck_assert_ptr_null(try_listen(store, url, 0, error));
  ck_assert_ptr_nonnull(strstr(error, "not a socket"));
  larder_listener_close(listener);
  ck_assert_int_eq(lstat(path, &st), 0);
  unlink(path);
  ck_assert_int_eq(rmdir(directory), 0); /* nothing was left behind */
  larder_close(store, 0);
}
END_TEST

/* --- guests' manners --------------------------------------------------------- */

START_TEST(no_descriptor_is_inherited)
{
  struct house h;
  struct dirent *entry;
  DIR *directory;
  char link[64], target[256];
  ssize_t len;
  int fd, n, seen = 0;

  house_open(&h, NULL, NULL);
  fd = house_connect(&h);
  talk_say(fd, "PING\r\n");
  talk_expect(fd, "+PONG\r\n");
  directory = opendir("/proc/self/fd");
  ck_assert_ptr_nonnull(directory);
  while ((entry = readdir(directory)) != NULL) {
    n = atoi(entry->d_name);
    snprintf(link, sizeof link, "/proc/self/fd/%d", n);
    len = readlink(link, target, sizeof target - 1);
    target[len > 0 ? len : 0] = '\0';
    if (strncmp(target, "socket:", 7) != 0 && strncmp(target, "anon_inode:", 11) != 0)
      continue; /* Check's own files and pipes, and what we inherited ourselves */
    ck_assert_msg(fcntl(n, F_GETFD) & FD_CLOEXEC, "descriptor %d: %s", n, target);
    seen++;
  }
  closedir(directory);
  ck_assert_int_ge(seen, 4); /* listener, both ends of the connection, epoll */
  close(fd);
  house_close(&h);
}
END_TEST

/* Signals are the application's: none of our threads may get one. */
START_TEST(threads_take_no_signals)
{
  static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE, SIGCHLD, SIGALRM };
  struct house h;
  struct dirent *entry;
  DIR *directory;
  size_t i;
  int threads = 0, fd;

  house_open(&h, NULL, NULL);
  fd = house_connect(&h);
  talk_say(fd, "PING\r\n");
  talk_expect(fd, "+PONG\r\n");
  directory = opendir("/proc/self/task");
  ck_assert_ptr_nonnull(directory);
  while ((entry = readdir(directory)) != NULL) {
    char path[300], line[256];
    unsigned long long blocked = 0;
    FILE *file;
    if (entry->d_name[0] == '.' || atoi(entry->d_name) == getpid())
      continue;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file))
      if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
        break;
    fclose(file);
    threads++;
    for (i = 0; i < sizeof signals / sizeof *signals; i++)
      ck_assert_msg(blocked >> (signals[i] - 1) & 1, "signal %d", signals[i]);
  }
  closedir(directory);
  ck_assert_int_ge(threads, 1);
  close(fd);
  house_close(&h);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("listen");
  TCase *addresses = tcase_create("addresses"), *manners = tcase_create("manners");

  tcase_add_test(addresses, bad_addresses);
  tcase_add_test(addresses, bad_options);
  tcase_add_test(addresses, several_addresses);
  tcase_add_test(addresses, unix_socket);
  tcase_add_test(manners, no_descriptor_is_inherited);
  tcase_add_test(manners, threads_take_no_signals);
  suite_add_tcase(suite, addresses);
  suite_add_tcase(suite, manners);
  return run_suite(suite);
}
