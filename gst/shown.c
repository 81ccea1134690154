/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/shown.c - what yolov7overlay shows on a frame: boxes, tails, zones and figures. */
#include "gst/shown.h"

#include <string.h>

#include "gst/detectionmeta.h"
#include "gst/draw/statistics.h"
#include "gst/draw/tails.h"
#include "gst/draw/zonelines.h"
#include "gst/zonemeta.h"

#define MAX_LABEL_BYTES 256 /* as many as are shown: labels come from outside */

struct _GstYolov7Shown {
  GArray *found;      /* of GstYolov7Detection; kept for its memory */
  GArray *boxes;      /* of YvBox: of the last analysed frame */
  GString *labels;    /* what they point to, each ended by a NUL */
  GstClockTime seen;  /* running time of that frame */
  gboolean is_known;  /* there was such a frame since new() or forget() */
  GstClockTime now;   /* running time of this frame; not before seen */
  GArray *zones;      /* of GstYolov7Zone, of this frame */
  GArray *zone_lines; /* of YvZoneLines: how they are drawn */
  YvTails *tails;
  YvFrameRate rate;
};

/* ---- life ----------------------------------------------------------------------------------- */

GstYolov7Shown *
gst_yolov7_shown_new (void)
{
  GstYolov7Shown *shown = g_new0 (GstYolov7Shown, 1);

  shown->found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  shown->boxes = g_array_new (FALSE, FALSE, sizeof (YvBox));
  shown->labels = g_string_new (NULL);
  shown->zones = g_array_new (FALSE, FALSE, sizeof (GstYolov7Zone));
  shown->zone_lines = g_array_new (FALSE, FALSE, sizeof (YvZoneLines));
  shown->tails = yv_tails_new ();
  return shown;
}

void
gst_yolov7_shown_free (GstYolov7Shown *shown)
{
  if (!shown)
    return;
  yv_tails_free (shown->tails);
  g_array_unref (shown->zone_lines);
  g_array_unref (shown->zones);
  g_string_free (shown->labels, TRUE);
  g_array_unref (shown->boxes);
  g_array_unref (shown->found);
  g_free (shown);
}

void
gst_yolov7_shown_forget (GstYolov7Shown *shown)
{
  g_array_set_size (shown->boxes, 0);
  yv_tails_clear (shown->tails);
  shown->rate = (YvFrameRate){0};
  shown->seen = 0;
  shown->is_known = FALSE;
}

/* ---- boxes ---------------------------------------------------------------------------------- */

/* Copies the labels: the boxes may be drawn again on frames that do not carry them. */
static void
keep_boxes (GstYolov7Shown *shown)
{
  g_array_set_size (shown->boxes, 0);
  g_string_truncate (shown->labels, 0);
  for (guint i = 0; i < shown->found->len; i++) {
    const GstYolov7Detection *d = &g_array_index (shown->found, GstYolov7Detection, i);
    const char *label = d->label ? d->label : "";
    const YvBox box = {
        .x = d->x,
        .y = d->y,
        .w = d->w,
        .h = d->h,
        .confidence = d->confidence,
        .class_index = d->class_index,
        .id = d->id,
        .predicted = d->predicted,
    };
    g_array_append_val (shown->boxes, box);
    g_string_append_len (shown->labels, label, (gssize) yv_shapes_cut (label, MAX_LABEL_BYTES));
    g_string_append_c (shown->labels, '\0');
  }

  const char *label = shown->labels->str; /* it has moved while it grew */
  for (guint i = 0; i < shown->boxes->len; i++) {
    g_array_index (shown->boxes, YvBox, i).label = label;
    label += strlen (label) + 1;
  }
}

static void
grow_tails (GstYolov7Shown *shown, const GstYolov7OverlaySettings *settings)
{
  for (guint i = 0; i < shown->boxes->len && settings->tail_length_ns > 0; i++) {
    const YvBox *box = &g_array_index (shown->boxes, YvBox, i);
    const double x = box->x + box->w / 2, y = box->y + box->h;
    if (box->id >= 0 && ABS (x) < 1e6 && ABS (y) < 1e6) /* and a number */
      yv_tails_add (shown->tails, box->id, x, y, yv_boxes_argb (box, &settings->style), shown->seen,
                    settings->tail_length_ns);
  }
}

