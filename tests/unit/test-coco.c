/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-coco.c - tools/eval/coco.h against figures computed by hand and by numpy. */
#include "tools/eval/coco.h"

#include "tests/unit/oracle.h"

#define CLOSE 1e-9

enum { AP, AP50, AP75, AP_SMALL, AP_MEDIUM, AP_LARGE, AR1, AR10, AR100, AR_SMALL, AR_MEDIUM };

static YvDetection
found (float x, float side, float confidence)
{
  return (YvDetection){.x = x, .w = side, .h = side, .confidence = confidence};
}

static EvalLabel
labelled (double x, double side)
{
  return (EvalLabel){.x = x, .w = side, .h = side, .area_px = side * side};
}

static void
measure (const YvDetection *detections, uint32_t n_detections, const EvalLabel *labels,
         uint32_t n_labels, double *values)
{
  g_autoptr (Coco) coco = coco_new (2);

  coco_add (coco, &(EvalImage){0, detections, n_detections, labels, n_labels});
  coco_finish (coco, values);
}

static void
all_right_is_one_and_what_is_not_there_minus_one (void)
{
  const YvDetection detections[] = {found (0, 20, 0.9f), found (100, 50, 0.8f)};
  const EvalLabel labels[] = {labelled (0, 20), labelled (100, 50)};
  double values[COCO_N_FIGURES];

  measure (detections, 2, labels, 2, values);
  g_assert_cmpfloat_with_epsilon (values[AP], 1, CLOSE);
  g_assert_cmpfloat_with_epsilon (values[AP_SMALL], 1, CLOSE);
  g_assert_cmpfloat_with_epsilon (values[AP_MEDIUM], 1, CLOSE);
  g_assert_cmpfloat (values[AP_LARGE], ==, -1);
  g_assert_cmpfloat_with_epsilon (values[AR1], 0.5, CLOSE); /* one detection for two objects */
  g_assert_cmpfloat_with_epsilon (values[AR100], 1, CLOSE);
}

/* Right, wrong, right, of two labels: recall .5 .5 1, precision 1 1/2 2/3. Of 101 recalls 51, up to
 * and with .5, get 1. */
static void
a_wrong_one_between_two_right_ones (void)
{
  const YvDetection detections[] = {found (0, 50, 0.9f), found (400, 50, 0.8f),
                                    found (100, 50, 0.7f)};
  const EvalLabel labels[] = {labelled (0, 50), labelled (100, 50)};
  double values[COCO_N_FIGURES];

  measure (detections, 3, labels, 2, values);
  g_assert_cmpfloat_with_epsilon (values[AP50], (51 + 50 * 2.0 / 3) / 101, 1e-6);
}

/* Twice in a crowd costs nothing; beside it, it does. */
static void
a_crowd_takes_any_number (void)
{
  const YvDetection detections[] = {found (10, 20, 0.9f), found (40, 20, 0.8f),
                                    found (300, 50, 0.7f)};
  EvalLabel labels[] = {labelled (0, 100), labelled (300, 50)};
  double values[COCO_N_FIGURES];

  labels[0].is_crowd = true;
  measure (detections, 3, labels, 2, values);
  g_assert_cmpfloat_with_epsilon (values[AP], 1, CLOSE);
  labels[0].is_crowd = false;
  measure (detections, 3, labels, 2, values);
  g_assert_cmpfloat (values[AP], <, 0.3);
}

/* The label's size goes by its outline, the detection's by its box. */
static void
sizes_are_those_of_outlines (void)
{
  const YvDetection detection = found (0, 100, 0.9f);
  EvalLabel label = labelled (0, 100);
  double values[COCO_N_FIGURES];

  label.area_px = 96 * 96; /* the end of medium and the beginning of large: both */
  measure (&detection, 1, &label, 1, values);
  g_assert_cmpfloat_with_epsilon (values[AP_LARGE], 1, CLOSE);
  g_assert_cmpfloat_with_epsilon (values[AP_MEDIUM], 1, CLOSE);
  label.area_px = 96 * 96 - 1;
  measure (&detection, 1, &label, 1, values);
  g_assert_cmpfloat (values[AP_LARGE], ==, -1);
  g_assert_cmpfloat_with_epsilon (values[AP_MEDIUM], 1, CLOSE);
}

/* 101 wrong ones of the class in front: the right one is no longer looked at. */
static void
a_hundred_detections_of_a_class_are_looked_at (void)
{
  YvDetection detections[102];
  const EvalLabel label = labelled (0, 50);
  double values[COCO_N_FIGURES];

  for (uint32_t i = 0; i < G_N_ELEMENTS (detections); i++)
    detections[i] = found (1000, 50, 0.9f);
  detections[100] = found (0, 50, 0.8f);
  measure (detections, 102, &label, 1, values);
  g_assert_cmpfloat (values[AR100], ==, 0);
  for (uint32_t i = 0; i < 50; i++)
    detections[i].class_index = 1;
  measure (detections, 102, &label, 1, values);
  g_assert_cmpfloat (values[AR100], ==, 1);
  g_assert_cmpfloat (values[AR10], ==, 0);
}

static void
names_are_those_of_cocos_own_tool (void)
{
  g_autofree char *first = coco_figure_name (&coco_figures[AP]);
  g_autofree char *other = coco_figure_name (&coco_figures[AR1]);
  g_autofree char *fifty = coco_figure_name (&coco_figures[AP50]);

  g_assert_cmpstr (first, ==,
                   " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ]");
  g_assert_cmpstr (other, ==,
                   " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ]");
  g_assert_cmpstr (fifty, ==,
                   " Average Precision  (AP) @[ IoU=0.50      | area=   all | maxDets=100 ]");
}

static void
add_to_coco (gpointer coco, const EvalImage *image)
{
  coco_add (coco, image);
}

static void
random_images_agree_with_numpy (void)
{
  g_auto (Oracle) oracle = {0};

  oracle_init (&oracle);
  for (uint32_t i = 0; i < json_array_get_length (oracle.cases); i++) {
    g_autoptr (Coco) coco = coco_new (oracle_n_classes (&oracle, i));
    double values[COCO_N_FIGURES];

    oracle_add_images (&oracle, i, add_to_coco, coco);
    coco_finish (coco, values);
    for (uint32_t k = 0; k < COCO_N_FIGURES; k++) {
      g_test_message ("case %u, figure %u: %.6f", i, k, values[k]);
      g_assert_cmpfloat_with_epsilon (values[k], oracle_figure (&oracle, i, "coco", k), CLOSE);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/coco/all-right", all_right_is_one_and_what_is_not_there_minus_one);
  g_test_add_func ("/coco/one-wrong", a_wrong_one_between_two_right_ones);
  g_test_add_func ("/coco/crowd", a_crowd_takes_any_number);
  g_test_add_func ("/coco/outlines", sizes_are_those_of_outlines);
  g_test_add_func ("/coco/hundred", a_hundred_detections_of_a_class_are_looked_at);
  g_test_add_func ("/coco/names", names_are_those_of_cocos_own_tool);
  g_test_add_func ("/coco/numpy", random_images_agree_with_numpy);
  return g_test_run ();
}
