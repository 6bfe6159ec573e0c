/* SPDX-License-Identifier: BSD-2-Clause */
/* Asynchronous calls in a loop of one's own: poll(2) on the store's descriptor, then dispatch.
 * Callbacks come inside larder_dispatch, on this thread: nothing here needs a lock. */
#include <poll.h>
#include <stdio.h>

#include <larder.h>

enum { CALLS = 1000 };

struct count {
  larder *store;
  int begun, ended, right;
};

/* A callback may begin the next call. */
static void on_value(void *context, larder_reply *reply)
{
  struct count *c = context;
  c->right += reply->outcome == LARDER_OK && reply->value.integer == ++c->ended;
  larder_reply_free(reply);
  if (c->begun < CALLS && larder_async_command(c->store, on_value, c, "INCR visits") == LARDER_OK)
    c->begun++;
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
  struct count c = {.store = store};
  if (larder_async_command(store, on_value, &c, "INCR visits") == LARDER_OK)
    c.begun++;
  struct pollfd descriptor = {.fd = larder_pollfd(store), .events = POLLIN};
  while (c.ended < c.begun) {
    poll(&descriptor, 1, -1);
    larder_dispatch(store, 0);
  }
  printf("%d of %d counted\n", c.right, CALLS);
  larder_close(store, 1000);
  return c.right == CALLS ? 0 : 1;
}
