/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-truncation.c - files that end too early, in every container, as a user of the
 * public API meets them: an error that names the file, or the same model. */
#include <string.h>
#include <unistd.h>

#include "engine/yolov7-tools.h"
#include "tests/common/layers.h"
#include "tests/common/paths.h"
#include "tests/common/writeobject.h"

#define N_PLACES 400
#define N_END_BYTES 200 /* at both ends one by one: there are the records of the containers */

typedef struct {
  const char *path;
  const char *config; /* NULL: the file says itself what it is */
  uint64_t n_params;  /* of the whole file */
  uint32_t n_accepted;
} File;

static void
open_what_is_left (File *file, size_t size_bytes)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (truncate (file->path, (off_t) size_bytes), ==, 0);
  g_autoptr (YvModelInfo) info = yv_model_info_new (file->path, file->config, 0, &error);
  if (info) {
    g_assert_no_error (error);
    g_assert_cmpuint (info->n_params_trained, ==, file->n_params);
    file->n_accepted++;
    return;
  }
  g_assert_true (error->domain == YV_ERROR);
  if (!strstr (error->message, file->path))
    g_error ("cut to %" G_GSIZE_FORMAT " bytes: the message names no file: %s", size_bytes,
             error->message);
}

/* Shortens a copy of the file from its end on. */
static void
cut_everywhere (const char *source, const char *config)
{
  g_autofree char *folder = g_dir_make_tmp ("yv-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "cut.pt", NULL);
  g_autofree char *whole = NULL;
  g_autoptr (GError) error = NULL;
  File file = {.path = path, .config = config};
  size_t size_bytes;

  g_assert_true (g_file_get_contents (source, &whole, &size_bytes, NULL));
  g_assert_true (g_file_set_contents (path, whole, (gssize) size_bytes, NULL));
  g_autoptr (YvModelInfo) info = yv_model_info_new (path, config, 0, &error);
  g_assert_no_error (error);
  file.n_params = info->n_params_trained;

  const size_t step = size_bytes / N_PLACES + 1;
  uint32_t n_places = 0;
  for (size_t left = size_bytes - 1; left > 0; n_places++) {
    open_what_is_left (&file, left);
    const bool is_end = size_bytes - left < N_END_BYTES || left <= N_END_BYTES;
    left -= is_end ? 1 : MIN (step, left - N_END_BYTES);
  }
  g_test_message ("%s of %" G_GSIZE_FORMAT " bytes: cut at %u places, %u of them harmless", source,
                  size_bytes, n_places, file.n_accepted);
  g_assert_cmpuint (n_places, >=, N_PLACES);
  g_assert_cmpuint (file.n_accepted, ==, 0);
  yv_test_remove (path);
}

static void
a_zip_is_never_taken_for_whole (void)
{
  g_autofree char *path = yv_test_source_path ("tests/golden/checkpoints/tiny-silu.pt");

  cut_everywhere (path, NULL);
}

static void
the_legacy_container_is_never_taken_for_whole (void)
{
  g_autofree char *path = yv_test_source_path ("tests/golden/checkpoints/x-legacy.pt");

  cut_everywhere (path, NULL);
}

static void
safetensors_are_never_taken_for_whole (void)
{
  g_autofree char *description = yv_test_source_path ("cfg/training/yolov7-tiny.yaml");
  g_autofree char *config = yv_test_resize_description (description, 0.25, 2);
  g_autofree char *folder = g_dir_make_tmp ("yv-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "tiny.safetensors", NULL);

  yv_test_write_state_dict (config, path);
  cut_everywhere (path, config);
  yv_test_remove (path);
  yv_test_remove (config);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/truncation/zip", a_zip_is_never_taken_for_whole);
  g_test_add_func ("/truncation/legacy", the_legacy_container_is_never_taken_for_whole);
  g_test_add_func ("/truncation/safetensors", safetensors_are_never_taken_for_whole);
  return g_test_run ();
}
