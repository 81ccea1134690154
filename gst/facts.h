/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/facts.h - what a buffer's metadata says, as plain facts to write a record of.
 *
 * In:    a buffer with what gst/detectionmeta.h reads, a tracker's zones ("GstYolov7Zones"), and
 *        the sender's clock (GstReferenceTimestampMeta of "timestamp/x-ntp", as rtspsrc attaches).
 * Out:   YvFrameFacts for gst/publish/record.h.
 *
 * Threads: one at a time per object. Nothing is allocated once it has seen the largest frame.
 */
#pragma once

#include <gst/gst.h>

#include "gst/publish/record.h"

G_BEGIN_DECLS

/* Kept from frame to frame for its memory. */
typedef struct {
  GArray *found;   /* of GstYolov7Detection */
  GArray *objects; /* of YvObjectFacts */
  GArray *zones;   /* of YvZoneFacts */
  GArray *read;    /* of GstYolov7Zone: whose points the zones borrow */
  GstCaps *ntp;    /* the clock of an RTP sender */
} GstYolov7Facts;

void gst_yolov7_facts_init (GstYolov7Facts *facts);
void gst_yolov7_facts_clear (GstYolov7Facts *facts); /* zeroed ok */

/**
 * gst_yolov7_facts_read:
 * @frame_w, @frame_h: px; 0 where not known
 * @out: objects, zones, size and the sender's time are set, all else is left; valid as long as
 *   @buffer holds its metadata, and until the next call
 *
 * Returns: whether somebody analysed the frame: what a tracker predicts is no analysis, and its
 * zones, which are on every frame, are none either.
 */
gboolean gst_yolov7_facts_read (GstYolov7Facts *facts, GstBuffer *buffer, guint frame_w,
                                guint frame_h, YvFrameFacts *out);

G_END_DECLS
