/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/stream.c - one camera: a frame in, detections in frame pixels out.
 */
#include "engine/stream.h"

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

struct _YvStream {
  YvEngine *engine;
  Settings settings;
  YvRunner *runner; /* of the last frame's size; NULL before the first */
  YvNms *nms;
  YvDetection *detections;
  uint32_t n_reserved;
  YvDetections result;
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

static bool
check_options (const YvStreamOptions *options, GError **error)
{
  if (!check_unit_range ("confidence-threshold", options->confidence_threshold, error) ||
      !check_unit_range ("iou-threshold", options->iou_threshold, error))
    return false;
  if (options->max_detections == 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "max-detections is 0, expected 1 or more");
    return false;
  }
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

  if (!check_options (options, error))
    return false;
  if (!yv_classes_parse (options->classes, info->class_names, info->n_classes,
                         &settings->class_wanted, error))
    return false;
  settings->options = *options;
  settings->options.classes = NULL;
  settings->size = (size + stride - 1) / stride * stride;
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

void
yv_stream_free (YvStream *stream)
{
  if (!stream)
    return;
  yv_engine_leave_runner (stream->engine, stream->runner);
  g_free (stream->detections);
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

  if (yv_letterbox_fit (frame_w, frame_h, settings->size, stream->engine->info.max_stride,
                        settings->options.letterbox, !settings->options.no_scale_up, letterbox))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "a frame of %ux%u px leaves no picture when fitted into %u px; crop it or raise "
               "input-size",
               frame_w, frame_h, settings->size);
  return false;
}

/* The stream stays with a runner as long as the frames keep their size. */
static bool
use_runner (YvStream *stream, const YvLetterbox *letterbox, GError **error)
{
  const YvPlanOptions options = {
      .n = 1,
      .h = letterbox->net_h,
      .w = letterbox->net_w,
      .multi_label = stream->settings.options.multi_label && !yv_engine_obj_only (stream->engine),
  };

  if (stream->runner && stream->runner->plan->options.h == options.h &&
      stream->runner->plan->options.w == options.w &&
      stream->runner->plan->options.multi_label == options.multi_label)
    return true;
  yv_engine_leave_runner (stream->engine, stream->runner);
  stream->runner = yv_engine_use_runner (stream->engine, &options, error);
  return stream->runner != NULL;
}

bool
yv_stream_prepare (YvStream *stream, uint32_t frame_w, uint32_t frame_h, GError **error)
{
  YvLetterbox letterbox;

  return fit (stream, frame_w, frame_h, &letterbox, error) &&
         use_runner (stream, &letterbox, error);
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

/* Grows to the busiest frame seen and stays. */
static void
reserve_detections (YvStream *stream, uint32_t n)
{
  if (n <= stream->n_reserved)
    return;
  stream->detections = g_renew (YvDetection, stream->detections, n);
  stream->n_reserved = n;
}

static void
suppress (YvStream *stream, const struct YvCandidate *candidates, uint32_t n_candidates)
{
  const YvStreamOptions *options = &stream->settings.options;
  const YvNmsOptions nms_options = {
      .iou_threshold = options->iou_threshold,
      .class_agnostic = options->class_agnostic_nms,
      .max_detections = options->max_detections,
      .class_wanted = stream->settings.class_wanted,
      .n_classes = stream->engine->info.n_classes,
  };
  uint32_t n_kept;
  const YvKept *kept = yv_nms_run (stream->nms, candidates, n_candidates, &nms_options, &n_kept);

  reserve_detections (stream, n_kept);
  stream->result.n_detections =
      yv_detections_place (kept, n_kept, &stream->result.letterbox, stream->detections);
  stream->result.detections = stream->detections;
}

/* The candidates belong to the slot, so suppression comes before it is given back. */
static bool
run_in_slot (YvStream *stream, uint32_t slot, const YvImage *image, GError **error)
{
  const YvBatch batch = {
      .n_images = 1,
      .images = image,
      .letterboxes = &stream->result.letterbox,
      .confidence = stream->settings.options.confidence_threshold,
      .obj_only = yv_engine_obj_only (stream->engine),
  };
  const struct YvCandidate *candidates;
  uint32_t n_candidates;
  YvTiming timing = {0};

  if (!yv_runner_run (stream->runner, slot, &batch, &candidates, &n_candidates, &timing, error))
    return false;

  const int64_t nms_start_us = g_get_monotonic_time ();
  suppress (stream, candidates, n_candidates);
  stream->result.times = (YvTimes){
      .upload_ns = timing.upload_ns,
      .letterbox_ns = timing.letterbox_ns,
      .network_ns = timing.network_ns,
      .decode_ns = timing.decode_ns,
      .readback_ns = timing.readback_ns,
      .nms_ns = (uint64_t) (g_get_monotonic_time () - nms_start_us) * 1000,
  };
  return true;
}

const YvDetections *
yv_stream_detect (YvStream *stream, const YvImage *image, GError **error)
{
  const int64_t start_us = g_get_monotonic_time ();

  if (!yv_image_check (image, error) ||
      !fit (stream, image->width, image->height, &stream->result.letterbox, error) ||
      !use_runner (stream, &stream->result.letterbox, error))
    return NULL;

  const uint32_t slot = yv_runner_take_slot (stream->runner);
  const bool done = run_in_slot (stream, slot, image, error);
  yv_runner_give_slot (stream->runner, slot);
  if (!done)
    return NULL;

  stream->result.times.total_ns = (uint64_t) (g_get_monotonic_time () - start_us) * 1000;
  return &stream->result;
}
