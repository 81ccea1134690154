/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/from_checkpoint.c - the rows of a pickled model, its head and its class names. */
#include "engine/model/from_checkpoint.h"

#include <math.h>
#include <string.h>

#include "common/excerpt.h"
#include "engine/error.h"
#include "engine/model/args.h"
#include "engine/model/attributes.h"
#include "engine/model/config.h"
#include "engine/model/expand.h"
#include "engine/model/geometry.h"
#include "engine/model/layer.h"
#include "engine/model/limits.h"
#include "engine/model/locate.h"
#include "engine/model/walk.h"

#define MAX_FROM 64
#define MAX_CLASS_NAME_BYTES 256
#define MAX_ANCHOR_VALUES (YV_MAX_LEVELS * YV_MAX_ANCHORS * 2)

/* Rows. */

static bool
fail_row (uint32_t row, const char *problem, GError **error)
{
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "row %u: %s", row, problem);
  return false;
}

static bool
read_from (const YvObject *instance, YvLayer *layer, uint32_t n_rows, GError **error)
{
  double values[MAX_FROM];
  int32_t from[MAX_FROM];
  const uint32_t n_from =
      yv_object_numbers (yv_object_get (instance, "f"), values, G_N_ELEMENTS (values));

  if (n_from == 0)
    return fail_row (layer->row, "its attribute f is no list of rows", error);
  for (uint32_t i = 0; i < n_from; i++) {
    if (!(fabs (values[i]) <= YV_CONFIG_MAX_ROWS) || values[i] != floor (values[i]))
      return fail_row (layer->row, "its attribute f is no list of rows", error);
    from[i] = (int32_t) values[i];
  }
  if (yv_layer_resolve_from (layer, from, n_from, n_rows, error))
    return true;
  g_prefix_error (error, "row %u: ", layer->row);
  return false;
}

static bool
check_row_class (const YvLayer *layer, GError **error)
{
  const YvModule *module = layer->module;
  const bool is_sequence = yv_module_is (module, "Sequential") && module->children->len > 0;
  const char *class_name =
      is_sequence ? ((const YvModule *) g_ptr_array_index (module->children, 0))->class_name
                  : module->class_name;

  if (yv_is_row_class (class_name))
    return true;
  g_autofree char *supported = yv_row_classes ();
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "unsupported module %s at row %u; supported are %s", class_name, layer->row,
               supported);
  return false;
}

static bool
read_row (YvWalk *walk, const YvObject *rows, uint32_t row, YvLayer *layer, GError **error)
{
  const char *name = yv_object_get_string (rows->sequence.items[2 * row]);
  const YvObject *instance = rows->sequence.items[2 * row + 1];
  g_autofree char *expected_name = g_strdup_printf ("%u", row);
  double index = row;

  if (instance->kind != YV_OBJECT_INSTANCE || g_strcmp0 (name, expected_name) != 0) {
    g_autofree char *found = yv_excerpt (name);
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "row %u: found a module named \"%s\", expected rows 0, 1, 2 in order", row, found);
    return false;
  }
  if (yv_object_get_number (yv_object_get (instance, "i"), &index) && (index < row || index > row))
    return fail_row (row, "its attribute i is another row", error);
  walk->row = layer->row = row;
  layer->module = yv_walk_module (walk, instance, "model", name, error);
  return layer->module && check_row_class (layer, error) &&
         read_from (instance, layer, rows->sequence.n_items / 2, error);
}

/* The head. */

static void
note_number (const YvObject *instance, const char *key, YvModule *head)
{
  double value;

  if (yv_object_get_number (yv_object_get (instance, key), &value))
    yv_module_set (head, key, value);
}

/* Anchors in pixels: the buffer anchor_grid, else anchors (in cells) times stride (spec 3.2). */
static void
note_anchors (const YvObject *instance, YvModule *head)
{
  const YvObject *buffers = yv_object_get (instance, "_buffers");
  const YvAttr *stride = yv_module_attr (head, "stride");
  double values[MAX_ANCHOR_VALUES];
  uint32_t n_values =
      yv_object_numbers (yv_object_get (buffers, "anchor_grid"), values, MAX_ANCHOR_VALUES);

  if (n_values == 0) {
    n_values = yv_object_numbers (yv_object_get (buffers, "anchors"), values, MAX_ANCHOR_VALUES);
    if (n_values == 0 || !stride || n_values % stride->n_values != 0)
      return;
    for (uint32_t i = 0; i < n_values; i++)
      values[i] *= stride->values[i / (n_values / stride->n_values)];
  }
  yv_module_set_many (head, "anchors", values, n_values);
}

/* The number of anchors of each level is the second dimension of the buffer of anchors. */
static void
note_n_anchors (const YvObject *instance, YvModule *head)
{
  const YvObject *anchors = yv_object_get (yv_object_get (instance, "_buffers"), "anchors");

  note_number (instance, "na", head);
  if (anchors && anchors->kind == YV_OBJECT_TENSOR && anchors->tensor.n_dims == 3)
    yv_module_set (head, "na", (double) anchors->tensor.shape[1]);
}

