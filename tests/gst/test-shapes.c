/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-shapes.c - gst/draw/shapes.h and what adds to such a list: lines, dashes, what is
 * hidden, tails, zones, the statistics line. */
#include "gst/draw/shapes.h"

#include <math.h>
#include <string.h>

#include "gst/draw/boxes.h"
#include "gst/draw/statistics.h"
#include "gst/draw/tails.h"
#include "gst/draw/zonelines.h"

#define W 200
#define H 150
#define SECOND_NS 1000000000u

/* A picture of 4-byte pixels, B first; a part of a larger one that begins at (x, y). */
typedef struct {
  uint8_t bytes[W * H * 4];
  YvCanvas canvas;
} Picture;

static Picture *
new_picture (uint32_t w, uint32_t h, int32_t x, int32_t y)
{
  Picture *p = g_new0 (Picture, 1);
  const YvImage image = {.format = YV_FORMAT_BGRX,
                         .width = w,
                         .height = h,
                         .planes = {p->bytes},
                         .stride_bytes = {w * 4}};

  yv_canvas_init (&p->canvas, &image);
  p->canvas.x = x;
  p->canvas.y = y;
  return p;
}

static uint32_t
pixel_at (const Picture *p, uint32_t x, uint32_t y)
{
  const uint8_t *b = p->bytes + (y * p->canvas.width + x) * 4;

  return (uint32_t) b[3] << 24 | (uint32_t) b[2] << 16 | (uint32_t) b[1] << 8 | b[0];
}

static void
draw_all (const YvShapes *shapes, YvFont *font, Picture *p)
{
  for (uint32_t i = 0; i < shapes->shapes->len; i++)
    yv_shapes_draw (shapes, i, font, &p->canvas);
}

static const YvShape *
shape_at (const YvShapes *shapes, uint32_t i)
{
  return &g_array_index (shapes->shapes, YvShape, i);
}

static uint32_t
count_kind (const YvShapes *shapes, YvShapeKind kind)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < shapes->shapes->len; i++)
    n += shape_at (shapes, i)->kind == kind;
  return n;
}

/* The text of the last tag, its pieces joined by '|'. */
static char *
last_text (const YvShapes *shapes)
{
  const YvShape *tag = shape_at (shapes, shapes->shapes->len - 1);
  GString *joined = g_string_new (NULL);
  const char *piece = shapes->text->str + tag->first;

  g_assert_cmpint (tag->kind, ==, YV_SHAPE_TAG);
  for (uint32_t i = 0; i < tag->n; i++, piece += strlen (piece) + 1)
    g_string_append_printf (joined, "%s%s", i ? "|" : "", piece);
  return g_string_free (joined, FALSE);
}

/* ---- parts ---------------------------------------------------------------------------------- */

static void
parts_show_what_the_whole_does (void)
{
  static const double zone[] = {0.1, 0.2, 0.9, 0.3, 0.5, 0.95};
  const YvZoneLines zones[] = {{"zone", zone, 3, false, 1, 2, 3}, {"line", zone, 2, true, 0, 1, 2}};
  const YvBox boxes[] = {
      {.x = 20, .y = 30, .w = 90, .h = 70, .confidence = 0.5, .label = "one", .id = 7},
      {.x = 60, .y = 50, .w = 170, .h = 70, .confidence = 0.5, .label = "two", .predicted = true}};
  const YvBoxStyle style = {.tags = true, .ids = true, .filled = true, .outline_argb = 0xb0ff8020};
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  g_autofree Picture *whole = new_picture (W, H, 0, 0);

  yv_zonelines_add_borders (shapes, zones, 2, 3, W, H);
  yv_boxes_lay_out (shapes, font, boxes, 2, &style, W, H);
  yv_zonelines_add_tags (shapes, font, zones, 2, 11, W, H);
  draw_all (shapes, font, whole);
  for (int32_t y = 0; y < H; y += 50)
    for (int32_t x = 0; x < W; x += 40) {
      g_autofree Picture *part = new_picture (40, 50, x, y);
      draw_all (shapes, font, part);
      for (uint32_t i = 0; i < 40 * 50; i++)
        g_assert_cmphex (pixel_at (part, i % 40, i / 40), ==,
                         pixel_at (whole, (uint32_t) x + i % 40, (uint32_t) y + i / 40));
    }
}

static void
all_that_a_shape_inks_lies_in_its_rectangle (void)
{
  const YvPoint points[] = {{20.3, 30.7, 255}, {150.2, 90.1, 30}, {60, 140, 200}};
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  for (int32_t line = 1; line < 12; line += 5) {
    g_autofree Picture *p = new_picture (W, H, 0, 0);
    yv_shapes_clear (shapes);
    yv_shapes_add_line (shapes, points, 3, line, 0xffffffff);
    draw_all (shapes, font, p);
    const YvRect r = shape_at (shapes, 0)->rect;
    for (int32_t y = 0; y < H; y++)
      for (int32_t x = 0; x < W; x++)
        if (x < r.x || y < r.y || x >= r.x + r.w || y >= r.y + r.h)
          g_assert_cmphex (pixel_at (p, (uint32_t) x, (uint32_t) y), ==, 0);
  }
}

