/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/builder.c - checked access to modules and tensors, and nodes with their strides. */
#include "engine/graph/builder.h"

#include <math.h>

YvNode *
yv_builder_fail (YvBuilder *builder, const YvModule *module, YvError code, const char *format, ...)
{
  va_list args;

  if (builder->error)
    return NULL;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  builder->error = g_error_new (YV_ERROR, (gint) code, "%s: row %u: %s (%s): %s",
                                builder->model->source ? builder->model->source : "model",
                                builder->row, module->path, module->class_name, text);
  return NULL;
}

double
yv_builder_stride (const YvBuilder *builder, const YvNode *node)
{
  return g_array_index (builder->strides, double, node->id);
}

static bool
inputs_fit (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  for (uint32_t i = 0; i < n_in; i++) {
    if (!in[i])
      return false;
    const double first = yv_builder_stride (builder, in[0]);
    const double stride = yv_builder_stride (builder, in[i]);
    if (fabs (stride - first) > 1e-9 * first) { /* a third of 24 is not exact */
      yv_builder_fail (builder, module, YV_ERROR_MALFORMED,
                       "input %u has stride %g, but input 0 has stride %g: their sizes differ", i,
                       stride, first);
      return false;
    }
  }
  return true;
}

YvNode *
yv_builder_add (YvBuilder *builder, const YvModule *module, YvOpKind op, const char *name,
                YvNode *const *in, uint32_t n_in, uint32_t c_out, double stride_factor)
{
  if (builder->error || !inputs_fit (builder, module, in, n_in))
    return NULL;
  if (c_out > YV_MAX_CHANNELS)
    return yv_builder_fail (builder, module, YV_ERROR_UNSUPPORTED,
                            "would have %u channels, expected at most %d", c_out, YV_MAX_CHANNELS);

  g_autofree uint32_t *inputs = g_new (uint32_t, n_in);
  for (uint32_t i = 0; i < n_in; i++)
    inputs[i] = in[i]->id;

  const double stride = yv_builder_stride (builder, in[0]) * stride_factor;
  YvNode *node = yv_graph_add (builder->graph, op, name, builder->row, inputs, n_in, c_out);
  g_array_append_val (builder->strides, stride);
  g_assert (node->id + 1 == builder->strides->len);
  return node;
}

YvNode *
yv_builder_concat (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  g_autofree char *name = g_strconcat (module->path, ".cat", NULL);
  uint64_t c_out = 0;

  for (uint32_t i = 0; i < n_in; i++)
    c_out += in[i] ? in[i]->c_out : 0;
  return yv_builder_add (builder, module, YV_OP_CONCAT, name, in, n_in,
                         (uint32_t) MIN (c_out, UINT32_MAX), 1);
}

YvNode *
yv_builder_sum (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in)
{
  g_autofree char *name = g_strconcat (module->path, ".add", NULL);

  for (uint32_t i = 0; i < n_in; i++) {
    if (!in[i])
      return NULL;
    if (in[i]->c_out != in[0]->c_out)
      return yv_builder_fail (builder, module, YV_ERROR_MALFORMED,
                              "adds values of %u and %u channels", in[0]->c_out, in[i]->c_out);
  }
  return yv_builder_add (builder, module, YV_OP_ADD, name, in, n_in, n_in ? in[0]->c_out : 0, 1);
}

uint32_t
yv_builder_number (YvBuilder *builder, const YvModule *module, const char *key, uint32_t index,
                   double fallback, uint32_t min, uint32_t max)
{
  const double value = yv_module_number (module, key, index, fallback);

  if (value >= min && value <= max && value == floor (value))
    return (uint32_t) value;
  if (isnan (value))
    yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "has no %s", key);
  else
    yv_builder_fail (builder, module, YV_ERROR_UNSUPPORTED,
                     "%s is %g, expected a whole number from %u to %u", key, value, min, max);
  return min;
}

static const YvTensor *
lookup_tensor (const YvBuilder *builder, const char *path, const char *name)
{
  g_autofree char *full = g_strconcat (path, ".", name, NULL);

  return builder->model->tensors ? g_hash_table_lookup (builder->model->tensors, full) : NULL;
}

bool
yv_builder_has_tensor (const YvBuilder *builder, const char *path, const char *name)
{
  return lookup_tensor (builder, path, name) != NULL;
}

static const YvTensor *
require_tensor (YvBuilder *builder, const YvModule *module, const char *path, const char *name)
{
  const YvTensor *tensor = lookup_tensor (builder, path, name);

  if (!tensor)
    yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "there is no tensor \"%s.%s\"", path,
                     name);
  return tensor;
}

static void
fail_shape (YvBuilder *builder, const YvModule *module, const char *name, const YvTensor *found,
            uint32_t n_dims, const uint64_t *shape)
{
  YvTensor wanted = {.n_dims = n_dims};

  for (uint32_t i = 0; i < n_dims; i++)
    wanted.shape[i] = shape[i];
  g_autofree char *found_text = yv_tensor_shape_to_string (found);
  g_autofree char *wanted_text = yv_tensor_shape_to_string (&wanted);
  yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "%s is %s, expected %s", name, found_text,
                   wanted_text);
}

const YvTensor *
yv_builder_tensor (YvBuilder *builder, const YvModule *module, const char *path, const char *name,
                   uint32_t n_dims, const uint64_t *shape)
{
  const YvTensor *tensor = require_tensor (builder, module, path, name);

  if (!tensor)
    return NULL;
  if (!yv_tensor_has_shape (tensor, n_dims, shape)) {
    fail_shape (builder, module, name, tensor, n_dims, shape);
    return NULL;
  }
  return tensor;
}

double *
yv_builder_vector (YvBuilder *builder, const YvModule *module, const char *path, const char *name,
                   uint32_t n_elems)
{
  const YvTensor *tensor = require_tensor (builder, module, path, name);

  if (!tensor)
    return NULL;
  if (yv_tensor_n_elems (tensor) != n_elems) {
    g_autofree char *shape = yv_tensor_shape_to_string (tensor);
    yv_builder_fail (builder, module, YV_ERROR_MALFORMED, "%s is %s, expected %u elements", name,
                     shape, n_elems);
    return NULL;
  }

  double *values = g_new (double, n_elems);
  for (uint32_t i = 0; i < n_elems; i++)
    values[i] = yv_tensor_get (tensor, i);
  return values;
}
