/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/track/zoneconfig.h - zones and lines as a user writes them.
 *
 * {
 *   "zones": [{"name": "door", "polygon": [[0.1, 0.2], [0.5, 0.2], [0.5, 0.9]],
 *              "classes": ["person", 2], "anchor": "center", "margin": 0.1}],
 *   "lines": [{"name": "gate", "from": [0, 0.5], "to": [1, 0.5]}]
 * }
 *
 *   name      1 to 64 bytes; no two zones or lines have the same
 *   polygon   3 to 64 points [x, y], in order around the zone; the first may be said again at the
 *             end. It may be concave, but no edge may meet any but its neighbours
 *   from, to  points; what forward is follows from their order (gst/track/zones.h)
 *   classes   names in any case, or class indices; without it every class is counted
 *   anchor    "bottom", or "center"; without it "bottom"
 *   margin    0..1 of the size of an object; without it 0.2
 *
 * Coordinates are shares of the frame, 0..1 from the left and from the top, so that they hold for
 * every size. With "units": "px", "width": 1920, "height": 1080 beside the lists they are pixels of
 * a frame of that size. Other members are refused: they would be misspelt ones.
 *
 * The text may be hostile. Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Less counts jitter as crossings, more misses objects that are found or lost near a line. */
#define YV_ZONE_DEFAULT_MARGIN 0.2

/**
 * yv_zone_config_read:
 * @text: JSON, which begins with { or [ (blanks before it don't count); anything else is the path
 *   of a file of at most 1 MiB that holds it
 *
 * Returns: (transfer full) (element-type YvZone): the zones, then the lines, in their order, with
 * totals of 0. NULL with YV_ERROR_IO, or with YV_ERROR_INVALID where the text or the file is not
 * as above.
 */
GPtrArray *yv_zone_config_read (const char *text, GError **error);

G_END_DECLS
