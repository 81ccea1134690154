/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-family.c - every description in cfg/, narrowed and with random weights, on
 * Vulkan and on the reference; and whether ours say the same as upstream's. */
#include <glib/gstdio.h>
#include <string.h>

#include "engine/model/model.h"
#include "engine/yolov7-tools.h"
#include "tests/common/device.h"
#include "tests/common/layers.h"
#include "tests/common/outputs.h"
#include "tests/common/paths.h"
#include "tests/common/writeobject.h"

/* Multiples of 64, the largest stride. */
#define PICTURE_H 256
#define PICTURE_W 320

#define N_CLASSES 3

/* Of any head or pred, ||Vulkan - reference|| / ||reference||, where the network does not amplify
 * rounding: many Shortcuts in a row do, where weights are random. How much it does is seen from
 * AMPLIFIED, the distance of fp16 from fp32, both on the reference: in fp16 the two differ by
 * values that fall to another side of a rounding, so by about as much. A value in fp32 has a
 * rounding 2^13 times as small, but its sum has up to a thousand, which the reference has not: 16
 * times as much. */
#define FP32_BOUND(amplified) MAX (2e-5, 16 * (amplified) / 8192)
#define FP16_BOUND(amplified) MAX (1e-2, 1.25 * (amplified))

static const char *const names[] = {
    "training/yolov7-tiny",    "training/yolov7",     "training/yolov7x",     "training/yolov7-w6",
    "training/yolov7-e6",      "training/yolov7-d6",  "training/yolov7-e6e",  "deploy/yolov7-tiny",
    "deploy/yolov7-tiny-silu", "deploy/yolov7",       "deploy/yolov7x",       "deploy/yolov7-w6",
    "deploy/yolov7-e6",        "deploy/yolov7-d6",    "deploy/yolov7-e6e",    "baseline/r50-csp",
    "baseline/x50-csp",        "baseline/yolor-csp",  "baseline/yolor-csp-x", "baseline/yolor-p6",
    "baseline/yolor-w6",       "baseline/yolor-e6",   "baseline/yolor-d6",    "baseline/yolov3",
    "baseline/yolov3-spp",     "baseline/yolov4-csp",
};

static char *
our_path (const char *name)
{
  g_autofree char *file = g_strdup_printf ("cfg/%s.yaml", name);

  return yv_test_source_path (file);
}

/* ---- the texts ------------------------------------------------------------------------------ */

static YvModel *
read_description (const char *path)
{
  g_autoptr (GError) error = NULL;
  YvModel *model = yv_model_load (NULL, path, &error);

  g_assert_no_error (error);
  return model;
}

static void
ours_have_upstreams_layers (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *file = g_strdup_printf ("upstream-cfg/%s.yaml", names[i]);
    g_autofree char *their_path = yv_test_shared_path (file);
    if (!their_path) {
      g_test_skip ("upstream's descriptions are not here");
      return;
    }
    g_autofree char *path = our_path (names[i]);
    g_autoptr (YvModel) ours = read_description (path);
    g_autoptr (YvModel) theirs = read_description (their_path);
    yv_test_assert_same_layers (theirs, ours);
  }
}

static void
every_description_is_run (void)
{
  static const char *const folders[] = {"training", "deploy", "baseline"};
  guint n_found = 0;

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *in_cfg = g_build_filename ("cfg", folders[i], NULL);
    g_autofree char *path = yv_test_source_path (in_cfg);
    g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);

    g_assert_nonnull (dir);
    for (const char *name; (name = g_dir_read_name (dir));)
      n_found += g_str_has_suffix (name, ".yaml");
  }
  g_assert_cmpuint (n_found, ==, G_N_ELEMENTS (names));
}

/* ---- what they compute ---------------------------------------------------------------------- */

/* What `forward` gave: a file that is removed with it. */
typedef struct {
  char *path;
  YvCheckpoint *file;
} Outputs;

static void
outputs_clear (Outputs *outputs)
{
  yv_checkpoint_free (outputs->file);
  g_free (outputs->path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outputs, outputs_clear)

static void
run (Outputs *outputs, const char *config, const char *folder, const char *device,
     YvPrecision precision)
{
  const YvEngineOptions options = {
      .config_file = config, .device = device, .precision = precision, .seed = 7};
  g_autofree char *picture = g_build_filename (folder, "picture.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
  g_assert_no_error (error);

  outputs->path = g_build_filename (folder, "out.safetensors", NULL);
  yv_engine_forward_file (engine, picture, outputs->path, &error);
  g_assert_no_error (error);
  outputs->file = yv_checkpoint_open (outputs->path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_remove (outputs->path), ==, 0); /* it stays mapped */
}

static void
check_precision (const char *config, const char *folder, YvPrecision precision,
                 const Outputs *reference, double bound)
{
  g_auto (Outputs) vulkan = {0};

  run (&vulkan, config, folder, NULL, precision);
  const double error = yv_test_output_error (vulkan.file, reference->file);
  g_test_message ("%s: Vulkan is %.1e from the reference, bound %.1e",
                  precision == YV_PRECISION_FP16 ? "fp16" : "fp32", error, bound);
  if (!(error <= bound))
    g_test_fail ();
}

static void
check_config (const char *config, const char *folder)
{
  g_auto (Outputs) fp32 = {0};
  g_auto (Outputs) fp16 = {0};

  run (&fp32, config, folder, "reference", YV_PRECISION_FP32);
  run (&fp16, config, folder, "reference", YV_PRECISION_FP16);
  const double amplified = yv_test_output_error (fp16.file, fp32.file);
  g_test_message ("on the reference fp16 is %.1e from fp32", amplified);
  check_precision (config, folder, YV_PRECISION_FP32, &fp32, FP32_BOUND (amplified));
  check_precision (config, folder, YV_PRECISION_FP16, &fp16, FP16_BOUND (amplified));
}

/* An eighth as wide, half where blocks have 32 groups. */
static void
vulkan_computes_what_the_reference_does (gconstpointer data)
{
  const char *name = data;
  if (!yv_test_needs_vulkan ())
    return;

  g_autofree char *path = our_path (name);
  g_autofree char *config =
      yv_test_resize_description (path, strstr (name, "x50") ? 0.5 : 0.125, N_CLASSES);
  g_autofree char *folder = g_path_get_dirname (config);
  g_autofree char *picture = g_build_filename (folder, "picture.safetensors", NULL);

  yv_test_write_picture (picture, PICTURE_H, PICTURE_W);
  check_config (config, folder);
  g_assert_cmpint (g_remove (picture), ==, 0);
  yv_test_remove (config);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/family/upstream", ours_have_upstreams_layers);
  g_test_add_func ("/family/all", every_description_is_run);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *test = g_strconcat ("/family/", names[i], NULL);
    g_test_add_data_func (test, names[i], vulkan_computes_what_the_reference_does);
  }
  return g_test_run ();
}
