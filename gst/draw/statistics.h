/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/statistics.h - a line of figures in the corner: frames a second, objects, and how many
 * of each class.
 *
 * In:    the times of frames; the boxes of this one.
 * Out:   a tag in the top left corner: "25.0 fps  7 objects  person 5  car 2". Eight classes at
 *        most, and as many as fit into the frame, the most frequent first; "..." where there are
 *        more.
 *
 * Pure. Threads: one at a time per font.
 */
#pragma once

#include "gst/draw/boxes.h"

G_BEGIN_DECLS

#define YV_TIME_NONE UINT64_MAX

/* Frames a second over the last whole second of the stream; over the frames there are before that.
 * Zeroed: no frame yet. */
typedef struct {
  uint64_t start_ns; /* of the second that is being counted */
  uint32_t n_frames; /* since then, the first one included */
  double rate;       /* 0: not known yet */
  bool is_whole;     /* the rate is of a whole second */
} YvFrameRate;

/* @time_ns: running time; YV_TIME_NONE is not counted. Time that goes back begins anew. */
void yv_frame_rate_add (YvFrameRate *rate, uint64_t time_ns);

void yv_statistics_lay_out (YvShapes *shapes, YvFont *font, const YvFrameRate *rate,
                            const YvBox *boxes, uint32_t n_boxes, uint32_t font_px,
                            uint32_t frame_w);

G_END_DECLS
