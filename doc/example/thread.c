/* SPDX-License-Identifier: BSD-2-Clause */
/* Asynchronous calls whose callbacks come on a thread of larder's own (the default). */
#include <pthread.h>
#include <stdio.h>

#include <larder.h>

enum { CALLS = 1000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ended, stored;

/* On larder's thread.  The reply is ours to free. */
static void on_stored(void *context, larder_reply *reply)
{
  (void)context;
  pthread_mutex_lock(&lock);
  ended++;
  stored += reply->outcome == LARDER_OK;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&lock);
  larder_reply_free(reply);
}

int main(int argc, char **argv)
{
  char why[LARDER_ERROR_SIZE];
  larder *store = larder_open(argc > 1 ? argv[1] : "memory:", NULL, why, sizeof why);
  if (!store) {
    fprintf(stderr, "%s\n", why);
    return 1;
  }
  int begun = 0;
  while (begun < CALLS &&
         larder_async_command(store, on_stored, NULL, "SET key:%d %d", begun, begun) == LARDER_OK)
    begun++;
  pthread_mutex_lock(&lock);
  while (ended < begun)
    pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
  printf("%d of %d stored\n", stored, CALLS);
  larder_close(store, 1000);
  return stored == CALLS ? 0 : 1;
}
