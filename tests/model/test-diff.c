/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-diff.c - two models compared: what is told to be equal is, and what was changed
 * is found, with its size. */
#include <math.h>
#include <string.h>

#include <glib/gstdio.h>

#include "engine/checkpoint/safetensors.h"
#include "engine/graph/build.h"
#include "engine/half.h"
#include "engine/model/check.h"
#include "engine/passes/passes.h"
#include "engine/yolov7-tools.h"
#include "tests/common/layers.h"
#include "tests/common/objects.h"
#include "tests/common/paths.h"
#include "tests/common/writeobject.h"

/* Tensors to be written, and what they are made of. */
typedef struct {
  GArray *tensors; /* of YvNamedTensor */
  GPtrArray *owned;
} Set;

static Set
set_new (void)
{
  return (Set){g_array_new (FALSE, FALSE, sizeof (YvNamedTensor)),
               g_ptr_array_new_with_free_func (g_free)};
}

static void
set_clear (Set *set)
{
  g_array_unref (set->tensors);
  g_ptr_array_unref (set->owned);
}

/* @values and @name become the set's. */
static void
set_add (Set *set, char *name, float *values, uint32_t n_dims, const uint64_t *shape)
{
  YvNamedTensor named = {.name = name, .tensor = {.dtype = YV_DTYPE_F32, .n_dims = n_dims}};
  uint64_t stride = 1;

  named.tensor.data = (const uint8_t *) values;
  for (uint32_t dim = n_dims; dim-- > 0; stride *= shape[dim]) {
    named.tensor.shape[dim] = shape[dim];
    named.tensor.stride_elems[dim] = stride;
  }
  g_array_append_val (set->tensors, named);
  g_ptr_array_add (set->owned, name);
  g_ptr_array_add (set->owned, values);
}

static float *
set_values (const Set *set, const char *name, uint64_t *n_elems)
{
  for (guint i = 0; i < set->tensors->len; i++) {
    YvNamedTensor *named = &g_array_index (set->tensors, YvNamedTensor, i);

    if (strcmp (named->name, name) != 0)
      continue;
    if (n_elems)
      *n_elems = yv_tensor_n_elems (&named->tensor);
    return (float *) (gpointer) named->tensor.data;
  }
  g_assert_not_reached ();
}

static void
round_to_half (Set *set)
{
  for (guint i = 0; i < set->tensors->len; i++) {
    YvTensor *tensor = &g_array_index (set->tensors, YvNamedTensor, i).tensor;
    const uint64_t n_elems = yv_tensor_n_elems (tensor);
    uint16_t *halves = g_new (uint16_t, n_elems);

    for (uint64_t j = 0; j < n_elems; j++)
      halves[j] = yv_half_from_float ((float) yv_tensor_get (tensor, j));
    tensor->dtype = YV_DTYPE_F16;
    tensor->data = (const uint8_t *) halves;
    g_ptr_array_add (set->owned, halves);
  }
}

/* A safetensors file in a folder of its own; yv_test_remove() it. */
static char *
write_set (const Set *set)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("yv-diff-XXXXXX", NULL);
  char *path = g_build_filename (folder, "x.safetensors", NULL);

  yv_safetensors_write (path, (const YvNamedTensor *) (gpointer) set->tensors->data,
                        set->tensors->len, &error);
  g_assert_no_error (error);
  return path;
}

static YvModel *
load (YvCheckpoint **checkpoint, const char *path)
{
  g_autoptr (GError) error = NULL;

  *checkpoint = yv_checkpoint_open (path, &error);
  g_assert_no_error (error);
  YvModel *model = yv_model_load (*checkpoint, NULL, &error);
  g_assert_no_error (error);
  return model;
}