/* ---- lines ---------------------------------------------------------------------------------- */

static void
a_line_covers_its_width (void)
{
  const YvPoint points[] = {{30.5, 40.5, 255}, {120.5, 40.5, 255}};
  g_autofree Picture *p = new_picture (W, H, 0, 0);

  yv_lines_draw (&p->canvas, points, 2, 3, yv_canvas_ink (&p->canvas, 0xffffffff));
  for (uint32_t x = 31; x <= 119; x++) {
    g_assert_cmphex (pixel_at (p, x, 38), ==, 0);
    for (uint32_t y = 39; y <= 41; y++)
      g_assert_cmphex (pixel_at (p, x, y), ==, 0xffffffff);
    g_assert_cmphex (pixel_at (p, x, 42), ==, 0);
  }
  g_assert_cmphex (pixel_at (p, 27, 40), ==, 0);
  g_assert_cmphex (pixel_at (p, 124, 40), ==, 0);
}

static void
a_line_that_crosses_itself_is_inked_once (void)
{
  const YvPoint once[] = {{30, 40, 128}, {120, 90, 128}};
  const YvPoint thrice[] = {{30, 40, 128}, {120, 90, 128}, {30, 40, 128}, {120, 90, 128}};
  g_autofree Picture *a = new_picture (W, H, 0, 0);
  g_autofree Picture *b = new_picture (W, H, 0, 0);

  yv_lines_draw (&a->canvas, once, 2, 4, yv_canvas_ink (&a->canvas, 0xffffffff));
  yv_lines_draw (&b->canvas, thrice, 4, 4, yv_canvas_ink (&b->canvas, 0xffffffff));
  g_assert_cmphex (pixel_at (a, 75, 65), ==, 0x80808080);
  g_assert_cmpmem (a->bytes, sizeof (a->bytes), b->bytes, sizeof (b->bytes));
}

/* Against the distance from the line, in plain loops: also where tiles meet, and outside. */
static void
lines_lie_where_they_should (void)
{
  static const double ends[][4] = {{10, 10, 190, 140},    {-50, 75, 250, 80},
                                   {100, -900, 101, 900}, {64, 64, 64, 64},
                                   {63.5, 0, 64.5, 150},  {-1e6, -1e6, 1e6, 1e6}};

  for (uint32_t i = 0; i < G_N_ELEMENTS (ends); i++) {
    const YvPoint points[] = {{ends[i][0], ends[i][1], 255}, {ends[i][2], ends[i][3], 255}};
    const double dx = ends[i][2] - ends[i][0], dy = ends[i][3] - ends[i][1];
    const double length2 = MAX (dx * dx + dy * dy, 1e-9);
    g_autofree Picture *p = new_picture (W, H, 0, 0);
    yv_lines_draw (&p->canvas, points, 2, 5, yv_canvas_ink (&p->canvas, 0xffffffff));
    for (uint32_t y = 0; y < H; y++)
      for (uint32_t x = 0; x < W; x++) {
        const double px = x + 0.5 - ends[i][0], py = y + 0.5 - ends[i][1];
        const double share = CLAMP ((px * dx + py * dy) / length2, 0, 1);
        const double distance = hypot (px - share * dx, py - share * dy);
        const double expected = 255 * CLAMP (3 - distance, 0, 1);
        g_assert_cmpfloat_with_epsilon (pixel_at (p, x, y) >> 24, expected, 1);
      }
  }
}

static void
no_point_is_no_line_and_one_is_a_dot (void)
{
  const YvPoint point = {50.5, 60.5, 255};
  g_autofree Picture *p = new_picture (W, H, 0, 0);
  const YvInk ink = yv_canvas_ink (&p->canvas, 0xffffffff);

  yv_lines_draw (&p->canvas, &point, 0, 3, ink);
  g_assert_cmphex (pixel_at (p, 50, 60), ==, 0);
  yv_lines_draw (&p->canvas, &point, 1, 3, ink);
  g_assert_cmphex (pixel_at (p, 50, 60), ==, 0xffffffff);
  g_assert_cmphex (pixel_at (p, 54, 60), ==, 0);
}

/* ---- dashes --------------------------------------------------------------------------------- */

static void
dashes_are_half_of_the_outline (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  g_autofree Picture *p = new_picture (W, H, 0, 0);
  uint32_t n_inked = 0, n_rim = 0;

  yv_shapes_add_rect (shapes, YV_SHAPE_DASHES, (YvRect){20, 20, 150, 100}, 2, 0xffffffff);
  draw_all (shapes, font, p);
  for (uint32_t y = 0; y < H; y++)
    for (uint32_t x = 0; x < W; x++) {
      const bool inside = x >= 20 && x < 170 && y >= 20 && y < 120;
      const bool hole = x >= 22 && x < 168 && y >= 22 && y < 118;
      const bool is_inked = pixel_at (p, x, y) != 0;
      n_rim += inside && !hole;
      n_inked += is_inked;
      g_assert_true ((inside && !hole) || !is_inked);
    }
  g_assert_cmpuint (n_inked, >, n_rim * 4 / 10);
  g_assert_cmpuint (n_inked, <, n_rim * 6 / 10);
}

