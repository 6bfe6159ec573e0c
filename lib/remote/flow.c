/* SPDX-License-Identifier: BSD-2-Clause */
#include "remote/flow.h"

void lrd_flow_enter(struct lrd_link *l, struct lrd_job *job)
{
  job->link = l;
  job->place = LRD_JOB_WAITING;
  lrd_job_list_push(&l->work.flow[job->flow], job);
  l->work.waiting++;
}

static void put_first(struct lrd_job_list *list, struct lrd_job *job)
{
  job->previous = NULL;
  job->next = list->first;
  *(list->first ? &list->first->previous : &list->last) = job;
  list->first = job;
}

void lrd_flow_return(struct lrd_link *l, struct lrd_job_list *list)
{
  for (struct lrd_job *job; (job = list->last);) {
    lrd_job_list_remove(list, job);
    job->link = l;
    job->place = LRD_JOB_WAITING;
    put_first(&l->work.flow[job->flow], job);
    l->work.waiting++;
  }
}

void lrd_flow_leave(struct lrd_job *job)
{
  struct lrd_link_work *w = &job->link->work;
  lrd_job_list_remove(&w->flow[job->flow], job);
  w->waiting--;
  if (w->turn_left && job->flow == w->turn)
    w->turn_left--;
}

struct lrd_job *lrd_flow_next(struct lrd_link *l)
{
  struct lrd_link_work *w = &l->work;
  if (!w->waiting)
    return NULL;
  if (!w->turn_left || !w->flow[w->turn].first) {
    do
      w->turn = (w->turn + 1) % LRD_FLOWS;
    while (!w->flow[w->turn].first);
    w->turn_left = LRD_FLOW_TURN;
  }
  return w->flow[w->turn].first;
}

void lrd_window_look(struct lrd_link *l, const struct lrd_ticket *t, size_t ended, int64_t now)
{
  struct lrd_link_work *w = &l->work;
  int64_t took = now - t->sent_at;
  if (!w->fastest || took < w->fastest)
    w->fastest = took;
  if (w->until_sample > ended) {
    w->until_sample -= ended;
    return;
  }
  if (w->waiting && took < 2 * w->fastest + LRD_NS_PER_MS && w->window < LRD_WINDOW_MOST)
    w->window *= 2;
  else if (took > 4 * w->fastest + 2 * LRD_NS_PER_MS && w->window > LRD_WINDOW_LEAST)
    w->window /= 2;
  w->until_sample = w->window;
}
