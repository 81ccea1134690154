/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/zonelines.c - what a zone looks like. */
#include "gst/draw/zonelines.h"

#include "gst/draw/boxes.h"

#define NUMBER_BYTES 24
#define MAX_FRAME_PX 500000u /* twice of it is what lines.h takes */

/* Far outside is as good as anywhere outside, and a frame in memory that can't be mapped may be of
 * any size. */
static double
in_px (double share, uint32_t frame_px)
{
  return CLAMP (share, -1, 2) * MIN (frame_px, MAX_FRAME_PX);
}

static YvPoint
point_in_px (const double *share, uint32_t frame_w, uint32_t frame_h)
{
  return (YvPoint){in_px (share[0], frame_w), in_px (share[1], frame_h), 255};
}

static uint32_t
n_shown (const YvZoneLines *zone)
{
  return MIN (zone->n_points, YV_ZONELINES_MAX_POINTS);
}

static uint32_t
argb_of (const YvZoneLines *zone)
{
  return yv_boxes_class_argb (g_str_hash (zone->name));
}

void
yv_zonelines_add_borders (YvShapes *shapes, const YvZoneLines *zones, uint32_t n_zones,
                          uint32_t line_px, uint32_t frame_w, uint32_t frame_h)
{
  YvPoint points[YV_ZONELINES_MAX_POINTS + 1];

  for (uint32_t i = 0; i < n_zones; i++) {
    uint32_t n = n_shown (&zones[i]);
    for (uint32_t k = 0; k < n; k++)
      points[k] = point_in_px (&zones[i].points[2 * k], frame_w, frame_h);
    if (n > 0 && !zones[i].is_line)
      points[n++] = points[0];
    if (n > 0)
      yv_shapes_add_line (shapes, points, n, (int32_t) line_px, argb_of (&zones[i]));
  }
}

/* Where the tag stands: on the topmost corner of a zone, on the middle of a line. */
static YvPoint
anchor_of (const YvZoneLines *zone, uint32_t frame_w, uint32_t frame_h)
{
  const uint32_t n = n_shown (zone);
  YvPoint top = point_in_px (zone->points, frame_w, frame_h);

  if (zone->is_line) {
    const YvPoint last = point_in_px (&zone->points[2 * (n - 1)], frame_w, frame_h);
    return (YvPoint){(top.x + last.x) / 2, (top.y + last.y) / 2, 255};
  }
  for (uint32_t i = 1; i < n; i++) {
    const YvPoint point = point_in_px (&zone->points[2 * i], frame_w, frame_h);
    if (point.y < top.y)
      top = point;
  }
  return top;
}

static void
add_number (YvTag *tag, char text[NUMBER_BYTES], const char *sign, uint64_t n)
{
  g_snprintf (text, NUMBER_BYTES, "%s%" G_GUINT64_FORMAT, sign, n);
  tag->pieces[tag->n_pieces++] = text;
}

static void
add_tag (YvShapes *shapes, YvFont *font, const YvZoneLines *zone, uint32_t font_px,
         uint32_t frame_w, uint32_t frame_h)
{
  const YvPoint anchor = anchor_of (zone, frame_w, frame_h);
  char numbers[3][NUMBER_BYTES];
  YvTag tag = {.font_px = font_px, .argb = argb_of (zone)};

  if (*zone->name)
    tag.pieces[tag.n_pieces++] = zone->name;
  if (!zone->is_line)
    add_number (&tag, numbers[0], "", zone->n_inside);
  add_number (&tag, numbers[1], zone->is_line ? ">" : "+", zone->n_in);
  add_number (&tag, numbers[2], zone->is_line ? "<" : "-", zone->n_out);

  const YvRect size = yv_shapes_tag_size (font, &tag);
  yv_shapes_add_tag (
      shapes, yv_boxes_place_tag ((int32_t) anchor.x, (int32_t) anchor.y, size, frame_w, frame_h),
      &tag);
}

void
yv_zonelines_add_tags (YvShapes *shapes, YvFont *font, const YvZoneLines *zones, uint32_t n_zones,
                       uint32_t font_px, uint32_t frame_w, uint32_t frame_h)
{
  for (uint32_t i = 0; i < n_zones; i++)
    if (n_shown (&zones[i]) > 0)
      add_tag (shapes, font, &zones[i], font_px, frame_w, frame_h);
}