static void
endless_dashes_are_drawn_where_they_are_seen (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  g_autofree Picture *p = new_picture (W, H, 0, 0);
  uint32_t n_inked = 0;

  for (uint32_t i = 0; i < 10000; i++)
    yv_shapes_add_rect (shapes, YV_SHAPE_DASHES, (YvRect){-1000000, 30, 2000000, 2000000}, 2,
                        0xffffffff);
  draw_all (shapes, font, p);
  for (uint32_t x = 0; x < W; x++)
    n_inked += pixel_at (p, x, 31) != 0;
  g_assert_cmpuint (n_inked, >, W / 3);
  g_assert_cmpuint (n_inked, <, W * 2 / 3);
}

/* ---- what is hidden ------------------------------------------------------------------------- */

static void
fill_with_noise (Picture *p, uint32_t seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);

  for (uint32_t i = 0; i < sizeof (p->bytes); i++)
    p->bytes[i] = (uint8_t) g_rand_int (rand);
}

static void
of_what_is_hidden_few_squares_are_left (void)
{
  g_autofree Picture *p = new_picture (W, H, 0, 0);
  g_autofree Picture *before = new_picture (W, H, 0, 0);
  g_autoptr (GHashTable) colors = g_hash_table_new (NULL, NULL);

  fill_with_noise (p, 1);
  memcpy (before->bytes, p->bytes, sizeof (p->bytes));
  yv_canvas_pixelate (&p->canvas, (YvRect){21, 31, 119, 60});
  for (uint32_t y = 0; y < H; y++)
    for (uint32_t x = 0; x < W; x++)
      if (x >= 20 && x < 140 && y >= 30 && y < 92)
        g_hash_table_add (colors, GUINT_TO_POINTER (pixel_at (p, x, y)));
      else
        g_assert_cmphex (pixel_at (p, x, y), ==, pixel_at (before, x, y));
  g_assert_cmpuint (g_hash_table_size (colors), <=, 6 * 4);
  g_assert_cmpuint (g_hash_table_size (colors), >, 1);
}

/* The pixels of a square are only known by their mean: another order of them gives the same. */
static void
what_is_hidden_cannot_be_told (void)
{
  g_autofree Picture *p = new_picture (W, H, 0, 0);
  g_autofree Picture *mirrored = new_picture (W, H, 0, 0);
  const YvRect square = {40, 40, 8, 8};

  fill_with_noise (p, 2);
  memcpy (mirrored->bytes, p->bytes, sizeof (p->bytes));
  for (uint32_t y = 40; y < 48; y++)
    for (uint32_t x = 0; x < 8; x++)
      memcpy (mirrored->bytes + (y * W + 40 + x) * 4, p->bytes + (y * W + 47 - x) * 4, 4);
  g_assert_cmpint (memcmp (p->bytes, mirrored->bytes, sizeof (p->bytes)), !=, 0);
  yv_canvas_pixelate (&p->canvas, square);
  yv_canvas_pixelate (&mirrored->canvas, square);
  g_assert_cmpmem (p->bytes, sizeof (p->bytes), mirrored->bytes, sizeof (p->bytes));
}

static void
rather_the_whole_frame_is_hidden_than_slowly (void)
{
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  g_autofree YvBox *boxes = g_new0 (YvBox, 10000);

  for (uint32_t i = 0; i < 10000; i++)
    boxes[i] = (YvBox){.x = -10, .y = -10, .w = i % 3 ? W + 20 : NAN, .h = H + 20};
  yv_boxes_hide (shapes, boxes, 10000, W, H);
  g_assert_cmpuint (shapes->shapes->len, ==, 1);
  const YvRect r = shape_at (shapes, 0)->rect;
  g_assert_true (r.x == 0 && r.y == 0 && r.w == W && r.h == H);
  yv_shapes_clear (shapes);
  yv_boxes_hide (shapes, boxes, 4, W, H);
  g_assert_cmpuint (shapes->shapes->len, ==, 2); /* the others begin and end outside */
}

static void
bits_below_the_ten_are_hidden (void)
{
  uint16_t luma[16 * 16], chroma[8 * 16];
  const YvImage image = {.format = YV_FORMAT_P010_10LE,
                         .width = 16,
                         .height = 16,
                         .planes = {(uint8_t *) luma, (uint8_t *) chroma},
                         .stride_bytes = {32, 32}};
  YvCanvas canvas;

  for (uint32_t i = 0; i < 16 * 16; i++)
    luma[i] = (uint16_t) (0x8000 | i % 64);
  memset (chroma, 0x85, sizeof (chroma));
  yv_canvas_init (&canvas, &image);
  yv_canvas_pixelate (&canvas, (YvRect){0, 0, 16, 16});
  for (uint32_t i = 0; i < 16 * 16; i++)
    g_assert_cmphex (luma[i], ==, GUINT16_TO_LE (0x8000));
  for (uint32_t i = 0; i < 8 * 16; i++)
    g_assert_cmphex (chroma[i] & GUINT16_TO_LE (0x3f), ==, 0);
}

