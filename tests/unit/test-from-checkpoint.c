/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-from-checkpoint.c - engine/model: pickled modules -> layers; and what is refused.
 */
#include "engine/model/from_checkpoint.h"

#include <math.h>
#include <string.h>

#include "engine/error.h"
#include "engine/model/check.h"
#include "engine/model/walk.h"
#include "tests/common/objects.h"

static YvModel *
load (const YvObject *root, GError **error)
{
  g_autoptr (YvModel) model = g_new0 (YvModel, 1);

  if (!yv_model_from_modules (root, model, error) || !yv_check_tensors (model, NULL, error))
    return NULL;
  return g_steal_pointer (&model);
}

static YvModel *
load_good (const YvObject *root)
{
  g_autoptr (GError) error = NULL;
  YvModel *model = load (root, &error);

  g_assert_no_error (error);
  return model;
}

static const YvModule *
module_at (const YvModel *model, guint row)
{
  return ((const YvLayer *) g_ptr_array_index (model->layers, row))->module;
}

static const YvLayer *
layer_at (const YvModel *model, guint row)
{
  return g_ptr_array_index (model->layers, row);
}

static void
rows_become_layers_with_sources_and_tensors (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  g_autoptr (YvModel) model = load_good (yv_test_model (objects));
  const YvTensor *weight = g_hash_table_lookup (model->tensors, "model.0.conv.weight");

  g_assert_cmpuint (model->layers->len, ==, 5);
  g_assert_cmpint (layer_at (model, 0)->from[0], ==, YV_FROM_INPUT);
  g_assert_cmpint (layer_at (model, 3)->from[0], ==, 2);
  g_assert_cmpint (layer_at (model, 3)->from[1], ==, 1);
  g_assert_cmpuint (weight->shape[1], ==, 3);
  g_assert_cmpuint (model->n_classes, ==, 2);
  g_assert_cmpuint (model->n_input_channels, ==, 3);
  g_assert_true (yv_module_is (module_at (model, 0), "Conv"));
  g_assert_cmpstr (module_at (model, 0)->path, ==, "model.0");
}

static void
parameters_are_counted_without_running_statistics (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  g_autoptr (YvModel) model = load_good (yv_test_model (objects));

  g_assert_cmpuint (yv_layer_n_params (layer_at (model, 0)), ==, 8 * 3 * 9 + 2 * 8);
  g_assert_cmpuint (yv_layer_n_params (layer_at (model, 1)), ==, 0);
  g_assert_cmpuint (yv_layer_n_params (layer_at (model, 4)), ==, 16 * 7 + 7 + 16 + 7);
}

static void
the_heads_numbers_come_from_its_own_tensors (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *root = yv_test_model (objects);
  YvObject *head = yv_test_find (root, "model.4");

  yv_test_set (objects, head, "nc", NULL); /* then it is no - 5 */
  yv_test_set (objects, head, "na", NULL);
  g_autoptr (YvModel) model = load_good (root);
  g_assert_cmpuint (model->n_classes, ==, 2);
  g_assert_cmpfloat (yv_module_number (module_at (model, 4), "na", 0, 0), ==, 1);
  g_assert_cmpfloat (yv_module_number (module_at (model, 4), "stride", 0, 0), ==, 4);
  g_assert_cmpfloat (yv_module_number (module_at (model, 4), "anchors", 1, 0), ==, 10);
}

static void
anchors_in_cells_are_scaled_where_there_is_no_grid (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *root = yv_test_model (objects);

  yv_test_add_buffer (objects, yv_test_find (root, "model.4"), "anchors",
                      yv_test_tensor_of (objects, 3, 1, 1, 2));
  yv_test_add_buffer (objects, yv_test_find (root, "model.4"), "anchor_grid", NULL);
  g_autoptr (YvModel) model = load_good (root);
  g_assert_cmpfloat (yv_module_number (module_at (model, 4), "anchors", 0, 0), ==, 12);
}

static void
an_overridden_forward_means_fused (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *root = yv_test_model (objects);

  yv_test_set (objects, yv_test_find (root, "model.4"), "forward", yv_test_none (objects));
  g_autoptr (YvModel) model = load_good (root);
  g_assert_cmpfloat (yv_module_number (module_at (model, 4), "fused", 0, 0), ==, 1);
  g_assert_null (yv_module_attr (module_at (model, 2), "fused"));
}

static void
a_convolution_fused_before_saving_has_a_bias_and_no_batchnorm (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *root = yv_test_model (objects);
  YvObject *conv = yv_test_find (root, "model.0");

  yv_test_add_module (objects, conv, "bn", NULL);
  yv_test_add_module (objects, conv, "conv", yv_test_conv2d (objects, 3, 8, 3, 2, true));
  g_autoptr (YvModel) model = load_good (root);
  g_assert_null (yv_module_child (module_at (model, 0), "bn"));
  g_assert_cmpfloat (
      yv_module_number (yv_module_child (module_at (model, 0), "conv"), "bias", 0, 0), ==, 1);
}