static void
note_n_classes (const YvObject *instance, YvModule *head)
{
  double n_outputs;

  note_number (instance, "nc", head);
  if (!yv_module_attr (head, "nc") &&
      yv_object_get_number (yv_object_get (instance, "no"), &n_outputs))
    yv_module_set (head, "nc", n_outputs - 5);
}

static void
read_head (const YvObject *root, const YvObject *instance, YvModule *head)
{
  double strides[YV_MAX_LEVELS];
  const YvModule *convs = yv_module_child (head, "m");
  const uint32_t n_levels = convs ? convs->children->len : 0;
  const YvObject *own_stride = yv_object_get (instance, "stride");
  const YvObject *stride = own_stride ? own_stride : yv_object_get (root, "stride");

  note_n_classes (instance, head);
  note_n_anchors (instance, head);
  yv_module_set (head, "nl", n_levels);
  if (n_levels > 0 && yv_object_numbers (stride, strides, YV_MAX_LEVELS) == n_levels)
    yv_module_set_many (head, "stride", strides, n_levels);
  note_anchors (instance, head);
}

/* Class names. */

char **
yv_default_class_names (uint32_t n_classes)
{
  char **names = g_new0 (char *, n_classes + 1);

  for (uint32_t i = 0; i < n_classes; i++)
    names[i] = g_strdup_printf ("class%u", i);
  return names;
}

static void
set_name (char **names, uint32_t n_classes, double index, const YvObject *value)
{
  const char *name = yv_object_get_string (value);

  if (!name || name[0] == '\0' || strlen (name) > MAX_CLASS_NAME_BYTES || !(index >= 0) ||
      index >= n_classes)
    return;
  char **slot = &names[(uint32_t) index];
  g_free (*slot);
  *slot = g_strdup (name);
}

/* A dict's keys are numbers, or their digits. */
static double
name_index (const YvObject *key)
{
  const char *text = yv_object_get_string (key);
  double index = -1;
  guint64 parsed;

  if (text && g_ascii_string_to_unsigned (text, 10, 0, YV_MAX_CLASSES, &parsed, NULL))
    return (double) parsed;
  return yv_object_get_number (key, &index) ? index : -1;
}

/* A list or a dict; what it lacks keeps its default. */
static void
read_class_names (const YvObject *names, uint32_t n_classes, char **out)
{
  if (!names)
    return;
  if (names->kind == YV_OBJECT_LIST || names->kind == YV_OBJECT_TUPLE)
    for (uint32_t i = 0; i < names->sequence.n_items; i++)
      set_name (out, n_classes, i, names->sequence.items[i]);
  if (names->kind == YV_OBJECT_DICT)
    for (uint32_t i = 0; i + 1 < names->sequence.n_items; i += 2)
      set_name (out, n_classes, name_index (names->sequence.items[i]),
                names->sequence.items[i + 1]);
}

/* The model. */

static const YvObject *
find_rows (const YvObject *root, GError **error)
{
  const YvObject *rows = yv_submodules (yv_object_get (yv_submodules (root), "model"));
  const uint32_t n_rows = rows ? rows->sequence.n_items / 2 : 0;

  if (n_rows > 0 && n_rows <= YV_CONFIG_MAX_ROWS)
    return rows;
  g_autofree char *full_path = yv_object_class_path (root);
  g_autofree char *path = yv_excerpt (full_path);
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "%s has %u rows in its part `model`, expected 1 to %d: it is no YOLOv7 model", path,
               n_rows, YV_CONFIG_MAX_ROWS);
  return NULL;
}

static bool
read_rows (const YvObject *root, const YvObject *rows, YvModel *model, GError **error)
{
  YvWalk walk = {.tensors = model->tensors};
  const uint32_t n_rows = rows->sequence.n_items / 2;

  for (uint32_t row = 0; row < n_rows; row++) {
    YvLayer *layer = g_new0 (YvLayer, 1);
    g_ptr_array_add (model->layers, layer);
    if (!read_row (&walk, rows, row, layer, error))
      return false;
    if (yv_is_head_class (layer->module->class_name))
      read_head (root, rows->sequence.items[2 * row + 1], layer->module);
    if (!yv_geometry_check (layer->module, error))
      return false;
  }
  return yv_layers_check_head (model->layers, error);
}

static uint32_t
read_n_input_channels (const YvObject *root)
{
  double channels = 3;
  const YvObject *yaml = yv_object_get (root, "yaml");

  yv_object_get_number (yv_object_get (yaml, "ch"), &channels);
  return channels >= 1 && channels <= 1024 ? (uint32_t) channels : 3;
}

bool
yv_model_from_modules (const YvObject *root, YvModel *model, GError **error)
{
  const YvObject *rows = find_rows (root, error);

  model->layers = yv_layers_new ();
  model->tensors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!rows || !read_rows (root, rows, model, error))
    return false;

  const YvLayer *head = g_ptr_array_index (model->layers, model->layers->len - 1);
  model->n_classes = (uint32_t) yv_module_number (head->module, "nc", 0, 0);
  model->n_input_channels = read_n_input_channels (root);
  model->class_names = yv_default_class_names (model->n_classes);
  read_class_names (yv_object_get (root, "names"), model->n_classes, model->class_names);
  return true;
}
