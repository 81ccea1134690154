/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-state-dict.c - engine/model/state_dict.h: names of tensors against a description.
 */
#include "engine/model/state_dict.h"

#include <string.h>

#include "engine/error.h"
#include "engine/model/from_config.h"
#include "engine/model/tensorspec.h"
#include "tests/common/layers.h"
#include "tests/common/objects.h"

#define BODY                                                                                       \
  "depth_multiple: 1\nwidth_multiple: 1\nanchors: [[10,13]]\n"                                     \
  "backbone:\n  - [-1, 1, Conv, [8, 3, 2]]\n  - [-1, 1, RepConv, [8, 3, 1]]\nhead:\n"

/* The same network as deployed, as trained, and as trained with auxiliary rows. */
#define DEPLOY "nc: 2\n" BODY "  - [[1], 1, Detect, [nc, anchors]]\n"
#define TRAIN "nc: 2\n" BODY "  - [[1], 1, IDetect, [nc, anchors]]\n"
#define AUX "nc: 2\n" BODY "  - [0, 1, Conv, [8]]\n  - [[1, 2], 1, IAuxDetect, [nc, anchors]]\n"

static YvConfig *
read_config (const char *text)
{
  g_autoptr (GError) error = NULL;
  YvConfig *config = yv_config_parse (text, strlen (text), "x.yaml", &error);

  g_assert_no_error (error);
  return config;
}

/* Keys and texts of objects are borrowed, so that ours live as long as the test program. */
static const char *
keep (char *text)
{
  const char *kept = g_intern_string (text);

  g_free (text);
  return kept;
}

static void
add_params (YvTestObjects *objects, YvObject *dict, const char *prefix, const YvModule *module)
{
  YvTensorSpec specs[YV_MAX_TENSOR_SPECS];
  const uint32_t n_specs = yv_module_tensor_specs (module, specs);

  for (uint32_t i = 0; i < n_specs; i++)
    yv_test_set (objects, dict,
                 keep (g_strdup_printf ("%s%s.%s", prefix, module->path, specs[i].name)),
                 yv_test_tensor (objects, 0.5, specs[i].n_dims, specs[i].shape));
  if (yv_module_is (module, "BatchNorm2d"))
    yv_test_set (objects, dict,
                 keep (g_strdup_printf ("%s%s.num_batches_tracked", prefix, module->path)),
                 yv_test_tensor (objects, 100, 0, NULL));
  for (guint i = 0; i < module->children->len; i++)
    add_params (objects, dict, prefix, g_ptr_array_index (module->children, i));
}

/* What model.state_dict() gives for a description. */
static YvObject *
make_dict (YvTestObjects *objects, const char *text, const char *prefix)
{
  g_autoptr (YvConfig) config = read_config (text);
  g_autoptr (GPtrArray) layers = yv_layers_from_config (config, config->n_classes, NULL);
  YvObject *dict = yv_test_dict (objects);

  for (guint i = 0; i < layers->len; i++)
    add_params (objects, dict, prefix, ((const YvLayer *) g_ptr_array_index (layers, i))->module);
  return dict;
}

static YvModel *
load (const YvObject *dict, const char *text, GError **error)
{
  g_autoptr (YvConfig) config = read_config (text);
  g_autoptr (YvModel) model = g_new0 (YvModel, 1);

  return yv_model_from_state_dict (dict, config, model, error) ? g_steal_pointer (&model) : NULL;
}

static YvModel *
load_good (const YvObject *dict, const char *text)
{
  g_autoptr (GError) error = NULL;
  YvModel *model = load (dict, text, &error);

  g_assert_no_error (error);
  return model;
}

static const YvModule *
module_at (const YvModel *model, guint row)
{
  return ((const YvLayer *) g_ptr_array_index (model->layers, row))->module;
}

