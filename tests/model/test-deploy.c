/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-deploy.c - what training writes and what is deployed give the same detections,
 * over all descriptions of cfg/ whose head has implicit vectors: random weights are
 * re-parameterised here, in double, and both files go through the engine.
 */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "engine/checkpoint/safetensors.h"
#include "engine/model/model.h"
#include "engine/model/tensorspec.h"
#include "engine/yolov7-tools.h"
#include "tests/common/layers.h"
#include "tests/common/outputs.h"
#include "tests/common/paths.h"

#define N_CLASSES 3
#define MAX_ERROR 1e-5 /* of any head or pred, relative */
#define EPS 1e-3       /* of upstream's batch-norms (spec 1.5); a state dict does not tell */

/* ---- named arrays --------------------------------------------------------------------------- */

typedef struct {
  uint32_t n_dims;
  uint64_t shape[4];
  uint64_t n_elems;
  double *values;
} Array;

static void
array_free (gpointer data)
{
  Array *array = data;

  g_free (array->values);
  g_free (array);
}

/* Name -> Array */
static GHashTable *
dict_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, array_free);
}

/* Zeros; in place of what had the name. Takes @name. */
static Array *
dict_add (GHashTable *dict, char *name, uint32_t n_dims, const uint64_t *shape)
{
  Array *array = g_new0 (Array, 1);

  array->n_dims = n_dims;
  array->n_elems = 1;
  for (uint32_t i = 0; i < n_dims; i++) {
    array->shape[i] = shape[i];
    array->n_elems *= shape[i];
  }
  array->values = g_new0 (double, array->n_elems);
  g_hash_table_replace (dict, name, array);
  return array;
}

/* NULL where there is none. */
static Array *
dict_get (GHashTable *dict, const char *path, const char *name)
{
  g_autofree char *full = g_strconcat (path, ".", name, NULL);

  return g_hash_table_lookup (dict, full);
}

/* All that is under @path. */
static void
dict_remove (GHashTable *dict, const char *path)
{
  g_autofree char *prefix = g_strconcat (path, ".", NULL);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, dict);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (g_str_has_prefix (name, prefix))
      g_hash_table_iter_remove (&iter);
}

static GHashTable *
dict_copy (GHashTable *dict)
{
  GHashTable *copy = dict_new ();
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, dict);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    const Array *array = value;
    Array *other = dict_add (copy, g_strdup (name), array->n_dims, array->shape);
    memcpy (other->values, array->values, array->n_elems * sizeof *array->values);
  }
  return copy;
}

/* As f64, or where @as_trained as f32, which is what the values are then. */
static void
dict_write (GHashTable *dict, bool as_trained, const char *path)
{
  g_autofree YvNamedTensor *tensors = g_new0 (YvNamedTensor, g_hash_table_size (dict));
  g_autoptr (GPtrArray) floats = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer name, value;
  uint32_t n = 0;

  g_hash_table_iter_init (&iter, dict);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    const Array *array = value;
    float *single = g_new (float, array->n_elems);
    uint64_t stride = 1;

    g_ptr_array_add (floats, single);
    for (uint64_t i = 0; i < array->n_elems; i++)
      single[i] = (float) array->values[i];
    YvTensor *tensor = &tensors[n].tensor;
    tensors[n++].name = name;
    *tensor = (YvTensor){
        .dtype = as_trained ? YV_DTYPE_F32 : YV_DTYPE_F64,
        .n_dims = array->n_dims,
        .data = as_trained ? (const uint8_t *) single : (const uint8_t *) array->values,
    };
    for (uint32_t d = array->n_dims; d-- > 0;) {
      tensor->shape[d] = array->shape[d];
      tensor->stride_elems[d] = stride;
      stride *= array->shape[d];
    }
  }
  yv_safetensors_write (path, tensors, n, &error);
  g_assert_no_error (error);
}

/* ---- made-up training ----------------------------------------------------------------------- */

/* Of mean 0 and variance 1, and a float, so that a file of floats holds it. */
static double
normal (GRand *rand)
{
  double sum = 0;

  for (int i = 0; i < 12; i++)
    sum += g_rand_double (rand);
  return (double) (float) (sum - 6);
}

/* Rows that sum to about zero and with this gain keep values within a few units through the deepest
 * model, as engine/graph/weight.c says. */
