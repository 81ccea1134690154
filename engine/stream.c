/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/stream.c - one camera: frames in, detections in frame pixels out, in the same order.
 */
#include "engine/stream.h"

#include <string.h>

#include "engine/flight.h"
#include "engine/frame.h"
#include "engine/share.h"

/* Without shares_batches: one more than can be in flight: what was collected last stays while
 * others are submitted. */
#define N_FLIGHTS (YV_MAX_IN_FLIGHT + 1)

struct _YvStream {
  YvEngine *engine;
  YvSettings *settings;
  YvRunner *runner; /* of the last batch's size; NULL before the first */
  YvNms *nms;

  YvFlight flights[N_FLIGHTS];
  YvFlight *in_flight[YV_MAX_IN_FLIGHT]; /* the oldest first */
  uint32_t n_in_flight;
  const YvFlight *collected; /* whose results the caller may be reading; or NULL */

  YvShare *share; /* with shares_batches, and then of the above only engine and settings are used */
};

YvStream *
yv_stream_new (YvEngine *engine, const YvStreamOptions *options, GError **error)
{
  YvSettings *settings = yv_settings_new (&engine->info, options, error);

  if (!settings)
    return NULL;

  YvStream *stream = g_new0 (YvStream, 1);
  stream->engine = yv_engine_ref (engine);
  stream->settings = settings;
  stream->nms = yv_nms_new ();
  for (uint32_t i = 0; i < N_FLIGHTS; i++)
    stream->flights[i].engine = engine;
  if (options->shares_batches) {
    stream->share = yv_share_new (engine, error);
    if (!stream->share) {
      yv_stream_free (stream);
      return NULL;
    }
  }
  return stream;
}

void
yv_stream_free (YvStream *stream)
{
  if (!stream)
    return;
  yv_share_free (stream->share);
  for (uint32_t i = 0; i < N_FLIGHTS; i++)
    yv_flight_clear (&stream->flights[i]);
  yv_engine_leave_runner (stream->engine, stream->runner);
  yv_engine_forget_frames (stream->engine); /* its pools may go with it */
  yv_nms_free (stream->nms);
  yv_settings_unref (stream->settings);
  yv_engine_unref (stream->engine);
  g_free (stream);
}

bool
yv_stream_set_options (YvStream *stream, const YvStreamOptions *options, GError **error)
{
  YvSettings *settings = yv_settings_new (&stream->engine->info, options, error);

  if (!settings)
    return false;
  if (options->shares_batches != (stream->share != NULL)) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "a stream shares batches from the start, or never");
    yv_settings_unref (settings);
    return false;
  }
  yv_settings_unref (stream->settings);
  stream->settings = settings;
  return true;
}

static bool
fit (const YvStream *stream, uint32_t frame_w, uint32_t frame_h, YvLetterbox *letterbox,
     GError **error)
{
  const YvSettings *settings = stream->settings;
  const YvStreamOptions *options = &settings->options;
  const bool fits =
      options->net_width
          ? yv_letterbox_fit_exactly (frame_w, frame_h, options->net_width, options->net_height,
                                      !options->shrink_only, letterbox)
          : yv_letterbox_fit (frame_w, frame_h, settings->size, stream->engine->info.max_stride,
                              options->letterbox, !options->shrink_only, letterbox);

  if (!fits)
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "a frame of %ux%u px leaves no picture when fitted into %ux%u px; crop it or "
                 "raise input-size",
                 frame_w, frame_h, options->net_width ? options->net_width : settings->size,
                 options->net_height ? options->net_height : settings->size);
  return fits;
}

/* All of them, into networks of one size. */
static bool
fit_batch (const YvStream *stream, const YvImage *images, uint32_t n_images,
           YvLetterbox *letterboxes, GError **error)
{
  const YvLetterbox *first = &letterboxes[0];

  for (uint32_t i = 0; i < n_images; i++) {
    YvLetterbox *letterbox = &letterboxes[i];

    if (!yv_image_check (&images[i], error) ||
        !fit (stream, images[i].width, images[i].height, letterbox, error))
      return false;
    if (letterbox->net_w == first->net_w && letterbox->net_h == first->net_h)
      continue;
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "image %u of the batch (%ux%u px) needs a network of %ux%u px, the first one of "
                 "%ux%u px; set net_width and net_height",
                 i, images[i].width, images[i].height, letterbox->net_w, letterbox->net_h,
                 first->net_w, first->net_h);
    return false;
  }
  return true;
}

/* The stream stays with a runner as long as batches keep their size and its lists are large enough.
 */
static bool
use_runner (YvStream *stream, const YvLetterbox *letterbox, uint32_t n_images, GError **error)
{
  const YvPlanOptions options = {
      .n = n_images,
      .h = letterbox->net_h,
      .w = letterbox->net_w,
      .multi_label = stream->settings->is_multi_label,
  };
  const YvPlanOptions *current = stream->runner ? &stream->runner->plan->options : NULL;

  if (current && current->n == options.n && current->h == options.h && current->w == options.w &&
      (current->multi_label || !options.multi_label))
    return true;
  yv_engine_leave_runner (stream->engine, stream->runner);
  stream->runner = yv_engine_use_runner (stream->engine, &options, error);
  return stream->runner != NULL;
}

bool
yv_stream_prepare (YvStream *stream, uint32_t frame_w, uint32_t frame_h, GError **error)
{
  YvLetterbox letterbox;

  if (!fit (stream, frame_w, frame_h, &letterbox, error))
    return false;
  return stream->share ? yv_share_prepare (stream->share, stream->settings, &letterbox, error)
                       : use_runner (stream, &letterbox, 1, error);
}

