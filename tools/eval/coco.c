/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/coco.c - COCO's matching, class by class in each picture, and its means over all.
 */
#include "tools/eval/coco.h"

#include <float.h>

#define N_IOUS 10
#define N_RECALLS 101
#define MAX_DETECTIONS 100 /* of a class in a picture */

const CocoFigure coco_figures[COCO_N_FIGURES] = {
    {false, 0, COCO_ALL, 100},   {false, 0.5, COCO_ALL, 100},  {false, 0.75, COCO_ALL, 100},
    {false, 0, COCO_SMALL, 100}, {false, 0, COCO_MEDIUM, 100}, {false, 0, COCO_LARGE, 100},
    {true, 0, COCO_ALL, 1},      {true, 0, COCO_ALL, 10},      {true, 0, COCO_ALL, 100},
    {true, 0, COCO_SMALL, 100},  {true, 0, COCO_MEDIUM, 100},  {true, 0, COCO_LARGE, 100},
};

/* px, both ends belong to it */
static const struct {
  const char *name;
  double from_px, to_px;
} areas[COCO_N_AREAS] = {
    [COCO_ALL] = {"all", 0, 1e10},
    [COCO_SMALL] = {"small", 0, 32 * 32},
    [COCO_MEDIUM] = {"medium", 32 * 32, 96 * 96},
    [COCO_LARGE] = {"large", 96 * 96, 1e10},
};

/* One detection of one image; bit i: at IoU threshold i. */
typedef struct {
  float confidence;
  uint32_t class_index, image, rank;  /* rank: among the image's detections of the class */
  uint16_t is_matched[COCO_N_AREAS];  /* it has a label ... */
  uint16_t is_left_out[COCO_N_AREAS]; /* ... or counts neither way */
} Record;

struct _Coco {
  uint32_t n_classes;
  uint64_t (*n_labels)[COCO_N_AREAS]; /* [n_classes]: those to be found */
  GArray *records;                    /* of Record */
};

/* A class in an image. */
typedef struct {
  Record *records[MAX_DETECTIONS];
  const YvDetection *detections[MAX_DETECTIONS];
  uint32_t n_detections;
  const EvalLabel **labels; /* [n_labels] */
  double *ious;             /* [n_detections][n_labels] */
  uint32_t n_labels;
} Group;

Coco *
coco_new (uint32_t n_classes)
{
  Coco *coco = g_new0 (Coco, 1);

  coco->n_classes = n_classes;
  coco->n_labels = g_malloc0_n (n_classes, sizeof *coco->n_labels);
  coco->records = g_array_new (FALSE, FALSE, sizeof (Record));
  return coco;
}

void
coco_free (Coco *coco)
{
  if (!coco)
    return;
  g_array_unref (coco->records);
  g_free (coco->n_labels);
  g_free (coco);
}

/* numpy's linspace, roundings included: recalls of small classes fall on its points. */
static double
iou_threshold (uint32_t index)
{
  return 0.5 + index * ((0.95 - 0.5) / (N_IOUS - 1));
}

static bool
has_area (double area_px, CocoArea area)
{
  return area_px >= areas[area].from_px && area_px <= areas[area].to_px;
}

/* Neither to be found nor wrong to find. */
static bool
is_to_ignore (const EvalLabel *label, CocoArea area)
{
  return label->is_crowd || !has_area (label->area_px, area);
}

/* ---- one class in one image ----------------------------------------------------------------- */

/* The free label with the largest IoU from @threshold on, the last of equal ones; one to ignore
 * only where no other will do. n_labels: none. */
static uint32_t
find_label (const Group *group, uint32_t detection, CocoArea area, double threshold,
            const bool *is_taken, bool ignored)
{
  const double *ious = &group->ious[detection * group->n_labels];
  double best_iou = MIN (threshold, 1 - 1e-10);
  uint32_t best = group->n_labels;

  for (uint32_t i = 0; i < group->n_labels; i++) {
    const EvalLabel *label = group->labels[i];

    if (is_to_ignore (label, area) != ignored || (is_taken[i] && !label->is_crowd))
      continue;
    if (ious[i] >= best_iou) {
      best_iou = ious[i];
      best = i;
    }
  }
  return best;
}