static void
class_names_come_as_list_or_dict_and_gaps_are_filled (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *root = yv_test_model (objects);
  YvObject *names = yv_test_set (objects, root, "names", yv_test_dict (objects));

  yv_test_set (objects, names, "1", yv_test_text (objects, "dog"));
  yv_test_set (objects, names, "7", yv_test_text (objects, "beyond the classes"));
  yv_test_set (objects, names, "cat", yv_test_text (objects, "no index"));
  g_autoptr (YvModel) model = load_good (root);
  g_assert_cmpstr (model->class_names[0], ==, "class0");
  g_assert_cmpstr (model->class_names[1], ==, "dog");
  g_assert_null (model->class_names[2]);

  YvObject *list = yv_test_tuple (objects, (const double[]){0, 0, 0}, 3);
  for (int i = 0; i < 3; i++)
    list->sequence.items[i] = yv_test_text (objects, i ? "b" : "a");
  yv_test_set (objects, root, "names", list);
  g_autoptr (YvModel) from_list = load_good (root);
  g_assert_cmpstr (from_list->class_names[0], ==, "a");
  g_assert_cmpstr (from_list->class_names[1], ==, "b");
}

static void
classes_are_known_by_their_last_name (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *root = yv_test_model (objects);
  YvObject *bn = yv_test_find (root, "model.0.bn");

  ((YvObject *) yv_test_find (root, "model.0")->instance.class_name)->class_name.module =
      "mine.yolov7.models.common";
  ((YvObject *) bn->instance.class_name)->class_name.name = "SyncBatchNorm";
  g_autoptr (YvModel) model = load_good (root);
  g_assert_true (yv_module_is (yv_module_child (module_at (model, 0), "bn"), "BatchNorm2d"));
}

static void
a_shared_activation_is_seen_from_every_module (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *root = yv_test_model (objects);

  yv_test_add_module (objects, yv_test_find (root, "model.2"), "act",
                      yv_test_find (root, "model.0.act"));
  g_autoptr (YvModel) model = load_good (root);
  g_assert_cmpstr (yv_module_child (module_at (model, 0), "act")->path, ==, "model.0.act");
  g_assert_cmpstr (yv_module_child (module_at (model, 2), "act")->path, ==, "model.2.act");
}

typedef enum {
  ATTRIBUTE,
  PARAMETER,
  BUFFER,
  MODULE,
} Part;

typedef enum {
  ABSENT,
  TEXT,
  NUMBER,
  PAIR,
  TENSOR, /* of 8 numbers */
  INSTANCE,
} NewValue;

