/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/post/nms.h - candidates -> detections: greedy non-maximum suppression as upstream's
 * (spec 4.2, steps 3 and 6 to 8; the device has done the others).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "shaders/params.h"

G_BEGIN_DECLS

/* Of the rest nothing is kept, as in upstream. */
#define YV_NMS_MAX_CONSIDERED 30000

typedef struct {
  float iou_threshold; /* suppress where IoU is larger (strict) */
  bool class_agnostic;
  uint32_t max_detections;
  uint32_t n_classes;
  /* What the device left out already, but where it ran with images that want more: */
  float confidence;         /* objectness and confidence are above it */
  const bool *class_wanted; /* (nullable): [n_classes]; NULL: all */
} YvNmsOptions;

/* Corners in network px, as upstream's rows x1 y1 x2 y2 conf cls. */
typedef struct {
  float box[4];
  float objectness, confidence;
  uint32_t class_index;
  uint32_t row;
} YvKept;

typedef struct _YvNms YvNms; /* scratch memory, reused from frame to frame; one thread at a time */

YvNms *yv_nms_new (void);
void yv_nms_free (YvNms *nms); /* NULL ok */

/**
 * yv_nms_run:
 *
 * Sorts by confidence (ties: smaller row first, then smaller class, so the result does not depend
 * on the order of the device's appends), keeps at most YV_NMS_MAX_CONSIDERED, suppresses, keeps at
 * most max_detections. Candidates that are not finite, have a negative size, no such class or one
 * that isn't wanted, or too little confidence are left out. Time: n log n and, for each of those,
 * at most max_detections comparisons. Memory grows to the largest frame seen and stays.
 *
 * Returns: (transfer none): *n_kept of them, by falling confidence; valid until the next run.
 */
const YvKept *yv_nms_run (YvNms *nms, const struct YvCandidate *candidates, uint32_t n_candidates,
                          const YvNmsOptions *options, uint32_t *n_kept);

/* The confidence of the last candidate that yv_nms_run() would look at; 0 where it would look at
 * all. */
float yv_nms_last_confidence (YvNms *nms, const struct YvCandidate *candidates,
                              uint32_t n_candidates, uint32_t n_classes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvNms, yv_nms_free)

G_END_DECLS