static void
fill_weight (GRand *rand, Array *array)
{
  const uint64_t n_row = array->n_elems / array->shape[0];

  for (uint64_t o = 0; o < array->shape[0]; o++) {
    double *row = array->values + o * n_row;
    double sum = 0;
    for (uint64_t i = 0; i < n_row; i++)
      sum += row[i] = normal (rand) * sqrt (2.7 / (double) n_row);
    for (uint64_t i = 0; n_row > 1 && i < n_row; i++)
      row[i] = (double) (float) (row[i] - sum / (double) n_row);
  }
}

static void
fill_around (GRand *rand, Array *array, double mean, double deviation)
{
  for (uint64_t i = 0; i < array->n_elems; i++)
    array->values[i] = (double) (float) (mean + deviation * normal (rand));
}

static void
fill (GRand *rand, Array *array, const YvModule *module, const char *name)
{
  const bool is_batchnorm = yv_module_is (module, "BatchNorm2d");

  if (!is_batchnorm && g_str_equal (name, "weight"))
    fill_weight (rand, array);
  else if (g_str_equal (name, "weight") || yv_module_is (module, "ImplicitM"))
    fill_around (rand, array, 1, 0.05);
  else if (g_str_equal (name, "running_var"))
    for (uint64_t i = 0; i < array->n_elems; i++)
      array->values[i] = (double) (float) g_rand_double_range (rand, 0.9, 1.1);
  else
    fill_around (rand, array, 0, is_batchnorm ? 0.3 : 0.1);
}

static void
train (GHashTable *dict, GRand *rand, const YvModule *module)
{
  YvTensorSpec specs[YV_MAX_TENSOR_SPECS];
  const uint32_t n_specs = yv_module_tensor_specs (module, specs);

  for (uint32_t i = 0; i < n_specs; i++)
    fill (rand,
          dict_add (dict, g_strconcat (module->path, ".", specs[i].name, NULL), specs[i].n_dims,
                    specs[i].shape),
          module, specs[i].name);
  for (guint i = 0; i < module->children->len; i++)
    train (dict, rand, g_ptr_array_index (module->children, i));
}

static const YvModule *
head_of (const YvModel *model)
{
  return ((const YvLayer *) g_ptr_array_index (model->layers, model->layers->len - 1))->module;
}

/* Autoanchor found others than the description has. */
static void
train_anchors (GHashTable *dict, const YvModule *head)
{
  const uint64_t shape[] = {(uint64_t) yv_module_number (head, "nl", 0, 0),
                            (uint64_t) yv_module_number (head, "na", 0, 0), 2};
  Array *grid =
      dict_add (dict, g_strconcat (head->path, ".anchor_grid", NULL), G_N_ELEMENTS (shape), shape);

  for (uint64_t i = 0; i < grid->n_elems; i++)
    grid->values[i] = 11 + 7.5 * (double) i;
}

/* ---- re-parameterisation (spec 2.1 to 2.4) --------------------------------------------------- */

/* A convolution with what follows it: y = scale * (W x + b) + shift, channel by channel. */
static void
scale_conv (GHashTable *dict, const char *path, const double *scale, const double *shift)
{
  Array *weight = dict_get (dict, path, "weight");
  const uint64_t n_out = weight->shape[0], n_row = weight->n_elems / n_out;
  Array *bias = dict_get (dict, path, "bias");

  if (!bias)
    bias = dict_add (dict, g_strconcat (path, ".bias", NULL), 1, &n_out);
  for (uint64_t o = 0; o < n_out; o++) {
    for (uint64_t i = 0; i < n_row; i++)
      weight->values[o * n_row + i] *= scale[o];
    bias->values[o] = bias->values[o] * scale[o] + shift[o];
  }
}

/* What a batch-norm multiplies with and adds. */
static void
read_batchnorm (GHashTable *dict, const char *path, double **scale, double **shift)
{
  const Array *gamma = dict_get (dict, path, "weight"), *beta = dict_get (dict, path, "bias");
  const Array *mean = dict_get (dict, path, "running_mean");
  const Array *var = dict_get (dict, path, "running_var");

  *scale = g_new (double, gamma->n_elems);
  *shift = g_new (double, gamma->n_elems);
  for (uint64_t i = 0; i < gamma->n_elems; i++) {
    (*scale)[i] = gamma->values[i] / sqrt (var->values[i] + EPS);
    (*shift)[i] = beta->values[i] - mean->values[i] * (*scale)[i];
  }
}

static void
fold_batchnorm (GHashTable *dict, const char *parent, const char *conv, const char *bn)
{
  g_autofree char *conv_path = g_strconcat (parent, ".", conv, NULL);
  g_autofree char *bn_path = g_strconcat (parent, ".", bn, NULL);
  g_autofree double *scale = NULL;
  g_autofree double *shift = NULL;

  read_batchnorm (dict, bn_path, &scale, &shift);
  scale_conv (dict, conv_path, scale, shift);
  dict_remove (dict, bn_path);
}

