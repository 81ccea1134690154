/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/zonelines.h - what a zone looks like: its border, and a tag with its name and counts.
 *
 * In:    zones and lines, in shares of the frame; what was counted.
 * Out:   their shapes. The tag of a zone reads "name 3 +12 -9": inside now, entered, left; that of
 * a line "name >12 <9": crossed forward, backward.
 *
 * Threads: one at a time per font.
 */
#pragma once

#include "gst/draw/shapes.h"

G_BEGIN_DECLS

#define YV_ZONELINES_MAX_POINTS 64

typedef struct {
  const char *name;     /* UTF-8 */
  const double *points; /* x, y, x, y, ...: shares of the frame's width and height, finite */
  uint32_t n_points;    /* pairs; those above YV_ZONELINES_MAX_POINTS are not shown */
  bool is_line;         /* else a zone: its last point is connected with the first */
  uint32_t n_inside;    /* of a zone */
  uint64_t n_in, n_out; /* entered and left, or crossed forward and backward */
} YvZoneLines;

/* Adds the borders; @line_px: >= 1. They lie below boxes. */
void yv_zonelines_add_borders (YvShapes *shapes, const YvZoneLines *zones, uint32_t n_zones,
                               uint32_t line_px, uint32_t frame_w, uint32_t frame_h);

/* Adds the tags; @font_px: >= 1. */
void yv_zonelines_add_tags (YvShapes *shapes, YvFont *font, const YvZoneLines *zones,
                            uint32_t n_zones, uint32_t font_px, uint32_t frame_w, uint32_t frame_h);

G_END_DECLS
