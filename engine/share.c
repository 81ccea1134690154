/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/share.c - a stream's frames from submit to collect. */
#include "engine/share.h"

#include <string.h>

YvShare *
yv_share_new (YvEngine *engine, GError **error)
{
  YvBatcher *batcher = yv_batcher_join (engine, error);

  if (!batcher)
    return NULL;

  YvShare *share = g_new0 (YvShare, 1);
  share->batcher = batcher;
  share->max_in_flight = 1;
  g_cond_init (&share->changed);
  for (uint32_t i = 0; i < YV_SHARE_REQUESTS; i++)
    share->requests[i].share = share;
  return share;
}

void
yv_share_free (YvShare *share)
{
  if (!share)
    return;
  yv_share_abandon (share);
  yv_share_set_ready_func (share, NULL, NULL); /* waits for what abandon() left */
  yv_batcher_leave_net (share->batcher, share);
  yv_batcher_leave (share->batcher);
  for (uint32_t i = 0; i < YV_SHARE_REQUESTS; i++)
    yv_request_clear (&share->requests[i]);
  g_cond_clear (&share->changed);
  g_free (share);
}

static void
lock (YvShare *share)
{
  g_mutex_lock (&share->batcher->mutex);
}

static void
unlock (YvShare *share)
{
  g_mutex_unlock (&share->batcher->mutex);
}

static void
make_idle_locked (YvRequest *request)
{
  yv_request_reset (request);
  request->state = YV_REQUEST_IDLE;
}

/* ---- submitting ------------------------------------------------------------------------------ */

bool
yv_share_prepare (YvShare *share, YvSettings *settings, const YvLetterbox *letterbox,
                  GError **error)
{
  return yv_batcher_enter_net (share->batcher, share, settings, letterbox,
                               settings->options.batch_size, error);
}

static bool
check_in_flight (YvShare *share, const YvSettings *settings, GError **error)
{
  const uint32_t n_in_flight = yv_share_n_in_flight (share);

  if (n_in_flight < settings->max_in_flight)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%u frames of the stream are in flight, the most are %u: collect first", n_in_flight,
               settings->max_in_flight);
  return false;
}

/* It stays idle until the same thread queues it. */
static YvRequest *
find_idle (YvShare *share)
{
  YvRequest *idle = NULL;

  lock (share);
  for (uint32_t i = 0; i < YV_SHARE_REQUESTS && !idle; i++)
    if (share->requests[i].state == YV_REQUEST_IDLE)
      idle = &share->requests[i];
  unlock (share);
  g_assert (idle);
  return idle;
}

/* Where there is no memory for its copy, larger batches are given up for it. */
static bool
fill_request (YvRequest *request, YvBatcher *batcher, YvSettings *settings, const YvImage *image,
              const YvLetterbox *letterbox, GError **error)
{
  for (;;) {
    GError *why = NULL;

    if (yv_request_fill (request, batcher->engine, settings, image, letterbox, &why))
      return true;
    if (!g_error_matches (why, YV_ERROR, YV_ERROR_OUT_OF_MEMORY) ||
        !yv_batcher_make_room (batcher)) {
      g_propagate_error (error, why);
      return false;
    }
    g_error_free (why);
  }
}

/* NULL where the frame can't be taken. */
static YvRequest *
make_request (YvShare *share, YvSettings *settings, const YvImage *image,
              const YvLetterbox *letterbox, GError **error)
{
  if (!yv_batcher_enter_net (share->batcher, share, settings, letterbox, 0, error))
    return NULL;

  YvRequest *request = find_idle (share);
  return fill_request (request, share->batcher, settings, image, letterbox, error) ? request : NULL;
}

bool
yv_share_submit (YvShare *share, YvSettings *settings, const YvImage *image,
                 const YvLetterbox *letterbox, GError **error)
{
  if (!check_in_flight (share, settings, error))
    return false;
  YvRequest *request = make_request (share, settings, image, letterbox, error);
  if (!request)
    return false;

  lock (share);
  request->index = share->batcher->n_requests++;
  request->queued_us = request->submit_us;
  share->in_flight[share->n_in_flight++] = request;
  share->max_in_flight = settings->max_in_flight;
  yv_batcher_queue_locked (request);
  unlock (share);
  yv_batcher_start (share->batcher);
  return true;
}

