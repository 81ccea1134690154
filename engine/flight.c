/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/flight.c - a batch from frames to detections in frame pixels. */
#include "engine/flight.h"

#include <math.h>

#include "engine/frame.h"
#include "engine/stream.h"

uint32_t
yv_detections_place (const YvKept *kept, uint32_t n_kept, const YvLetterbox *letterbox,
                     YvDetection *detections)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < n_kept; i++) {
    float box[4] = {kept[i].box[0], kept[i].box[1], kept[i].box[2], kept[i].box[3]};

    yv_letterbox_undo (letterbox, box);
    if (box[2] <= box[0] || box[3] <= box[1])
      continue;
    detections[n++] = (YvDetection){
        .x = box[0],
        .y = box[1],
        .w = box[2] - box[0],
        .h = box[3] - box[1],
        .confidence = kept[i].confidence,
        .objectness = kept[i].objectness,
        .class_index = kept[i].class_index,
    };
  }
  return n;
}

/* ---- memory ---------------------------------------------------------------------------------- */

void
yv_flight_reserve (YvFlight *flight, uint32_t n)
{
  if (n <= flight->n_images_reserved)
    return;
  flight->letterboxes = g_renew (YvLetterbox, flight->letterboxes, n);
  flight->settings = g_renew (YvSettings *, flight->settings, n);
  flight->candidates = g_renew (const struct YvCandidate *, flight->candidates, n);
  flight->n_candidates = g_renew (uint32_t, flight->n_candidates, n);
  flight->first_detection = g_renew (uint32_t, flight->first_detection, n);
  flight->results = g_renew (YvDetections, flight->results, n);
  flight->n_images_reserved = n;
}

static void
reserve_detections (YvFlight *flight, uint32_t n)
{
  if (n <= flight->n_detections_reserved)
    return;
  flight->detections = g_renew (YvDetection, flight->detections, n);
  flight->n_detections_reserved = n;
}

void
yv_flight_clear (YvFlight *flight)
{
  yv_flight_abandon (flight);
  g_free (flight->detections);
  g_free (flight->results);
  g_free (flight->first_detection);
  g_free (flight->n_candidates);
  g_free (flight->candidates);
  g_free (flight->union_of_classes);
  g_free (flight->settings);
  g_free (flight->letterboxes);
}

/* ---- the device ------------------------------------------------------------------------------ */

static void
add_classes (YvFlight *flight, const bool *class_wanted)
{
  const uint32_t n_classes = flight->engine->info.n_classes;

  if (!flight->class_wanted || flight->class_wanted == class_wanted)
    return;
  if (!class_wanted) {
    flight->class_wanted = NULL;
    return;
  }
  if (!flight->union_of_classes)
    flight->union_of_classes = g_new (bool, n_classes);
  for (uint32_t k = 0; k < n_classes; k++)
    flight->union_of_classes[k] = flight->class_wanted[k] || class_wanted[k];
  flight->class_wanted = flight->union_of_classes;
}

static void
combine_settings (YvFlight *flight)
{
  const YvSettings *first = flight->settings[0];

  flight->confidence = first->options.confidence_threshold;
  flight->class_wanted = first->class_wanted;
  for (uint32_t i = 1; i < flight->n_images; i++) {
    const YvSettings *settings = flight->settings[i];

    g_assert (settings == first || yv_settings_run_together (settings, first));
    flight->confidence = MIN (flight->confidence, settings->options.confidence_threshold);
    add_classes (flight, settings->class_wanted);
  }
}

static bool
submit_once (YvFlight *flight, const YvImage *images, float confidence, GError **error)
{
  const YvBatch batch = {
      .n_images = flight->n_images,
      .images = images,
      .letterboxes = flight->letterboxes,
      .confidence = confidence,
      .obj_only = flight->settings[0]->is_obj_only,
      .multi_label = flight->settings[0]->is_multi_label,
      .class_wanted = flight->class_wanted,
  };
  YvExecutor *executor = flight->runner->executor;

  return executor->klass->submit (executor, flight->slot, &batch, error);
}

/* A slot that is new, or meets a larger frame, needs memory: what lies idle is given up for it.
 * @images: NULL: those that are there already. */
static bool
submit (YvFlight *flight, const YvImage *images, float confidence, GError **error)
{
  g_autoptr (GError) first_error = NULL;

  if (submit_once (flight, images, confidence, &first_error))
    return true;
  if (g_error_matches (first_error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY) &&
      yv_engine_drop_idle_runners (flight->engine))
    return submit_once (flight, images, confidence, error);
  g_propagate_error (error, g_steal_pointer (&first_error));
  return false;
}

static void
add_times (YvTimes *times, const YvTiming *timing)
{
  times->upload_ns += timing->upload_ns;
  times->letterbox_ns += timing->letterbox_ns;
  times->network_ns += timing->network_ns;
  times->decode_ns += timing->decode_ns;
  times->readback_ns += timing->readback_ns;
}

static bool
wait_for (YvFlight *flight, GError **error)
{
  YvExecutor *executor = flight->runner->executor;
  YvTiming timing = {0};

  if (!executor->klass->wait (executor, flight->slot, flight->candidates, flight->n_candidates,
                              &timing, error))
    return false;
  add_times (&flight->times, &timing);
  return true;
}

/* Gives back what it took. */
static void
land (YvFlight *flight)
{
  yv_runner_give_slot (flight->runner, flight->slot);
  yv_engine_leave_runner (flight->engine, flight->runner);
  for (uint32_t i = 0; i < flight->n_images; i++)
    yv_settings_unref (flight->settings[i]);
  flight->runner = NULL;
}

