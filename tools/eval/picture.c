/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/picture.c - decoding by gdk-pixbuf, and the size that test.py would choose.
 */
#include "tools/eval/picture.h"

#include <stdlib.h>

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "common/file.h"
#include "tools/eval/resize.h"

/* gdk-pixbuf's errors as ours: the path in front, what was expected, and which code. */
static bool
refuse (const char *path, const GError *theirs, GError **error)
{
  g_set_error (error, YV_ERROR,
               theirs && theirs->domain == G_FILE_ERROR ? YV_ERROR_IO : YV_ERROR_MALFORMED,
               "%s: not a picture that can be read: %s; expected a whole JPEG, PNG, BMP or TIFF",
               path, theirs ? theirs->message : "nothing is in it");
  return false;
}

/* Feeds the loader until it knows what the head says; it then has memory for the pixels, but most
 * of that was never touched. Of some formats it must see all. */
static bool
load_head (GdkPixbufLoader *loader, const char *path, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  const gsize n_bytes = file ? g_mapped_file_get_length (file) : 0;
  bool ok = file != NULL;

  for (gsize at = 0; ok && at < n_bytes && !gdk_pixbuf_loader_get_pixbuf (loader); at += 4096)
    ok = gdk_pixbuf_loader_write (loader, (const guchar *) g_mapped_file_get_contents (file) + at,
                                  MIN (n_bytes - at, 4096), error);
  const bool is_known = ok && gdk_pixbuf_loader_get_pixbuf (loader);
  /* Must be closed in any case; it complains of what it was not given. */
  const bool is_closed = gdk_pixbuf_loader_close (loader, ok && !is_known ? error : NULL);
  return is_known || (ok && is_closed && gdk_pixbuf_loader_get_pixbuf (loader));
}

bool
picture_size (const char *path, uint32_t *width, uint32_t *height, GError **error)
{
  g_autoptr (GError) theirs = NULL;

  if (!yv_check_is_file (path, "a JPEG, PNG, BMP or TIFF", error))
    return false;
  g_autoptr (GdkPixbufLoader) loader = gdk_pixbuf_loader_new ();
  if (!load_head (loader, path, &theirs))
    return refuse (path, theirs, error);

  GdkPixbuf *pixbuf = gdk_pixbuf_loader_get_pixbuf (loader);
  const char *option = gdk_pixbuf_get_option (pixbuf, "orientation");
  const int orientation = option ? atoi (option) : 1;
  const bool is_turned = orientation >= 5 && orientation <= 8; /* EXIF: stored on a side */
  const uint32_t w = (uint32_t) gdk_pixbuf_get_width (pixbuf);
  const uint32_t h = (uint32_t) gdk_pixbuf_get_height (pixbuf);
  *width = is_turned ? h : w;
  *height = is_turned ? w : h;
  return true;
}

static GdkPixbuf *
decode (const char *path, GError **error)
{
  g_autoptr (GError) theirs = NULL;

  if (!yv_check_is_file (path, "a JPEG, PNG, BMP or TIFF", error))
    return NULL;
  g_autoptr (GdkPixbuf) raw = gdk_pixbuf_new_from_file (path, &theirs);
  if (!raw) {
    refuse (path, theirs, error);
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