static void
match_detection (const Group *group, uint32_t detection, CocoArea area, uint32_t threshold,
                 bool *is_taken)
{
  const YvDetection *box = group->detections[detection];
  Record *record = group->records[detection];
  const uint16_t bit = (uint16_t) (1u << threshold);
  const double iou = iou_threshold (threshold);
  uint32_t label = find_label (group, detection, area, iou, is_taken, false);

  if (label == group->n_labels)
    label = find_label (group, detection, area, iou, is_taken, true);
  if (label < group->n_labels) {
    is_taken[label] = true;
    record->is_matched[area] |= bit;
    record->is_left_out[area] |= is_to_ignore (group->labels[label], area) ? bit : 0;
  } else if (!has_area ((double) box->w * (double) box->h, area)) {
    record->is_left_out[area] |= bit;
  }
}

static void
match_group (const Group *group)
{
  g_autofree bool *is_taken = g_new (bool, group->n_labels);

  for (CocoArea area = 0; area < COCO_N_AREAS; area++)
    for (uint32_t threshold = 0; threshold < N_IOUS; threshold++) {
      for (uint32_t i = 0; i < group->n_labels; i++)
        is_taken[i] = false;
      for (uint32_t i = 0; i < group->n_detections; i++)
        match_detection (group, i, area, threshold, is_taken);
    }
}

static void
measure_ious (const Group *group)
{
  for (uint32_t i = 0; i < group->n_detections; i++)
    for (uint32_t k = 0; k < group->n_labels; k++) {
      const EvalLabel *label = group->labels[k];

      group->ious[i * group->n_labels + k] = label->is_crowd
                                                 ? eval_covered (group->detections[i], label)
                                                 : eval_iou (group->detections[i], label);
    }
}

/* The first 100 detections of the class, which are the best, appended as records. */
static void
collect_detections (Coco *coco, const EvalImage *image, uint32_t class_index, Group *group)
{
  const uint32_t first = coco->records->len;

  for (uint32_t i = 0; i < image->n_detections && group->n_detections < MAX_DETECTIONS; i++) {
    const YvDetection *detection = &image->detections[i];
    const Record record = {.confidence = detection->confidence,
                           .class_index = class_index,
                           .image = image->index,
                           .rank = group->n_detections};

    if (detection->class_index != class_index)
      continue;
    group->detections[group->n_detections++] = detection;
    g_array_append_val (coco->records, record);
  }
  for (uint32_t i = 0; i < group->n_detections; i++)
    group->records[i] = &g_array_index (coco->records, Record, first + i);
}

static void
collect_labels (Coco *coco, const EvalImage *image, uint32_t class_index, Group *group)
{
  for (uint32_t i = 0; i < image->n_labels; i++) {
    const EvalLabel *label = &image->labels[i];

    if (label->class_index != class_index)
      continue;
    group->labels[group->n_labels++] = label;
    for (CocoArea area = 0; area < COCO_N_AREAS; area++)
      coco->n_labels[class_index][area] += !is_to_ignore (label, area);
  }
}

static void
add_class (Coco *coco, const EvalImage *image, uint32_t class_index)
{
  g_autofree const EvalLabel **labels = g_new (const EvalLabel *, image->n_labels);
  Group group = {.labels = labels};

  collect_detections (coco, image, class_index, &group);
  collect_labels (coco, image, class_index, &group);
  g_autofree double *ious = g_new (double, (gsize) group.n_detections *group.n_labels);
  group.ious = ious;
  measure_ious (&group);
  match_group (&group);
}

void
coco_add (Coco *coco, const EvalImage *image)
{
  g_autofree bool *is_there = g_new0 (bool, coco->n_classes);

  for (uint32_t i = 0; i < image->n_detections; i++)
    is_there[image->detections[i].class_index] = true;
  for (uint32_t i = 0; i < image->n_labels; i++)
    is_there[image->labels[i].class_index] = true;
  for (uint32_t k = 0; k < coco->n_classes; k++)
    if (is_there[k])
      add_class (coco, image, k);
}

/* ---- all images ----------------------------------------------------------------------------- */

