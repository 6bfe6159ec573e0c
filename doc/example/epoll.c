/* SPDX-License-Identifier: BSD-2-Clause */
/* The same among other descriptors with epoll(7), a bounded number of callbacks a round: the
 * descriptor stays readable while more are waiting, so level-triggered polling misses none. */
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <larder.h>

enum { CALLS = 1000, ROUND = 64 };

static int ended, stored;

static void on_stored(void *context, larder_reply *reply)
{
  (void)context;
  ended++;
  stored += reply->outcome == LARDER_OK;
  larder_reply_free(reply);
}

static void watch(int epoll, int fd)
{
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int main(int argc, char **argv)
{
  char why[LARDER_ERROR_SIZE];
  larder_options options = LARDER_OPTIONS_INIT;
  options.delivery = LARDER_DELIVER_DISPATCH;
  larder *store = larder_open(argc > 1 ? argv[1] : "memory:", &options, why, sizeof why);
  if (!store) {
    fprintf(stderr, "%s\n", why);
    return 1;
  }
  int begun = 0;
  while (begun < CALLS &&
         larder_async_command(store, on_stored, NULL, "SET key:%d %d", begun, begun) == LARDER_OK)
    begun++;

  struct itimerspec every = {{0, 1000000}, {0, 1000000}};
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), epoll = epoll_create1(EPOLL_CLOEXEC);
  timerfd_settime(timer, 0, &every, NULL);
  watch(epoll, timer);
  watch(epoll, larder_pollfd(store));
  while (ended < begun) {
    struct epoll_event event[2];
    int n = epoll_wait(epoll, event, 2, -1);
    for (int i = 0; i < n; i++) {
      uint64_t ticks;
      if (event[i].data.fd != timer)
        larder_dispatch(store, ROUND);
      else if (read(timer, &ticks, sizeof ticks) < 0) /* the application's own work */
        break;
    }
  }
  printf("%d of %d stored\n", stored, CALLS);
  close(epoll);
  close(timer);
  larder_close(store, 1000);
  return stored == CALLS ? 0 : 1;
}
