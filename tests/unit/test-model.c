/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-model.c - engine/model/model.h: checkpoint files, with and without a description.
 */
#include "engine/model/model.h"

#include "engine/error.h"
#include "tests/common/layers.h"
#include "tests/common/objects.h"
#include "tests/common/paths.h"
#include "tests/common/writeobject.h"

/* A file whose model is dropped at once: for errors and what can be asked before. */
typedef struct {
  YvCheckpoint *checkpoint;
  YvModel *model;
  GError *error;
} Loaded;

static void
unload (Loaded *loaded)
{
  yv_model_free (loaded->model);
  yv_checkpoint_free (loaded->checkpoint);
  g_clear_error (&loaded->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Loaded, unload)

static Loaded
load (const char *path, const char *description)
{
  Loaded loaded = {.checkpoint = yv_checkpoint_open (path, &loaded.error)};

  g_assert_no_error (loaded.error);
  loaded.model = yv_model_load (loaded.checkpoint, description, &loaded.error);
  return loaded;
}

static Loaded
load_object (const YvObject *root, YvPtContainer container)
{
  g_autofree char *path = yv_test_write_object (root, container);
  const Loaded loaded = load (path, NULL);

  yv_test_remove (path); /* it stays mapped */
  return loaded;
}

static Loaded
load_repository_file (const char *file, const char *description)
{
  g_autofree char *path = yv_test_source_path (file);
  g_autofree char *description_path = description ? yv_test_source_path (description) : NULL;

  return load (path, description_path);
}

static void
the_demo_checkpoint_has_its_person_and_its_layers (void)
{
  g_auto (Loaded) loaded = load_repository_file ("models/pets-tiny.pt", NULL);
  const YvModel *model = loaded.model;

  g_assert_no_error (loaded.error);
  g_assert_cmpuint (model->layers->len, ==, 78);
  g_assert_cmpuint (model->n_classes, ==, 1);
  g_assert_cmpstr (model->class_names[0], ==, "person");
  g_assert_cmpstr (model->weights_kind, ==, "model");
  g_assert_cmpuint (yv_test_count_params (model), ==, 1511996);
  g_assert_true (g_str_has_suffix (model->source, "pets-tiny.pt"));
}

static const struct {
  const char *file; /* in the folder of measurements; NULL: the demo checkpoint */
  const char *description;
  double width;
  guint n_classes;
  const char *kind;
} trained[] = {
    {NULL, "training/yolov7-tiny", 0.5, 1, "model"},
    {"tiny-train", "training/yolov7-tiny", 0.25, 80, "ema"},
    {"tiny-silu", "deploy/yolov7-tiny-silu", 0.25, 1, "model"},
    {"v7-best", "training/yolov7", 0.25, 3, "model"},
    {"x-legacy", "training/yolov7x", 0.125, 5, "model"},
    {"w6-train", "training/yolov7-w6", 0.125, 5, "ema"},
    {"e6-best", "training/yolov7-e6", 0.125, 5, "model"},
    {"d6-best", "training/yolov7-d6", 0.125, 5, "model"},
    {"e6e-best", "training/yolov7-e6e", 0.125, 5, "model"},
    {"yolor-csp", "baseline/yolor-csp", 0.125, 5, "model"},
    {"yolor-p6", "baseline/yolor-p6", 0.125, 5, "model"},
    {"r50-csp", "baseline/r50-csp", 0.125, 5, "model"},
    {"yolov3-spp", "baseline/yolov3-spp", 0.125, 5, "model"},
};

static char *
trained_file (guint row)
{
  if (!trained[row].file)
    return yv_test_source_path ("models/pets-tiny.pt");
  g_autofree char *in_shared = g_strdup_printf ("reference/%s.pt", trained[row].file);
  return yv_test_shared_path (in_shared);
}

/* Ours, or upstream's where we have none. */
static char *
trained_description (guint row)
{
  g_autofree char *in_cfg = g_strdup_printf ("cfg/%s.yaml", trained[row].description);
  g_autofree char *ours = yv_test_source_path (in_cfg);
  g_autofree char *in_shared = g_strdup_printf ("upstream-cfg/%s.yaml", trained[row].description);
  g_autofree char *theirs = yv_test_shared_path (in_shared);

  return yv_test_resize_description (g_file_test (ours, G_FILE_TEST_EXISTS) ? ours : theirs,
                                     trained[row].width, trained[row].n_classes);
}

static void
assert_trained_as_described (guint row, const char *file)
{
  g_autofree char *description = trained_description (row);
  g_auto (Loaded) loaded = load (file, description);
  g_autoptr (YvModel) described = yv_model_load (NULL, description, NULL);

  yv_test_remove (description);
  g_assert_no_error (loaded.error);
  g_assert_cmpstr (loaded.model->weights_kind, ==, trained[row].kind);
  yv_test_assert_same_layers (described, loaded.model);
}

static void
a_description_expands_to_what_training_pickled (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (trained); i++) {
    g_autofree char *file = trained_file (i);
    if (file)
      assert_trained_as_described (i, file);
    else
      g_test_skip ("the reference checkpoints are not here");
  }
}

static void
a_description_of_the_deployed_model_agrees_with_the_trained_one (void)
{
  g_autofree char *deploy = yv_test_source_path ("cfg/deploy/yolov7-tiny.yaml");
  g_autofree char *description = yv_test_resize_description (deploy, 0.5, 80);
  g_autofree char *file = yv_test_source_path ("models/pets-tiny.pt");
  g_auto (Loaded) loaded = load (file, description);

  yv_test_remove (description);
  g_assert_no_error (loaded.error);
  g_assert_cmpuint (loaded.model->n_classes, ==, 1); /* the file's, not the description's */
}