/* By class, then by falling confidence; ties in the order of the images. */
static gint
compare_records (gconstpointer a, gconstpointer b)
{
  const Record *x = a, *y = b;

  if (x->class_index != y->class_index)
    return x->class_index < y->class_index ? -1 : 1;
  if (x->confidence != y->confidence)
    return x->confidence > y->confidence ? -1 : 1;
  if (x->image != y->image)
    return x->image < y->image ? -1 : 1;
  return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* One class at one IoU threshold: recall and precision after each detection that counts. */
typedef struct {
  const Record *records; /* of the class */
  uint32_t n_records;
  uint64_t n_labels;
  double *recall, *precision; /* [n], n <= n_records */
  uint32_t n;
} Curve;

static void
fill_curve (Curve *curve, const CocoFigure *figure, uint32_t threshold)
{
  uint32_t n_right = 0;

  curve->n = 0;
  for (uint32_t i = 0; i < curve->n_records; i++) {
    const Record *record = &curve->records[i];

    if (record->rank >= figure->max_detections ||
        (record->is_left_out[figure->area] >> threshold & 1))
      continue;
    n_right += record->is_matched[figure->area] >> threshold & 1;
    curve->recall[curve->n] = n_right / (double) curve->n_labels;
    curve->precision[curve->n] = n_right / (curve->n + 1 + DBL_EPSILON);
    curve->n++;
  }
  for (uint32_t i = curve->n; i > 1; i--)
    curve->precision[i - 2] = MAX (curve->precision[i - 2], curve->precision[i - 1]);
}

/* The mean of the precision at 101 recalls; what is not reached counts 0. */
static double
mean_precision (const Curve *curve)
{
  double sum = 0;
  uint32_t at = 0;

  for (uint32_t i = 0; i < N_RECALLS; i++) {
    while (at < curve->n && curve->recall[at] < i * (1.0 / (N_RECALLS - 1)))
      at++;
    sum += at < curve->n ? curve->precision[at] : 0;
  }
  return sum / N_RECALLS;
}

/* Of one class, over the thresholds of the figure. */
static double
measure_class (Curve *curve, const CocoFigure *figure)
{
  double sum = 0;
  uint32_t n = 0;

  for (uint32_t threshold = 0; threshold < N_IOUS; threshold++) {
    if (figure->iou > 0 && ABS (figure->iou - iou_threshold (threshold)) > 0.01)
      continue;
    fill_curve (curve, figure, threshold);
    n++;
    if (!figure->is_recall)
      sum += mean_precision (curve);
    else if (curve->n > 0)
      sum += curve->recall[curve->n - 1];
  }
  return sum / n;
}

/* Where the records of each class begin, and one beyond the last. */
static uint32_t *
find_classes (const Coco *coco)
{
  uint32_t *first = g_new (uint32_t, coco->n_classes + 1);
  uint32_t at = 0;

  for (uint32_t k = 0; k <= coco->n_classes; k++) {
    while (at < coco->records->len && g_array_index (coco->records, Record, at).class_index < k)
      at++;
    first[k] = at;
  }
  return first;
}

static double
measure (const Coco *coco, const uint32_t *first, Curve *curve, const CocoFigure *figure)
{
  double sum = 0;
  uint32_t n = 0;

  for (uint32_t k = 0; k < coco->n_classes; k++) {
    curve->records = (const Record *) (void *) coco->records->data + first[k];
    curve->n_records = first[k + 1] - first[k];
    curve->n_labels = coco->n_labels[k][figure->area];
    if (curve->n_labels == 0)
      continue;
    sum += measure_class (curve, figure);
    n++;
  }
  return n ? sum / n : -1;
}

void
coco_finish (Coco *coco, double values[COCO_N_FIGURES])
{
  g_autofree double *recall = g_new (double, coco->records->len);
  g_autofree double *precision = g_new (double, coco->records->len);
  Curve curve = {.recall = recall, .precision = precision};

  g_array_sort (coco->records, compare_records);
  g_autofree uint32_t *first = find_classes (coco);
  for (uint32_t i = 0; i < COCO_N_FIGURES; i++)
    values[i] = measure (coco, first, &curve, &coco_figures[i]);
}

char *
coco_figure_name (const CocoFigure *figure)
{
  g_autofree char *iou =
      figure->iou > 0 ? g_strdup_printf ("%.2f", figure->iou) : g_strdup ("0.50:0.95");

  return g_strdup_printf (" %-18s (%s) @[ IoU=%-9s | area=%6s | maxDets=%3u ]",
                          figure->is_recall ? "Average Recall" : "Average Precision",
                          figure->is_recall ? "AR" : "AP", iou, areas[figure->area].name,
                          figure->max_detections);
}