/* Adds the identity with a batch-norm to a 3x3 convolution without groups. */
static void
fold_identity (GHashTable *dict, const char *path, Array *weight, Array *bias)
{
  g_autofree char *identity = g_strconcat (path, ".rbr_identity", NULL);
  g_autofree double *scale = NULL;
  g_autofree double *shift = NULL;

  if (!dict_get (dict, identity, "weight"))
    return;
  read_batchnorm (dict, identity, &scale, &shift);
  for (uint64_t o = 0; o < weight->shape[0]; o++) {
    weight->values[(o * weight->shape[1] + o) * 9 + 4] += scale[o];
    bias->values[o] += shift[o];
  }
}

static void
merge_repconv (GHashTable *dict, const char *path)
{
  static const char *const gone[] = {"rbr_dense", "rbr_1x1", "rbr_identity"};

  fold_batchnorm (dict, path, "rbr_dense.0", "rbr_dense.1");
  fold_batchnorm (dict, path, "rbr_1x1.0", "rbr_1x1.1");
  const Array *dense = dict_get (dict, path, "rbr_dense.0.weight");
  const Array *dense_bias = dict_get (dict, path, "rbr_dense.0.bias");
  const Array *point = dict_get (dict, path, "rbr_1x1.0.weight");
  const Array *point_bias = dict_get (dict, path, "rbr_1x1.0.bias");
  Array *weight = dict_add (dict, g_strconcat (path, ".rbr_reparam.weight", NULL), 4, dense->shape);
  Array *bias = dict_add (dict, g_strconcat (path, ".rbr_reparam.bias", NULL), 1, dense->shape);

  for (uint64_t i = 0; i < weight->n_elems; i++)
    weight->values[i] = dense->values[i] + (i % 9 == 4 ? point->values[i / 9] : 0);
  for (uint64_t o = 0; o < bias->n_elems; o++)
    bias->values[o] = dense_bias->values[o] + point_bias->values[o];
  fold_identity (dict, path, weight, bias);
  for (guint i = 0; i < G_N_ELEMENTS (gone); i++) {
    g_autofree char *branch = g_strconcat (path, ".", gone[i], NULL);
    dict_remove (dict, branch);
  }
}

static void
fuse (GHashTable *dict, const YvModule *module)
{
  if (yv_module_is (module, "Conv"))
    fold_batchnorm (dict, module->path, "conv", "bn");
  else if (yv_module_is (module, "RepConv"))
    merge_repconv (dict, module->path);
  for (guint i = 0; i < module->children->len; i++)
    fuse (dict, g_ptr_array_index (module->children, i));
}

/* im * (W (x + ia) + b) */
static void
fold_implicits (GHashTable *dict, const char *head, uint32_t level)
{
  g_autofree char *conv = g_strdup_printf ("%s.m.%u", head, level);
  g_autofree char *ia = g_strdup_printf ("%s.ia.%u", head, level);
  g_autofree char *im = g_strdup_printf ("%s.im.%u", head, level);
  const Array *weight = dict_get (dict, conv, "weight");
  const double *added = dict_get (dict, ia, "implicit")->values;
  const double *scale = dict_get (dict, im, "implicit")->values;
  g_autofree double *shift = g_new0 (double, weight->shape[0]);

  for (uint64_t o = 0; o < weight->shape[0]; o++)
    for (uint64_t i = 0; i < weight->shape[1]; i++)
      shift[o] += scale[o] * weight->values[o * weight->shape[1] + i] * added[i];
  scale_conv (dict, conv, scale, shift);
  dict_remove (dict, ia);
  dict_remove (dict, im);
}

static void
rename_head (GHashTable *dict, const char *from, const char *to)
{
  g_autoptr (GList) names = g_hash_table_get_keys (dict);
  g_autofree char *prefix = g_strconcat (from, ".", NULL);

  for (const GList *item = names; item; item = item->next) {
    gpointer name, value;

    if (!g_str_has_prefix (item->data, prefix))
      continue;
    g_hash_table_steal_extended (dict, item->data, &name, &value);
    g_hash_table_replace (dict, g_strconcat (to, (char *) name + strlen (from), NULL), value);
    g_free (name);
  }
}

