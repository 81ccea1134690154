/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/stream.h - a kept box as a detection, for the files that implement yolov7.h.
 */
#pragma once

#include <glib.h>

#include "engine/post/nms.h"
#include "engine/yolov7.h"

G_BEGIN_DECLS

/* Maps boxes to the frame (spec 4.3) and writes @detections [n_kept]. A box of which nothing lies
 * in the frame is left out. Returns how many were written. */
uint32_t yv_detections_place (const YvKept *kept, uint32_t n_kept, const YvLetterbox *letterbox,
                              YvDetection *detections);

G_END_DECLS