static const struct {
  const char *path;
  Part part;
  const char *key;
  NewValue value;
  const char *text;
  double number;
  const char *message;
} refused[] = {
    {"model.0.conv", ATTRIBUTE, "padding_mode", TEXT, "reflect", 0,
     "model.0.conv (Conv2d): padding_mode reflect is not supported, only zeros is"},
    {"model.0.conv", ATTRIBUTE, "transposed", NUMBER, NULL, 1,
     "model.0.conv (Conv2d): transposed 1 is not supported, only 0 is"},
    {"model.0.conv", ATTRIBUTE, "dilation", PAIR, NULL, 2,
     "model.0.conv (Conv2d): dilation 2 is not supported, only 1 is"},
    {"model.0.conv", ATTRIBUTE, "padding", TEXT, "same", 0,
     "model.0.conv (Conv2d): padding is same, expected numbers"},
    {"model.0.conv", ATTRIBUTE, "groups", ABSENT, NULL, 0,
     "model.0.conv (Conv2d): groups is absent, expected numbers"},
    {"model.0.conv", ATTRIBUTE, "groups", NUMBER, NULL, 5,
     "model.0.conv: 5 groups do not divide the channels, 3 in and 8 out"},
    {"model.0.conv", ATTRIBUTE, "kernel_size", PAIR, NULL, -3,
     "model.0.conv (Conv2d): kernel_size is -3, expected a whole number from 1 to 64"},
    {"model.0.conv", ATTRIBUTE, "stride", PAIR, NULL, 1.5,
     "model.0.conv (Conv2d): stride is 1.5, expected a whole number from 1 to 64"},
    {"model.0.conv", ATTRIBUTE, "in_channels", NUMBER, NULL, 1e300,
     "model.0.conv (Conv2d): in_channels is 1e+300, expected a whole number from 1 to 65536"},
    {"model.0.conv", ATTRIBUTE, "in_channels", NUMBER, NULL, 4,
     "model.0.conv.weight: shape is [8,3,3,3], expected [8,4,3,3]"},
    {"model.0.conv", PARAMETER, "weight", ABSENT, NULL, 0,
     "model.0.conv.weight: no such tensor in the file"},
    {"model.0.conv", PARAMETER, "weight", TENSOR, NULL, 1,
     "model.0.conv.weight: shape is [8], expected [8,3,3,3]"},
    {"model.0.bn", ATTRIBUTE, "eps", NUMBER, NULL, 0,
     "model.0.bn (BatchNorm2d): eps is 0, expected a number from 1e-30 to 1"},
    {"model.0.bn", ATTRIBUTE, "affine", NUMBER, NULL, 0,
     "model.0.bn (BatchNorm2d): affine 0 is not supported, only 1 is"},
    {"model.0.bn", PARAMETER, "weight", TENSOR, NULL, NAN,
     "model.0.bn.weight: element 0 is nan, expected finite numbers; the training diverged *"},
    {"model.2.bn", BUFFER, "running_var", TENSOR, NULL, -0.5,
     "model.2.bn.running_var: element 0 is -0.5, expected no negative variance"},
    {"model.2.bn", BUFFER, "running_mean", TENSOR, NULL, INFINITY,
     "model.2.bn.running_mean: element 0 is inf, expected finite numbers*"},
    {"model.1.m", ATTRIBUTE, "ceil_mode", NUMBER, NULL, 1,
     "model.1.m (MaxPool2d): ceil_mode 1 is not supported, only 0 is"},
    {"model.1.m", ATTRIBUTE, "padding", NUMBER, NULL, 2,
     "model.1.m: a padding of 2, at most half of the kernel (2) is possible"},
    {"model.3", ATTRIBUTE, "d", NUMBER, NULL, 2,
     "model.3 (Concat): d is 2, expected a whole number from 1 to 1"},
    {"model.2", ATTRIBUTE, "f", NUMBER, NULL, 2, "row 2: from 2 is a forward reference; a row *"},
    {"model.2", ATTRIBUTE, "f", NUMBER, NULL, 9, "row 2: from 9 is out of range, there are 5 *"},
    {"model.2", ATTRIBUTE, "f", NUMBER, NULL, -3, "row 2: from -3 reaches back beyond row 0"},
    {"model.2", ATTRIBUTE, "f", TEXT, "all", 0, "row 2: its attribute f is no list of rows"},
    {"model.2", ATTRIBUTE, "f", NUMBER, NULL, 1e99, "row 2: its attribute f is no list of rows"},
    {"model.2", ATTRIBUTE, "i", NUMBER, NULL, 3, "row 2: its attribute i is another row"},
    {"model.4", ATTRIBUTE, "nc", NUMBER, NULL, 3,
     "model.4.m.0: 7 channels, expected 8 = anchors ? (5 + classes)"},
    {"model.4", ATTRIBUTE, "nc", NUMBER, NULL, 1e9, "model.4 (IDetect): 1e+09 classes, 1 anchors*"},
    {"model.4", BUFFER, "anchor_grid", TENSOR, NULL, 1,
     "model.4.anchor_grid: shape is [8], expected w and h of 1 anchors on 1 levels"},
    {"model.4", MODULE, "m", ABSENT, NULL, 0,
     "model.4 (IDetect): 2 classes, 1 anchors, 0 levels; supported *"},
    {"model", MODULE, "4", ABSENT, NULL, 0,
     "row 3: the last row is Concat, expected Detect, IDetect or IAuxDetect"},
    {"model", MODULE, "1", ABSENT, NULL, 0,
     "row 1: found a module named \"2\", expected rows 0, 1, 2 in order"},
    {"model.0", MODULE, "act", INSTANCE, "GELU", 0,
     "unsupported module GELU at row 0 (mine.GELU at model.0.act); supported are Conv, *"},
    {"model.0", MODULE, "conv", INSTANCE, "Conv2d", 0,
     "unsupported module Conv2d at row 0 (mine.Conv2d at model.0.conv); supported are *"},
    {"model", MODULE, "2", INSTANCE, "C2f", 0,
     "unsupported module C2f at row 2 (mine.C2f at model.2); supported are Conv, *"},
    {"model", MODULE, "2", INSTANCE, "SiLU", 0,
     "unsupported module SiLU at row 2; supported are Conv, *"},
    {"model.0", MODULE, "a.b", INSTANCE, "Conv", 0,
     "model.0: a part of it is not a module with a proper name"},
    {"", MODULE, "model", ABSENT, NULL, 0,
     "models.yolo.Model has 0 rows in its part `model`, expected 1 to 10000: it is no YOLOv7 *"},
};