/* Without the auxiliary rows, which stand before the head. */
static void
deploy (GHashTable *dict, const YvModel *model)
{
  const YvModule *head = head_of (model);
  const uint32_t n_levels = (uint32_t) yv_module_number (head, "nl", 0, 0);
  const uint32_t row = model->layers->len - 1;

  for (uint32_t level = 0; level < n_levels; level++)
    fold_implicits (dict, head->path, level);
  if (!yv_module_is (head, "IAuxDetect"))
    return;
  g_autofree char *aux = g_strconcat (head->path, ".m2", NULL);
  g_autofree char *deployed = g_strdup_printf ("model.%u", row - n_levels);
  dict_remove (dict, aux);
  for (uint32_t i = row - n_levels; i < row; i++) {
    g_autofree char *path = g_strdup_printf ("model.%u", i);
    dict_remove (dict, path);
  }
  rename_head (dict, head->path, deployed);
}

/* ---- running and comparing ------------------------------------------------------------------ */

/* Files of one model, in a folder of their own. */
typedef struct {
  char *folder;
  char *training, *deployment; /* descriptions */
  char *picture;
} Family;

static char *
file_in (const Family *family, const char *name)
{
  return g_build_filename (family->folder, name, NULL);
}

static YvCheckpoint *
forward (const Family *family, const char *weights, const char *description)
{
  g_autofree char *path = file_in (family, weights);
  g_autofree char *out = file_in (family, "out.safetensors");
  const YvEngineOptions options = {
      .model_file = path, .config_file = description, .device = "reference"};
  g_autoptr (GError) error = NULL;
  g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
  g_assert_no_error (error);

  yv_engine_forward_file (engine, family->picture, out, &error);
  g_assert_no_error (error);
  YvCheckpoint *outputs = yv_checkpoint_open (out, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_remove (out), ==, 0); /* it stays mapped */
  return outputs;
}

static void
compare_detections (const YvCheckpoint *a, const YvCheckpoint *b)
{
  const YvTensor *x = yv_test_get_tensor (a, "det.0"), *y = yv_test_get_tensor (b, "det.0");

  g_assert_cmpuint (y->shape[0], >, 0);
  g_assert_true (yv_tensor_has_shape (x, y->n_dims, y->shape));
  g_assert_cmpfloat (yv_test_relative_error (x, y), <=, MAX_ERROR);
}

static void
compare (const Family *family, const char *weights, const char *description,
         const YvCheckpoint *trained)
{
  g_autoptr (YvCheckpoint) outputs = forward (family, weights, description);
  const double error = yv_test_output_error (outputs, trained);
  const YvTensor *detections = yv_test_get_tensor (outputs, "det.0");

  g_test_message ("%s, by %s: relative error %.1e, %u detections", weights,
                  description == family->training ? "the training description" : "the deployed one",
                  error, (uint32_t) detections->shape[0]);
  g_assert_cmpfloat (error, <=, MAX_ERROR);
  compare_detections (outputs, trained);
}

static void
write_weights (const Family *family, const YvModel *model)
{
  g_autoptr (GHashTable) trained = dict_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  g_autofree char *training = file_in (family, "trained.safetensors");
  g_autofree char *deployed = file_in (family, "deployed.safetensors");
  g_autofree char *fused = file_in (family, "fused.safetensors");

  for (guint i = 0; i < model->layers->len; i++)
    train (trained, rand, ((const YvLayer *) g_ptr_array_index (model->layers, i))->module);
  train_anchors (trained, head_of (model));
  dict_write (trained, true, training);

  g_autoptr (GHashTable) folded = dict_copy (trained);
  for (guint i = 0; i < model->layers->len; i++)
    fuse (folded, ((const YvLayer *) g_ptr_array_index (model->layers, i))->module);
  deploy (folded, model);
  dict_write (folded, false, fused);

  deploy (trained, model);
  dict_write (trained, false, deployed);
}

static void
compare_family (const Family *family)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvModel) model = yv_model_load (NULL, family->training, &error);
  g_assert_no_error (error);

  write_weights (family, model);
  g_autoptr (YvCheckpoint) trained = forward (family, "trained.safetensors", family->training);
  compare (family, "trained.safetensors", family->deployment, trained);
  compare (family, "deployed.safetensors", family->deployment, trained);
  compare (family, "fused.safetensors", family->deployment, trained);
}

/* ---- descriptions --------------------------------------------------------------------------- */

