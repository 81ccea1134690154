/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/label.c - boxes cut off, and areas that two of them share.
 */
#include "tools/eval/label.h"

void
eval_clip_labels (EvalLabel *labels, uint32_t n_labels, uint32_t width, uint32_t height)
{
  for (EvalLabel *label = labels; label < labels + n_labels; label++) {
    const double x2 = CLAMP (label->x + label->w, 0, width);
    const double y2 = CLAMP (label->y + label->h, 0, height);

    label->x = CLAMP (label->x, 0, width);
    label->y = CLAMP (label->y, 0, height);
    label->w = x2 - label->x;
    label->h = y2 - label->y;
  }
}

static double
shared_px (const YvDetection *a, const EvalLabel *b)
{
  const double w = MIN ((double) a->x + (double) a->w, b->x + b->w) - MAX ((double) a->x, b->x);
  const double h = MIN ((double) a->y + (double) a->h, b->y + b->h) - MAX ((double) a->y, b->y);

  return MAX (w, 0) * MAX (h, 0);
}

static double
part (double shared, double whole)
{
  return whole > 0 ? shared / whole : 0;
}

double
eval_iou (const YvDetection *detection, const EvalLabel *label)
{
  const double shared = shared_px (detection, label);
  const double area = (double) detection->w * (double) detection->h;

  return part (shared, area + label->w * label->h - shared);
}

double
eval_covered (const YvDetection *detection, const EvalLabel *label)
{
  return part (shared_px (detection, label), (double) detection->w * (double) detection->h);
}
