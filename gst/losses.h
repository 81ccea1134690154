/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/losses.h - whether a device that was lost is worth opening again.
 *
 * Pure. Threads: one at a time.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* One that is lost more often than that within that time is given up. */
#define GST_YOLOV7_MAX_LOSSES 3
#define GST_YOLOV7_LOSSES_WITHIN (60 * GST_SECOND)

/* All zero: none yet. */
typedef struct {
  guint n;                                   /* that were worth it */
  GstClockTime times[GST_YOLOV7_MAX_LOSSES]; /* of the last ones, loss i at i % MAX */
} GstYolov7Losses;

/* @now: of a clock that never goes back.
 * Returns: whether to go on after another one; one that isn't worth it does not count. */
bool gst_yolov7_losses_add (GstYolov7Losses *losses, GstClockTime now);

G_END_DECLS
