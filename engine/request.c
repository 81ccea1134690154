/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/request.c - a frame's pixels on the way in, its detections on the way out. */
#include "engine/request.h"

#include <string.h>

#include "engine/frame.h"

/* What lies idle is given up for it, as for a slot (flight.c). */
static YvFrameMemory *
new_memory (YvEngine *engine, size_t size_bytes, GError **error)
{
  g_autoptr (GError) first_error = NULL;
  YvFrameMemory *memory = yv_frame_memory_new (engine, size_bytes, &first_error);

  if (!memory && g_error_matches (first_error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY) &&
      yv_engine_drop_idle_runners (engine))
    return yv_frame_memory_new (engine, size_bytes, error);
  if (!memory)
    g_propagate_error (error, g_steal_pointer (&first_error));
  return memory;
}

static bool
reserve_memory (YvRequest *request, YvEngine *engine, size_t size_bytes, GError **error)
{
  if (size_bytes <= request->memory_bytes)
    return true;
  g_clear_pointer (&request->memory, yv_frame_memory_free);
  request->memory_bytes = 0;
  request->memory = new_memory (engine, size_bytes, error);
  if (!request->memory)
    return false;
  request->memory_bytes = size_bytes;
  return true;
}

static bool
copy_pixels (YvRequest *request, YvEngine *engine, const YvImage *image, GError **error)
{
  const uint64_t start_ns = yv_executor_now_ns ();

  if (!reserve_memory (request, engine, yv_image_size_bytes (image), error))
    return false;
  yv_image_pack_to_memory (image, request->memory, &request->image);
  request->copy_ns = yv_executor_now_ns () - start_ns;
  return true;
}

/* The reference has no device, and copies all frames when it runs them. */
bool
yv_request_fill (YvRequest *request, YvEngine *engine, YvSettings *settings, const YvImage *image,
                 const YvLetterbox *letterbox, GError **error)
{
  const bool in_place = engine->device && yv_image_is_read_in_place (image, engine->device);

  g_assert (!request->settings);
  request->submit_us = g_get_monotonic_time ();
  request->was_copied = !in_place;
  request->copy_ns = 0;
  request->image = *image;
  request->letterbox = *letterbox;
  if (!in_place && !copy_pixels (request, engine, image, error))
    return false;
  request->settings = yv_settings_ref (settings);
  return true;
}

void
yv_request_take_result (YvRequest *request, const YvDetections *found, int64_t start_us)
{
  const int64_t now_us = g_get_monotonic_time ();

  if (found->n_detections > request->n_detections_reserved) {
    request->detections = g_renew (YvDetection, request->detections, found->n_detections);
    request->n_detections_reserved = found->n_detections;
  }
  if (found->n_detections > 0)
    memcpy (request->detections, found->detections,
            found->n_detections * sizeof *found->detections);
  request->result = *found;
  request->result.detections = request->detections;
  request->result.was_copied = request->was_copied;
  request->result.times.upload_ns += request->copy_ns;
  request->result.times.wait_ns = (uint64_t) (start_us - request->submit_us) * 1000;
  request->result.times.total_ns = (uint64_t) (now_us - request->submit_us) * 1000;
}

void
yv_request_reset (YvRequest *request)
{
  g_clear_pointer (&request->settings, yv_settings_unref);
  g_clear_error (&request->error);
}

void
yv_request_clear (YvRequest *request)
{
  yv_request_reset (request);
  yv_frame_memory_free (request->memory);
  g_free (request->detections);
}
