/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-canvas.c - gst/draw/canvas.h in every format, against brute force. */
#include "gst/draw/canvas.h"

#include <math.h>
#include <string.h>

#include "engine/frame.h"

#define MAX_SIDE 24
#define PADDING 5  /* bytes after each row that nobody may write */
#define GUARD 0xa5 /* what they hold */
#define PAPER 0x50 /* what every sample holds before drawing */

/* Bytes of a pixel in the first plane, and of a chroma sample, or pair of them, in those behind it;
 * how many planes; how many px share chroma. */
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

/* A picture with guards around each row. */
typedef struct {
  YvImage image;
  uint8_t planes[3][MAX_SIDE * (MAX_SIDE * 4 + PADDING)];
  uint32_t row_bytes[3], n_rows[3], n_planes;
} Picture;

static uint32_t
blocks (uint32_t side_px, uint32_t block_px)
{
  return (side_px + block_px - 1) / block_px;
}

static void
picture_init (Picture *p, YvFormat format, uint32_t w, uint32_t h)
{
  const uint32_t cw = blocks (w, formats[format].block_w);
  const uint32_t ch = blocks (h, formats[format].block_h);
  const bool is_packed = formats[format].n_planes == 1;

  *p = (Picture){.image = {.format = format, .width = w, .height = h},
                 .n_planes = formats[format].n_planes};
  p->row_bytes[0] = (is_packed ? cw * formats[format].block_w : w) * formats[format].bytes;
  p->n_rows[0] = h;
  p->row_bytes[1] = p->row_bytes[2] = cw * formats[format].chroma_bytes;
  p->n_rows[1] = p->n_rows[2] = ch;
  for (uint32_t i = 0; i < p->n_planes; i++) {
    p->image.planes[i] = p->planes[i];
    p->image.stride_bytes[i] = p->row_bytes[i] + PADDING;
    for (uint32_t row = 0; row < p->n_rows[i]; row++) {
      uint8_t *line = p->planes[i] + row * p->image.stride_bytes[i];
      memset (line, PAPER, p->row_bytes[i]);
      memset (line + p->row_bytes[i], GUARD, PADDING);
    }
  }
}

static void
assert_guards_intact (const Picture *p)
{
  for (uint32_t i = 0; i < p->n_planes; i++)
    for (uint32_t row = 0; row < p->n_rows[i]; row++)
      for (uint32_t k = 0; k < PADDING; k++)
        g_assert_cmphex (p->planes[i][row * p->image.stride_bytes[i] + p->row_bytes[i] + k], ==,
                         GUARD);
}

/* What each pixel is covered by, 0..1, in plain loops. */
typedef struct {
  float covered[MAX_SIDE][MAX_SIDE];
} Coverage;

/* @bytes: of a sample; PAPER in each byte is another value in each format. */
static uint32_t
read_sample (YvFormat format, const uint8_t *bytes)
{
  const uint32_t word = bytes[0] | (uint32_t) bytes[1] << 8;

  return format == YV_FORMAT_I420_10LE   ? word & 1023
         : format == YV_FORMAT_P010_10LE ? word >> 6
                                         : bytes[0];
}

static void
assert_matches_coverage (const Picture *p, const YvCanvas *canvas, const Coverage *coverage,
                         YvInk ink, const char *what)
{
  const YvFormat format = p->image.format;
  const float paper = (float) read_sample (format, (const uint8_t[]){PAPER, PAPER});

  for (uint32_t i = 0; i < canvas->n_components; i++) {
    const YvCanvasComponent *c = &canvas->components[i];
    const uint32_t block_w = 1u << c->shift_x, block_h = 1u << c->shift_y;
    for (uint32_t y = 0; y < canvas->height; y += block_h) {
      for (uint32_t x = 0; x < canvas->width; x += block_w) {
        float sum = 0, n = 0;
        for (uint32_t by = y; by < MIN (y + block_h, canvas->height); by++)
          for (uint32_t bx = x; bx < MIN (x + block_w, canvas->width); bx++, n++)
            sum += coverage->covered[by][bx];
        const float weight = sum / n * ink.alpha / 255;
        const float expected = paper + (ink.values[i] - paper) * weight;
        const float got = (float) read_sample (format, c->bytes + y / block_h * c->stride_bytes +
                                                           x / block_w * c->step_bytes);
        if (fabsf (got - expected) > 0.51f)
          g_error ("%s: %s component %u at %u,%u: %.0f, expected %.2f", what, formats[format].name,
                   i, x, y, got, expected);
      }
    }
  }
}

static float
is_inside (YvRect r, uint32_t x, uint32_t y)
{
  const int64_t px = x, py = y;

  return px >= r.x && px < (int64_t) r.x + r.w && py >= r.y && py < (int64_t) r.y + r.h;
}

