/* SPDX-License-Identifier: BSD-2-Clause */
/* Publish/subscribe: one queue for several names, taken in a loop.  READY says from when on
 * nothing is missed, GAP that something may have been. */
#include <stdio.h>
#include <string.h>

#include <larder.h>

static void show(const larder_message *m)
{
  switch (m->heard) {
  case LARDER_HEARD_MESSAGE:
  case LARDER_HEARD_PMESSAGE:
  case LARDER_HEARD_SMESSAGE:
    printf("%s: %s\n", m->channel, m->payload);
    break;
  case LARDER_HEARD_READY:
    printf("listening to %s\n", m->name);
    break;
  case LARDER_HEARD_GAP:
    printf("messages may be missing: %s (%llu)\n", m->payload, (unsigned long long)m->missed);
    break;
  default:
    printf("%s refused: %s\n", m->name, m->payload);
    break;
  }
}

int main(int argc, char **argv)
{
  char why[LARDER_ERROR_SIZE];
  larder_message m;
  int messages = 0;
  larder *store = larder_open(argc > 1 ? argv[1] : "memory:", NULL, why, sizeof why);
  larder_subscriber *s = store ? larder_subscriber_open(store, NULL, why, sizeof why) : NULL;
  if (!s) {
    fprintf(stderr, "%s\n", why);
    larder_close(store, 0);
    return 1;
  }
  larder_subscribe(s, "news", strlen("news"));
  larder_psubscribe(s, "weather.*", strlen("weather.*"));
  for (int ready = 0; messages < 2 && larder_subscriber_next(s, 5000, &m) == LARDER_OK;) {
    show(&m);
    messages += m.heard == LARDER_HEARD_MESSAGE || m.heard == LARDER_HEARD_PMESSAGE;
    if (m.heard == LARDER_HEARD_READY && ++ready == 2) {
      larder_reply_free(larder_command(store, "PUBLISH news %s", "hello"));
      larder_reply_free(larder_command(store, "PUBLISH weather.sea %s", "calm"));
    }
  }
  larder_subscriber_close(s);
  larder_close(store, 1000);
  return messages == 2 ? 0 : 1;
}