static void
pixels_that_a_box_touches_are_hidden (void)
{
  const YvBox box = {.x = 10.6, .y = 20.4, .w = 29.8, .h = 0.2};
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  yv_boxes_hide (shapes, &box, 1, W, H);
  const YvRect r = shape_at (shapes, 0)->rect;
  g_assert_true (r.x == 10 && r.y == 20 && r.x + r.w == 41 && r.h == 1);
}

/* ---- boxes ---------------------------------------------------------------------------------- */

static void
ten_thousand_boxes_get_five_hundred_tags (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  g_autofree YvBox *boxes = g_new0 (YvBox, 10000);
  const YvBoxStyle style = {.tags = true};

  for (uint32_t i = 0; i < 10000; i++)
    boxes[i] = (YvBox){.x = i % W, .y = i % H, .w = 9, .h = 9, .label = "x", .id = -1};
  yv_boxes_lay_out (shapes, font, boxes, 10000, &style, 1920, 1080);
  g_assert_cmpuint (count_kind (shapes, YV_SHAPE_OUTLINE), ==, 10000);
  g_assert_cmpuint (count_kind (shapes, YV_SHAPE_TAG), ==, 500);
}

/* Of each shape what lies in the frame, holes left out. */
static uint64_t
inked_px (const YvShapes *shapes)
{
  uint64_t n = 0;

  for (uint32_t i = 0; i < shapes->shapes->len; i++) {
    const YvShape *s = shape_at (shapes, i);
    const YvRect r = s->rect;
    const int32_t w = MIN (r.x + r.w, W) - MAX (r.x, 0), h = MIN (r.y + r.h, H) - MAX (r.y, 0);
    const bool is_rim = s->kind == YV_SHAPE_OUTLINE || s->kind == YV_SHAPE_DASHES;
    const int32_t hole_w = MAX (0, r.w - 2 * s->line_px), hole_h = MAX (0, r.h - 2 * s->line_px);
    n += (uint64_t) MAX (w, 0) * (uint64_t) MAX (h, 0);
    n -= is_rim ? (uint64_t) hole_w * (uint64_t) hole_h : 0;
  }
  return n;
}

static void
ten_thousand_large_boxes_take_bounded_ink (void)
{
  static const YvBoxStyle styles[] = {
      {.tags = true, .filled = true},
      {.tags = true, .line_px = 100},
      {.tags = true, .font_px = 500},
      {.filled = true, .line_px = 100},
  };
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autofree YvBox *boxes = g_new0 (YvBox, 10000);

  for (uint32_t i = 0; i < 10000; i++)
    boxes[i] = (YvBox){.x = 1, .y = 1, .w = W - 2, .h = H - 2, .label = "x", .id = -1};
  for (uint32_t i = 0; i < G_N_ELEMENTS (styles); i++) {
    g_autoptr (YvShapes) shapes = yv_shapes_new ();
    yv_boxes_lay_out (shapes, font, boxes, 10000, &styles[i], W, H);
    g_assert_cmpuint (shapes->shapes->len, >=, 2);
    g_assert_cmpuint (inked_px (shapes), <=, (4 + 1 + 4 + 1) * W * H); /* outlines and tags */
  }
}

/* The least confident are left out. */
static void
the_first_box_is_drawn_whatever_it_takes (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  YvBox boxes[100];
  const YvBoxStyle style = {.filled = true, .line_px = 1, .outline_argb = 0xff000001};

  for (uint32_t i = 0; i < G_N_ELEMENTS (boxes); i++)
    boxes[i] = (YvBox){.x = -(double) i, .y = 0, .w = W + 100, .h = H, .id = -1};
  yv_boxes_lay_out (shapes, font, boxes, G_N_ELEMENTS (boxes), &style, W, H);
  g_assert_cmpuint (count_kind (shapes, YV_SHAPE_OUTLINE), ==, 5);
  g_assert_cmpint (shape_at (shapes, 8)->rect.x, ==, 0);
  g_assert_cmpint (shape_at (shapes, 0)->rect.x, ==, -4);
}

static void
tags_say_what_is_wanted (void)
{
  static const struct {
    bool tags, ids;
    int64_t id;
    double confidence;
    const char *text; /* NULL: no tag */
  } rows[] = {
      {true, true, 12, 0.5, "dog|#12|0.50"},
      {true, false, 12, 0.5, "dog|0.50"},
      {false, true, 12, 0.5, "#12"},
      {false, true, -1, 0.5, NULL},
      {false, false, 12, 0.5, NULL},
      {true, true, -1, -1, "dog"},
      {true, true, G_MAXINT64, 2, "dog|#9223372036854775807|1.00"},
  };
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");

  for (uint32_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (YvShapes) shapes = yv_shapes_new ();
    const YvBoxStyle style = {.tags = rows[i].tags, .ids = rows[i].ids};
    const YvBox box = {.x = 9,
                       .y = 50,
                       .w = 50,
                       .h = 50,
                       .confidence = rows[i].confidence,
                       .label = "dog",
                       .id = rows[i].id};
    yv_boxes_lay_out (shapes, font, &box, 1, &style, W, H);
    g_assert_cmpuint (count_kind (shapes, YV_SHAPE_TAG), ==, rows[i].text != NULL);
    g_autofree char *text = rows[i].text ? last_text (shapes) : NULL;
    g_assert_cmpstr (text, ==, rows[i].text);
  }
}

