/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/geometry.c - one table row a number that must be in range. */
#include "engine/model/geometry.h"

#include <math.h>

#include "engine/error.h"
#include "engine/model/expand.h"
#include "engine/model/limits.h"

static const struct {
  const char *class_name;
  const char *key;
  uint32_t n_values; /* at most; one value stands for all */
  bool whole;
  double lowest, highest;
} ranges[] = {
    {"Conv2d", "in_channels", 1, true, 1, YV_MAX_CHANNELS},
    {"Conv2d", "out_channels", 1, true, 1, YV_MAX_CHANNELS},
    {"Conv2d", "kernel_size", 2, true, 1, YV_MAX_KERNEL},
    {"Conv2d", "stride", 2, true, 1, YV_MAX_KERNEL},
    {"Conv2d", "padding", 2, true, 0, YV_MAX_KERNEL},
    {"Conv2d", "groups", 1, true, 1, YV_MAX_CHANNELS},
    {"BatchNorm2d", "num_features", 1, true, 1, YV_MAX_CHANNELS},
    {"BatchNorm2d", "eps", 1, false, 1e-30, 1},
    {"LeakyReLU", "negative_slope", 1, false, -1e3, 1e3},
    {"MaxPool2d", "kernel_size", 2, true, 1, YV_MAX_KERNEL},
    {"MaxPool2d", "stride", 2, true, 1, YV_MAX_KERNEL},
    {"MaxPool2d", "padding", 2, true, 0, YV_MAX_KERNEL / 2},
    {"Upsample", "scale_factor", 2, true, 1, YV_MAX_UPSAMPLE},
    {"Concat", "d", 1, true, 1, 1},
    {"ImplicitA", "channel", 1, true, 1, YV_MAX_CHANNELS},
    {"ImplicitM", "channel", 1, true, 1, YV_MAX_CHANNELS},
    {"Bottleneck", "add", 1, true, 0, 1},
    {"Res", "add", 1, true, 0, 1},
    {"ResX", "add", 1, true, 0, 1},
};

static bool
check_range (const YvModule *module, guint range, GError **error)
{
  const YvAttr *attr = yv_module_attr (module, ranges[range].key);

  if (!attr || attr->n_values == 0 || attr->n_values > ranges[range].n_values) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s (%s): %s of %u values, expected %u",
                 module->path, module->class_name, ranges[range].key, attr ? attr->n_values : 0,
                 ranges[range].n_values);
    return false;
  }
  for (uint32_t i = 0; i < attr->n_values; i++) {
    const double value = attr->values[i];
    if (value >= ranges[range].lowest && value <= ranges[range].highest &&
        (!ranges[range].whole || value == floor (value)))
      continue;
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s (%s): %s is %g, expected a%s number from %g to %g", module->path,
                 module->class_name, attr->key, value, ranges[range].whole ? " whole" : "",
                 ranges[range].lowest, ranges[range].highest);
    return false;
  }
  return true;
}

static bool
check_groups (const YvModule *conv, GError **error)
{
  const double c_in = yv_module_number (conv, "in_channels", 0, 0);
  const double c_out = yv_module_number (conv, "out_channels", 0, 0);
  const double groups = yv_module_number (conv, "groups", 0, 1);

  if (fmod (c_in, groups) == 0 && fmod (c_out, groups) == 0)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: %g groups do not divide the channels, %g in and %g out", conv->path, groups,
               c_in, c_out);
  return false;
}

static bool
check_pool_padding (const YvModule *pool, GError **error)
{
  for (uint32_t axis = 0; axis < 2; axis++) {
    const double kernel = yv_module_number (pool, "kernel_size", axis, 0);
    const double padding = yv_module_number (pool, "padding", axis, 0);
    if (2 * padding <= kernel)
      continue;
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: a padding of %g, at most half of the kernel (%g) is possible", pool->path,
                 padding, kernel);
    return false;
  }
  return true;
}

/* A level's convolution has anchors * (5 + classes) outputs; so have m2 and the implicits. */
static bool
check_head_list (const YvModule *head, const char *name, const char *key, double c_out,
                 GError **error)
{
  const YvModule *list = yv_module_child (head, name);
  const double n_levels = yv_module_number (head, "nl", 0, 0);

  if (!list)
    return true;
  if (list->children->len != n_levels) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: %u levels, expected %g", list->path,
                 list->children->len, n_levels);
    return false;
  }
  for (guint i = 0; i < list->children->len; i++) {
    const YvModule *level = g_ptr_array_index (list->children, i);
    const double channels = yv_module_number (level, key, 0, -1);
    if (channels == c_out)
      continue;
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: %g channels, expected %g = anchors * (5 + classes)", level->path, channels,
                 c_out);
    return false;
  }
  return true;
}

static bool
is_whole_in (double value, double lowest, double highest)
{
  return value >= lowest && value <= highest && value == floor (value);
}

static bool
check_head (const YvModule *head, GError **error)
{
  const double nc = yv_module_number (head, "nc", 0, -1);
  const double na = yv_module_number (head, "na", 0, -1);
  const double nl = yv_module_number (head, "nl", 0, -1);

  if (!is_whole_in (nc, 1, YV_MAX_CLASSES) || !is_whole_in (na, 1, YV_MAX_ANCHORS) ||
      !is_whole_in (nl, 1, YV_MAX_LEVELS)) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s (%s): %g classes, %g anchors, %g levels; supported are up to %d, %d and %d",
                 head->path, head->class_name, nc, na, nl, YV_MAX_CLASSES, YV_MAX_ANCHORS,
                 YV_MAX_LEVELS);
    return false;
  }
  if (!yv_module_child (head, "m")) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s (%s): no convolutions (child m)",
                 head->path, head->class_name);
    return false;
  }

  const double c_out = na * (5 + nc);
  return check_head_list (head, "m", "out_channels", c_out, error) &&
         check_head_list (head, "m2", "out_channels", c_out, error) &&
         check_head_list (head, "im", "channel", c_out, error);
}

static bool
check_one (const YvModule *module, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (yv_module_is (module, ranges[i].class_name) && !check_range (module, i, error))
      return false;
  if (yv_module_is (module, "Conv2d"))
    return check_groups (module, error);
  if (yv_module_is (module, "MaxPool2d"))
    return check_pool_padding (module, error);
  return !yv_is_head_class (module->class_name) || check_head (module, error);
}

bool
yv_geometry_check (const YvModule *module, GError **error)
{
  for (guint i = 0; i < module->children->len; i++)
    if (!yv_geometry_check (g_ptr_array_index (module->children, i), error))
      return false;
  return check_one (module, error);
}