/* The tensors that a checkpoint trains with, as f32. */
static Set
read_trained (const char *path)
{
  g_autoptr (YvCheckpoint) checkpoint = NULL;
  g_autoptr (YvModel) model = load (&checkpoint, path);
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Set set = set_new ();
  GHashTableIter iter;
  gpointer name;

  g_assert_true (yv_check_tensors (model, names, NULL));
  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    const YvTensor *tensor = g_hash_table_lookup (model->tensors, name);
    const uint64_t n_elems = yv_tensor_n_elems (tensor);
    float *values = g_new (float, n_elems);

    yv_tensor_read_f32 (tensor, 0, n_elems, values);
    set_add (&set, g_strdup (name), values, tensor->n_dims, tensor->shape);
  }
  return set;
}

/* "model.122.m.0" -> "model.118.m.0" where the deployed model counts its head so; what a RepConv
 * is merged into has the name of the row. */
static char *
deployed_name (const YvNode *node, uint32_t head_row, uint32_t deployed_head_row, const char *what)
{
  const char *part = strchr (node->name + strlen ("model."), '.');
  const uint32_t row = node->row == head_row ? deployed_head_row : node->row;

  return g_strdup_printf ("model.%u%s.%s", row, part ? part : ".rbr_reparam", what);
}

static void
add_conv (Set *set, const YvNode *node, uint32_t head_row, uint32_t deployed_head_row)
{
  const YvWeight *weight = node->conv.weight;
  const uint64_t shape[] = {weight->c_out, weight->c_in / weight->groups, weight->kernel_h,
                            weight->kernel_w};
  const uint64_t row_elems = shape[1] * shape[2] * shape[3];
  g_autofree double *row = g_new (double, row_elems);
  float *values = g_new (float, row_elems * weight->c_out);
  float *bias = g_new (float, weight->c_out);

  for (uint32_t o = 0; o < weight->c_out; o++) {
    yv_weight_row (weight, o, row);
    for (uint64_t i = 0; i < row_elems; i++)
      values[o * row_elems + i] = (float) row[i];
    bias[o] = (float) weight->bias[o];
  }
  set_add (set, deployed_name (node, head_row, deployed_head_row, "weight"), values, 4, shape);
  set_add (set, deployed_name (node, head_row, deployed_head_row, "bias"), bias, 1, shape);
}

/* What upstream's fuse() makes of a training file: each convolution with its bias. */
static Set
read_deployed (const char *path, uint32_t deployed_head_row)
{
  g_autoptr (YvCheckpoint) checkpoint = NULL;
  g_autoptr (YvModel) model = load (&checkpoint, path);
  g_autoptr (YvGraph) graph = yv_graph_build (model, 0, NULL);
  Set set = set_new ();

  yv_passes_run (graph, NULL);
  for (guint i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];

    if (node->op == YV_OP_CONV)
      add_conv (&set, node, model->layers->len - 1, deployed_head_row);
  }
  return set;
}

static YvModelDiff *
compare (const char *a, const char *b, const char *config)
{
  g_autoptr (GError) error = NULL;
  YvModelDiff *diff = yv_model_diff_new (a, config, b, config, &error);

  g_assert_no_error (error);
  return diff;
}

static const YvSettingDiff *
find_setting (const YvModelDiff *diff, const char *name)
{
  for (uint32_t i = 0; i < diff->n_settings; i++)
    if (strcmp (diff->settings[i].name, name) == 0)
      return &diff->settings[i];
  g_assert_not_reached ();
}

static uint32_t
count_unequal_tensors (const YvModelDiff *diff)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < diff->n_tensors; i++)
    n += diff->tensors[i].difference.n_unequal > 0;
  return n;
}

static char *
legacy_path (void)
{
  return yv_test_source_path ("tests/golden/checkpoints/x-legacy.pt");
}

static char *
config_of (const char *file, double width, guint n_classes)
{
  g_autofree char *path = yv_test_source_path (file);

  return yv_test_resize_description (path, width, n_classes);
}