/* What is known of each result before it is there. */
static void
start_results (YvFlight *flight, const YvImage *images)
{
  const YvDevice *device = flight->engine->device;

  for (uint32_t i = 0; i < flight->n_images; i++)
    flight->results[i] = (YvDetections){
        .letterbox = flight->letterboxes[i],
        .n_batch = flight->n_images,
        .was_copied = !device || !yv_image_is_read_in_place (&images[i], device),
    };
}

bool
yv_flight_start (YvFlight *flight, YvRunner *runner, const YvImage *images, bool lasts,
                 GError **error)
{
  g_assert (!flight->runner);
  flight->start_us = g_get_monotonic_time ();
  if (!yv_runner_take_slot (runner, lasts, &flight->slot, error))
    return false;

  flight->runner = yv_engine_share_runner (flight->engine, runner);
  flight->n_images = runner->plan->options.n;
  for (uint32_t i = 0; i < flight->n_images; i++)
    yv_settings_ref (flight->settings[i]);
  flight->n_detections = 0;
  flight->times = (YvTimes){0};
  combine_settings (flight);
  start_results (flight, images);
  if (submit (flight, images, flight->confidence, error))
    return true;
  land (flight);
  return false;
}

void
yv_flight_abandon (YvFlight *flight)
{
  if (!flight->runner)
    return;
  wait_for (flight, NULL);
  land (flight);
}

/* ---- detections ------------------------------------------------------------------------------ */

/* Appends what is left of an image's candidates. */
static void
suppress (YvFlight *flight, YvNms *nms, uint32_t image)
{
  const YvSettings *settings = flight->settings[image];
  const YvStreamOptions *options = &settings->options;
  const YvNmsOptions nms_options = {
      .iou_threshold = options->iou_threshold,
      .class_agnostic = options->class_agnostic_nms,
      .max_detections = options->max_detections,
      .n_classes = flight->engine->info.n_classes,
      .confidence = options->confidence_threshold,
      .class_wanted = settings->class_wanted,
  };
  const YvLetterbox *letterbox = &flight->letterboxes[image];
  uint32_t n_kept;
  const YvKept *kept = yv_nms_run (nms, flight->candidates[image], flight->n_candidates[image],
                                   &nms_options, &n_kept);

  reserve_detections (flight, flight->n_detections + n_kept);
  const uint32_t n =
      yv_detections_place (kept, n_kept, letterbox, flight->detections + flight->n_detections);
  flight->first_detection[image] = flight->n_detections;
  flight->results[image].n_detections = n;
  flight->n_detections += n;
}

/* Did its list end before its candidates? Only with multi-label can there be more than fit in. */
static bool
is_cut_off (const YvFlight *flight, uint32_t image)
{
  const YvPlan *plan = flight->runner->plan;

  return flight->settings[image]->is_multi_label && flight->n_candidates[image] == plan->capacity &&
         plan->capacity < (uint64_t) plan->n_rows * plan->detect.n_classes;
}

/* What as many of an image's candidates exceed as suppression looks at. */
static float
raised_threshold (const YvFlight *flight, YvNms *nms, uint32_t image)
{
  const float last = yv_nms_last_confidence (
      nms, flight->candidates[image], flight->n_candidates[image], flight->engine->info.n_classes);

  return nextafterf (last, 0);
}

/* Suppresses all images whose lists hold their best candidates. Returns a threshold that brings
 * more of the others so far, or INFINITY where there are none. One for which no higher threshold
 * helps is done with fewer: more are equal than fit in. */
static float
suppress_complete (YvFlight *flight, YvNms *nms, float confidence)
{
  const uint64_t start_ns = yv_executor_now_ns ();
  float next = INFINITY;

  for (uint32_t i = 0; i < flight->n_images; i++) {
    if (flight->first_detection[i] != UINT32_MAX)
      continue;
    const float raised = is_cut_off (flight, i) ? raised_threshold (flight, nms, i) : 0;

    if (raised > confidence) {
      next = MIN (next, raised);
      continue;
    }
    suppress (flight, nms, i);
  }
  flight->times.nms_ns += yv_executor_now_ns () - start_ns;
  return next;
}

/* Which candidates a list that is too short holds is up to the device, so the batch is run again
 * with a higher threshold until each list has held the best. */
static bool
find_detections (YvFlight *flight, YvNms *nms, GError **error)
{
  float confidence = flight->confidence;

  for (uint32_t i = 0; i < flight->n_images; i++)
    flight->first_detection[i] = UINT32_MAX;
  for (;;) {
    if (!wait_for (flight, error))
      return false;
    confidence = suppress_complete (flight, nms, confidence);
    if (isinf (confidence))
      return true;
    if (!submit (flight, NULL, confidence, error))
      return false;
  }
}

/* Once all detections are there: the array may move until then. */
static void
note_results (YvFlight *flight)
{
  flight->times.total_ns = (uint64_t) (g_get_monotonic_time () - flight->start_us) * 1000;
  for (uint32_t i = 0; i < flight->n_images; i++) {
    flight->results[i].detections = flight->detections + flight->first_detection[i];
    flight->results[i].times = flight->times;
  }
}

bool
yv_flight_finish (YvFlight *flight, YvNms *nms, GError **error)
{
  const bool done = find_detections (flight, nms, error);

  land (flight);
  if (done)
    note_results (flight);
  return done;
}
