/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/post/nms.c - greedy suppression against what has been kept, which is never much.
 *
 * Upstream moves every box by class * 4096 px on both axes and suppresses all of them together, in
 * float32. The same is done here, arithmetic included: boxes of one class round as upstream's do,
 * and boxes wider than 4096 px meet those of the next class as they do there.
 */
#include "engine/post/nms.h"

#include <math.h>

#define CLASS_OFFSET_PX 4096.0f

/* A box that has been kept, where it was compared: moved by its class. */
typedef struct {
  float box[4];
  float area;
} Moved;

struct _YvNms {
  uint32_t *heap; /* indices of candidates, the best on top */
  uint32_t n_heap, heap_reserved;
  YvKept *kept;
  Moved *moved; /* of each kept */
  uint32_t kept_reserved;
};

static bool
comes_before (const struct YvCandidate *a, const struct YvCandidate *b)
{
  if (a->confidence != b->confidence)
    return a->confidence > b->confidence;
  return a->row != b->row ? a->row < b->row : a->class_index < b->class_index;
}

/* Lets the candidate at @hole sink to where both below it come after it. */
static void
sift_down (YvNms *nms, const struct YvCandidate *candidates, uint32_t hole)
{
  const uint32_t sinking = nms->heap[hole];

  for (uint32_t child = 2 * hole + 1; child < nms->n_heap; child = 2 * hole + 1) {
    if (child + 1 < nms->n_heap &&
        comes_before (&candidates[nms->heap[child + 1]], &candidates[nms->heap[child]]))
      child++;
    if (!comes_before (&candidates[nms->heap[child]], &candidates[sinking]))
      break;
    nms->heap[hole] = nms->heap[child];
    hole = child;
  }
  nms->heap[hole] = sinking;
}

/* A heap instead of a sort: it works in place, and mostly only the first few hundred are wanted. */
static const struct YvCandidate *
take_best (YvNms *nms, const struct YvCandidate *candidates)
{
  const uint32_t best = nms->heap[0];

  nms->heap[0] = nms->heap[--nms->n_heap];
  if (nms->n_heap > 0)
    sift_down (nms, candidates, 0);
  return &candidates[best];
}

/* Corners as upstream computes them. */
static void
get_corners (const struct YvCandidate *candidate, float box[4])
{
  box[0] = candidate->x - candidate->w / 2;
  box[1] = candidate->y - candidate->h / 2;
  box[2] = candidate->x + candidate->w / 2;
  box[3] = candidate->y + candidate->h / 2;
}

static bool
is_sane (const struct YvCandidate *candidate, uint32_t n_classes)
{
  float box[4];

  get_corners (candidate, box);
  return isfinite (box[0]) && isfinite (box[1]) && isfinite (box[2]) && isfinite (box[3]) &&
         candidate->w >= 0 && candidate->h >= 0 && isfinite (candidate->confidence) &&
         isfinite (candidate->objectness) && candidate->class_index < n_classes;
}

static bool
is_wanted (const struct YvCandidate *candidate, const YvNmsOptions *options)
{
  return candidate->objectness > options->confidence &&
         candidate->confidence > options->confidence &&
         (!options->class_wanted || options->class_wanted[candidate->class_index]);
}

static void
fill_heap (YvNms *nms, const struct YvCandidate *candidates, uint32_t n_candidates,
           const YvNmsOptions *options)
{
  if (n_candidates > nms->heap_reserved) {
    nms->heap = g_renew (uint32_t, nms->heap, n_candidates);
    nms->heap_reserved = n_candidates;
  }
  nms->n_heap = 0;
  for (uint32_t i = 0; i < n_candidates; i++) {
    if (is_sane (&candidates[i], options->n_classes) && is_wanted (&candidates[i], options))
      nms->heap[nms->n_heap++] = i;
  }
  for (uint32_t i = nms->n_heap / 2; i > 0; i--)
    sift_down (nms, candidates, i - 1);
}

static Moved
move_by_class (const float box[4], uint32_t class_index, bool class_agnostic)
{
  const float offset = class_agnostic ? 0 : (float) class_index * CLASS_OFFSET_PX;
  Moved moved;

  for (int i = 0; i < 4; i++)
    moved.box[i] = box[i] + offset;
  moved.area = (moved.box[2] - moved.box[0]) * (moved.box[3] - moved.box[1]);
  return moved;
}

/* IoU (a, b) > threshold. Two boxes without area give NaN, which is not larger. */
static bool
overlaps (const Moved *a, const Moved *b, float threshold)
{
  const float w = MIN (a->box[2], b->box[2]) - MAX (a->box[0], b->box[0]);
  const float h = MIN (a->box[3], b->box[3]) - MAX (a->box[1], b->box[1]);

  if (!(w > 0 && h > 0)) /* as most pairs: spares them the division */
    return false;
  const float shared = w * h;
  return shared / (a->area + b->area - shared) > threshold;
}

static bool
is_suppressed (const YvNms *nms, uint32_t n_kept, const Moved *moved, float threshold)
{
  for (uint32_t i = 0; i < n_kept; i++) {
    if (overlaps (&nms->moved[i], moved, threshold))
      return true;
  }
  return false;
}

static void
keep (YvNms *nms, uint32_t index, const struct YvCandidate *candidate, const Moved *moved)
{
  YvKept *kept = &nms->kept[index];

  get_corners (candidate, kept->box);
  kept->objectness = candidate->objectness;
  kept->confidence = candidate->confidence;
  kept->class_index = candidate->class_index;
  kept->row = candidate->row;
  nms->moved[index] = *moved;
}

static void
reserve_kept (YvNms *nms, uint32_t n)
{
  if (n <= nms->kept_reserved)
    return;
  nms->kept = g_renew (YvKept, nms->kept, n);
  nms->moved = g_renew (Moved, nms->moved, n);
  nms->kept_reserved = n;
}

YvNms *
yv_nms_new (void)
{
  return g_new0 (YvNms, 1);
}

void
yv_nms_free (YvNms *nms)
{
  if (!nms)
    return;
  g_free (nms->moved);
  g_free (nms->kept);
  g_free (nms->heap);
  g_free (nms);
}

const YvKept *
yv_nms_run (YvNms *nms, const struct YvCandidate *candidates, uint32_t n_candidates,
            const YvNmsOptions *options, uint32_t *n_kept)
{
  uint32_t n = 0;

  fill_heap (nms, candidates, n_candidates, options);
  const uint32_t n_considered = MIN (nms->n_heap, YV_NMS_MAX_CONSIDERED);
  reserve_kept (nms, MIN (n_considered, options->max_detections));

  for (uint32_t i = 0; i < n_considered && n < options->max_detections; i++) {
    const struct YvCandidate *candidate = take_best (nms, candidates);
    float box[4];

    get_corners (candidate, box);
    const Moved moved = move_by_class (box, candidate->class_index, options->class_agnostic);
    if (!is_suppressed (nms, n, &moved, options->iou_threshold))
      keep (nms, n++, candidate, &moved);
  }
  *n_kept = n;
  return nms->kept;
}

float
yv_nms_last_confidence (YvNms *nms, const struct YvCandidate *candidates, uint32_t n_candidates,
                        uint32_t n_classes)
{
  const YvNmsOptions options = {.n_classes = n_classes};
  float confidence = 0;

  fill_heap (nms, candidates, n_candidates, &options);
  if (nms->n_heap < YV_NMS_MAX_CONSIDERED)
    return 0;
  for (uint32_t i = 0; i < YV_NMS_MAX_CONSIDERED; i++)
    confidence = take_best (nms, candidates)->confidence;
  return confidence;
}