static void
prefixes_are_taken_off (void)
{
  static const char *const prefixes[] = {"", "module.", "module.module.", "model.",
                                         "module.model."};

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++) {
    g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
    g_autoptr (YvModel) model = load_good (make_dict (objects, TRAIN, prefixes[i]), TRAIN);
    g_assert_nonnull (g_hash_table_lookup (model->tensors, "model.1.rbr_dense.0.weight"));
    g_assert_cmpuint (yv_test_count_params (model), ==,
                      8 * 27 + 16 + 8 * 72 + 8 * 8 + 48 + 63 + 15);
  }
}

static void
the_tensors_tell_the_number_of_classes (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  g_autoptr (YvModel) model = load_good (make_dict (objects, TRAIN, ""),
                                         "nc: 80\n" BODY "  - [[1], 1, IDetect, [nc, anchors]]\n");

  g_assert_cmpuint (model->n_classes, ==, 2);
  g_assert_cmpfloat (yv_module_number (module_at (model, 2), "nc", 0, 0), ==, 2);
}

static void
implicits_are_kept_under_the_description_of_the_deployed_model (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  g_autoptr (YvModel) model = load_good (make_dict (objects, TRAIN, ""), DEPLOY);
  const YvModule *head = module_at (model, 2);

  g_assert_true (yv_module_is (head, "IDetect"));
  g_assert_nonnull (yv_module_child (head, "ia"));
  g_assert_nonnull (yv_module_child (head, "im"));
}

static void
auxiliary_rows_are_left_out_under_the_description_of_the_deployed_model (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *dict = make_dict (objects, AUX, "");

  yv_test_set (objects, dict, "model.3.anchor_grid",
               yv_test_tensor_of (objects, 20, 1, 1, 1, 1, 1, 2));
  g_autoptr (YvModel) model = load_good (dict, DEPLOY);
  const YvTensor *bias = g_hash_table_lookup (model->tensors, "model.2.m.0.bias");
  const YvTensor *anchors = g_hash_table_lookup (model->tensors, "model.2.anchor_grid");

  g_assert_cmpuint (model->layers->len, ==, 3);
  g_assert_cmpuint (bias->shape[0], ==, 7);
  g_assert_cmpfloat (yv_tensor_get (anchors, 0), ==, 20);
  g_assert_null (g_hash_table_lookup (model->tensors, "model.2.conv.weight"));
  g_assert_true (yv_module_is (module_at (model, 2), "IDetect"));
}

/* Takes the batch-norms out, as Model.fuse() does. */
static void
fuse (YvTestObjects *objects, YvObject *dict)
{
  static const char *const gone[] = {"model.0.bn.weight", "model.0.bn.bias",
                                     "model.0.bn.running_mean", "model.0.bn.running_var",
                                     "model.0.bn.num_batches_tracked"};

  for (guint i = 0; i < G_N_ELEMENTS (gone); i++)
    yv_test_set (objects, dict, gone[i], NULL);
  for (uint32_t i = 0; i < dict->sequence.n_items;) {
    const char *key = yv_object_get_string (dict->sequence.items[i]);
    if (g_str_has_prefix (key, "model.1."))
      yv_test_set (objects, dict, key, NULL);
    else
      i += 2;
  }
  yv_test_set (objects, dict, "model.0.conv.bias", yv_test_tensor_of (objects, 0, 8));
  yv_test_set (objects, dict, "model.1.rbr_reparam.weight",
               yv_test_tensor_of (objects, 0, 8, 8, 3, 3));
  yv_test_set (objects, dict, "model.1.rbr_reparam.bias", yv_test_tensor_of (objects, 0, 8));
}

static void
what_was_fused_before_saving_is_taken_as_it_is (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *dict = make_dict (objects, TRAIN, "");

  fuse (objects, dict);
  g_autoptr (YvModel) model = load_good (dict, TRAIN);
  const YvModule *merged = yv_module_child (module_at (model, 1), "rbr_reparam");
  g_assert_null (yv_module_child (module_at (model, 0), "bn"));
  g_assert_null (yv_module_child (module_at (model, 1), "rbr_dense"));
  g_assert_cmpfloat (yv_module_number (merged, "kernel_size", 0, 0), ==, 3);
  g_assert_cmpfloat (yv_module_number (module_at (model, 2), "fused", 0, 0), ==, 1);

  g_autoptr (YvModel) deployed = load_good (dict, DEPLOY);
  g_assert_true (yv_module_is (module_at (deployed, 2), "Detect"));
}

