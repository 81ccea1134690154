/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/stream.c - one camera: frames in, detections in frame pixels out.
 */
#include "engine/stream.h"

#include <math.h>

#include "engine/align.h"
#include "engine/classes.h"
#include "engine/engine.h"
#include "engine/frame.h"

/* Far beyond what anybody trains at; keeps sizes of tensors far from overflow. */
#define MAX_INPUT_SIZE 8192

/* Options as given, checked, with what they mean for this model. */
typedef struct {
  YvStreamOptions options; /* classes is not kept */
  uint32_t size;           /* network px, a multiple of the stride */
  bool *class_wanted;      /* owned; NULL: all */
} Settings;

/* A slot that is taken. */
typedef struct {
  YvRunner *runner;
  uint32_t index;
} Slot;

struct _YvStream {
  YvEngine *engine;
  Settings settings;
  YvRunner *runner; /* of the last batch's size; NULL before the first */
  YvRunner *alone;  /* for one image of it; NULL until one is run again */
  YvNms *nms;

  /* Of the last batch, each [n_images_reserved]. */
  YvLetterbox *letterboxes;
  const struct YvCandidate **candidates; /* the slot's */
  uint32_t *n_candidates;
  YvDetections *results;
  uint32_t n_images_reserved;
  YvTimes times;

  YvDetection *detections; /* of all its images */
  uint32_t n_detections, n_detections_reserved;
};

/* Written so that NaN is refused. */
static bool
check_unit_range (const char *name, float value, GError **error)
{
  if (value >= 0 && value <= 1)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "%s is %g, expected 0 to 1", name,
               (double) value);
  return false;
}

/* Both or none. */
static bool
check_net_size (const YvStreamOptions *options, uint32_t stride, GError **error)
{
  const uint32_t w = options->net_width, h = options->net_height;

  if ((w == 0 && h == 0) || (w > 0 && h > 0 && w % stride == 0 && h % stride == 0 &&
                             w <= MAX_INPUT_SIZE && h <= MAX_INPUT_SIZE))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "net-width and net-height are %u and %u, expected multiples of %u px up to %d, or 0 "
               "for both",
               w, h, stride, MAX_INPUT_SIZE);
  return false;
}

static bool
check_options (const YvStreamOptions *options, uint32_t stride, GError **error)
{
  if (!check_unit_range ("confidence-threshold", options->confidence_threshold, error) ||
      !check_unit_range ("iou-threshold", options->iou_threshold, error))
    return false;
  if (options->max_detections == 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "max-detections is 0, expected 1 or more");
    return false;
  }
  if (!check_net_size (options, stride, error))
    return false;
  if (options->input_size > MAX_INPUT_SIZE) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "input-size is %u, expected 1 to %d px, or 0 for the model's own",
                 options->input_size, MAX_INPUT_SIZE);
    return false;
  }
  if ((unsigned) options->letterbox > YV_LETTERBOX_FIXED) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "letterbox is %d, expected auto or fixed",
                 (int) options->letterbox);
    return false;
  }
  return true;
}

static bool
settings_init (Settings *settings, const YvEngineInfo *info, const YvStreamOptions *options,
               GError **error)
{
  const uint32_t stride = info->max_stride;
  const uint32_t size = options->input_size ? options->input_size : info->default_size;

  if (!check_options (options, stride, error))
    return false;
  if (!yv_classes_parse (options->classes, info->class_names, info->n_classes,
                         &settings->class_wanted, error))
    return false;
  settings->options = *options;
  settings->options.classes = NULL;
  settings->size = (uint32_t) yv_round_up (size, stride);
  return true;
}

YvStream *
yv_stream_new (YvEngine *engine, const YvStreamOptions *options, GError **error)
{
  Settings settings = {0};

  if (!settings_init (&settings, &engine->info, options, error))
    return NULL;

  YvStream *stream = g_new0 (YvStream, 1);
  stream->engine = yv_engine_ref (engine);
  stream->settings = settings;
  stream->nms = yv_nms_new ();
  return stream;
}

static void
leave_runners (YvStream *stream)
{
  yv_engine_leave_runner (stream->engine, stream->alone);
  yv_engine_leave_runner (stream->engine, stream->runner);
  stream->alone = stream->runner = NULL;
}

void
yv_stream_free (YvStream *stream)
{
  if (!stream)
    return;
  leave_runners (stream);
  g_free (stream->detections);
  g_free (stream->results);
  g_free (stream->n_candidates);
  g_free (stream->candidates);
  g_free (stream->letterboxes);
  yv_nms_free (stream->nms);
  g_free (stream->settings.class_wanted);
  yv_engine_unref (stream->engine);
  g_free (stream);
}