/* What this frame shows of objects: its own, or the last ones while they are young. */
static void
read_boxes (GstYolov7Shown *shown, GstBuffer *buffer, guint frame_w, guint frame_h,
            const GstYolov7OverlaySettings *settings)
{
  if (gst_yolov7_detections_read_scaled (buffer, frame_w, frame_h, shown->found)) {
    shown->seen = shown->now;
    shown->is_known = TRUE;
    keep_boxes (shown);
    grow_tails (shown, settings);
    return;
  }
  if (settings->expire_ns != GST_CLOCK_TIME_NONE && shown->now - shown->seen >= settings->expire_ns)
    g_array_set_size (shown->boxes, 0);
}

/* ---- zones ---------------------------------------------------------------------------------- */

static YvZoneLines
lines_of_zone (const GstYolov7Zone *zone)
{
  const gboolean is_line = zone->kind == GST_YOLOV7_ZONE_LINE;

  return (YvZoneLines){
      .name = zone->name,
      .points = (const double *) zone->points,
      .n_points = zone->n_points,
      .is_line = is_line,
      .n_inside = zone->count,
      .n_in = is_line ? zone->forward : zone->entered,
      .n_out = is_line ? zone->backward : zone->left,
  };
}

static void
read_zones (GstYolov7Shown *shown, GstBuffer *buffer)
{
  gst_yolov7_zones_read (buffer, shown->zones);
  for (guint i = 0; i < shown->zones->len; i++) {
    const YvZoneLines lines = lines_of_zone (&g_array_index (shown->zones, GstYolov7Zone, i));
    g_array_append_val (shown->zone_lines, lines);
  }
}

/* ---- a frame -------------------------------------------------------------------------------- */

void
gst_yolov7_shown_read (GstYolov7Shown *shown, GstBuffer *buffer, GstClockTime running_time,
                       guint frame_w, guint frame_h, const GstYolov7OverlaySettings *settings)
{
  shown->now =
      GST_CLOCK_TIME_IS_VALID (running_time) ? MAX (running_time, shown->seen) : shown->seen;
  yv_frame_rate_add (&shown->rate, GST_BUFFER_PTS_IS_VALID (buffer) ? shown->now : YV_TIME_NONE);
  read_boxes (shown, buffer, frame_w, frame_h, settings);
  g_array_set_size (shown->zone_lines, 0);
  if (settings->zones)
    read_zones (shown, buffer);
}

/* What is in boxes; all of it while nobody knows where they are. */
static void
hide (const GstYolov7Shown *shown, const YvBox *boxes, guint frame_w, guint frame_h,
      YvShapes *shapes)
{
  const YvRect frame = {0, 0, (gint) frame_w, (gint) frame_h};

  if (shown->is_known)
    yv_boxes_hide (shapes, boxes, shown->boxes->len, frame_w, frame_h);
  else
    yv_shapes_add_rect (shapes, YV_SHAPE_PIXELATED, frame, 0, 0);
}

void
gst_yolov7_shown_lay_out (GstYolov7Shown *shown, guint frame_w, guint frame_h,
                          const GstYolov7OverlaySettings *settings, YvFont *font, YvShapes *shapes)
{
  const YvBox *boxes = (const YvBox *) (const void *) shown->boxes->data;
  const YvZoneLines *zones = (const YvZoneLines *) (const void *) shown->zone_lines->data;
  const guint n_boxes = shown->boxes->len, n_zones = shown->zone_lines->len;
  const YvBoxStyle *style = &settings->style;
  const guint font_px = style->font_px ? style->font_px : yv_boxes_font_px (frame_w, frame_h);

  yv_shapes_clear (shapes);
  if (settings->pixelated)
    hide (shown, boxes, frame_w, frame_h, shapes);
  yv_zonelines_add_borders (shapes, zones, n_zones, style->line_px, frame_w, frame_h);
  if (settings->tail_length_ns > 0)
    yv_tails_lay_out (shown->tails, shown->now, settings->tail_length_ns, (gint) style->line_px,
                      frame_w, frame_h, shapes);
  else
    yv_tails_clear (shown->tails);
  if (settings->statistics) /* below tags: one is of an object, where it is */
    yv_statistics_lay_out (shapes, font, &shown->rate, boxes, n_boxes, font_px, frame_w);
  yv_boxes_lay_out (shapes, font, boxes, n_boxes, style, frame_w, frame_h);
  yv_zonelines_add_tags (shapes, font, zones, n_zones, font_px, frame_w, frame_h);
}

guint
gst_yolov7_shown_n_boxes (const GstYolov7Shown *shown)
{
  return shown->boxes->len;
}

gboolean
gst_yolov7_shown_may_hide (const GstYolov7Shown *shown)
{
  return shown->boxes->len > 0 || !shown->is_known;
}
