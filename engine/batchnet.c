/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/batchnet.c - the queue of one network, and what is ready for it. */
#include "engine/batchnet.h"

YvBatchNet *
yv_batch_net_new (YvSettings *settings, const YvLetterbox *letterbox)
{
  YvBatchNet *net = g_new0 (YvBatchNet, 1);

  net->width = letterbox->net_w;
  net->height = letterbox->net_h;
  net->settings = yv_settings_ref (settings);
  net->runners = g_ptr_array_new ();
  net->max_batch = YV_MAX_BATCH;
  return net;
}

void
yv_batch_net_free (YvBatchNet *net, YvEngine *engine)
{
  g_assert (net->n_users == 0 && !net->first);
  for (guint i = 0; i < net->runners->len; i++)
    yv_engine_leave_runner (engine, g_ptr_array_index (net->runners, i));
  g_ptr_array_unref (net->runners);
  yv_settings_unref (net->settings);
  g_free (net);
}

bool
yv_batch_net_fits (const YvBatchNet *net, const YvSettings *settings, const YvLetterbox *letterbox)
{
  return net->width == letterbox->net_w && net->height == letterbox->net_h &&
         yv_settings_run_together (net->settings, settings);
}

YvPlanOptions
yv_batch_net_plan (const YvBatchNet *net, uint32_t n)
{
  return (YvPlanOptions){
      .n = n,
      .h = net->height,
      .w = net->width,
      .multi_label = net->settings->is_multi_label,
  };
}

YvRunner *
yv_batch_net_find_runner (const YvBatchNet *net, uint32_t n)
{
  YvRunner *best = NULL;

  for (guint i = 0; i < net->runners->len; i++) {
    YvRunner *runner = g_ptr_array_index (net->runners, i);
    const uint32_t size = runner->plan->options.n;

    if (size <= n && (!best || size > best->plan->options.n))
      best = runner;
  }
  return best;
}

bool
yv_batch_net_has_frame_of (const YvBatchNet *net, const struct _YvShare *share)
{
  const YvRequest *request = net->first;

  while (request && request->share != share)
    request = request->next;
  return request != NULL;
}

/* As a rule at the end, or, what could not be started, at the front; a queue is as long as there
 * are frames in flight. */
void
yv_batch_net_queue (YvBatchNet *net, YvRequest *request)
{
  YvRequest **at = &net->first;

  while (*at && (*at)->index < request->index)
    at = &(*at)->next;
  request->next = *at;
  *at = request;
  request->state = YV_REQUEST_QUEUED;
  request->net = net;
  net->n_waiting++;
  net->n_users++;
}

void
yv_batch_net_take_out (YvBatchNet *net, YvRequest *request)
{
  YvRequest **at = &net->first;

  while (*at != request)
    at = &(*at)->next;
  *at = request->next;
  request->next = NULL;
  request->net = NULL;
  net->n_waiting--;
  net->n_users--;
}