static void
a_file_equals_itself (void)
{
  g_autofree char *path = legacy_path ();
  g_autoptr (YvModelDiff) diff = compare (path, path, NULL);

  g_assert_cmpint (diff->deployed, ==, YV_EQUAL);
  g_assert_cmpint (diff->weights.equality, ==, YV_EQUAL);
  g_assert_cmpuint (diff->weights.n_elems, ==, diff->a->n_params_deployed);
  g_assert_cmpfloat_with_epsilon (diff->weights.cosine, 1, 1e-12);
  g_assert_cmpuint (count_unequal_tensors (diff), ==, 0);
  for (uint32_t i = 0; i < diff->n_settings; i++)
    g_assert_true (diff->settings[i].equal);
  for (uint32_t i = 0; i < diff->n_layers; i++) {
    g_assert_true (diff->layers[i].same_network);
    g_assert_cmpstr (diff->layers[i].changes, ==, "");
    g_assert_true (diff->layers[i].a->row == i && diff->layers[i].b->row == i);
  }
}

/* Every form of the file says the same, and says how it differs. */
static void
compare_deployed (const char *trained, const char *config, Set *set, const char *what)
{
  g_autofree char *deployed = write_set (set);
  g_autoptr (YvModelDiff) diff = compare (trained, deployed, config);

  g_test_message ("%s: relative difference %.3g, largest %.3g, %s", what, diff->weights.relative,
                  diff->weights.max_abs,
                  diff->weights.equality == YV_EQUAL_ROUNDED ? "rounding" : "not rounding");
  g_assert_cmpint (diff->deployed, ==, YV_EQUAL_ROUNDED);
  g_assert_cmpuint (diff->weights.n_elems, ==, diff->a->n_params_deployed);
  g_assert_cmpuint (diff->weights.n_unequal, >, 0);
  g_assert_false (find_setting (diff, "batch-norm eps")->equal);
  g_assert_true (find_setting (diff, "parameters as deployed")->equal);
  g_assert_cmpstr (diff->layers[1].changes, ==, "conv.bias 0 -> 1; bn only in A");
  yv_test_remove (deployed);
}

static void
compare_with_deployed_forms (const char *trained, const char *config, uint32_t head_row)
{
  g_autofree char *name = g_path_get_basename (trained);
  g_autofree char *f32 = g_strdup_printf ("%s, folded in f32", name);
  g_autofree char *f16 = g_strdup_printf ("%s, folded and rounded to f16", name);
  Set set = read_deployed (trained, head_row);

  compare_deployed (trained, config, &set, f32);
  round_to_half (&set);
  compare_deployed (trained, config, &set, f16);
  set_clear (&set);
}

static void
a_training_file_equals_its_deployed_form_but_for_rounding (void)
{
  g_autofree char *trained = legacy_path ();
  g_autofree char *config = config_of ("cfg/deploy/yolov7x.yaml", 0.125, 5);

  compare_with_deployed_forms (trained, config, 121);
  yv_test_remove (config);
}

static void
merged_branches_and_dropped_rows_are_seen_through (void)
{
  g_autofree char *v7 = yv_test_shared_path ("reference/v7-best.pt");
  g_autofree char *w6 = yv_test_shared_path ("reference/w6-train.pt");
  g_autofree char *v7_config = config_of ("cfg/deploy/yolov7.yaml", 0.25, 3);
  g_autofree char *w6_config = config_of ("cfg/deploy/yolov7-w6.yaml", 0.125, 5);

  if (v7 && w6) {
    compare_with_deployed_forms (v7, v7_config, 105);
    compare_with_deployed_forms (w6, w6_config, 118);
  } else {
    g_test_skip ("the reference checkpoints are not here");
  }
  yv_test_remove (v7_config);
  yv_test_remove (w6_config);
}

