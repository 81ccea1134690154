/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-shapes.c - gst/draw/shapes.h, and what boxes and zones add to such a list. */
#include "gst/draw/shapes.h"

#include "gst/draw/boxes.h"
#include "gst/draw/tails.h"
#include "gst/draw/zonelines.h"
#include "tests/gst/picture.h"

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

/* ---- boxes ---------------------------------------------------------------------------------- */

static uint32_t
count_kind (const YvShapes *shapes, YvShapeKind kind)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < shapes->shapes->len; i++)
    n += shape_at (shapes, i)->kind == kind;
  return n;
}

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

/* ---- zones ---------------------------------------------------------------------------------- */

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

/* ---- steady state --------------------------------------------------------------------------- */

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
  g_test_add_func ("/dashes/half", dashes_are_half_of_the_outline);
  g_test_add_func ("/dashes/endless", endless_dashes_are_drawn_where_they_are_seen);
  g_test_add_func ("/boxes/ten-thousand", ten_thousand_boxes_get_five_hundred_tags);
  g_test_add_func ("/boxes/large", ten_thousand_large_boxes_take_bounded_ink);
  g_test_add_func ("/boxes/first", the_first_box_is_drawn_whatever_it_takes);
  g_test_add_func ("/boxes/texts", tags_say_what_is_wanted);
  g_test_add_func ("/boxes/track-colors", a_track_has_its_color_whatever_its_class);
  g_test_add_func ("/boxes/labels", any_label_is_drawn);
  g_test_add_func ("/boxes/cut", texts_are_cut_between_characters);
  g_test_add_func ("/zones/counts", zones_tell_their_counts);
  g_test_add_func ("/zones/odd", zones_of_odd_points_are_harmless);
  return g_test_run ();
}