/* The newest, if it still waits, else NULL. */
static YvRequest *
find_replaceable_locked (YvShare *share)
{
  YvRequest *newest = share->n_in_flight ? share->in_flight[share->n_in_flight - 1] : NULL;

  return newest && newest->state == YV_REQUEST_QUEUED ? newest : NULL;
}

/* What it replaces keeps waiting until the new one is complete, so it may start meanwhile. */
static bool
put_in_place (YvShare *share, YvRequest *request)
{
  lock (share);
  YvRequest *old = find_replaceable_locked (share);
  if (old) {
    request->index = old->index;
    request->queued_us = old->queued_us;
    yv_batcher_take_out_locked (old);
    share->in_flight[share->n_in_flight - 1] = request;
    yv_batcher_queue_locked (request);
  }
  make_idle_locked (old ? old : request);
  unlock (share);
  return old != NULL;
}

bool
yv_share_replace (YvShare *share, YvSettings *settings, const YvImage *image,
                  const YvLetterbox *letterbox, bool *replaced, GError **error)
{
  *replaced = false;
  lock (share);
  const bool may_replace = find_replaceable_locked (share) != NULL;
  unlock (share);
  if (!may_replace)
    return true;

  YvRequest *request = make_request (share, settings, image, letterbox, error);
  if (!request)
    return false;
  *replaced = put_in_place (share, request);
  if (*replaced)
    yv_batcher_start (share->batcher);
  return true;
}

/* ---- collecting ------------------------------------------------------------------------------ */

static void
forget_collected_locked (YvShare *share)
{
  if (!share->collected)
    return;
  make_idle_locked (share->collected);
  share->collected = NULL;
}

/* Waits until it is done. NULL: nothing is in flight, or no longer. */
static YvRequest *
take_oldest_locked (YvShare *share)
{
  while (share->n_in_flight > 0 && share->in_flight[0]->state != YV_REQUEST_DONE)
    g_cond_wait (&share->changed, &share->batcher->mutex);
  if (share->n_in_flight == 0)
    return NULL;

  YvRequest *oldest = share->in_flight[0];
  share->n_in_flight--;
  memmove (share->in_flight, share->in_flight + 1, share->n_in_flight * sizeof oldest);
  yv_batcher_recount_locked (share);
  return oldest;
}

const YvDetections *
yv_share_collect (YvShare *share, GError **error)
{
  lock (share);
  forget_collected_locked (share);
  YvRequest *request = take_oldest_locked (share);
  share->collected = request;
  unlock (share);

  if (!request) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "nothing of the stream is in flight");
    return NULL;
  }
  if (request->error) {
    g_propagate_error (error, g_steal_pointer (&request->error));
    return NULL;
  }
  return &request->result;
}

bool
yv_share_is_ready (YvShare *share)
{
  lock (share);
  const bool is_ready = share->n_in_flight > 0 && share->in_flight[0]->state == YV_REQUEST_DONE;
  unlock (share);
  return is_ready;
}

uint32_t
yv_share_n_in_flight (YvShare *share)
{
  lock (share);
  const uint32_t n_in_flight = share->n_in_flight;
  unlock (share);
  return n_in_flight;
}

/* ---- giving up ------------------------------------------------------------------------------- */

static void
take_out_all_locked (YvShare *share)
{
  for (uint32_t i = 0; i < YV_SHARE_REQUESTS; i++)
    if (share->requests[i].state == YV_REQUEST_QUEUED) {
      yv_batcher_take_out_locked (&share->requests[i]);
      make_idle_locked (&share->requests[i]);
    }
}

/* A batch for which there is no memory is queued once more, so this may have to look twice. */
void
yv_share_abandon (YvShare *share)
{
  lock (share);
  share->n_in_flight = 0;
  g_cond_broadcast (&share->changed); /* who collects has nothing to wait for */
  take_out_all_locked (share);
  while (share->n_running > 0) {
    g_cond_wait (&share->changed, &share->batcher->mutex);
    take_out_all_locked (share);
  }
  for (uint32_t i = 0; i < YV_SHARE_REQUESTS; i++)
    if (share->requests[i].state == YV_REQUEST_DONE && &share->requests[i] != share->collected)
      make_idle_locked (&share->requests[i]);
  yv_batcher_recount_locked (share);
  unlock (share);
}

void
yv_share_set_ready_func (YvShare *share, YvReadyFunc ready, void *user_data)
{
  lock (share);
  share->ready = ready;
  share->ready_data = user_data;
  while (share->n_calls > 0)
    g_cond_wait (&share->changed, &share->batcher->mutex);
  unlock (share);
}