static void
a_changed_weight_is_found_with_its_size (void)
{
  g_autofree char *trained = legacy_path ();
  g_autofree char *config = config_of ("cfg/training/yolov7x.yaml", 0.125, 5);
  Set set = read_trained (trained);
  g_autofree char *before = write_set (&set);

  set_values (&set, "model.13.conv.weight", NULL)[17] += 0.25f;
  g_autofree char *after = write_set (&set);
  g_autoptr (YvModelDiff) diff = compare (before, after, config);
  g_assert_cmpint (diff->deployed, ==, YV_UNEQUAL);
  g_assert_cmpuint (count_unequal_tensors (diff), ==, 1);
  for (uint32_t i = 0; i < diff->n_tensors; i++) {
    const YvTensorDiff *tensor = &diff->tensors[i];

    if (tensor->difference.n_unequal == 0)
      continue;
    g_test_message ("%s %s: %u of %u elements, largest %g, relative %g, cosine %.9f", tensor->name,
                    tensor->shape_a, (guint) tensor->difference.n_unequal,
                    (guint) tensor->difference.n_elems, tensor->difference.max_abs,
                    tensor->difference.relative, tensor->difference.cosine);
    g_assert_cmpstr (tensor->name, ==, "model.13.conv.weight");
    g_assert_cmpuint (tensor->difference.n_unequal, ==, 1);
    g_assert_cmpfloat_with_epsilon (tensor->difference.max_abs, 0.25, 1e-6);
  }
  for (uint32_t i = 0; i < diff->n_layers; i++)
    g_assert_cmpint (diff->layers[i].weights.equality, ==, i == 13 ? YV_UNEQUAL : YV_EQUAL);
  yv_test_remove (before);
  yv_test_remove (after);
  yv_test_remove (config);
  set_clear (&set);
}

/* The same numbers, and the same numbers rounded. */
static void
rounding_to_f16_is_told_from_other_weights (void)
{
  g_autofree char *trained = legacy_path ();
  g_autofree char *config = config_of ("cfg/training/yolov7x.yaml", 0.125, 5);
  Set set = read_trained (trained);
  uint64_t n_elems;
  g_autofree char *same = write_set (&set);
  g_autoptr (YvModelDiff) exact = compare (trained, same, config);

  g_assert_cmpint (exact->deployed, ==, YV_EQUAL);
  g_assert_false (find_setting (exact, "stored as")->equal);

  float *values = set_values (&set, "model.2.conv.weight", &n_elems);
  for (uint64_t i = 0; i < n_elems; i++)
    values[i] *= 1.00001f;
  g_autofree char *finer = write_set (&set);
  g_autoptr (YvModelDiff) other = compare (same, finer, config);
  g_assert_cmpint (other->deployed, ==, YV_UNEQUAL); /* both are f32: a difference is one */

  round_to_half (&set);
  g_autofree char *halves = write_set (&set);
  g_autoptr (YvModelDiff) rounded = compare (finer, halves, config);
  g_test_message ("rounded: relative %g", rounded->weights.relative);
  g_assert_cmpint (rounded->deployed, ==, YV_EQUAL_ROUNDED);
  g_assert_cmpuint (count_unequal_tensors (rounded), ==, 1);

  yv_test_remove (same);
  yv_test_remove (finer);
  yv_test_remove (halves);
  yv_test_remove (config);
  set_clear (&set);
}

static YvObject *
head_of (YvObject *model)
{
  return yv_test_find (model, "model.4");
}

static YvModelDiff *
compare_objects (const YvObject *a, const YvObject *b)
{
  g_autofree char *a_path = yv_test_write_object (a, YV_PT_ZIP);
  g_autofree char *b_path = yv_test_write_object (b, YV_PT_ZIP);
  YvModelDiff *diff = compare (a_path, b_path, NULL);

  yv_test_remove (a_path);
  yv_test_remove (b_path);
  return diff;
}

static void
other_anchors_are_another_model (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *a = yv_test_model (objects), *b = yv_test_model (objects);

  yv_test_add_buffer (objects, head_of (b), "anchor_grid",
                      yv_test_tensor_of (objects, 33, 1, 1, 1, 1, 1, 2));
  g_autoptr (YvModelDiff) diff = compare_objects (a, b);
  const YvSettingDiff *anchors = find_setting (diff, "anchors");
  g_test_message ("anchors %s -> %s", anchors->a, anchors->b);
  g_assert_cmpint (diff->deployed, ==, YV_UNEQUAL);
  g_assert_false (anchors->equal);
  g_assert_cmpstr (anchors->b, ==, "33x33");
  g_assert_cmpint (diff->weights.equality, ==, YV_EQUAL);
}

