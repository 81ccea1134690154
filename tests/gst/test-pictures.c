/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-pictures.c - one scene drawn in every format, sample by sample as it was before.
 *
 * The samples of all planes are tests/golden/overlay/FORMAT.png, as gray pixels, plane under plane;
 * YV_UPDATE_GOLDEN=1 writes them anew. The scene has no text: what letters look like depends on the
 * versions of Pango and FreeType, and test-canvas.c checks how masks are inked. */
#include <math.h>
#include <string.h>

#include <cairo.h>
#include <glib/gstdio.h>

#include "engine/frame.h"
#include "gst/draw/boxes.h"
#include "gst/draw/zonelines.h"
#include "tests/common/paths.h"

#define W 47 /* odd: the last samples of chroma are of one column, and one row */
#define H 35

/* Bytes of a pixel in the first plane, and of a sample, or pair, of chroma; px that share it. */
static const struct {
  const char *name;
  uint32_t bytes, n_planes, chroma_bytes, block_w, block_h;
} formats[YV_N_FORMATS] = {
    [YV_FORMAT_RGB] = {"RGB", 3, 1, 0, 1, 1},
    [YV_FORMAT_BGR] = {"BGR", 3, 1, 0, 1, 1},
    [YV_FORMAT_RGBX] = {"RGBx", 4, 1, 0, 1, 1},
    [YV_FORMAT_BGRX] = {"BGRx", 4, 1, 0, 1, 1},
    [YV_FORMAT_XRGB] = {"xRGB", 4, 1, 0, 1, 1},
    [YV_FORMAT_XBGR] = {"xBGR", 4, 1, 0, 1, 1},
    [YV_FORMAT_GRAY8] = {"GRAY8", 1, 1, 0, 1, 1},
    [YV_FORMAT_I420] = {"I420", 1, 3, 1, 2, 2},
    [YV_FORMAT_NV12] = {"NV12", 1, 2, 2, 2, 2},
    [YV_FORMAT_NV21] = {"NV21", 1, 2, 2, 2, 2},
    [YV_FORMAT_Y42B] = {"Y42B", 1, 3, 1, 2, 1},
    [YV_FORMAT_NV16] = {"NV16", 1, 2, 2, 2, 1},
    [YV_FORMAT_YUY2] = {"YUY2", 2, 1, 0, 2, 1},
    [YV_FORMAT_UYVY] = {"UYVY", 2, 1, 0, 2, 1},
    [YV_FORMAT_YVYU] = {"YVYU", 2, 1, 0, 2, 1},
    [YV_FORMAT_Y444] = {"Y444", 1, 3, 1, 1, 1},
    [YV_FORMAT_I420_10LE] = {"I420_10LE", 2, 3, 2, 2, 2},
    [YV_FORMAT_P010_10LE] = {"P010_10LE", 2, 2, 4, 2, 2},
};

/* All planes in one table of bytes, each below the one before. */
typedef struct {
  uint32_t w, h; /* bytes, rows */
  uint8_t *bytes;
  YvImage image;
} Planes;

static void
planes_init (Planes *p, YvFormat format)
{
  const uint32_t cw = (W + formats[format].block_w - 1) / formats[format].block_w;
  const uint32_t ch = (H + formats[format].block_h - 1) / formats[format].block_h;
  const bool is_packed = formats[format].n_planes == 1;
  const uint32_t row = (is_packed ? cw * formats[format].block_w : W) * formats[format].bytes;

  p->w = MAX (row, cw * formats[format].chroma_bytes);
  p->h = H + (formats[format].n_planes - 1) * ch;
  p->bytes = g_malloc ((gsize) p->w * p->h);
  p->image = (YvImage){.format = format, .width = W, .height = H, .matrix = YV_MATRIX_BT709};
  for (uint32_t i = 0; i < formats[format].n_planes; i++) {
    p->image.planes[i] = p->bytes + (i ? H + (i - 1) * ch : 0) * p->w;
    p->image.stride_bytes[i] = p->w;
  }
  for (uint32_t i = 0; i < p->w * p->h; i++) /* something that is hidden, mixed and kept */
    p->bytes[i] = (uint8_t) (40 + i % p->w * 3 + i / p->w * 2 + i * 7 % 5);
}

