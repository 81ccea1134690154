/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/metric.c - from correct and wrong detections to curves and the areas under them.
 */
#include "tools/eval/metric.h"

#include <math.h>
#include <stdlib.h>

#define N_AP_POINTS 101 /* recall 0, 0.01 .. 1 */

/* One detection of one image. */
typedef struct {
  float confidence;
  uint32_t class_index;
  uint32_t image, rank; /* rank: its place among the image's detections */
  uint16_t correct;     /* bit i: at IoU threshold i */
} Record;

struct _Metric {
  uint32_t n_classes, n_images;
  uint32_t *n_labels; /* [n_classes] */
  GArray *records;    /* of Record */
};

/* The detections of one class, best first: what is right and wrong among the first so many. */
typedef struct {
  uint32_t n;
  double *minus_confidence; /* [n], rising, as interpolate() wants it */
  double *recall, *precision;
  double *hull_recall, *hull_precision; /* [n + 2]: precision made to fall, with both ends */
} Curve;

Metric *
metric_new (uint32_t n_classes)
{
  Metric *metric = g_new0 (Metric, 1);

  metric->n_classes = n_classes;
  metric->n_labels = g_new0 (uint32_t, n_classes);
  metric->records = g_array_new (FALSE, FALSE, sizeof (Record));
  return metric;
}

void
metric_free (Metric *metric)
{
  if (!metric)
    return;
  g_array_unref (metric->records);
  g_free (metric->n_labels);
  g_free (metric);
}

/* ---- one image ------------------------------------------------------------------------------ */

static double
iou_threshold (uint32_t index)
{
  return 0.5 + 0.05 * index;
}

/* The label of its class that it covers best; n_labels where there is none. */
static uint32_t
best_label (const EvalImage *image, const YvDetection *detection, double *iou)
{
  uint32_t best = image->n_labels;

  *iou = 0;
  for (uint32_t i = 0; i < image->n_labels; i++) {
    const EvalLabel *label = &image->labels[i];
    const double here = eval_iou (detection, label);

    if (label->class_index == detection->class_index && !label->is_crowd && here > *iou) {
      *iou = here;
      best = i;
    }
  }
  return best;
}

static uint16_t
thresholds_below (double iou)
{
  uint16_t bits = 0;

  for (uint32_t i = 0; i < METRIC_N_IOUS; i++)
    bits |= (uint16_t) ((iou > iou_threshold (i)) << i);
  return bits;
}

/* A detection stands or falls with the label it covers best; there is no second choice. */
static uint16_t
match (const EvalImage *image, const YvDetection *detection, bool *is_found)
{
  double iou;
  const uint32_t label = best_label (image, detection, &iou);

  if (iou <= iou_threshold (0) || is_found[label])
    return 0;
  is_found[label] = true;
  return thresholds_below (iou);
}

void
metric_add (Metric *metric, const EvalImage *image)
{
  g_autofree bool *is_found = g_new0 (bool, image->n_labels + 1);

  metric->n_images++;
  for (uint32_t i = 0; i < image->n_labels; i++)
    metric->n_labels[image->labels[i].class_index] += !image->labels[i].is_crowd;
  for (uint32_t i = 0; i < image->n_detections; i++) {
    const YvDetection *detection = &image->detections[i];
    const Record record = {
        .confidence = detection->confidence,
        .class_index = detection->class_index,
        .image = image->index,
        .rank = i,
        .correct = match (image, detection, is_found),
    };

    g_array_append_val (metric->records, record);
  }
}

/* ---- all images ----------------------------------------------------------------------------- */

/* By class, then by falling confidence; ties in the order of the images, whatever order they were
 * added in. */
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

/* The line through (xs[i], ys[i]); xs rise, of equal ones the last counts. Flat beyond the ends. */
static double
interpolate (double x, const double *xs, const double *ys, uint32_t n)
{
  uint32_t first = 0, end = n;

  while (first < end) { /* the first xs[i] > x */
    const uint32_t middle = (first + end) / 2;

    if (xs[middle] <= x)
      first = middle + 1;
    else
      end = middle;
  }
  if (first == 0)
    return ys[0];
  const uint32_t left = first - 1;
  if (first == n || xs[left] == x)
    return ys[left];
  return ys[left] + (ys[first] - ys[left]) / (xs[first] - xs[left]) * (x - xs[left]);
}

static void
curve_init (Curve *curve, uint32_t n)
{
  *curve = (Curve){
      .n = n,
      .minus_confidence = g_new (double, n),
      .recall = g_new (double, n),
      .precision = g_new (double, n),
      .hull_recall = g_new (double, n + 2),
      .hull_precision = g_new (double, n + 2),
  };
}

static void
curve_clear (Curve *curve)
{
  g_free (curve->minus_confidence);
  g_free (curve->recall);
  g_free (curve->precision);
  g_free (curve->hull_recall);
  g_free (curve->hull_precision);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Curve, curve_clear)

/* What is beyond the last detection is reached nowhere: precision drops to 0 just behind it. */
static void
fill_hull (Curve *curve)
{
  const uint32_t n = curve->n;

  curve->hull_recall[0] = 0;
  curve->hull_precision[0] = 1;
  for (uint32_t i = 0; i < n; i++) {
    curve->hull_recall[i + 1] = curve->recall[i];
    curve->hull_precision[i + 1] = curve->precision[i];
  }
  curve->hull_recall[n + 1] = curve->recall[n - 1] + 0.01;
  curve->hull_precision[n + 1] = 0;
  for (uint32_t i = n + 1; i > 0; i--)
    curve->hull_precision[i - 1] = MAX (curve->hull_precision[i - 1], curve->hull_precision[i]);
}

