/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-picture.c - tools/eval/picture.h on JPEGs that EXIF turns, and on files that are
 * no pictures. */
#include "tools/eval/picture.h"

#include <string.h>
#include <sys/stat.h>

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>

#define WIDTH 64
#define HEIGHT 32

typedef struct {
  char *path;
} File;

static void
file_init (File *file)
{
  g_autoptr (GError) error = NULL;

  file->path = g_dir_make_tmp ("yv-picture-XXXXXX", &error);
  g_assert_no_error (error);
  char *path = g_build_filename (file->path, "picture", NULL);
  g_free (file->path);
  file->path = path;
}

static void
file_clear (File *file)
{
  g_autofree char *folder = g_path_get_dirname (file->path);

  g_remove (file->path);
  g_remove (folder);
  g_free (file->path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (File, file_clear)

static void
put (const File *file, const char *bytes, gsize n_bytes)
{
  g_assert_true (g_file_set_contents (file->path, bytes, (gssize) n_bytes, NULL));
}

/* Black, but for its top left quarter. Free with g_free(). */
static char *
encode (const char *format, gsize *n_bytes)
{
  g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, WIDTH, HEIGHT);
  g_autoptr (GdkPixbuf) quarter = gdk_pixbuf_new_subpixbuf (pixbuf, 0, 0, WIDTH / 2, HEIGHT / 2);
  g_autoptr (GError) error = NULL;
  char *bytes = NULL;

  gdk_pixbuf_fill (pixbuf, 0);
  gdk_pixbuf_fill (quarter, 0xffffffff);
  gdk_pixbuf_save_to_buffer (pixbuf, &bytes, n_bytes, format, &error, NULL);
  g_assert_no_error (error);
  return bytes;
}

/* With an APP1 segment behind the JPEG's first two bytes: Exif, TIFF in Intel's order, one entry,
 * 0x0112, the orientation. */
static void
put_turned_jpeg (const File *file, char orientation)
{
  char exif[] = "\xff\xe1\0\x22"
                "Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0?\0\0\0\0\0\0\0";
  gsize n_bytes;
  g_autofree char *jpeg = encode ("jpeg", &n_bytes);
  g_autoptr (GString) turned = g_string_new_len (jpeg, 2);

  exif[28] = orientation;
  g_string_append_len (turned, exif, sizeof exif - 1);
  g_string_append_len (turned, jpeg + 2, (gssize) n_bytes - 2);
  put (file, turned->str, turned->len);
}

static bool
is_white (const Picture *picture, double x, double y)
{
  const uint32_t column = (uint32_t) (x * picture->image.width);
  const uint32_t row = (uint32_t) (y * picture->image.height);

  return picture->pixels[3 * (row * picture->image.width + column)] > 128;
}

/* EXIF 2.3, 4.6.4: where the stored picture's first row and first column are to be seen; the white
 * quarter is where they meet. */
static void
exif_turns_sizes_and_pixels (void)
{
  static const struct {
    bool is_right, is_bottom, is_upright;
  } cases[] = {
      [1] = {false, false, false}, [2] = {true, false, false}, [3] = {true, true, false},
      [4] = {false, true, false},  [5] = {false, false, true}, [6] = {true, false, true},
      [7] = {true, true, true},    [8] = {false, true, true},
  };

  for (uint32_t i = 1; i < G_N_ELEMENTS (cases); i++) {
    g_auto (File) file;
    g_autoptr (GError) error = NULL;
    Picture picture;
    uint32_t width, height;

    g_test_message ("orientation %u", i);
    file_init (&file);
    put_turned_jpeg (&file, (char) i);
    g_assert_true (picture_size (file.path, &width, &height, &error));
    g_assert_cmpuint (width, ==, cases[i].is_upright ? HEIGHT : WIDTH);
    g_assert_cmpuint (height, ==, cases[i].is_upright ? WIDTH : HEIGHT);
    g_assert_true (picture_load (&picture, file.path, WIDTH, &error));
    g_assert_cmpuint (picture.frame_w, ==, width);
    g_assert_cmpuint (picture.frame_h, ==, height);
    for (int right = 0; right < 2; right++)
      for (int bottom = 0; bottom < 2; bottom++)
        g_assert_true (is_white (&picture, 0.25 + 0.5 * right, 0.25 + 0.5 * bottom) ==
                       (right == cases[i].is_right && bottom == cases[i].is_bottom));
    picture_clear (&picture);
  }
}

static void
sizes_are_known_of_every_format (void)
{
  static const char *const formats[] = {"jpeg", "png", "bmp", "tiff"};

  for (uint32_t i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_auto (File) file;
    g_autoptr (GError) error = NULL;
    gsize n_bytes;
    g_autofree char *bytes = encode (formats[i], &n_bytes);
    uint32_t width, height;

    g_test_message ("%s", formats[i]);
    file_init (&file);
    put (&file, bytes, n_bytes);
    g_assert_true (picture_size (file.path, &width, &height, &error));
    g_assert_cmpuint (width, ==, WIDTH);
    g_assert_cmpuint (height, ==, HEIGHT);
  }
}

static void
refuse (const File *file, YvError code, const char *message)
{
  g_autoptr (GError) size_error = NULL;
  g_autoptr (GError) load_error = NULL;
  Picture picture;
  uint32_t width, height;

  g_assert_false (picture_size (file->path, &width, &height, &size_error));
  g_assert_false (picture_load (&picture, file->path, 64, &load_error));
  for (uint32_t i = 0; i < 2; i++) {
    const GError *error = i ? load_error : size_error;

    g_test_message ("%s", error->message);
    g_assert_error (error, YV_ERROR, (gint) code);
    g_assert_true (g_str_has_prefix (error->message, file->path));
    g_assert_nonnull (strstr (error->message, message));
  }
}

/* A pipe that nobody writes into would be waited for. */
static void
what_is_no_picture_is_refused (void)
{
  g_auto (File) file;
  gsize n_bytes;
  g_autofree char *png = encode ("png", &n_bytes);

  file_init (&file);
  refuse (&file, YV_ERROR_IO, "No such file");
  g_assert_cmpint (mkfifo (file.path, 0600), ==, 0);
  refuse (&file, YV_ERROR_IO, "is no regular file; expected a JPEG");
  g_remove (file.path);
  put (&file, "", 0);
  refuse (&file, YV_ERROR_MALFORMED, "expected a whole JPEG");
  put (&file, "this is a text", 14);
  refuse (&file, YV_ERROR_MALFORMED, "expected a whole JPEG");
  put (&file, png, 20);
  refuse (&file, YV_ERROR_MALFORMED, "expected a whole JPEG");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/picture/exif", exif_turns_sizes_and_pixels);
  g_test_add_func ("/picture/sizes", sizes_are_known_of_every_format);
  g_test_add_func ("/picture/bad", what_is_no_picture_is_refused);
  return g_test_run ();
}
