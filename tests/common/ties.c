/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/ties.c - suppression in three-valued logic. */
#include "tests/common/ties.h"

#include <math.h>

/* Below this even two rows that agree are not to be told apart. */
#define LEAST_DOUBT 1e-6

typedef struct {
  double low, high;
} Range;

typedef struct {
  uint32_t row;
  uint32_t class_index;
  bool class_tie; /* another class may be as likely */
  Range objectness, confidence;
  double box[4]; /* x1 y1 x2 y2 */
  double slack;  /* px by which each corner may be off */
  YvFate fate;
} Box;

static double
iou (const double *a, const double *b)
{
  const double w = fmax (0, fmin (a[2], b[2]) - fmax (a[0], b[0]));
  const double h = fmax (0, fmin (a[3], b[3]) - fmax (a[1], b[1]));
  const double both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]);

  return w * h / fmax (both - w * h, 1e-9);
}

static double
area (const double *box, double grown)
{
  return fmax (0, box[2] - box[0] + grown) * fmax (0, box[3] - box[1] + grown);
}

/* IoU where every corner may be off by its slack. */
static Range
iou_range (const Box *a, const Box *b)
{
  const double slack = a->slack + b->slack;
  const double w = fmin (a->box[2], b->box[2]) - fmax (a->box[0], b->box[0]);
  const double h = fmin (a->box[3], b->box[3]) - fmax (a->box[1], b->box[1]);
  const double least = fmax (0, w - slack) * fmax (0, h - slack);
  const double most = fmax (0, w + slack) * fmax (0, h + slack);
  const double largest = area (a->box, 2 * a->slack) + area (b->box, 2 * b->slack) - least;
  const double smallest = area (a->box, -2 * a->slack) + area (b->box, -2 * b->slack) - most;

  return (Range){
      .low = least > 0 ? least / largest : 0,
      .high = most > 0 ? (smallest > most ? most / smallest : 1) : 0,
  };
}

static void
get_corners (const float *row, double *box)
{
  box[0] = (double) row[0] - (double) row[2] / 2;
  box[1] = (double) row[1] - (double) row[3] / 2;
  box[2] = (double) row[0] + (double) row[2] / 2;
  box[3] = (double) row[1] + (double) row[3] / 2;
}

static Range
range_around (double value, double other)
{
  const double doubt = 2 * fabs (value - other) + LEAST_DOUBT;

  return (Range){value - doubt, value + doubt};
}

static void
find_class (const float *row, const float *other, uint32_t n_classes, Box *box)
{
  double best = -1, second = -1, doubt = LEAST_DOUBT;

  for (uint32_t i = 0; i < n_classes; i++) {
    const double p = (double) row[5 + i];

    doubt = fmax (doubt, 4 * fabs (p - (double) other[5 + i]));
    if (p > best) {
      second = best;
      best = p;
      box->class_index = i;
    } else if (p > second) {
      second = p;
    }
  }
  box->class_tie = best - second < doubt;
}

static double
confidence_of (const float *row, uint32_t class_index, uint32_t n_classes)
{
  return (double) row[4] * (n_classes == 1 ? 1 : (double) row[5 + class_index]);
}

static Box
make_box (const float *row, const float *other, uint32_t index, uint32_t n_classes)
{
  Box box = {.row = index, .slack = LEAST_DOUBT};
  double there[4];

  find_class (row, other, n_classes, &box);
  box.objectness = range_around ((double) row[4], (double) other[4]);
  box.confidence = range_around (confidence_of (row, box.class_index, n_classes),
                                 confidence_of (other, box.class_index, n_classes));
  get_corners (row, box.box);
  get_corners (other, there);
  for (int i = 0; i < 4; i++)
    box.slack = fmax (box.slack, 2 * fabs (box.box[i] - there[i]));
  return box;
}

static gint
by_confidence (gconstpointer a, gconstpointer b)
{
  const Range *x = &((const Box *) a)->confidence, *y = &((const Box *) b)->confidence;
  const double difference = y->low + y->high - x->low - x->high;

  return (difference > 0) - (difference < 0);
}

static GArray *
collect_boxes (const float *pred, const float *other, uint32_t n_rows, uint32_t n_classes)
{
  GArray *boxes = g_array_new (FALSE, FALSE, sizeof (Box));

  for (uint32_t i = 0; i < n_rows; i++) {
    const size_t first = (size_t) i * (5 + n_classes);
    const Box box = make_box (pred + first, other + first, i, n_classes);

    if (box.confidence.high > YV_TEST_CONFIDENCE && box.objectness.high > YV_TEST_CONFIDENCE)
      g_array_append_val (boxes, box);
  }
  g_array_sort (boxes, by_confidence);
  return boxes;
}

