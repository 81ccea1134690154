/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/shown.h - what yolov7overlay shows on a frame: boxes, tails, zones and figures.
 *
 * In:    frames in the order they are shown; of each, what gst/detectionmeta.h and gst/zonemeta.h
 *        read of it, and when it is shown.
 * Out:   shapes. A frame that nobody analysed shows the boxes of the last one that was, until they
 *        are too old. Before the first one that was, nobody knows where there are any.
 * Next:  the element draws the shapes, or attaches them.
 *
 * Nothing is allocated in steady state. Threads: one at a time.
 */
#pragma once

#include "gst/overlaysettings.h"

G_BEGIN_DECLS

typedef struct _GstYolov7Shown GstYolov7Shown;

GstYolov7Shown *gst_yolov7_shown_new (void);
void gst_yolov7_shown_free (GstYolov7Shown *shown); /* NULL ok */

/* What comes has nothing to do with what was. */
void gst_yolov7_shown_forget (GstYolov7Shown *shown);

/**
 * gst_yolov7_shown_read:
 * @buffer: the next frame; what was read of it is valid until the buffer is changed
 * @running_time: of the frame, ns. GST_CLOCK_TIME_NONE, or one that is before that of the last
 *   analysed frame, is time that does not pass
 * @frame_w: px
 */
void gst_yolov7_shown_read (GstYolov7Shown *shown, GstBuffer *buffer, GstClockTime running_time,
                            guint frame_w, guint frame_h, const GstYolov7OverlaySettings *settings);

/**
 * gst_yolov7_shown_lay_out:
 * @settings: those of gst_yolov7_shown_read(), with a style.line_px >= 1
 * @shapes: its old content is dropped
 *
 * Lists what the frame shows that was read last, from below: what is hidden, the borders of zones,
 * tails, figures, boxes, the tags of zones.
 */
void gst_yolov7_shown_lay_out (GstYolov7Shown *shown, guint frame_w, guint frame_h,
                               const GstYolov7OverlaySettings *settings, YvFont *font,
                               YvShapes *shapes);

/* How many boxes that frame shows. */
guint gst_yolov7_shown_n_boxes (const GstYolov7Shown *shown);

/* Whether there may be something to hide on it: it shows boxes, or nobody knows of any. */
gboolean gst_yolov7_shown_may_hide (const GstYolov7Shown *shown);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstYolov7Shown, gst_yolov7_shown_free)

G_END_DECLS