bool
yv_stream_set_options (YvStream *stream, const YvStreamOptions *options, GError **error)
{
  Settings settings = {0};

  if (!settings_init (&settings, &stream->engine->info, options, error))
    return false;
  g_free (stream->settings.class_wanted);
  stream->settings = settings;
  return true;
}

static bool
fit (const YvStream *stream, uint32_t frame_w, uint32_t frame_h, YvLetterbox *letterbox,
     GError **error)
{
  const Settings *settings = &stream->settings;
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
fit_batch (YvStream *stream, const YvImage *images, uint32_t n_images, GError **error)
{
  const YvLetterbox *first = &stream->letterboxes[0];

  for (uint32_t i = 0; i < n_images; i++) {
    YvLetterbox *letterbox = &stream->letterboxes[i];

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

/* It is without effect for one class. */
static bool
is_multi_label (const YvStream *stream)
{
  return stream->settings.options.multi_label && !yv_engine_obj_only (stream->engine);
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
      .multi_label = is_multi_label (stream),
  };
  const YvPlanOptions *current = stream->runner ? &stream->runner->plan->options : NULL;

  if (current && current->n == options.n && current->h == options.h && current->w == options.w &&
      (current->multi_label || !options.multi_label))
    return true;
  leave_runners (stream);
  stream->runner = yv_engine_use_runner (stream->engine, &options, error);
  return stream->runner != NULL;
}

bool
yv_stream_prepare (YvStream *stream, uint32_t frame_w, uint32_t frame_h, GError **error)
{
  YvLetterbox letterbox;

  return fit (stream, frame_w, frame_h, &letterbox, error) &&
         use_runner (stream, &letterbox, 1, error);
}

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

/* Grow to the largest batch and the busiest one seen, and stay. */

static void
reserve_images (YvStream *stream, uint32_t n)
{
  if (n <= stream->n_images_reserved)
    return;
  stream->letterboxes = g_renew (YvLetterbox, stream->letterboxes, n);
  stream->candidates = g_renew (const struct YvCandidate *, stream->candidates, n);
  stream->n_candidates = g_renew (uint32_t, stream->n_candidates, n);
  stream->results = g_renew (YvDetections, stream->results, n);
  stream->n_images_reserved = n;
}

static void
reserve_detections (YvStream *stream, uint32_t n)
{
  if (n <= stream->n_detections_reserved)
    return;
  stream->detections = g_renew (YvDetection, stream->detections, n);
  stream->n_detections_reserved = n;
}

/* Appends what is left of an image's candidates. */
static void
suppress (YvStream *stream, uint32_t image)
{
  const YvStreamOptions *options = &stream->settings.options;
  const YvNmsOptions nms_options = {
      .iou_threshold = options->iou_threshold,
      .class_agnostic = options->class_agnostic_nms,
      .max_detections = options->max_detections,
      .n_classes = stream->engine->info.n_classes,
  };
  const YvLetterbox *letterbox = &stream->letterboxes[image];
  uint32_t n_kept;
  const YvKept *kept = yv_nms_run (stream->nms, stream->candidates[image],
                                   stream->n_candidates[image], &nms_options, &n_kept);

  reserve_detections (stream, stream->n_detections + n_kept);
  const uint32_t n =
      yv_detections_place (kept, n_kept, letterbox, stream->detections + stream->n_detections);
  stream->results[image] = (YvDetections){.n_detections = n, .letterbox = *letterbox};
  stream->n_detections += n;
}

/* Once all detections are there: the array may move until then. */
static void
note_results (YvStream *stream, uint32_t n_images)
{
  const YvDetection *next = stream->detections;

  for (uint32_t i = 0; i < n_images; i++) {
    stream->results[i].detections = next;
    stream->results[i].times = stream->times;
    next += stream->results[i].n_detections;
  }
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

/* Runs @n images of the batch and notes their candidates, above @confidence. */
static bool
find_candidates (YvStream *stream, const Slot *slot, const YvImage *images, uint32_t first,
                 uint32_t n, float confidence, GError **error)
{
  const YvStreamOptions *options = &stream->settings.options;
  const bool is_one_class = yv_engine_obj_only (stream->engine);
  const YvBatch batch = {
      .n_images = n,
      .images = images + first,
      .letterboxes = stream->letterboxes + first,
      .confidence = confidence,
      .obj_only = is_one_class && !options->multiply_one_class,
      .multi_label = is_multi_label (stream),
      .class_wanted = stream->settings.class_wanted,
  };
  YvTiming timing = {0};

  if (!yv_runner_run (slot->runner, slot->index, &batch, stream->candidates + first,
                      stream->n_candidates + first, &timing, error))
    return false;
  add_times (&stream->times, &timing);
  return true;
}

/* Did its list end before its candidates? Only with multi-label can there be more than fit in. */
static bool
is_cut_off (const YvStream *stream, uint32_t image)
{
  const YvPlan *plan = stream->runner->plan;

  return is_multi_label (stream) && stream->n_candidates[image] == plan->capacity &&
         plan->capacity < (uint64_t) plan->n_rows * plan->detect.n_classes;
}

/* What as many of an image's candidates exceed as suppression looks at. */
static float
raise_threshold (YvStream *stream, uint32_t image)
{
  const uint64_t start_ns = yv_executor_now_ns ();
  const float last =
      yv_nms_last_confidence (stream->nms, stream->candidates[image], stream->n_candidates[image],
                              stream->engine->info.n_classes);

  stream->times.nms_ns += yv_executor_now_ns () - start_ns;
  return nextafterf (last, 0);
}

/* Which candidates a list that is too short holds is up to the device, so the image is run again
 * with a higher threshold until it holds the best. Goes on with fewer only where more are equal
 * than fit in. */
static bool
find_best_candidates (YvStream *stream, const Slot *slot, const YvImage *images, uint32_t image,
                      GError **error)
{
  float last = stream->settings.options.confidence_threshold;

  while (is_cut_off (stream, image)) {
    const float confidence = raise_threshold (stream, image);

    if (confidence <= last)
      return true;
    if (!find_candidates (stream, slot, images, image, 1, confidence, error))
      return false;
    last = confidence;
  }
  return true;
}

/* @slot: of the one image, whose candidates it holds until it is used again. */
static bool
finish_image (YvStream *stream, const Slot *slot, const YvImage *images, uint32_t image,
              GError **error)
{
  if (!find_best_candidates (stream, slot, images, image, error))
    return false;

  const uint64_t start_ns = yv_executor_now_ns ();
  suppress (stream, image);
  stream->times.nms_ns += yv_executor_now_ns () - start_ns;
  return true;
}

/* An image of a larger batch whose list was cut off. */
static bool
finish_image_alone (YvStream *stream, const YvImage *images, uint32_t image, GError **error)
{
  YvPlanOptions options = stream->runner->plan->options;

  options.n = 1;
  if (!stream->alone)
    stream->alone = yv_engine_use_runner (stream->engine, &options, error);
  if (!stream->alone)
    return false;

  const Slot slot = {stream->alone, yv_runner_take_slot (stream->alone)};
  const bool done = finish_image (stream, &slot, images, image, error);
  yv_runner_give_slot (slot.runner, slot.index);
  return done;
}

/* The candidates belong to the slot, so suppression comes before it is given back. */
static bool
run_in_slot (YvStream *stream, const Slot *slot, const YvImage *images, uint32_t n_images,
             GError **error)
{
  stream->times = (YvTimes){0};
  stream->n_detections = 0;
  if (!find_candidates (stream, slot, images, 0, n_images,
                        stream->settings.options.confidence_threshold, error))
    return false;
  for (uint32_t i = 0; i < n_images; i++) {
    const bool done = n_images > 1 && is_cut_off (stream, i)
                          ? finish_image_alone (stream, images, i, error)
                          : finish_image (stream, slot, images, i, error);
    if (!done)
      return false;
  }
  return true;
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

bool
yv_stream_detect_batch (YvStream *stream, const YvImage *images, uint32_t n_images,
                        const YvDetections **results, GError **error)
{
  const int64_t start_us = g_get_monotonic_time ();

  if (!check_batch_size (n_images, error))
    return false;
  reserve_images (stream, n_images);
  if (!fit_batch (stream, images, n_images, error) ||
      !use_runner (stream, &stream->letterboxes[0], n_images, error))
    return false;

  const Slot slot = {stream->runner, yv_runner_take_slot (stream->runner)};
  const bool done = run_in_slot (stream, &slot, images, n_images, error);
  yv_runner_give_slot (slot.runner, slot.index);
  if (!done)
    return false;

  stream->times.total_ns = (uint64_t) (g_get_monotonic_time () - start_us) * 1000;
  note_results (stream, n_images);
  *results = stream->results;
  return true;
}

const YvDetections *
yv_stream_detect (YvStream *stream, const YvImage *image, GError **error)
{
  const YvDetections *result;

  return yv_stream_detect_batch (stream, image, 1, &result, error) ? result : NULL;
}
