/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/letterbox.h - how a frame is fitted into the network's input, and boxes back
 * (spec 4.1, 4.3).
 *
 * Pure arithmetic in double with R() = round half to even, as upstream's Python does it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/api.h"

G_BEGIN_DECLS

typedef enum {
  YV_LETTERBOX_AUTO,  /* minimum rectangle: pad only to a multiple of the stride (detect.py) */
  YV_LETTERBOX_FIXED, /* always size x size */
} YvLetterboxMode;

typedef struct {
  uint32_t frame_w, frame_h;     /* of the picture */
  uint32_t net_w, net_h;         /* of the tensor: multiples of the stride */
  uint32_t resized_w, resized_h; /* of the scaled picture inside it */
  uint32_t left, top;            /* where it starts; right and bottom take the odd pixel */
  bool shrink_only;              /* never enlarge: the gain is 1 at most */
} YvLetterbox;

/* @size is first raised to a multiple of @stride. @scale_up false: never enlarge. Fails (returns
 * false) where a side of the resized picture would be 0 px. */
YV_API bool yv_letterbox_fit (uint32_t frame_w, uint32_t frame_h, uint32_t size, uint32_t stride,
                              YvLetterboxMode mode, bool scale_up, YvLetterbox *out);

/* Fits into exactly @net_w x @net_h, whatever shape they make; otherwise as yv_letterbox_fit(). */
YV_API bool yv_letterbox_fit_exactly (uint32_t frame_w, uint32_t frame_h, uint32_t net_w,
                                      uint32_t net_h, bool scale_up, YvLetterbox *out);

/* Corners in network pixels to corners in frame pixels, clamped to the frame (spec 4.3: the pads
 * are recomputed as floats, not the integer ones). box = x1 y1 x2 y2, in place. */
YV_API void yv_letterbox_undo (const YvLetterbox *letterbox, float box[4]);

G_END_DECLS