static void
other_class_names_are_another_model (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *a = yv_test_model (objects), *b = yv_test_model (objects);
  YvObject *names = yv_test_set (objects, b, "names", yv_test_dict (objects));

  yv_test_set (objects, names, "1", yv_test_text (objects, "dog"));
  g_autoptr (YvModelDiff) diff = compare_objects (a, b);
  g_assert_cmpint (diff->deployed, ==, YV_UNEQUAL);
  g_assert_false (find_setting (diff, "class names")->equal);
  g_assert_true (find_setting (diff, "classes")->equal);
  g_assert_cmpstr (diff->b->class_names[1], ==, "dog");
}

static void
another_number_of_classes_changes_the_head_only (void)
{
  g_autofree char *config3 = config_of ("cfg/training/yolov7x.yaml", 0.125, 3);
  g_autofree char *config5 = config_of ("cfg/training/yolov7x.yaml", 0.125, 5);
  g_autofree char *folder = g_dir_make_tmp ("yv-diff-XXXXXX", NULL);
  g_autofree char *a = g_build_filename (folder, "a.safetensors", NULL);
  g_autofree char *b = g_build_filename (folder, "b.safetensors", NULL);

  yv_test_write_state_dict (config5, a);
  yv_test_write_state_dict (config3, b);
  g_autoptr (YvModelDiff) diff = compare (a, b, config5);
  g_assert_cmpint (diff->deployed, ==, YV_UNEQUAL);
  g_assert_cmpstr (find_setting (diff, "classes")->a, ==, "5");
  g_assert_cmpstr (find_setting (diff, "classes")->b, ==, "3");
  for (uint32_t i = 0; i < diff->n_layers; i++)
    g_assert_true (diff->layers[i].same_network == (i < 121));
  g_test_message ("%s", diff->layers[121].changes);
  g_assert_nonnull (strstr (diff->layers[121].changes, "nc 5 -> 3"));
  g_unlink (a);
  yv_test_remove (b);
  yv_test_remove (config3);
  yv_test_remove (config5);
}

/* Row 2 is taken out; the rows behind it move up. */
static void
a_missing_layer_is_told (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *a = yv_test_model (objects), *b = yv_test_model (objects);
  YvObject *concat = yv_test_find (b, "model.3"), *head = head_of (b);
  YvObject *rows = (YvObject *) yv_object_get (yv_test_find (b, "model"), "_modules");

  yv_test_set (objects, concat, "i", yv_test_number (objects, 2));
  yv_test_set (objects, concat, "f", yv_test_tuple (objects, (const double[]){1, 1}, 2));
  yv_test_set (objects, head, "i", yv_test_number (objects, 3));
  yv_test_set (objects, head, "f", yv_test_tuple (objects, (const double[]){2}, 1));
  yv_test_set (objects, rows, "2", concat);
  yv_test_set (objects, rows, "3", head);
  yv_test_set (objects, rows, "4", NULL);

  g_autoptr (YvModelDiff) diff = compare_objects (a, b);
  g_assert_cmpint (diff->deployed, ==, YV_UNEQUAL);
  g_assert_cmpuint (diff->n_layers, ==, 5);
  g_assert_true (diff->layers[2].a && !diff->layers[2].b && !diff->layers[2].same_network);
  g_assert_cmpuint (diff->layers[3].b->row, ==, 2);
  g_assert_cmpstr (diff->layers[3].changes, ==, "from 2,1 -> 1,1");
  g_assert_false (diff->layers[3].same_network);
  g_assert_true (diff->layers[4].same_network && diff->layers[4].weights.n_elems > 0);
  for (uint32_t i = 0; i < diff->n_tensors; i++)
    g_assert_true ((diff->tensors[i].shape_b == NULL) ==
                   g_str_has_prefix (diff->tensors[i].name, "model.2."));
}

