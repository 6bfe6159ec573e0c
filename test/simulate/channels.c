/* SPDX-License-Identifier: BSD-2-Clause */
/* Publish/subscribe of the world's Redis: connections speak RESP2. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/server.h"
#include "simulate/task.h"
#include "simulate/world.h"

void (*sim_server_published)(const struct sim_bytes *channel, const struct sim_bytes *payload);

static unsigned find(const struct sim_listens *s, int pattern, struct sim_bytes name)
{
  unsigned i = 0;
  while (i < s->count && (s->one[i].pattern != pattern || !sim_is(&name, s->one[i].name)))
    i++;
  return i;
}

static void confirm(const struct sim_listens *s, const struct sim_bytes *argv, const char *kind,
                    struct sim_text *out)
{
  sim_text_format(out, "*3\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(kind), kind, argv->len);
  sim_text_add(out, argv->data, argv->len);
  sim_text_format(out, "\r\n:%u\r\n", s->count);
}

int sim_listens_execute(struct sim_listens *s, const struct sim_bytes *argv, size_t argc,
                        struct sim_text *out)
{
  static const char *const kind[] = {"subscribe", "unsubscribe", "psubscribe", "punsubscribe"};
  int k = 0;
  while (k < 4 && !sim_is(&argv[0], kind[k]))
    k++;
  if (k == 4 || argc < 2)
    return 0;
  for (size_t i = 1; i < argc && k % 2 == 0; i++)
    if (sim_is(&argv[i], "x")) {
      sim_text_format(out, "-NOPERM this user has no permissions to access one of the channels used "
                           "as arguments\r\n");
      return 1;
    }
  for (size_t i = 1; i < argc; i++) {
    unsigned at = find(s, k / 2, argv[i]);
    if (k % 2 == 0 && at == s->count) {
      if (at == SIM_LISTENS)
        sim_fail("the server got more than %d subscriptions of one connection", SIM_LISTENS);
      s->one[at].pattern = k / 2;
      snprintf(s->one[at].name, sizeof s->one[at].name, "%.*s", (int)argv[i].len,
               argv[i].data);
      s->count++;
    } else if (k % 2 == 1 && at < s->count) {
      s->one[at] = s->one[--s->count];
    }
    confirm(s, &argv[i], kind[k], out);
  }
  return 1;
}

struct publication {
  struct sim_bytes channel, payload;
  int heard;
};

/* Of patterns there is "?" only. */
static int does_match(const char *pattern, struct sim_bytes channel)
{
  size_t i = 0;
  while (i < channel.len && (pattern[i] == '?' || pattern[i] == channel.data[i]))
    i++;
  return i == channel.len && !pattern[i];
}

static void add_word(struct sim_text *out, const char *bytes, size_t len)
{
  sim_text_format(out, "$%zu\r\n", len);
  sim_text_add(out, bytes, len);
  sim_text_add(out, "\r\n", 2);
}

static void tell(struct sim_conn *c, void *context)
{
  struct publication *p = context;
  const struct sim_listens *s = sim_server_listens(c);
  for (int pattern = 0; s && pattern < 2; pattern++)
    for (unsigned i = 0; i < s->count; i++) {
      const char *name = s->one[i].name;
      if (s->one[i].pattern != pattern ||
          !(pattern ? does_match(name, p->channel) : sim_is(&p->channel, name)))
        continue;
      struct sim_text text = {0};
      sim_text_format(&text, pattern ? "*4\r\n$8\r\npmessage\r\n" : "*3\r\n$7\r\nmessage\r\n");
      if (pattern)
        add_word(&text, name, strlen(name));
      add_word(&text, p->channel.data, p->channel.len);
      add_word(&text, p->payload.data, p->payload.len);
      sim_conn_reply(c, text.data, text.len);
      free(text.data);
      p->heard++;
    }
}

int sim_server_publish(const struct sim_bytes *channel, const struct sim_bytes *payload)
{
  struct publication p = {*channel, *payload, 0};
  if (sim_server_published)
    sim_server_published(channel, payload);
  sim_conn_each(tell, &p);
  return p.heard;
}
