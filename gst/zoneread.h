/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/zoneread.h - the zones and lines of a tracker, read from a buffer to be drawn.
 *
 * In:    the custom meta "GstYolov7Zones", known by its name alone: a GstValueArray "zones" of
 *        structures with name, kind, points and counts.
 * Out:   what gst/draw/zonelines.h draws.
 *
 * Anybody may attach such a meta: what is not as promised is left out.
 */
#pragma once

#include <gst/gst.h>

#include "gst/draw/zonelines.h"

G_BEGIN_DECLS

/* @zones: (element-type YvZoneLines); @points: (element-type double): what they point to. The old
 * content of both is dropped. Names are valid as long as the buffer holds its meta. */
void gst_yolov7_zones_read (GstBuffer *buffer, GArray *zones, GArray *points);

G_END_DECLS
