/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-metric.c - tools/eval/metric.h against figures computed by hand and by numpy. */
#include "tools/eval/metric.h"

#include "tests/unit/oracle.h"

#define CLOSE 1e-9

static YvDetection
found (float x, float w, float confidence, uint32_t class_index)
{
  return (YvDetection){
      .x = x, .w = w, .h = 10, .confidence = confidence, .class_index = class_index};
}

static EvalLabel
labelled (double x, double w, uint32_t class_index)
{
  return (EvalLabel){.x = x, .w = w, .h = 10, .area_px = w * 10, .class_index = class_index};
}

static void
add (Metric *metric, uint32_t index, const YvDetection *detections, uint32_t n_detections,
     const EvalLabel *labels, uint32_t n_labels)
{
  metric_add (metric, &(EvalImage){index, detections, n_detections, labels, n_labels});
}

static MetricResult *
measure (const YvDetection *detections, uint32_t n_detections, const EvalLabel *labels,
         uint32_t n_labels)
{
  g_autoptr (Metric) metric = metric_new (3);

  add (metric, 0, detections, n_detections, labels, n_labels);
  return metric_finish (metric);
}

/* The hull falls from 1 to 0 between recall 1 and 1.01; 101 points up to 1 see nothing of that. */
static void
all_right_is_one (void)
{
  const YvDetection detections[] = {found (0, 10, 0.9f, 1), found (50, 10, 0.8f, 1)};
  const EvalLabel labels[] = {labelled (0, 10, 1), labelled (50, 10, 1)};
  g_autoptr (MetricResult) result = measure (detections, 2, labels, 2);

  g_assert_cmpfloat_with_epsilon (result->map50, 1, CLOSE);
  g_assert_cmpfloat_with_epsilon (result->map50_95, 1, CLOSE);
  g_assert_cmpfloat_with_epsilon (result->precision, 1, CLOSE);
  g_assert_cmpfloat_with_epsilon (result->recall, 1, CLOSE);
  g_assert_cmpuint (result->n_labels, ==, 2);
  g_assert_cmpuint (result->n_images, ==, 1);
}

/* Right, wrong, right, of two labels: recall .5 .5 1, precision 1 1/2 2/3. What is best further
 * right counts, so the curve is 1 before recall .5 and 2/3 from there on: 49 strips of height 1,
 * one in between, 50 of 2/3. */
static void
a_wrong_one_between_two_right_ones (void)
{
  const YvDetection detections[] = {found (0, 10, 0.9f, 0), found (200, 10, 0.8f, 0),
                                    found (50, 10, 0.7f, 0)};
  const EvalLabel labels[] = {labelled (0, 10, 0), labelled (50, 10, 0)};
  g_autoptr (MetricResult) result = measure (detections, 3, labels, 2);

  g_assert_cmpfloat_with_epsilon (result->map50, (49 + (1 + 2.0 / 3) / 2 + 50 * 2.0 / 3) / 100,
                                  CLOSE);
}

/* IoU 8/12 is above .50, .55, .60 and .65. */
static void
a_loose_box_counts_at_low_thresholds (void)
{
  const YvDetection detection = found (2, 10, 0.9f, 0);
  const EvalLabel label = labelled (0, 10, 0);
  g_autoptr (MetricResult) result = measure (&detection, 1, &label, 1);

  g_assert_cmpfloat_with_epsilon (result->map50, 1, CLOSE);
  g_assert_cmpfloat_with_epsilon (result->map50_95, 0.4, CLOSE);
}

/* Both cover the first label best, so the second detection has lost, and the second label too. */
static void
a_detection_has_no_second_choice (void)
{
  const YvDetection detections[] = {found (0, 10, 0.9f, 0), found (1, 10, 0.8f, 0)};
  const EvalLabel labels[] = {labelled (0, 10, 0), labelled (3.5, 10, 0)};
  g_autoptr (MetricResult) result = measure (detections, 2, labels, 2);

  g_assert_cmpfloat (result->map50, <, 0.52);
}

static void
another_class_is_wrong (void)
{
  const YvDetection detections[] = {found (0, 10, 0.9f, 2), found (50, 10, 0.9f, 1)};
  const EvalLabel labels[] = {labelled (0, 10, 0), labelled (50, 10, 1)};
  g_autoptr (MetricResult) result = measure (detections, 2, labels, 2);

  g_assert_cmpfloat_with_epsilon (result->map50, 0.5, CLOSE); /* of classes 0 and 1; 2 has none */
  g_assert_cmpfloat_with_epsilon (result->classes[1].ap[0], 1, CLOSE);
  g_assert_cmpfloat_with_epsilon (result->classes[0].ap[0], 0, CLOSE);
}

static void
crowds_are_not_looked_at (void)
{
  const YvDetection detection = found (0, 10, 0.9f, 0);
  EvalLabel labels[] = {labelled (0, 10, 0), labelled (0, 10, 0)};

  labels[0].is_crowd = true;
  g_autoptr (MetricResult) result = measure (&detection, 1, labels, 2);
  g_assert_cmpuint (result->n_labels, ==, 1);
  g_assert_cmpfloat_with_epsilon (result->map50, 1, CLOSE);
}

static void
nothing_gives_zeros (void)
{
  const YvDetection detection = found (0, 10, 0.9f, 0);
  const EvalLabel label = labelled (0, 10, 0);
  g_autoptr (MetricResult) empty = measure (NULL, 0, NULL, 0);
  g_autoptr (MetricResult) no_labels = measure (&detection, 1, NULL, 0);
  g_autoptr (MetricResult) no_detections = measure (NULL, 0, &label, 1);

  g_assert_cmpfloat (empty->map50, ==, 0);
  g_assert_cmpfloat (no_labels->map50, ==, 0);
  g_assert_cmpfloat (no_detections->map50_95, ==, 0);
  g_assert_cmpfloat (no_detections->recall, ==, 0);
}

static void
add_to_metric (gpointer metric, const EvalImage *image)
{
  metric_add (metric, image);
}

static void
random_images_agree_with_numpy (void)
{
  g_auto (Oracle) oracle = {0};

  oracle_init (&oracle);
  for (uint32_t i = 0; i < json_array_get_length (oracle.cases); i++) {
    g_autoptr (Metric) metric = metric_new (oracle_n_classes (&oracle, i));

    oracle_add_images (&oracle, i, add_to_metric, metric);
    g_autoptr (MetricResult) result = metric_finish (metric);
    const double got[] = {result->precision, result->recall, result->map50, result->map50_95};

    for (uint32_t k = 0; k < G_N_ELEMENTS (got); k++) {
      g_test_message ("case %u, figure %u: %.6f", i, k, got[k]);
      g_assert_cmpfloat_with_epsilon (got[k], oracle_figure (&oracle, i, "test_py", k), CLOSE);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metric/all-right", all_right_is_one);
  g_test_add_func ("/metric/one-wrong", a_wrong_one_between_two_right_ones);
  g_test_add_func ("/metric/loose", a_loose_box_counts_at_low_thresholds);
  g_test_add_func ("/metric/no-second-choice", a_detection_has_no_second_choice);
  g_test_add_func ("/metric/another-class", another_class_is_wrong);
  g_test_add_func ("/metric/crowds", crowds_are_not_looked_at);
  g_test_add_func ("/metric/nothing", nothing_gives_zeros);
  g_test_add_func ("/metric/numpy", random_images_agree_with_numpy);
  return g_test_run ();
}
