/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-deploy.c - what training writes and what is deployed give the same detections,
 * over all descriptions of cfg/ whose head has implicit vectors: random weights are
 * re-parameterised by reparam.c, in double, and both files go through the engine.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "engine/yolov7-tools.h"
#include "tests/common/layers.h"
#include "tests/common/outputs.h"
#include "tests/common/paths.h"
#include "tests/model/dict.h"
#include "tests/model/reparam.h"
#include "tests/model/training.h"

#define N_CLASSES 3
#define MAX_ERROR 1e-5 /* of any head or pred, relative */

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

  train (trained, rand, model);
  dict_write (trained, true, training);

  g_autoptr (GHashTable) folded = dict_copy (trained);
  fuse (folded, model);
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