static YvObject *
make_value (YvTestObjects *objects, guint row)
{
  const double number = refused[row].number;

  switch (refused[row].value) {
  case ABSENT:
    return NULL;
  case TEXT:
    return yv_test_text (objects, refused[row].text);
  case NUMBER:
    return yv_test_number (objects, number);
  case PAIR:
    return yv_test_tuple (objects, (const double[]){number, number}, 2);
  case TENSOR:
    return yv_test_tensor_of (objects, number, 8);
  case INSTANCE:
    return yv_test_module (objects, "mine", refused[row].text);
  }
  g_assert_not_reached ();
}

static void
spoil (YvTestObjects *objects, YvObject *root, guint row)
{
  static const char *const dicts[] = {NULL, "_parameters", "_buffers", "_modules"};
  YvObject *module = yv_test_find (root, refused[row].path);
  const char *dict = dicts[refused[row].part];

  yv_test_set (objects, dict ? (YvObject *) yv_object_get (module, dict) : module, refused[row].key,
               make_value (objects, row));
}

static void
what_is_wrong_is_named_with_module_and_tensor (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
    YvObject *root = yv_test_model (objects);
    g_autoptr (GError) error = NULL;

    spoil (objects, root, i);
    g_autoptr (YvModel) model = load (root, &error);
    if (model || !g_pattern_match_simple (refused[i].message, error->message))
      g_test_fail_printf ("%u: expected \"%s\", got \"%s\"", i, refused[i].message,
                          error ? error->message : "no error");
  }
}

static void
a_module_inside_itself_is_refused (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *root = yv_test_model (objects);
  YvObject *row = yv_test_find (root, "model.0");
  g_autoptr (GError) error = NULL;

  yv_test_add_module (objects, row, "again", row);
  g_assert_null (load (root, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_MALFORMED);
  g_assert_true (g_str_has_suffix (error->message, ": modules are nested more than 16 deep"));
}

/* Each level holds the next one eight times: 8^14 modules in a file of a hundred. */
static void
modules_shared_beyond_reason_are_refused (void)
{
  static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *root = yv_test_model (objects);
  YvObject *inner = yv_test_module (objects, "torch.nn.modules.container", "Sequential");
  g_autoptr (GError) error = NULL;

  for (int depth = 0; depth < 14; depth++) {
    YvObject *outer = yv_test_module (objects, "torch.nn.modules.container", "Sequential");
    for (guint i = 0; i < G_N_ELEMENTS (names); i++)
      yv_test_add_module (objects, outer, names[i], inner);
    inner = outer;
  }
  yv_test_add_module (objects, yv_test_find (root, "model.0"), "bomb", inner);
  g_assert_null (load (root, &error));
  g_assert_true (g_str_has_suffix (error->message, ": more than 20000 modules"));
}

static void
a_module_with_too_many_tensors_is_refused (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *root = yv_test_model (objects);
  YvObject *conv = yv_test_find (root, "model.0");
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 1025; i++) {
    g_autofree char *name = g_strdup_printf ("t%d", i);
    yv_test_add_buffer (objects, conv, g_intern_string (name), yv_test_none (objects));
  }
  g_assert_null (load (root, &error));
  g_assert_cmpstr (error->message, ==, "model.0: more than 1024 attributes, tensors or parts");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/from-checkpoint/rows", rows_become_layers_with_sources_and_tensors);
  g_test_add_func ("/from-checkpoint/params", parameters_are_counted_without_running_statistics);
  g_test_add_func ("/from-checkpoint/head", the_heads_numbers_come_from_its_own_tensors);
  g_test_add_func ("/from-checkpoint/anchors", anchors_in_cells_are_scaled_where_there_is_no_grid);
  g_test_add_func ("/from-checkpoint/forward", an_overridden_forward_means_fused);
  g_test_add_func ("/from-checkpoint/fused",
                   a_convolution_fused_before_saving_has_a_bias_and_no_batchnorm);
  g_test_add_func ("/from-checkpoint/names", class_names_come_as_list_or_dict_and_gaps_are_filled);
  g_test_add_func ("/from-checkpoint/classes", classes_are_known_by_their_last_name);
  g_test_add_func ("/from-checkpoint/shared", a_shared_activation_is_seen_from_every_module);
  g_test_add_func ("/from-checkpoint/refused", what_is_wrong_is_named_with_module_and_tensor);
  g_test_add_func ("/from-checkpoint/cycle", a_module_inside_itself_is_refused);
  g_test_add_func ("/from-checkpoint/entries", a_module_with_too_many_tensors_is_refused);
  g_test_add_func ("/from-checkpoint/bomb", modules_shared_beyond_reason_are_refused);
  return g_test_run ();
}
