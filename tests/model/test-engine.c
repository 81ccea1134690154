/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-engine.c - engines: what cannot be one, what one tells, and its file. */
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "engine/yolov7-tools.h"
#include "tests/common/paths.h"
#include "tests/common/wrongsum.h"
#include "tests/model/enginecase.h"

static void
refuse_engine (const YvEngineOptions *options, YvError code, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (yv_engine_new (options, &error));
  g_test_message ("%s", error->message);
  g_assert_error (error, YV_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, message));
}

static void
engines_that_cannot_be_are_refused (void)
{
  g_autofree char *path = model_path ();

  refuse_engine (&(YvEngineOptions){0}, YV_ERROR_INVALID, "model file");
  refuse_engine (&(YvEngineOptions){.model_file = "/nowhere/best.pt"}, YV_ERROR_IO,
                 "/nowhere/best.pt");
  refuse_engine (&(YvEngineOptions){.config_file = "/nowhere/yolov7.yaml"}, YV_ERROR_IO,
                 "/nowhere/yolov7.yaml");
  refuse_engine (&(YvEngineOptions){.model_file = path, .device = "no such device"},
                 YV_ERROR_NO_DEVICE, "");
  refuse_engine (
      &(YvEngineOptions){.model_file = path, .device = "reference", .precision = (YvPrecision) 9},
      YV_ERROR_INVALID, "precision");
}

static void
networks_of_other_than_three_channels_are_refused (void)
{
  g_autofree char *from = yv_test_source_path ("cfg/deploy/yolov7-tiny.yaml");
  g_autofree char *text = NULL;
  g_autofree char *path = NULL;
  const int file = g_file_open_tmp ("yolov7-XXXXXX.yaml", &path, NULL);

  g_assert_true (g_file_get_contents (from, &text, NULL, NULL));
  g_autofree char *grey = g_strconcat ("ch: 1\n", text, NULL);
  g_assert_true (g_file_set_contents (path, grey, -1, NULL));
  refuse_engine (&(YvEngineOptions){.config_file = path, .device = "reference"},
                 YV_ERROR_UNSUPPORTED, "takes 1 input channels");
  g_assert_true (g_close (file, NULL));
  g_assert_cmpint (g_remove (path), ==, 0);
}

/* Down to stride 32 and up again to heads of stride 8. */
static void
layers_may_stride_more_than_the_heads (void)
{
  static const char text[] = "nc: 1\ndepth_multiple: 1\nwidth_multiple: 1\n"
                             "anchors: [[10,20]]\n"
                             "backbone:\n"
                             "  - [-1, 1, Conv, [8, 3, 2]]\n"
                             "  - [-1, 1, Conv, [8, 3, 2]]\n"
                             "  - [-1, 1, Conv, [8, 3, 2]]\n"
                             "  - [-1, 1, MP, []]\n"
                             "  - [-1, 1, MP, []]\n"
                             "head:\n"
                             "  - [-1, 1, nn.Upsample, [None, 4, 'nearest']]\n"
                             "  - [[-1], 1, Detect, [nc, anchors]]\n";
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  const int file = g_file_open_tmp ("yolov7-XXXXXX.yaml", &path, NULL);

  g_close (file, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  const YvEngineOptions options = {.config_file = path, .device = "reference"};
  g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (yv_engine_info (engine)->max_stride, ==, 8);
  g_unlink (path);
}

static void
engines_tell_what_they_are (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");
  const YvEngineInfo *info = yv_engine_info (engine);

  g_assert_cmpuint (info->n_classes, ==, 5);
  g_assert_nonnull (info->class_names[4]);
  g_assert_null (info->class_names[5]);
  g_assert_cmpuint (info->max_stride, ==, 32);
  g_assert_cmpuint (info->default_size, ==, 640);
  g_assert_cmpstr (info->device_name, ==, "reference");
  g_assert_nonnull (strstr (info->model_source, "x-legacy.pt"));
  g_assert_cmpint (info->precision, ==, YV_PRECISION_FP32);
  g_assert_cmpuint (info->load_ns, >, 0);
}

static void
wrong_checksums_are_told_to_whoever_asks (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yolov7-XXXXXX", NULL);
  g_autofree char *calm = calm_model_path ();
  g_autofree char *path = yv_test_write_wrong_sum (calm, folder);
  g_autofree char *start = g_strdup_printf ("%s: 1 of ", path);
  const YvEngineOptions options = {.model_file = path, .device = "reference"};
  g_autoptr (GError) error = NULL;
  g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
  g_assert_no_error (error);
  g_autoptr (YvModelInfo) info = yv_model_info_new (path, NULL, 0, &error);
  g_assert_no_error (error);
  g_autoptr (YvEngine) good = open_engine ("reference");

  g_assert_true (g_str_has_prefix (yv_engine_info (engine)->warning, start));
  g_assert_nonnull (strstr (yv_engine_info (engine)->warning, "checksum"));
  g_assert_cmpstr (info->warning, ==, yv_engine_info (engine)->warning);
  g_assert_null (yv_engine_info (good)->warning);
  g_remove (path);
  g_rmdir (folder);
}

static char *
write_model (const char *folder)
{
  g_autofree char *good = calm_model_path ();
  char *path = g_build_filename (folder, "best.pt", NULL);
  g_autofree char *bytes = NULL;
  size_t size_bytes;

  g_assert_true (g_file_get_contents (good, &bytes, &size_bytes, NULL));
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size_bytes, NULL));
  return path;
}

static void
files_rewritten_in_place_are_errors_and_replaced_ones_are_not (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yolov7-XXXXXX", NULL);
  g_autofree char *path = write_model (folder);
  const YvEngineOptions options = {.model_file = path, .device = "reference"};
  const YvStreamOptions low = low_options ();
  g_autoptr (GError) error = NULL;
  g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
  g_assert_no_error (error);
  g_autoptr (YvStream) stream = open_stream (engine, &low);
  g_assert_true (yv_stream_prepare (stream, 160, 160, &error));

  g_autofree char *same = write_model (folder); /* writes another file and renames it */
  g_autoptr (YvEngine) newer = yv_engine_new (&options, &error);
  g_autoptr (YvStream) of_newer = open_stream (newer, &low);
  g_assert_true (yv_stream_prepare (stream, 160, 96, &error));
  g_assert_true (yv_stream_prepare (of_newer, 160, 96, &error));

  g_assert_cmpint (truncate (path, 0), ==, 0);
  g_assert_true (yv_stream_prepare (stream, 160, 64, &error));   /* its file is another */
  g_assert_true (yv_stream_prepare (of_newer, 160, 96, &error)); /* is there already */
  g_assert_false (yv_stream_prepare (of_newer, 160, 64, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, "load the model again"));
  g_remove (path);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/refused", engines_that_cannot_be_are_refused);
  g_test_add_func ("/engine/channels", networks_of_other_than_three_channels_are_refused);
  g_test_add_func ("/engine/deep-layers", layers_may_stride_more_than_the_heads);
  g_test_add_func ("/engine/info", engines_tell_what_they_are);
  g_test_add_func ("/engine/warning", wrong_checksums_are_told_to_whoever_asks);
  g_test_add_func ("/engine/rewritten",
                   files_rewritten_in_place_are_errors_and_replaced_ones_are_not);
  return g_test_run ();
}
