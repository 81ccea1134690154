/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-statistics.c - gst/draw/statistics.h: what the line says, and where it ends. */
#include "gst/draw/statistics.h"

#include <math.h>
#include <string.h>

#include "tests/gst/picture.h"

#define SECOND_NS 1000000000u

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/statistics/counts", statistics_count_what_there_is);
  g_test_add_func ("/statistics/endless", statistics_of_endless_classes_end);
  g_test_add_func ("/statistics/fit", statistics_stay_in_the_frame);
  g_test_add_func ("/statistics/rate", the_frame_rate_follows_the_stream);
  return g_test_run ();
}