static void
draw_scene (Planes *p)
{
  static const double points[] = {0.55, 0.1, 0.95, 0.35, 0.7, 0.9};
  const YvZoneLines zone = {"zone", points, 3, false, 0, 0, 0};
  const YvBox hidden = {.x = 3.2, .y = 18, .w = 17, .h = 14};
  const YvBox boxes[] = {
      {.x = 5, .y = 4, .w = 20, .h = 15, .class_index = 0, .id = -1},
      {.x = 17, .y = 11, .w = 21, .h = 19, .class_index = 3, .id = -1, .predicted = true},
      {.x = 40, .y = -3, .w = 20, .h = 13, .class_index = 5, .id = -1},
  };
  const YvBoxStyle style = {.line_px = 2, .font_px = 8, .filled = true};
  const YvPoint tail[] = {{2, 33, 0}, {20.5, 25.25, 128}, {44, 31, 255}};
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  YvCanvas canvas;

  yv_boxes_hide (shapes, &hidden, 1, W, H);
  yv_zonelines_add_borders (shapes, &zone, 1, 1, W, H);
  yv_shapes_add_line (shapes, tail, 3, 3, 0xffff40c0);
  yv_boxes_lay_out (shapes, font, boxes, G_N_ELEMENTS (boxes), &style, W, H);
  yv_shapes_add_rect (shapes, YV_SHAPE_FILL, (YvRect){1, 1, 9, 3}, 0, 0x90ffffff);
  yv_canvas_init (&canvas, &p->image);
  for (uint32_t i = 0; i < shapes->shapes->len; i++)
    yv_shapes_draw (shapes, i, font, &canvas);
}

/* ---- the files ------------------------------------------------------------------------------- */

static void
write_golden (const Planes *p, const char *path)
{
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int) p->w, (int) p->h);
  const uint32_t stride = (uint32_t) cairo_image_surface_get_stride (surface);
  uint8_t *pixels = cairo_image_surface_get_data (surface);

  for (uint32_t i = 0; i < p->w * p->h; i++) {
    const uint32_t gray = p->bytes[i] * 0x010101u;
    memcpy (pixels + i / p->w * stride + i % p->w * 4, &gray, 4);
  }
  cairo_surface_mark_dirty (surface);
  g_assert_cmpint (cairo_surface_write_to_png (surface, path), ==, CAIRO_STATUS_SUCCESS);
  cairo_surface_destroy (surface);
}

static void
compare_with_golden (const Planes *p, const char *name, const char *path)
{
  cairo_surface_t *surface = cairo_image_surface_create_from_png (path);
  const uint32_t stride = (uint32_t) cairo_image_surface_get_stride (surface);
  const uint8_t *pixels = cairo_image_surface_get_data (surface);

  if (cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS)
    g_error ("%s: %s", path, cairo_status_to_string (cairo_surface_status (surface)));
  g_assert_cmpint (cairo_image_surface_get_width (surface), ==, p->w);
  g_assert_cmpint (cairo_image_surface_get_height (surface), ==, p->h);
  for (uint32_t i = 0; i < p->w * p->h; i++) {
    const uint8_t expected = pixels[i / p->w * stride + i % p->w * 4];
    if (p->bytes[i] != expected)
      g_error ("%s: byte %u of row %u is %u, expected %u; run with YV_UPDATE_GOLDEN=1 where the "
               "change is meant",
               name, i % p->w, i / p->w, p->bytes[i], expected);
  }
  cairo_surface_destroy (surface);
}

static void
looks_as_before (gconstpointer data)
{
  const YvFormat format = (YvFormat) GPOINTER_TO_UINT (data);
  g_autofree char *file = g_strdup_printf ("tests/golden/overlay/%s.png", formats[format].name);
  g_autofree char *path = yv_test_source_path (file);
  Planes planes;

  planes_init (&planes, format);
  draw_scene (&planes);
  if (g_getenv ("YV_UPDATE_GOLDEN"))
    write_golden (&planes, path);
  else
    compare_with_golden (&planes, formats[format].name, path);
  g_free (planes.bytes);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < YV_N_FORMATS; i++) {
    g_autofree char *path = g_strdup_printf ("/pictures/%s", formats[i].name);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), looks_as_before);
  }
  return g_test_run ();
}
