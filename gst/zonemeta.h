/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/zonemeta.h - zones on a buffer: what is told of them, and how anybody reads it.
 *
 * In:    the zones and lines of yolov7tracker, with their totals.
 * Out:   GstYolov7Zones, a custom meta, so that an application needs neither this header nor this
 *        library, in any language:
 *
 *          GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstYolov7Zones");
 *          GstStructure *s = gst_custom_meta_get_structure (meta);
 *          GValueArray *all = NULL;
 *          gst_structure_get_array (s, "zones", &all);   (Python: s.get_array ("zones"))
 *
 *          zones          GstValueArray of GstStructure "zone", in the order they were described:
 *            name         string
 *            kind         string  "zone" or "line"
 *            points       GstValueArray of double  x0, y0, x1, y1, ...: each 0..1 of the frame's
 *                                 width or height; of a line its two ends
 *           of a zone:
 *            count        uint    objects that are inside now, those too that were not seen for a
 *                                 while and are not given up yet
 *            entered      uint64  objects that ever were
 *            left         uint64  of these, those that went out again, or whose track ended;
 *                                 where a seek ended visits, entered is more than count + left
 *            dwell-mean, dwell-max  uint64  ns between both, of those that left; 0: none yet
 *           of a line:
 *            forward, backward      uint64  crossings
 *
 *        It is on every buffer that leaves a yolov7tracker with zones. Totals are since the element
 *        started. Points are shares of the frame, so the meta survives copies, converters and
 *        scalers as it is; borders that a scaler adds are not accounted for.
 *
 * Next:  yolov7overlay, and every other reader. Threads: any; the buffer must be writable to
 * attach.
 */
#pragma once

#include <gst/gst.h>

#include "engine/api.h"

G_BEGIN_DECLS

#define GST_YOLOV7_ZONES_META_NAME "GstYolov7Zones"

#define GST_YOLOV7_MAX_ZONES 64
#define GST_YOLOV7_MAX_ZONE_POINTS 64

typedef enum { GST_YOLOV7_ZONE_POLYGON, GST_YOLOV7_ZONE_LINE } GstYolov7ZoneKind;

typedef struct {
  double x, y; /* 0..1 of the frame's width and height */
} GstYolov7ZonePoint;

/* As above. */
typedef struct {
  const char *name; /* borrowed: when read, valid as long as the buffer holds its meta */
  GstYolov7ZoneKind kind;
  GstYolov7ZonePoint points[GST_YOLOV7_MAX_ZONE_POINTS];
  guint n_points;
  guint count;
  guint64 entered, left;
  GstClockTime dwell_mean, dwell_max;
  guint64 forward, backward;
} GstYolov7Zone;

/* @buffer: writable; its memory is not touched
 * @zones: (array length=n_zones): copied; each with a name, at most GST_YOLOV7_MAX_ZONE_POINTS
 *   points, and all fields of its kind
 * @n_zones: at most GST_YOLOV7_MAX_ZONES
 * With other arguments it warns, by g_return_if_fail(), and attaches nothing. */
YV_API void gst_yolov7_zones_attach (GstBuffer *buffer, const GstYolov7Zone *zones, guint n_zones);

/**
 * gst_yolov7_zones_read:
 * @found: (element-type GstYolov7Zone): its old content is dropped, its memory is used again
 *
 * Reads every GstYolov7Zones of @buffer, GST_YOLOV7_MAX_ZONES zones at most. A zone without a name,
 * of an unknown kind, or with points that are too few, too many or outside the frame, as somebody
 * else may have written under our name, is left out; other fields that are missing are 0.
 *
 * Returns: whether there is any such meta
 */
YV_API gboolean gst_yolov7_zones_read (GstBuffer *buffer, GArray *found);

/* Registers GstYolov7Zones, after gst_init(); the functions above do so themselves. */
YV_API void gst_yolov7_zones_register (void);

G_END_DECLS
