/* SPDX-License-Identifier: BSD-2-Clause */
/* A store on a libuv loop: attached, used, detached inside a callback, closed behind it.
 * cc uv.c $(pkg-config --cflags --libs larder libuv) */
#include <stdio.h>

#include <larder.h>
#include <larder/uv.h>

enum { CALLS = 1000 };

static larder_uv attachment;
static int begun, ended, stored;

static void on_stored(void *context, larder_reply *reply)
{
  (void)context;
  stored += reply->outcome == LARDER_OK;
  larder_reply_free(reply);
  if (++ended == begun)
    larder_uv_detach(&attachment, larder_uv_close_store);
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
  int error = larder_uv_attach(&attachment, uv_default_loop(), store);
  if (error) {
    fprintf(stderr, "%s\n", uv_strerror(error));
    larder_close(store, 0);
    return 1;
  }
  while (begun < CALLS &&
         larder_async_command(store, on_stored, NULL, "SET key:%d %d", begun, begun) == LARDER_OK)
    begun++;
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  uv_loop_close(uv_default_loop());
  printf("%d of %d stored\n", stored, CALLS);
  return stored == CALLS ? 0 : 1;
}