/* An eighth as wide, half where blocks have 32 groups. Moves it into the family's folder. */
static char *
narrow (const Family *family, const char *from, const char *name)
{
  g_autofree char *narrowed =
      yv_test_resize_description (from, strstr (from, "x50") ? 0.5 : 0.125, N_CLASSES);
  g_autofree char *its_folder = g_path_get_dirname (narrowed);
  char *path = file_in (family, name);

  g_assert_cmpint (g_rename (narrowed, path), ==, 0);
  g_assert_cmpint (g_rmdir (its_folder), ==, 0);
  return path;
}

/* Where we have no description of the deployed model it is that of training with a plain head. */
static char *
describe_deployment (const Family *family, const char *ours)
{
  char *path = file_in (family, "deployment.yaml");
  g_autofree char *text = NULL;

  if (ours) {
    g_free (path);
    return narrow (family, ours, "deployment.yaml");
  }
  g_assert_true (g_file_get_contents (family->training, &text, NULL, NULL));
  g_auto (GStrv) parts = g_strsplit (text, "IDetect", -1);
  g_autofree char *plain = g_strjoinv ("Detect", parts);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  g_assert_true (g_file_set_contents (path, plain, -1, NULL));
  return path;
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);

  for (const char *name; (name = g_dir_read_name (dir));) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

/* @deployment: (nullable) */
static void
check (const char *training, const char *deployment)
{
  g_autofree char *folder = g_dir_make_tmp ("yv-deploy-XXXXXX", NULL);
  Family family = {.folder = folder};

  family.training = narrow (&family, training, "training.yaml");
  family.deployment = describe_deployment (&family, deployment);
  family.picture = file_in (&family, "picture.safetensors");
  yv_test_write_picture (family.picture, 128, 192);
  compare_family (&family);
  g_free (family.training);
  g_free (family.deployment);
  g_free (family.picture);
  remove_folder (folder);
}

static char *
our_description (const char *folder, const char *name)
{
  g_autofree char *file = g_strdup_printf ("cfg/%s/%s.yaml", folder, name);

  return yv_test_source_path (file);
}

static void
a_training_file_detects_what_its_deploy_file_does (gconstpointer data)
{
  const char *name = data;
  g_autofree char *training = our_description ("training", name);
  g_autofree char *deployment = our_description ("deploy", name);

  check (training, deployment);
}

static void
a_baseline_detects_the_same_with_a_plain_head (gconstpointer data)
{
  g_autofree char *training = our_description ("baseline", data);

  check (training, NULL);
}

/* None of the family has a RepConv whose third branch is the identity. */
static const char with_identity[] = "nc: 80\ndepth_multiple: 1\nwidth_multiple: 1\n"
                                    "anchors: [[10,13, 16,30], [30,61, 62,45]]\n"
                                    "backbone:\n"
                                    "  - [-1, 1, Conv, [64, 3, 4]]\n"
                                    "  - [-1, 1, RepConv, [64, 3, 1]]\n"
                                    "  - [-1, 1, RepConv, [128, 3, 2]]\n"
                                    "  - [-1, 1, RepConv, [128, 3, 1]]\n"
                                    "head:\n"
                                    "  - [[1, 3], 1, IDetect, [nc, anchors]]\n";

static void
branches_that_are_the_identity_are_merged_alike (void)
{
  g_autofree char *path = NULL;
  const int fd = g_file_open_tmp ("yv-deploy-XXXXXX.yaml", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (g_close (fd, NULL));
  g_assert_true (g_file_set_contents (path, with_identity, -1, NULL));
  check (path, NULL);
  g_assert_cmpint (g_remove (path), ==, 0);
}

int
main (int argc, char **argv)
{
  static const char *const families[] = {"yolov7-tiny", "yolov7",    "yolov7x",   "yolov7-w6",
                                         "yolov7-e6",   "yolov7-d6", "yolov7-e6e"};
  static const char *const baselines[] = {"r50-csp",  "x50-csp",  "yolor-csp", "yolor-csp-x",
                                          "yolor-p6", "yolor-w6", "yolor-e6",  "yolor-d6"};

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (families); i++) {
    g_autofree char *path = g_strconcat ("/deploy/family/", families[i], NULL);
    g_test_add_data_func (path, families[i], a_training_file_detects_what_its_deploy_file_does);
  }
  for (guint i = 0; i < G_N_ELEMENTS (baselines); i++) {
    g_autofree char *path = g_strconcat ("/deploy/baseline/", baselines[i], NULL);
    g_test_add_data_func (path, baselines[i], a_baseline_detects_the_same_with_a_plain_head);
  }
  g_test_add_func ("/deploy/identity", branches_that_are_the_identity_are_merged_alike);
  return g_test_run ();
}