static YvFlight *
find_free_flight (YvStream *stream)
{
  for (uint32_t i = 0; i < N_FLIGHTS; i++)
    if (!stream->flights[i].runner && &stream->flights[i] != stream->collected)
      return &stream->flights[i];
  g_assert_not_reached ();
}

static bool
check_batch_size (uint32_t n_images, GError **error)
{
  if (n_images >= 1 && n_images <= YV_MAX_BATCH)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "a batch of %u images, expected 1 to %d",
               n_images, YV_MAX_BATCH);
  return false;
}

static bool
check_in_flight (const YvStream *stream, uint32_t max_before, GError **error)
{
  const uint32_t n_in_flight = yv_stream_n_in_flight (stream);

  if (n_in_flight <= max_before)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%u frames or batches of the stream are in flight, at most %u may be before this "
               "call: collect first",
               n_in_flight, max_before);
  return false;
}

static bool
start (YvStream *stream, const YvImage *images, uint32_t n_images, bool lasts, GError **error)
{
  if (!check_batch_size (n_images, error))
    return false;

  YvFlight *flight = find_free_flight (stream);
  yv_flight_reserve (flight, n_images);
  for (uint32_t i = 0; i < n_images; i++)
    flight->settings[i] = stream->settings;
  if (!fit_batch (stream, images, n_images, flight->letterboxes, error) ||
      !use_runner (stream, &flight->letterboxes[0], n_images, error) ||
      !yv_flight_start (flight, stream->runner, images, lasts, error))
    return false;
  stream->in_flight[stream->n_in_flight++] = flight;
  return true;
}

/* Out of the queue, but still in flight. */
static YvFlight *
take_oldest (YvStream *stream)
{
  YvFlight *flight = stream->in_flight[0];

  stream->n_in_flight--;
  memmove (stream->in_flight, stream->in_flight + 1, stream->n_in_flight * sizeof flight);
  return flight;
}

static bool
fit_one (const YvStream *stream, const YvImage *images, uint32_t n_images, YvLetterbox *letterbox,
         GError **error)
{
  if (n_images == 1)
    return fit_batch (stream, images, 1, letterbox, error);
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "a batch of %u images for a stream that shares batches, expected 1", n_images);
  return false;
}

static bool
submit_shared (YvStream *stream, const YvImage *images, uint32_t n_images, GError **error)
{
  YvLetterbox letterbox;

  return fit_one (stream, images, n_images, &letterbox, error) &&
         yv_share_submit (stream->share, stream->settings, images, &letterbox, error);
}

bool
yv_stream_submit (YvStream *stream, const YvImage *images, uint32_t n_images, GError **error)
{
  if (!check_in_flight (stream, stream->settings->max_in_flight - 1, error))
    return false;
  return stream->share ? submit_shared (stream, images, n_images, error)
                       : start (stream, images, n_images, true, error);
}

bool
yv_stream_replace (YvStream *stream, const YvImage *image, bool *replaced, GError **error)
{
  YvLetterbox letterbox;

  *replaced = false;
  if (!stream->share) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "only frames of a stream that shares batches can be replaced");
    return false;
  }
  return fit_one (stream, image, 1, &letterbox, error) &&
         yv_share_replace (stream->share, stream->settings, image, &letterbox, replaced, error);
}

static const YvDetections *
collect_shared (YvStream *stream, uint32_t *n_results, GError **error)
{
  if (n_results)
    *n_results = 1;
  return yv_share_collect (stream->share, error);
}

const YvDetections *
yv_stream_collect (YvStream *stream, uint32_t *n_results, GError **error)
{
  if (stream->share)
    return collect_shared (stream, n_results, error);
  stream->collected = NULL;
  if (stream->n_in_flight == 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "nothing of the stream is in flight");
    return NULL;
  }

  YvFlight *flight = take_oldest (stream);
  if (!yv_flight_finish (flight, stream->nms, error))
    return NULL;
  stream->collected = flight;
  if (n_results)
    *n_results = flight->n_images;
  return flight->results;
}

uint32_t
yv_stream_n_in_flight (const YvStream *stream)
{
  return stream->share ? yv_share_n_in_flight (stream->share) : stream->n_in_flight;
}

void
yv_stream_set_ready_func (YvStream *stream, YvReadyFunc ready, void *user_data)
{
  if (stream->share)
    yv_share_set_ready_func (stream->share, ready, user_data);
}

bool
yv_stream_is_ready (YvStream *stream)
{
  return stream->share && yv_share_is_ready (stream->share);
}

void
yv_stream_abandon (YvStream *stream)
{
  if (stream->share) {
    yv_share_abandon (stream->share);
    return;
  }
  stream->collected = NULL;
  while (stream->n_in_flight > 0)
    yv_flight_abandon (take_oldest (stream));
}

bool
yv_stream_detect_batch (YvStream *stream, const YvImage *images, uint32_t n_images,
                        const YvDetections **results, GError **error)
{
  stream->collected = NULL;
  if (!check_in_flight (stream, 0, error))
    return false;
  if (!(stream->share ? submit_shared (stream, images, n_images, error)
                      : start (stream, images, n_images, false, error)))
    return false;
  *results = yv_stream_collect (stream, NULL, error);
  return *results != NULL;
}

const YvDetections *
yv_stream_detect (YvStream *stream, const YvImage *image, GError **error)
{
  const YvDetections *result;

  return yv_stream_detect_batch (stream, image, 1, &result, error) ? result : NULL;
}