static void
a_track_has_its_color_whatever_its_class (void)
{
  const YvBoxStyle tracks = {.id_colors = true, .outline_argb = 0xff123456};
  const YvBoxStyle classes = {.outline_argb = 0xff123456};
  const YvBox a = {.class_index = 1, .id = 5}, b = {.class_index = 2, .id = 5};
  const YvBox c = {.class_index = 1, .id = 6}, none = {.class_index = 1, .id = -1};

  g_assert_cmphex (yv_boxes_argb (&a, &tracks), ==, yv_boxes_argb (&b, &tracks));
  g_assert_cmphex (yv_boxes_argb (&a, &tracks), !=, yv_boxes_argb (&c, &tracks));
  g_assert_cmphex (yv_boxes_argb (&none, &tracks), ==, 0xff123456);
  g_assert_cmphex (yv_boxes_argb (&a, &classes), ==, 0xff123456);
}

/* Texts that nobody should send are cut, and draw something. */
static void
any_label_is_drawn (void)
{
  g_autofree char *endless = g_strnfill (10000, 'W');
  const char *labels[] = {endless, "\xff\xfe\xc3", "\xf0\x9f\x98\x80", "a\nb\tc", "", NULL};
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  const YvBoxStyle style = {.tags = true};

  for (uint32_t i = 0; i < G_N_ELEMENTS (labels); i++) {
    g_autoptr (YvShapes) shapes = yv_shapes_new ();
    g_autofree Picture *p = new_picture (W, H, 0, 0);
    const YvBox box = {.x = 9, .y = 50, .w = 50, .h = 50, .confidence = 0.5, .label = labels[i]};
    yv_boxes_lay_out (shapes, font, &box, 1, &style, W, H);
    draw_all (shapes, font, p);
    g_assert_cmpuint (shapes->text->len, <, 300);
    g_assert_cmphex (pixel_at (p, 10, 49), !=, 0);
  }
}