/* Does @other suppress @box (OUT), not (KEPT), or perhaps? Called in falling order, so what stands
 * before it has its fate. */
static YvFate
judge_pair (const Box *box, const Box *other, bool decided)
{
  const bool same_class = box->class_index == other->class_index;
  const bool doubtful_class = box->class_tie || other->class_tie;

  if (!(same_class || doubtful_class) || other->confidence.high < box->confidence.low ||
      (decided && other->fate == YV_FATE_OUT))
    return YV_FATE_KEPT;
  const Range overlap = iou_range (box, other);
  if (overlap.high <= YV_TEST_IOU)
    return YV_FATE_KEPT;
  if (decided && other->fate == YV_FATE_KEPT && same_class && !doubtful_class &&
      other->confidence.low > box->confidence.high && overlap.low > YV_TEST_IOU)
    return YV_FATE_OUT;
  return YV_FATE_TIE;
}

static YvFate
judge (const GArray *boxes, uint32_t index)
{
  const Box *box = &g_array_index (boxes, Box, index);
  const bool above = box->confidence.low > YV_TEST_CONFIDENCE &&
                     box->objectness.low > YV_TEST_CONFIDENCE && !box->class_tie;
  YvFate fate = above ? YV_FATE_KEPT : YV_FATE_TIE;

  for (uint32_t i = 0; i < boxes->len; i++) {
    if (i == index)
      continue;
    const YvFate with = judge_pair (box, &g_array_index (boxes, Box, i), i < index);
    if (with == YV_FATE_OUT)
      return YV_FATE_OUT;
    if (with == YV_FATE_TIE)
      fate = YV_FATE_TIE;
  }
  return fate;
}

/* The limit on detections is one more threshold: a place in the order that is not sure. */
static YvFate
limit (const GArray *boxes, uint32_t index)
{
  const Box *box = &g_array_index (boxes, Box, index);
  uint32_t n_surely_before = 0, n_maybe_before = 0;

  for (uint32_t i = 0; i < boxes->len; i++) {
    const Box *other = &g_array_index (boxes, Box, i);

    if (i == index || other->fate == YV_FATE_OUT)
      continue;
    n_surely_before += other->fate == YV_FATE_KEPT && other->confidence.low > box->confidence.high;
    n_maybe_before += other->confidence.high >= box->confidence.low;
  }
  if (n_surely_before >= YV_TEST_MAX_DETECTIONS)
    return YV_FATE_OUT;
  return n_maybe_before >= YV_TEST_MAX_DETECTIONS ? YV_FATE_TIE : box->fate;
}

YvFate *
yv_test_fates (const float *pred, const float *other, uint32_t n_rows, uint32_t n_classes)
{
  g_autoptr (GArray) boxes = collect_boxes (pred, other, n_rows, n_classes);
  YvFate *fates = g_new0 (YvFate, n_rows);

  for (uint32_t i = 0; i < boxes->len; i++)
    g_array_index (boxes, Box, i).fate = judge (boxes, i);
  for (uint32_t i = 0; i < boxes->len; i++) {
    const Box *box = &g_array_index (boxes, Box, i);

    fates[box->row] = box->fate == YV_FATE_OUT ? YV_FATE_OUT : limit (boxes, i);
  }
  return fates;
}

uint32_t
yv_test_find_row (const float *pred, uint32_t n_rows, uint32_t n_classes, const float *detection)
{
  double nearest = INFINITY;
  uint32_t found = 0;

  for (uint32_t i = 0; i < n_rows; i++) {
    double box[4], distance = 0;

    get_corners (pred + (size_t) i * (5 + n_classes), box);
    for (int k = 0; k < 4; k++)
      distance += fabs (box[k] - (double) detection[k]);
    if (distance < nearest) {
      nearest = distance;
      found = i;
    }
  }
  return found;
}

static bool
are_partners (const float *a, const float *b)
{
  const double box_a[4] = {(double) a[0], (double) a[1], (double) a[2], (double) a[3]};
  const double box_b[4] = {(double) b[0], (double) b[1], (double) b[2], (double) b[3]};

  return (int) a[5] == (int) b[5] && fabs ((double) a[4] - (double) b[4]) <= 1e-3 &&
         iou (box_a, box_b) >= 0.99;
}

uint32_t
yv_test_match (const float *a, uint32_t n_a, const float *b, uint32_t n_b, bool *matched)
{
  g_autofree bool *used = g_new0 (bool, MAX (n_b, 1));
  uint32_t n_matched = 0;

  for (uint32_t i = 0; i < n_a; i++) {
    matched[i] = false;
    for (uint32_t k = 0; k < n_b && !matched[i]; k++) {
      if (!used[k] && are_partners (a + 6 * i, b + 6 * k))
        used[k] = matched[i] = true;
    }
    n_matched += matched[i];
  }
  return n_matched;
}