static void
another_eps_is_another_model (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *a = yv_test_model (objects), *b = yv_test_model (objects);

  yv_test_set (objects, yv_test_find (b, "model.0.bn"), "eps", yv_test_number (objects, 1e-5));
  g_autoptr (YvModelDiff) diff = compare_objects (a, b);
  g_assert_cmpuint (count_unequal_tensors (diff), ==, 0);
  g_assert_cmpint (diff->deployed, ==, YV_UNEQUAL);
  g_assert_cmpstr (diff->layers[0].changes, ==, "bn.eps 0.001 -> 1e-05");
  g_assert_cmpint (diff->layers[2].weights.equality, ==, YV_EQUAL);
}

/* The test model with a batch-norm behind the activation of row 2, where it cannot be folded. */
static YvObject *
model_with_batchnorm (YvTestObjects *objects, double gamma, double beta)
{
  YvObject *model = yv_test_model (objects), *bn = yv_test_batchnorm (objects, 8);
  YvObject *pair = yv_test_module (objects, "torch.nn.modules.container", "Sequential");

  yv_test_add_parameter (objects, bn, "weight", yv_test_tensor_of (objects, gamma, 8));
  yv_test_add_parameter (objects, bn, "bias", yv_test_tensor_of (objects, beta, 8));
  yv_test_add_module (objects, pair, "0",
                      yv_test_module (objects, "torch.nn.modules.activation", "SiLU"));
  yv_test_add_module (objects, pair, "1", bn);
  yv_test_add_module (objects, yv_test_find (model, "model.2"), "act", pair);
  return model;
}

static void
compare_batchnorms (double gamma, double beta, YvEquality expected)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *a = model_with_batchnorm (objects, 1, 0);
  YvObject *b = model_with_batchnorm (objects, gamma, beta);
  g_autoptr (YvModelDiff) diff = compare_objects (a, b);

  g_assert_cmpint (diff->deployed, ==, expected);
  g_assert_cmpuint (diff->weights.n_elems, ==, diff->a->n_params_deployed);
  for (uint32_t i = 0; i < diff->n_layers; i++)
    g_assert_cmpint (diff->layers[i].weights.equality, ==, i == 2 ? expected : YV_EQUAL);
}

static void
a_batchnorm_that_no_convolution_takes_in_is_compared (void)
{
  compare_batchnorms (1, 0, YV_EQUAL);
  compare_batchnorms (1.5, 0, YV_UNEQUAL);
  compare_batchnorms (1, 0.25, YV_UNEQUAL);
}

static void
what_cannot_be_read_is_an_error (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *good = legacy_path ();
  g_autofree char *bad = yv_test_source_path ("README.md");

  g_assert_null (yv_model_diff_new (good, NULL, bad, NULL, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "README.md"));
  g_clear_error (&error);
  g_assert_null (yv_model_diff_new (bad, NULL, good, NULL, &error));
  g_assert_nonnull (strstr (error->message, "README.md"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/diff/itself", a_file_equals_itself);
  g_test_add_func ("/diff/deployed", a_training_file_equals_its_deployed_form_but_for_rounding);
  g_test_add_func ("/diff/deployed-shared", merged_branches_and_dropped_rows_are_seen_through);
  g_test_add_func ("/diff/one-weight", a_changed_weight_is_found_with_its_size);
  g_test_add_func ("/diff/rounding", rounding_to_f16_is_told_from_other_weights);
  g_test_add_func ("/diff/anchors", other_anchors_are_another_model);
  g_test_add_func ("/diff/names", other_class_names_are_another_model);
  g_test_add_func ("/diff/classes", another_number_of_classes_changes_the_head_only);
  g_test_add_func ("/diff/missing-layer", a_missing_layer_is_told);
  g_test_add_func ("/diff/eps", another_eps_is_another_model);
  g_test_add_func ("/diff/lone-batchnorm", a_batchnorm_that_no_convolution_takes_in_is_compared);
  g_test_add_func ("/diff/unreadable", what_cannot_be_read_is_an_error);
  return g_test_run ();
}