static void
fill_curve (Curve *curve, const Record *records, uint32_t threshold, uint32_t n_labels)
{
  uint32_t n_correct = 0;

  for (uint32_t i = 0; i < curve->n; i++) {
    n_correct += records[i].correct >> threshold & 1;
    curve->minus_confidence[i] = -(double) records[i].confidence;
    curve->recall[i] = (double) n_correct / n_labels;
    curve->precision[i] = (double) n_correct / (i + 1);
  }
  fill_hull (curve);
}

/* By trapezoids between 101 points. */
static double
area_below (const Curve *curve)
{
  double sum = 0;

  for (uint32_t i = 0; i < N_AP_POINTS; i++) {
    const bool is_end = i == 0 || i == N_AP_POINTS - 1;
    const double precision = interpolate (i * (1.0 / (N_AP_POINTS - 1)), curve->hull_recall,
                                          curve->hull_precision, curve->n + 2);

    sum += is_end ? precision / 2 : precision;
  }
  return sum / (N_AP_POINTS - 1);
}

/* numpy's linspace, roundings included. */
static double
point_at (uint32_t i)
{
  return i * (1.0 / (METRIC_N_POINTS - 1));
}

/* Precision and recall of one class if only what is above a confidence counts. */
typedef struct {
  double precision[METRIC_N_POINTS], recall[METRIC_N_POINTS];
} ByConfidence;

/* Above all detections nothing is wrong, and nothing is found. */
static void
fill_by_confidence (const Curve *curve, ByConfidence *out)
{
  for (uint32_t i = 0; i < METRIC_N_POINTS; i++) {
    const double x = -point_at (i);
    const bool is_above_all = x < curve->minus_confidence[0];

    out->precision[i] =
        is_above_all ? 1 : interpolate (x, curve->minus_confidence, curve->precision, curve->n);
    out->recall[i] =
        is_above_all ? 0 : interpolate (x, curve->minus_confidence, curve->recall, curve->n);
  }
}

/* A class with labels of which nothing was detected keeps zeros. */
static void
measure_class (MetricClass *c, const Record *records, uint32_t n, ByConfidence *by_confidence)
{
  g_auto (Curve) curve;

  curve_init (&curve, n);
  for (uint32_t threshold = 0; n > 0 && c->n_labels > 0 && threshold < METRIC_N_IOUS; threshold++) {
    fill_curve (&curve, records, threshold, c->n_labels);
    c->ap[threshold] = area_below (&curve);
    if (threshold > 0)
      continue;
    fill_by_confidence (&curve, by_confidence);
    for (uint32_t i = 0; i < METRIC_N_POINTS; i++)
      c->curve[i] =
          (float) interpolate (point_at (i), curve.hull_recall, curve.hull_precision, n + 2);
  }
}

/* How many of the records from @first on are of the class. */
static uint32_t
count_of_class (const GArray *records, uint32_t first, uint32_t class_index)
{
  uint32_t end = first;

  while (end < records->len && g_array_index (records, Record, end).class_index == class_index)
    end++;
  return end - first;
}

/* The first point where the mean F1 of the classes is largest. */
static uint32_t
best_point (const MetricResult *result, const ByConfidence *by_confidence)
{
  double largest = -1;
  uint32_t best = 0;

  for (uint32_t i = 0; i < METRIC_N_POINTS; i++) {
    double sum = 0;

    for (uint32_t k = 0; k < result->n_classes; k++) {
      const double p = by_confidence[k].precision[i], r = by_confidence[k].recall[i];

      if (result->classes[k].n_labels > 0)
        sum += 2 * p * r / (p + r + 1e-16);
    }
    if (sum > largest) {
      largest = sum;
      best = i;
    }
  }
  return best;
}

static void
fill_means (MetricResult *result, const ByConfidence *by_confidence)
{
  const uint32_t point = best_point (result, by_confidence);
  uint32_t n_with_labels = 0;

  result->confidence = point_at (point);
  for (uint32_t k = 0; k < result->n_classes; k++) {
    MetricClass *c = &result->classes[k];

    if (c->n_labels == 0)
      continue;
    n_with_labels++;
    result->n_labels += c->n_labels;
    result->precision += c->precision = by_confidence[k].precision[point];
    result->recall += c->recall = by_confidence[k].recall[point];
    result->map50 += c->ap[0];
    result->map50_95 += metric_class_ap (c);
  }
  const double n = MAX (n_with_labels, 1);
  result->precision /= n;
  result->recall /= n;
  result->map50 /= n;
  result->map50_95 /= n;
}

MetricResult *
metric_finish (Metric *metric)
{
  g_autofree ByConfidence *by_confidence = g_new0 (ByConfidence, metric->n_classes);
  MetricResult *result = g_new0 (MetricResult, 1);
  uint32_t first = 0;

  result->n_images = metric->n_images;
  result->n_classes = metric->n_classes;
  result->classes = g_new0 (MetricClass, metric->n_classes);
  g_array_sort (metric->records, compare_records);
  for (uint32_t k = 0; k < metric->n_classes; k++) {
    const uint32_t n = count_of_class (metric->records, first, k);

    result->classes[k].n_labels = metric->n_labels[k];
    measure_class (&result->classes[k], &g_array_index (metric->records, Record, first), n,
                   &by_confidence[k]);
    first += n;
  }
  fill_means (result, by_confidence);
  return result;
}

void
metric_result_free (MetricResult *result)
{
  if (!result)
    return;
  g_free (result->classes);
  g_free (result);
}

double
metric_class_ap (const MetricClass *c)
{
  double sum = 0;

  for (uint32_t i = 0; i < METRIC_N_IOUS; i++)
    sum += c->ap[i];
  return sum / METRIC_N_IOUS;
}
