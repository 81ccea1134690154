/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-loader.c - tools/eval/loader.h: what many threads decode is what one decodes;
 * also run under ThreadSanitizer. */
#include "tools/eval/loader.h"

#include <string.h>

#include <glib/gstdio.h>

#include "tools/eval/batches.h"

#define N_PICTURES 11
#define N_BATCH 3
#define SIZE 64

typedef struct {
  char *path;
  Dataset *dataset;
  GArray *batches;
  uint32_t *order;
} Pictures;

static char *
path_of (const Pictures *pictures, uint32_t index)
{
  g_autofree char *name = g_strdup_printf ("%u.ppm", index);

  return g_build_filename (pictures->path, name, NULL);
}

/* Each of another shape and colour. */
static void
put_picture (const char *path, uint32_t index)
{
  const uint32_t width = 20 + 3 * index, height = 40;
  g_autoptr (GString) ppm = g_string_new (NULL);

  g_string_printf (ppm, "P6 %u %u 255\n", width, height);
  for (uint32_t i = 0; i < 3 * width * height; i++)
    g_string_append_c (ppm, (char) (i * (index + 1)));
  g_assert_true (g_file_set_contents (path, ppm->str, (gssize) ppm->len, NULL));
}

static void
pictures_init (Pictures *pictures)
{
  g_autoptr (GError) error = NULL;

  pictures->path = g_dir_make_tmp ("yv-loader-XXXXXX", &error);
  g_assert_no_error (error);
  pictures->dataset = dataset_new (1);
  for (uint32_t i = 0; i < N_PICTURES; i++) {
    char *path = path_of (pictures, i);

    put_picture (path, i);
    dataset_add (pictures->dataset, path);
  }
  g_assert_true (dataset_read_sizes (pictures->dataset, &error));
  pictures->batches = batches_plan (pictures->dataset, SIZE, 32, N_BATCH, &pictures->order);
}

static void
pictures_clear (Pictures *pictures)
{
  for (uint32_t i = 0; i < N_PICTURES; i++) {
    g_autofree char *path = path_of (pictures, i);

    g_remove (path);
  }
  g_rmdir (pictures->path);
  g_free (pictures->path);
  g_free (pictures->order);
  g_array_unref (pictures->batches);
  dataset_free (pictures->dataset);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pictures, pictures_clear)

static Loader *
open_loader (const Pictures *pictures)
{
  return loader_new (pictures->dataset, pictures->order, pictures->batches, SIZE);
}

static void
check_picture (const Pictures *pictures, uint32_t index, const Picture *picture)
{
  g_autofree char *path = path_of (pictures, index);
  g_autoptr (GError) error = NULL;
  Picture alone;

  g_assert_true (picture_load (&alone, path, SIZE, &error));
  const gsize n_bytes = (gsize) 3 * alone.image.width * alone.image.height;
  g_assert_cmpuint (picture->image.width, ==, alone.image.width);
  g_assert_cmpuint (picture->image.height, ==, alone.image.height);
  g_assert_cmpmem (picture->pixels, n_bytes, alone.pixels, n_bytes);
  picture_clear (&alone);
}

static void
every_picture_is_what_one_thread_decodes (void)
{
  g_auto (Pictures) pictures;

  pictures_init (&pictures);
  g_autoptr (Loader) loader = open_loader (&pictures);
  for (uint32_t i = 0; i < pictures.batches->len; i++) {
    const Batch *batch = &g_array_index (pictures.batches, Batch, i);
    g_autoptr (GError) error = NULL;
    const Picture *loaded = loader_next (loader, &error);

    g_assert_no_error (error);
    for (uint32_t k = 0; k < batch->n; k++)
      check_picture (&pictures, pictures.order[batch->first + k], &loaded[k]);
  }
}

static void
a_spoilt_picture_fails_its_batch (void)
{
  g_auto (Pictures) pictures;
  g_autoptr (GError) error = NULL;

  pictures_init (&pictures);
  const uint32_t spoilt = pictures.order[N_BATCH]; /* the first of the second batch */
  g_autofree char *path = path_of (&pictures, spoilt);
  g_assert_true (g_file_set_contents (path, "P6 9", 4, NULL));
  g_autoptr (Loader) loader = open_loader (&pictures);
  g_assert_nonnull (loader_next (loader, &error));
  g_assert_null (loader_next (loader, &error));
  g_assert_nonnull (error);
  g_assert_true (g_str_has_prefix (error->message, path));
}

static void
a_loader_may_go_while_it_decodes (void)
{
  g_auto (Pictures) pictures;

  pictures_init (&pictures);
  for (uint32_t n_taken = 0; n_taken < 3; n_taken++) {
    g_autoptr (Loader) loader = open_loader (&pictures);

    for (uint32_t i = 0; i < n_taken; i++)
      g_assert_nonnull (loader_next (loader, NULL));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/loader/same", every_picture_is_what_one_thread_decodes);
  g_test_add_func ("/loader/spoilt", a_spoilt_picture_fails_its_batch);
  g_test_add_func ("/loader/early", a_loader_may_go_while_it_decodes);
  return g_test_run ();
}
