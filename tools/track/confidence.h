/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/track/confidence.h - what the confidences of any detector are worth to a tracker.
 *
 * The tracker's thresholds are those of yolov7, whose confidences are spread over 0..1. Others'
 * are not:
 *
 *   Within 0..1 they are taken for probabilities, and to the power of YV_CONFIDENCE_POWER. The
 *   detector behind the public detections of SORT and its successors (Faster R-CNN) gives half of
 *   what it finds more than 0.96, and it is there that right and wrong part: the power puts 0.92
 *   where yolov7 says 0.5. Where half of a file's are not above 0.9, as those of yolov7 itself, the
 *   power is 1.
 *
 *   Where one is outside of 0..1 they are scores whose scale nobody knows (ACF's go to 100 and
 *   more, DPM's below 0). Each then counts as the share of the file's that are not above it, to the
 *   power of YV_CONFIDENCE_RANK_POWER, which calls three tenths of them uncertain.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define YV_CONFIDENCE_POWER 8.5
#define YV_CONFIDENCE_RANK_POWER 0.58

/* @values: (inout) (element-type double): as in the file; finite; at least one. Out: 0..1.
 * @power: for probabilities, > 0; or 0: YV_CONFIDENCE_POWER or 1, as above */
void confidences_convert (GArray *values, double power);

G_END_DECLS