static const YvRect rects[] = {
    {3, 4, 9, 8},    {2, 2, 4, 4},     {0, 0, 1, 1},   {5, 5, 1, 7},   {-3, -2, 8, 7},
    {10, 9, 40, 40}, {-5, -5, 60, 60}, {-9, 3, 12, 4}, {30, 30, 5, 5}, {-20, -20, 5, 5},
    {4, 4, 0, 3},    {4, 4, -2, 3},    {1, 1, 21, 21}, {22, 0, 1, 23}, {1 << 30, 0, 9, 9},
};
static const uint32_t sizes[][2] = {{24, 24}, {23, 23}, {1, 1}, {2, 17}, {17, 2}};
static const uint32_t colors[] = {0xffff0000, 0xff00ff00, 0x800000ff, 0x01ffffff, 0xff808080};

static void
every_shape_covers_exactly_its_pixels_in_every_format (void)
{
  Picture p;
  Coverage coverage;

  for (YvFormat format = 0; format < YV_N_FORMATS; format++)
    for (uint32_t s = 0; s < G_N_ELEMENTS (sizes); s++)
      for (uint32_t r = 0; r < G_N_ELEMENTS (rects); r++)
        for (int32_t line = 0; line <= 3; line++) { /* 0: filled */
          const YvRect rect = rects[r];
          const YvRect inner = {rect.x + line, rect.y + line, rect.w - 2 * line, rect.h - 2 * line};
          picture_init (&p, format, sizes[s][0], sizes[s][1]);
          YvCanvas canvas;
          yv_canvas_init (&canvas, &p.image);
          const YvInk ink = yv_canvas_ink (&canvas, colors[(r + s) % G_N_ELEMENTS (colors)]);
          for (uint32_t y = 0; y < sizes[s][1]; y++)
            for (uint32_t x = 0; x < sizes[s][0]; x++)
              coverage.covered[y][x] =
                  is_inside (rect, x, y) &&
                  !(line && inner.w > 0 && inner.h > 0 && is_inside (inner, x, y));
          if (line)
            yv_canvas_outline (&canvas, rect, line, ink);
          else
            yv_canvas_fill (&canvas, rect, ink);
          assert_matches_coverage (&p, &canvas, &coverage, ink, line ? "outline" : "fill");
          assert_guards_intact (&p);
        }
}

static void
a_mask_is_stamped_exactly_in_every_format (void)
{
  static const int32_t places[][2] = {{3, 3},   {4, 2},  {-4, -3}, {20, 21},
                                      {-40, 0}, {0, 90}, {0, 0}};
  uint8_t bytes[7 * 11];
  const YvMask mask = {.w = 9, .h = 7, .stride_bytes = 11, .bytes = bytes};
  Picture p;
  Coverage coverage;

  for (uint32_t i = 0; i < sizeof (bytes); i++)
    bytes[i] = (uint8_t) (i % 11 >= 9 ? 255 : i * 37); /* the padding of the mask must not show */
  for (YvFormat format = 0; format < YV_N_FORMATS; format++)
    for (uint32_t s = 0; s < G_N_ELEMENTS (sizes); s++)
      for (uint32_t k = 0; k < G_N_ELEMENTS (places); k++) {
        picture_init (&p, format, sizes[s][0], sizes[s][1]);
        YvCanvas canvas;
        yv_canvas_init (&canvas, &p.image);
        const YvInk ink = yv_canvas_ink (&canvas, colors[k % G_N_ELEMENTS (colors)]);
        for (int32_t y = 0; y < (int32_t) sizes[s][1]; y++)
          for (int32_t x = 0; x < (int32_t) sizes[s][0]; x++) {
            const int32_t mx = x - places[k][0], my = y - places[k][1];
            coverage.covered[y][x] =
                mx < 0 || my < 0 || mx >= 9 || my >= 7 ? 0 : bytes[my * 11 + mx] / 255.0f;
          }
        yv_canvas_stamp (&canvas, places[k][0], places[k][1], &mask, ink);
        assert_matches_coverage (&p, &canvas, &coverage, ink, "stamp");
        assert_guards_intact (&p);
      }
}

/* ITU-R BT.601, BT.709, BT.2020, limited and full range; the values of BT.601 and BT.709 bars are
 * those of any broadcast test pattern. */