static void
texts_are_cut_between_characters (void)
{
  static const struct {
    const char *text;
    size_t most, n;
  } rows[] = {{"", 4, 0},
              {"abc", 4, 3},
              {"abcde", 4, 4},
              {"abc\xc3\xa9", 4, 3},
              {"ab\xc3\xa9x", 4, 4},
              {"\xf0\x9f\x98\x80", 3, 0},
              {"\x80\x80\x80", 2, 0},
              {"abc", 0, 0}};

  for (uint32_t i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpuint (yv_shapes_cut (rows[i].text, rows[i].most), ==, rows[i].n);
}

/* ---- tails ---------------------------------------------------------------------------------- */

static void
a_tail_fades_from_the_object_to_its_end (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  g_autofree Picture *p = new_picture (W, H, 0, 0);

  for (uint32_t i = 0; i <= 25; i++)
    yv_tails_add (tails, 1, 20 + i * 6, 60.5, 0xffffffff, (uint64_t) i * SECOND_NS / 25, SECOND_NS);
  yv_tails_lay_out (tails, SECOND_NS, SECOND_NS, 3, W, H, shapes);
  draw_all (shapes, font, p);
  for (uint32_t x = 30; x < 160; x += 10)
    g_assert_cmpuint (pixel_at (p, x + 10, 60) >> 24, >, pixel_at (p, x, 60) >> 24);
  g_assert_cmpuint (pixel_at (p, 169, 60) >> 24, >, 240);
  g_assert_cmpuint (pixel_at (p, 22, 60) >> 24, <, 20);
}

static void
tails_end_with_time_and_when_cleared (void)
{
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  for (uint32_t i = 0; i < 10; i++)
    yv_tails_add (tails, 1, i * 6, 60, 0xffffffff, i, SECOND_NS);
  yv_tails_lay_out (tails, SECOND_NS, SECOND_NS, 3, W, H, shapes);
  g_assert_cmpuint (shapes->shapes->len, ==, 1);
  yv_tails_lay_out (tails, 2ull * SECOND_NS, SECOND_NS, 3, W, H, shapes);
  g_assert_cmpuint (shapes->shapes->len, ==, 1);
  g_assert_cmpuint (yv_tails_count (tails), ==, 0);

  yv_tails_add (tails, 1, 0, 0, 0xffffffff, 5, SECOND_NS);
  yv_tails_clear (tails);
  yv_tails_add (tails, 1, 90, 90, 0xffffffff, 6, SECOND_NS);
  yv_tails_lay_out (tails, 6, SECOND_NS, 3, W, H, shapes);
  g_assert_cmpuint (shapes->shapes->len, ==, 1); /* one point is no line */
}

static void
tails_stay_bounded (void)
{
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  for (int64_t id = 0; id < 10000; id++)
    yv_tails_add (tails, id, 1, 1, 0xffffffff, 0, SECOND_NS);
  g_assert_cmpuint (yv_tails_count (tails), ==, 512);
  yv_tails_clear (tails);
  for (uint32_t i = 0; i < 100000; i++) /* more than a day, at the longest length */
    yv_tails_add (tails, 1, i, i, 0xffffffff, (uint64_t) i * SECOND_NS, 600ull * SECOND_NS);
  yv_tails_lay_out (tails, 99999ull * SECOND_NS, 600ull * SECOND_NS, 3, W, H, shapes);
  g_assert_cmpuint (shapes->points->len, <=, 64);
  g_assert_cmpuint (shapes->points->len, >=, 55);
  g_assert_cmpfloat (g_array_index (shapes->points, YvPoint, 0).x, <=, 99999 - 560);
}

static void
new_tracks_take_the_place_of_those_that_are_gone (void)
{
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  for (int64_t id = 0; id < 512; id++)
    yv_tails_add (tails, id, 1, 1, 0xffffffff, id == 77 ? 0 : 1, SECOND_NS);
  for (uint64_t ns = 2; ns < 4; ns++) {
    for (int64_t id = 0; id < 512; id++)
      if (id != 77)
        yv_tails_add (tails, id, 1, 1, 0xffffffff, ns, SECOND_NS);
    yv_tails_add (tails, 1000, 9, 9, 0xff00ff00, ns, SECOND_NS);
    yv_tails_add (tails, 1001, 9, 9, 0xff0000ff, ns, SECOND_NS); /* all others are there */
  }
  g_assert_cmpuint (yv_tails_count (tails), ==, 512);
  yv_tails_lay_out (tails, 4, SECOND_NS, 1, W, H, shapes);
  g_assert_cmpuint (shapes->shapes->len, ==, 512);
  uint32_t n_new = 0;
  for (uint32_t i = 0; i < 512; i++) {
    g_assert_cmphex (shape_at (shapes, i)->argb, !=, 0xff0000ff);
    n_new += shape_at (shapes, i)->argb == 0xff00ff00;
  }
  g_assert_cmpuint (n_new, ==, 1);
}

static void
tails_that_jump_take_bounded_ink (void)
{
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  for (uint32_t i = 0; i < 60; i++)
    for (int64_t id = 0; id < 512; id++)
      yv_tails_add (tails, id, i % 2 ? W : 0, 9, 0xffffffff, (uint64_t) i * SECOND_NS / 60,
                    SECOND_NS);
  yv_tails_lay_out (tails, SECOND_NS, SECOND_NS, 5, W, H, shapes);
  g_assert_cmpuint (yv_tails_count (tails), ==, 512);
  g_assert_cmpuint (shapes->shapes->len, ==, 1); /* 59 times across the picture */
}

/* What is near such a line is inked, in whatever tile, and nothing else. */
static void
long_lines_look_like_their_pieces (void)
{
  static const YvPoint ends[][2] = {{{-300, -90, 255}, {700, 333, 255}},
                                    {{-50, 149.5, 255}, {260, 3, 255}},
                                    {{100.3, -500, 255}, {101.9, 900, 255}}};

  for (uint32_t i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_autofree Picture *p = new_picture (W, H, 0, 0);
    const YvPoint *a = &ends[i][0], *b = &ends[i][1];
    const double dx = b->x - a->x, dy = b->y - a->y, length = hypot (dx, dy);
    yv_lines_draw (&p->canvas, ends[i], 2, 3, yv_canvas_ink (&p->canvas, 0xffffffff));
    for (uint32_t k = 0; k < W * H; k++) {
      const double away = fabs ((k % W + 0.5 - a->x) * dy - (k / W + 0.5 - a->y) * dx) / length;
      const double covered = CLAMP (2 - away, 0, 1);
      const double alpha = pixel_at (p, k % W, k / W) >> 24;
      g_assert_cmpfloat_with_epsilon (alpha, covered * 255, 1);
    }
  }
}

static void
time_that_goes_back_breaks_no_tail (void)
{
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  yv_tails_add (tails, 1, 1, 1, 0xffffffff, 5ull * SECOND_NS, SECOND_NS);
  yv_tails_add (tails, 1, 2, 2, 0xffffffff, SECOND_NS, SECOND_NS);
  yv_tails_lay_out (tails, SECOND_NS, SECOND_NS, 3, W, H, shapes);
  g_assert_cmpuint (shapes->points->len, <=, 2);
}

/* ---- zones, statistics ----------------------------------------------------------------------- */

static void
zones_tell_their_counts (void)
{
  static const double points[] = {0.1, 0.5, 0.9, 0.4, 0.5, 0.9};
  const YvZoneLines zone = {"door", points, 3, false, 4, 12, 8};
  const YvZoneLines line = {"", points, 2, true, 0, 7, G_MAXUINT64};
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  yv_zonelines_add_tags (shapes, font, &zone, 1, 12, W, H);
  g_autofree char *text = last_text (shapes);
  g_assert_cmpstr (text, ==, "door|4|+12|-8");
  yv_zonelines_add_tags (shapes, font, &line, 1, 12, W, H);
  g_autofree char *crossed = last_text (shapes);
  g_assert_cmpstr (crossed, ==, ">7|<18446744073709551615");
}

static void
zones_of_odd_points_are_harmless (void)
{
  static const double far[] = {-1e300, 1e300, 1e300, 0.5};
  g_autofree double *many = g_new0 (double, 2 * 10000);
  const YvZoneLines zones[] = {{"far", far, 2, false, 0, 0, 0},
                               {"none", far, 0, false, 0, 0, 0},
                               {"one", far, 1, true, 0, 0, 0},
                               {"many", many, 10000, false, 0, 0, 0}};
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  g_autofree Picture *p = new_picture (W, H, 0, 0);

  yv_zonelines_add_borders (shapes, zones, G_N_ELEMENTS (zones), 2, W, H);
  yv_zonelines_add_tags (shapes, font, zones, G_N_ELEMENTS (zones), 12, W, H);
  g_assert_cmpuint (shapes->shapes->len, ==, 6);
  g_assert_cmpuint (shapes->points->len, ==, 3 + 1 + YV_ZONELINES_MAX_POINTS + 1);
  yv_zonelines_add_borders (shapes, zones, G_N_ELEMENTS (zones), 2, G_MAXINT32, G_MAXINT32);
  yv_zonelines_add_tags (shapes, font, zones, G_N_ELEMENTS (zones), 12, G_MAXINT32, G_MAXINT32);
  draw_all (shapes, font, p);
}

static void
statistics_count_what_there_is (void)
{
  const YvBox boxes[] = {{.label = "car", .class_index = 2},
                         {.label = "person", .class_index = 0},
                         {.label = "person", .class_index = 0},
                         {.class_index = 9},
                         {.class_index = -1}};
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  YvFrameRate rate = {0};

  yv_statistics_lay_out (shapes, font, &rate, boxes, 1, 12, 1920);
  g_autofree char *first = last_text (shapes);
  g_assert_cmpstr (first, ==, "1 object|car 1");
  for (uint32_t i = 0; i < 100; i++)
    yv_frame_rate_add (&rate, (uint64_t) i * SECOND_NS / 30);
  yv_statistics_lay_out (shapes, font, &rate, boxes, 5, 12, 1920);
  g_autofree char *all = last_text (shapes);
  g_assert_cmpstr (all, ==, "30.0 fps|5 objects|person 2|car 1|class 9 1");
}

static void
statistics_of_endless_classes_end (void)
{
  g_autofree YvBox *boxes = g_new0 (YvBox, 10000);
  g_autofree char *label = g_strnfill (10000, 'W');
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  const YvFrameRate rate = {.rate = INFINITY};

  for (int i = 0; i < 10000; i++)
    boxes[i] = (YvBox){.label = label, .class_index = i};
  yv_statistics_lay_out (shapes, font, &rate, boxes, 10000, 12, G_MAXUINT32);
  g_assert_cmpuint (shape_at (shapes, 0)->n, ==, 2 + 8 + 1);
  g_assert_cmpuint (shapes->text->len, <, 600);
}

/* The line ends in the frame, and says that it was shortened where there is room for that. */
static void
statistics_stay_in_the_frame (void)
{
  static const char *const labels[] = {"person", "bicycle", "motorcycle", "traffic light"};
  static const struct {
    uint32_t frame_w, n_boxes;
    const char *text; /* what it begins with */
    const char *end;  /* and what with */
  } rows[] = {{1920, 4, "4 objects|bicycle 1|motorcycle 1|person 1|", "light 1"},
              {220, 4, "4 objects|bicycle 1|", "|..."},
              {105, 4, "4 objects|", "|..."},
              {1, 4, "4 objects", "objects"},
              {105, 1, "1 object", "|..."}};
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  const YvFrameRate rate = {0};
  YvBox boxes[4] = {{0}};

  for (uint32_t i = 0; i < G_N_ELEMENTS (boxes); i++)
    boxes[i] = (YvBox){.label = labels[i]};
  for (uint32_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (YvShapes) shapes = yv_shapes_new ();
    yv_statistics_lay_out (shapes, font, &rate, boxes, rows[i].n_boxes, 12, rows[i].frame_w);
    const YvRect r = shape_at (shapes, 0)->rect;
    g_autofree char *text = last_text (shapes);
    if (!g_str_has_prefix (text, rows[i].text) || !g_str_has_suffix (text, rows[i].end))
      g_error ("%u px: %s", rows[i].frame_w, text);
    g_assert_true (strchr (text, '|') == NULL || r.x + r.w <= (int32_t) rows[i].frame_w);
  }
}

static void
the_frame_rate_follows_the_stream (void)
{
  YvFrameRate rate = {0};

  yv_frame_rate_add (&rate, YV_TIME_NONE);
  yv_frame_rate_add (&rate, 0);
  g_assert_cmpfloat (rate.rate, ==, 0);
  for (uint32_t i = 1; i <= 50; i++)
    yv_frame_rate_add (&rate, (uint64_t) i * SECOND_NS / 25);
  g_assert_cmpfloat_with_epsilon (rate.rate, 25, 0.01);
  for (uint32_t i = 1; i <= 20; i++)
    yv_frame_rate_add (&rate, 2ull * SECOND_NS + (uint64_t) i * SECOND_NS / 10);
  g_assert_cmpfloat_with_epsilon (rate.rate, 10, 0.01);
  yv_frame_rate_add (&rate, 5); /* the stream begins anew */
  g_assert_cmpfloat (rate.rate, ==, 0);
  yv_frame_rate_add (&rate, 5);
  g_assert_cmpfloat (rate.rate, ==, 0);
}

/* ---- steady state ---------------------------------------------------------------------------- */

static void
a_list_that_was_filled_once_allocates_nothing (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  const YvBoxStyle style = {.tags = true, .ids = true};
  const void *memory[3] = {NULL};
  uint64_t n_layouts = 0;

  for (uint32_t frame = 0; frame < 300; frame++) {
    yv_shapes_clear (shapes);
    for (int64_t id = 0; id < 20; id++) {
      const YvBox box = {.x = frame % 50 + id,
                         .y = 40,
                         .w = 30,
                         .h = 40,
                         .confidence = 0.5,
                         .label = "car",
                         .id = id};
      yv_tails_add (tails, id, box.x, box.y, 0xffffffff, frame, 100);
      yv_boxes_lay_out (shapes, font, &box, 1, &style, W, H);
    }
    yv_tails_lay_out (tails, frame, 100, 2, W, H, shapes);
    if (frame == 200) {
      memory[0] = shapes->shapes->data;
      memory[1] = shapes->points->data;
      memory[2] = shapes->text->str;
      n_layouts = yv_font_n_layouts (font);
    }
  }
  g_assert_true (shapes->shapes->data == memory[0] && shapes->points->data == memory[1] &&
                 shapes->text->str == memory[2]);
  g_assert_cmpuint (yv_font_n_layouts (font), ==, n_layouts);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shapes/parts", parts_show_what_the_whole_does);
  g_test_add_func ("/shapes/rectangles", all_that_a_shape_inks_lies_in_its_rectangle);
  g_test_add_func ("/shapes/steady-state", a_list_that_was_filled_once_allocates_nothing);
  g_test_add_func ("/lines/width", a_line_covers_its_width);
  g_test_add_func ("/lines/once", a_line_that_crosses_itself_is_inked_once);
  g_test_add_func ("/lines/places", lines_lie_where_they_should);
  g_test_add_func ("/lines/dots", no_point_is_no_line_and_one_is_a_dot);
  g_test_add_func ("/dashes/half", dashes_are_half_of_the_outline);
  g_test_add_func ("/dashes/endless", endless_dashes_are_drawn_where_they_are_seen);
  g_test_add_func ("/pixelate/squares", of_what_is_hidden_few_squares_are_left);
  g_test_add_func ("/pixelate/mean", what_is_hidden_cannot_be_told);
  g_test_add_func ("/pixelate/bounded", rather_the_whole_frame_is_hidden_than_slowly);
  g_test_add_func ("/pixelate/low-bits", bits_below_the_ten_are_hidden);
  g_test_add_func ("/pixelate/touched", pixels_that_a_box_touches_are_hidden);
  g_test_add_func ("/boxes/ten-thousand", ten_thousand_boxes_get_five_hundred_tags);
  g_test_add_func ("/boxes/large", ten_thousand_large_boxes_take_bounded_ink);
  g_test_add_func ("/boxes/first", the_first_box_is_drawn_whatever_it_takes);
  g_test_add_func ("/boxes/texts", tags_say_what_is_wanted);
  g_test_add_func ("/boxes/track-colors", a_track_has_its_color_whatever_its_class);
  g_test_add_func ("/boxes/labels", any_label_is_drawn);
  g_test_add_func ("/boxes/cut", texts_are_cut_between_characters);
  g_test_add_func ("/tails/fade", a_tail_fades_from_the_object_to_its_end);
  g_test_add_func ("/tails/end", tails_end_with_time_and_when_cleared);
  g_test_add_func ("/tails/bounded", tails_stay_bounded);
  g_test_add_func ("/tails/new", new_tracks_take_the_place_of_those_that_are_gone);
  g_test_add_func ("/tails/jumps", tails_that_jump_take_bounded_ink);
  g_test_add_func ("/lines/long", long_lines_look_like_their_pieces);
  g_test_add_func ("/tails/time-back", time_that_goes_back_breaks_no_tail);
  g_test_add_func ("/zones/counts", zones_tell_their_counts);
  g_test_add_func ("/zones/odd", zones_of_odd_points_are_harmless);
  g_test_add_func ("/statistics/counts", statistics_count_what_there_is);
  g_test_add_func ("/statistics/endless", statistics_of_endless_classes_end);
  g_test_add_func ("/statistics/fit", statistics_stay_in_the_frame);
  g_test_add_func ("/statistics/rate", the_frame_rate_follows_the_stream);
  return g_test_run ();
}