static void
a_key_of_no_tensor_that_matters_is_allowed (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *dict = make_dict (objects, TRAIN, "");

  yv_test_set (objects, dict, "model.2.anchors", yv_test_tensor_of (objects, 1, 1, 1, 2));
  g_autoptr (YvModel) model = load_good (dict, TRAIN);
  g_assert_nonnull (g_hash_table_lookup (model->tensors, "model.2.anchors"));
}

static const struct {
  const char *description;
  const char *key;  /* set to */
  const char *text; /* a text, or, where that is NULL, */
  uint32_t n_elems; /* a tensor of one dimension, or, where that is 0, taken out */
  const char *message;
} refused[] = {
    {TRAIN, "model.0.bn.bias", NULL, 0,
     "state dict, by x.yaml: model.0.bn.bias: no such tensor in the file"},
    {TRAIN, "model.0.bn.bias", NULL, 9,
     "state dict, by x.yaml: model.0.bn.bias: shape is [9], expected [8]"},
    {TRAIN, "model.0.extra", NULL, 3,
     "state dict: model.0.extra (1 such tensors) has no place in x.yaml: another model"},
    {TRAIN, "model.9.conv.weight", NULL, 3,
     "state dict: model.9.conv.weight (1 such tensors) has no place in x.yaml: another model"},
    {TRAIN, "epoch", "3", 0, "state dict: \"epoch\" is no tensor"},
    {TRAIN, "module.model.0.conv.weight", NULL, 3,
     "state dict: \"module.model.0.conv.weight\" occurs twice, once under a prefix"},
    {TRAIN, "model.2.m.0.weight", NULL, 0,
     "state dict: no tensor \"model.N.m.0.weight\", so no detection head"},
    {TRAIN, "model.7.m.0.weight", NULL, 3,
     "state dict: its head is row 7, but row 2 in x.yaml: another model"},
    {AUX, "model.0.bn.bias", NULL, 8,
     "state dict: its head is row 2, but row 3 in x.yaml: another model"},
};

static void
what_is_wrong_is_named_with_tensor_and_description (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
    YvObject *dict = make_dict (objects, TRAIN, "");
    YvObject *value = refused[i].text      ? yv_test_text (objects, refused[i].text)
                      : refused[i].n_elems ? yv_test_tensor_of (objects, 0, refused[i].n_elems)
                                           : NULL;
    g_autoptr (GError) error = NULL;

    yv_test_set (objects, dict, refused[i].key, value);
    g_autoptr (YvModel) model = load (dict, refused[i].description, &error);
    g_assert_null (model);
    g_assert_error (error, YV_ERROR, YV_ERROR_MALFORMED);
    g_assert_cmpstr (error->message, ==, refused[i].message);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/state-dict/prefixes", prefixes_are_taken_off);
  g_test_add_func ("/state-dict/classes", the_tensors_tell_the_number_of_classes);
  g_test_add_func ("/state-dict/implicits",
                   implicits_are_kept_under_the_description_of_the_deployed_model);
  g_test_add_func ("/state-dict/auxiliary",
                   auxiliary_rows_are_left_out_under_the_description_of_the_deployed_model);
  g_test_add_func ("/state-dict/fused", what_was_fused_before_saving_is_taken_as_it_is);
  g_test_add_func ("/state-dict/allowed", a_key_of_no_tensor_that_matters_is_allowed);
  g_test_add_func ("/state-dict/refused", what_is_wrong_is_named_with_tensor_and_description);
  return g_test_run ();
}