static void
colors_become_what_the_matrix_and_the_range_say (void)
{
  static const struct {
    uint32_t argb;
    YvMatrix matrix;
    bool full_range;
    uint8_t y, u, v;
  } rows[] = {
      {0xffffffff, YV_MATRIX_BT601, false, 235, 128, 128},
      {0xff000000, YV_MATRIX_BT709, false, 16, 128, 128},
      {0xffffffff, YV_MATRIX_BT2020, true, 255, 128, 128},
      {0xff000000, YV_MATRIX_BT601, true, 0, 128, 128},
      {0xffff0000, YV_MATRIX_BT601, false, 81, 90, 240},
      {0xff00ff00, YV_MATRIX_BT601, false, 145, 54, 34},
      {0xff0000ff, YV_MATRIX_BT601, false, 41, 240, 110},
      {0xffff0000, YV_MATRIX_BT709, false, 63, 102, 240},
      {0xff00ff00, YV_MATRIX_BT709, false, 173, 42, 26},
      {0xff0000ff, YV_MATRIX_BT709, false, 32, 240, 118},
      {0xffff0000, YV_MATRIX_BT601, true, 76, 85, 255},
  };
  Picture p;

  for (uint32_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    picture_init (&p, YV_FORMAT_I420, 2, 2);
    p.image.matrix = rows[i].matrix;
    p.image.full_range = rows[i].full_range;
    YvCanvas canvas;
    yv_canvas_init (&canvas, &p.image);
    const YvInk ink = yv_canvas_ink (&canvas, rows[i].argb);
    g_assert_cmpint (ink.values[0], ==, rows[i].y);
    g_assert_cmpint (ink.values[1], ==, rows[i].u);
    g_assert_cmpint (ink.values[2], ==, rows[i].v);
    g_assert_cmpint (ink.alpha, ==, 255);
  }
}

static void
bytes_of_a_pixel_are_found_in_the_order_of_the_format (void)
{
  static const struct {
    YvFormat format;
    uint8_t bytes[4];
  } rows[] = {
      {YV_FORMAT_RGB, {0x12, 0x34, 0x56, PAPER}}, {YV_FORMAT_BGR, {0x56, 0x34, 0x12, PAPER}},
      {YV_FORMAT_RGBX, {0x12, 0x34, 0x56, 0xff}}, {YV_FORMAT_BGRX, {0x56, 0x34, 0x12, 0xff}},
      {YV_FORMAT_XRGB, {0xff, 0x12, 0x34, 0x56}}, {YV_FORMAT_XBGR, {0xff, 0x56, 0x34, 0x12}},
  };
  Picture p;

  for (uint32_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    picture_init (&p, rows[i].format, 2, 1);
    YvCanvas canvas;
    yv_canvas_init (&canvas, &p.image);
    yv_canvas_fill (&canvas, (YvRect){0, 0, 1, 1}, yv_canvas_ink (&canvas, 0xff123456));
    g_assert_cmpmem (p.planes[0], 4, rows[i].bytes, 4);
  }
}

/* Red of BT.601: Y 81, U 90, V 240; of 10 bits 326, 361, 960. */
static void
samples_lie_where_the_format_says (void)
{
  static const struct {
    YvFormat format;
    uint8_t planes[3][4];
  } rows[] = {
      {YV_FORMAT_I420, {{81, 81}, {90}, {240}}},
      {YV_FORMAT_NV12, {{81, 81}, {90, 240}}},
      {YV_FORMAT_NV21, {{81, 81}, {240, 90}}},
      {YV_FORMAT_Y42B, {{81, 81}, {90}, {240}}},
      {YV_FORMAT_NV16, {{81, 81}, {90, 240}}},
      {YV_FORMAT_YUY2, {{81, 90, 81, 240}}},
      {YV_FORMAT_UYVY, {{90, 81, 240, 81}}},
      {YV_FORMAT_YVYU, {{81, 240, 81, 90}}},
      {YV_FORMAT_Y444, {{81, 81}, {90, 90}, {240, 240}}},
      {YV_FORMAT_I420_10LE, {{0x46, 0x01, 0x46, 0x01}, {0x69, 0x01}, {0xc0, 0x03}}},
      {YV_FORMAT_P010_10LE, {{0x80, 0x51, 0x80, 0x51}, {0x40, 0x5a, 0x00, 0xf0}}},
  };
  Picture p;

  for (uint32_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    picture_init (&p, rows[i].format, 2, 1);
    for (uint32_t k = 0; k < p.n_planes; k++)
      memset (p.planes[k], 0, p.row_bytes[k]); /* bits beside those of a sample stay as they are */
    YvCanvas canvas;
    yv_canvas_init (&canvas, &p.image);
    yv_canvas_fill (&canvas, (YvRect){0, 0, 2, 1}, yv_canvas_ink (&canvas, 0xffff0000));
    for (uint32_t k = 0; k < p.n_planes; k++)
      g_assert_cmpmem (p.planes[k], p.row_bytes[k], rows[i].planes[k], p.row_bytes[k]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/canvas/shapes", every_shape_covers_exactly_its_pixels_in_every_format);
  g_test_add_func ("/canvas/masks", a_mask_is_stamped_exactly_in_every_format);
  g_test_add_func ("/canvas/colors", colors_become_what_the_matrix_and_the_range_say);
  g_test_add_func ("/canvas/byte-order", bytes_of_a_pixel_are_found_in_the_order_of_the_format);
  g_test_add_func ("/canvas/places", samples_lie_where_the_format_says);
  return g_test_run ();
}