static void
a_description_of_another_model_is_refused (void)
{
  g_auto (Loaded) wide =
      load_repository_file ("models/pets-tiny.pt", "cfg/training/yolov7-tiny.yaml");
  g_auto (Loaded) other = load_repository_file ("models/pets-tiny.pt", "cfg/training/yolov7.yaml");

  g_assert_error (wide.error, YV_ERROR, YV_ERROR_INVALID);
  g_assert_true (g_pattern_match_simple (
      "*pets-tiny.pt: row 0 is Conv from [-1], 3 -> 16 channels, 3x3, stride 2, but "
      "*yolov7-tiny.yaml says Conv from [-1], 3 -> 32 channels, 3x3, stride 2; *leave it out",
      wide.error->message));
  g_assert_error (other.error, YV_ERROR, YV_ERROR_INVALID);
  g_assert_true (g_pattern_match_simple ("*: row 77 is IDetect from [74,75,76]*says IDetect *",
                                         other.error->message));
}

static void
a_model_comes_in_either_container_and_with_or_without_a_dict (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *model = yv_test_model (objects);
  YvObject *dict = yv_test_dict (objects);

  yv_test_set (objects, dict, "epoch", yv_test_number (objects, -1));
  yv_test_set (objects, dict, "model", model);
  yv_test_set (objects, dict, "ema", yv_test_none (objects));
  g_auto (Loaded) zip = load_object (dict, YV_PT_ZIP);
  g_auto (Loaded) legacy = load_object (dict, YV_PT_LEGACY);
  g_auto (Loaded) bare = load_object (model, YV_PT_ZIP);
  g_assert_no_error (zip.error);
  g_assert_no_error (legacy.error);
  g_assert_no_error (bare.error);
  yv_test_assert_same_layers (zip.model, legacy.model);
  yv_test_assert_same_layers (zip.model, bare.model);
}

static void
the_average_goes_before_the_model (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *dict = yv_test_dict (objects);
  YvObject *ema = yv_test_model (objects);

  yv_test_add_buffer (objects, yv_test_find (ema, "model.0.bn"), "running_mean",
                      yv_test_tensor_of (objects, 42, 8));
  yv_test_set (objects, dict, "model", yv_test_model (objects));
  yv_test_set (objects, dict, "ema", ema);
  g_auto (Loaded) loaded = load_object (dict, YV_PT_ZIP);
  g_assert_no_error (loaded.error);
  const YvTensor *mean = g_hash_table_lookup (loaded.model->tensors, "model.0.bn.running_mean");
  g_assert_cmpfloat (yv_tensor_get (mean, 0), ==, 42);
  g_assert_cmpstr (loaded.model->weights_kind, ==, "ema");
}

static void
parallel_wrappers_are_taken_off (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *inner =
      yv_test_module (objects, "torch.nn.parallel.distributed", "DistributedDataParallel");
  YvObject *outer = yv_test_module (objects, "torch.nn.parallel.data_parallel", "DataParallel");

  yv_test_add_module (objects, outer, "module", inner);
  yv_test_add_module (objects, inner, "module", yv_test_model (objects));
  g_auto (Loaded) loaded = load_object (outer, YV_PT_ZIP);
  g_assert_no_error (loaded.error);
  g_assert_nonnull (g_hash_table_lookup (loaded.model->tensors, "model.0.conv.weight"));
}

static void
assert_refused (const YvObject *root, const char *pattern)
{
  g_auto (Loaded) loaded = load_object (root, YV_PT_ZIP);

  g_assert_null (loaded.model);
  g_test_message ("%s", loaded.error->message);
  g_assert_true (g_pattern_match_simple (pattern, loaded.error->message));
}

static void
what_is_no_model_is_told (void)
{
  g_autoptr (YvTestObjects) objects = yv_test_objects_new ();
  YvObject *dict = yv_test_dict (objects);
  YvObject *empty = yv_test_module (objects, "mine", "Net");

  yv_test_set (objects, dict, "epoch", yv_test_number (objects, 3));
  yv_test_set (objects, dict, "optimizer", yv_test_none (objects));
  assert_refused (dict, "*/x.pt: no model in it: found a dict with the keys epoch, optimizer; *");
  assert_refused (yv_test_number (objects, 7), "*/x.pt: no model in it: found int; expected *");
  assert_refused (empty, "*/x.pt: mine.Net has 0 rows in its part `model`, expected *");
  yv_test_set (objects, dict, "model", empty);
  assert_refused (dict, "*/x.pt: mine.Net has 0 rows in its part `model`, expected *");
}

static void
nothing_to_load_is_refused (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (yv_model_load (NULL, NULL, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/demo", the_demo_checkpoint_has_its_person_and_its_layers);
  g_test_add_func ("/model/trained", a_description_expands_to_what_training_pickled);
  g_test_add_func ("/model/deployed",
                   a_description_of_the_deployed_model_agrees_with_the_trained_one);
  g_test_add_func ("/model/other", a_description_of_another_model_is_refused);
  g_test_add_func ("/model/containers",
                   a_model_comes_in_either_container_and_with_or_without_a_dict);
  g_test_add_func ("/model/ema", the_average_goes_before_the_model);
  g_test_add_func ("/model/parallel", parallel_wrappers_are_taken_off);
  g_test_add_func ("/model/no-model", what_is_no_model_is_told);
  g_test_add_func ("/model/nothing", nothing_to_load_is_refused);
  return g_test_run ();
}
