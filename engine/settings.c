/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/settings.c - checks of a stream's options. */
#include "engine/settings.h"

#include <string.h>

#include "engine/align.h"
#include "engine/classes.h"

/* Far beyond what anybody trains at; keeps sizes of tensors far from overflow. */
#define MAX_INPUT_SIZE 8192

#define DEFAULT_IN_FLIGHT 2

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
  if (options->max_in_flight > YV_MAX_IN_FLIGHT) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "max-in-flight is %u, expected 1 to %d frames, or 0 for %d",
                 options->max_in_flight, YV_MAX_IN_FLIGHT, DEFAULT_IN_FLIGHT);
    return false;
  }
  if (options->batch_size > YV_MAX_BATCH) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "batch-size is %u, expected 1 to %d frames, or 0 for what suits the device",
                 options->batch_size, YV_MAX_BATCH);
    return false;
  }
  if ((unsigned) options->letterbox > YV_LETTERBOX_FIXED) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "letterbox is %d, expected auto or fixed",
                 (int) options->letterbox);
    return false;
  }
  return true;
}

YvSettings *
yv_settings_new (const YvEngineInfo *info, const YvStreamOptions *options, GError **error)
{
  const uint32_t stride = info->max_stride;
  const uint32_t size = options->input_size ? options->input_size : info->default_size;
  bool *class_wanted = NULL;

  if (!check_options (options, stride, error) ||
      !yv_classes_parse (options->classes, info->class_names, info->n_classes, &class_wanted,
                         error))
    return NULL;

  YvSettings *settings = g_new0 (YvSettings, 1);
  g_atomic_ref_count_init (&settings->n_refs);
  settings->options = *options;
  settings->options.classes = NULL;
  settings->size = (uint32_t) yv_round_up (size, stride);
  settings->max_in_flight = options->max_in_flight ? options->max_in_flight : DEFAULT_IN_FLIGHT;
  settings->is_multi_label = options->multi_label && info->n_classes > 1;
  settings->is_obj_only = info->n_classes == 1 && !options->multiply_one_class;
  settings->n_classes = info->n_classes;
  settings->class_wanted = class_wanted;
  return settings;
}

YvSettings *
yv_settings_ref (YvSettings *settings)
{
  g_atomic_ref_count_inc (&settings->n_refs);
  return settings;
}

void
yv_settings_unref (YvSettings *settings)
{
  if (!settings || !g_atomic_ref_count_dec (&settings->n_refs))
    return;
  g_free (settings->class_wanted);
  g_free (settings);
}

static bool
want_same_classes (const YvSettings *a, const YvSettings *b)
{
  if (!a->class_wanted || !b->class_wanted)
    return a->class_wanted == b->class_wanted;
  return memcmp (a->class_wanted, b->class_wanted, a->n_classes * sizeof *a->class_wanted) == 0;
}

bool
yv_settings_run_together (const YvSettings *a, const YvSettings *b)
{
  if (a->is_multi_label != b->is_multi_label || a->is_obj_only != b->is_obj_only)
    return false;
  return !a->is_multi_label ||
         (a->options.confidence_threshold == b->options.confidence_threshold &&
          want_same_classes (a, b));
}
