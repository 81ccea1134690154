/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publishreport.h - what yolov7publish tells applications: its property "stats".
 *
 * Pure: plain values in, a GstStructure out. Threads: any.
 */
#pragma once

#include <gst/gst.h>

#include "gst/publish/publisher.h"

G_BEGIN_DECLS

/* clang-format off */
/**
 * gst_yolov7_publish_report:
 * @n_frames: that came in
 * @n_silent: those of them that nobody analysed
 *
 *   frames-in, frames-unanalysed   uint64   frames
 *   records                        uint64   records that were written; each of them has
 *   arrived                        uint64   arrived, as surely as the method can know, or was
 *   dropped                        uint64   dropped: the queue was full, or nothing is tried now
 *   refused                        uint64   refused by the broker for good
 *   lost                           uint64   lost when time was up at the end, or is
 *   waiting                        uint64   waiting, also for its acknowledgement, now
 *   waiting-bytes                  uint64   the same, in bytes
 *   redelivered                    uint64   how often a record was sent again
 *   connections, outages           uint64
 *   attempts-failed                uint64   connections that failed, or broke before any use
 *   connected, given-up            boolean  now
 *
 * Counts are since the start, and stay until the next one. Fields may be added; none changes its
 * meaning.
 *
 * Returns: (transfer full): "yolov7publish-stats"
 */
/* clang-format on */
GstStructure *gst_yolov7_publish_report (guint64 n_frames, guint64 n_silent,
                                         const YvPublisherStats *stats);

G_END_DECLS
