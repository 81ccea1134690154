/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/picture.c - decoding by gdk-pixbuf, and the size that test.py would choose.
 */
#include "tools/eval/picture.h"

#include <string.h>

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "tools/eval/resize.h"

/* gdk-pixbuf's errors as ours: the path in front, and which code. */
static void
take_error (GError *theirs, const char *path, GError **error)
{
  const bool is_file = theirs->domain == G_FILE_ERROR;

  g_set_error (error, YV_ERROR, is_file ? YV_ERROR_IO : YV_ERROR_MALFORMED, "%s: %s", path,
               theirs->message);
  g_error_free (theirs);
}

bool
picture_size (const char *path, uint32_t *width, uint32_t *height, GError **error)
{
  int w, h;

  if (gdk_pixbuf_get_file_info (path, &w, &h) && w > 0 && h > 0) {
    *width = (uint32_t) w;
    *height = (uint32_t) h;
    return true;
  }
  g_set_error (error, YV_ERROR,
               g_file_test (path, G_FILE_TEST_EXISTS) ? YV_ERROR_MALFORMED : YV_ERROR_IO,
               g_file_test (path, G_FILE_TEST_EXISTS)
                   ? "%s: not a picture that can be read; expected JPEG, PNG, BMP or TIFF"
                   : "%s: there is no such picture",
               path);
  return false;
}

static GdkPixbuf *
decode (const char *path, GError **error)
{
  GError *theirs = NULL;
  g_autoptr (GdkPixbuf) raw = gdk_pixbuf_new_from_file (path, &theirs);

  if (!raw) {
    take_error (theirs, path, error);
    return NULL;
  }
  return gdk_pixbuf_apply_embedded_orientation (raw);
}

/* As test.py: down to whole pixels, so that the picture never exceeds @size. */
static void
choose_size (Picture *picture, uint32_t size)
{
  const uint32_t long_side = MAX (picture->frame_w, picture->frame_h);
  const double ratio = (double) size / long_side;

  picture->image.width = MAX ((uint32_t) (picture->frame_w * ratio), 1);
  picture->image.height = MAX ((uint32_t) (picture->frame_h * ratio), 1);
  picture->gain = (double) picture->image.height / picture->frame_h;
}

bool
picture_load (Picture *picture, const char *path, uint32_t size, GError **error)
{
  g_autoptr (GdkPixbuf) pixbuf = decode (path, error);

  if (!pixbuf)
    return false;
  const ResizeSource src = {
      .pixels = gdk_pixbuf_read_pixels (pixbuf),
      .width = (uint32_t) gdk_pixbuf_get_width (pixbuf),
      .height = (uint32_t) gdk_pixbuf_get_height (pixbuf),
      .stride_bytes = (uint32_t) gdk_pixbuf_get_rowstride (pixbuf),
      .pixel_bytes = (uint32_t) gdk_pixbuf_get_n_channels (pixbuf),
  };

  *picture = (Picture){.frame_w = src.width, .frame_h = src.height};
  picture->image.format = YV_FORMAT_RGB;
  choose_size (picture, size);
  picture->pixels = g_try_malloc_n ((gsize) picture->image.width * picture->image.height, 3);
  if (!picture->pixels) {
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY, "%s: no memory for %ux%u px", path,
                 picture->image.width, picture->image.height);
    return false;
  }
  picture->image.planes[0] = picture->pixels;
  picture->image.stride_bytes[0] = picture->image.width * 3;
  resize_rgb (&src, picture->pixels, picture->image.width, picture->image.height);
  return true;
}

void
picture_clear (Picture *picture)
{
  g_clear_pointer (&picture->pixels, g_free);
}
