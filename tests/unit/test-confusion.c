/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-confusion.c - tools/eval/confusion.h, pair by pair. */
#include "tools/eval/confusion.h"

#define N_CLASSES 3
#define BACKGROUND N_CLASSES

static YvDetection
found (float x, float confidence, uint32_t class_index)
{
  return (YvDetection){
      .x = x, .w = 10, .h = 10, .confidence = confidence, .class_index = class_index};
}

static EvalLabel
labelled (double x, uint32_t class_index)
{
  return (EvalLabel){.x = x, .w = 10, .h = 10, .area_px = 100, .class_index = class_index};
}

static Confusion *
confuse (const YvDetection *detections, uint32_t n_detections, const EvalLabel *labels,
         uint32_t n_labels)
{
  Confusion *confusion = confusion_new (N_CLASSES, NULL);

  confusion_add (confusion, &(EvalImage){0, detections, n_detections, labels, n_labels});
  return confusion;
}

static uint64_t
count_all (const Confusion *confusion)
{
  uint64_t n = 0;

  for (uint32_t i = 0; i <= N_CLASSES; i++)
    for (uint32_t k = 0; k <= N_CLASSES; k++)
      n += confusion_count (confusion, i, k);
  return n;
}

static void
right_wrong_missed_and_imagined_are_told_apart (void)
{
  const YvDetection detections[] = {found (0, 0.9f, 0), found (100, 0.8f, 2), found (300, 0.7f, 1)};
  const EvalLabel labels[] = {labelled (0, 0), labelled (100, 1), labelled (200, 1)};
  g_autoptr (Confusion) confusion = confuse (detections, 3, labels, 3);

  g_assert_cmpuint (confusion_count (confusion, 0, 0), ==, 1);
  g_assert_cmpuint (confusion_count (confusion, 2, 1), ==, 1);
  g_assert_cmpuint (confusion_count (confusion, BACKGROUND, 1), ==, 1);
  g_assert_cmpuint (confusion_count (confusion, 1, BACKGROUND), ==, 1);
  g_assert_cmpuint (count_all (confusion), ==, 4);
}

/* The surer detection covers the label less than the other one. */
static void
the_largest_overlap_makes_the_pair (void)
{
  const YvDetection detections[] = {found (3, 0.9f, 1), found (1, 0.8f, 0)};
  const EvalLabel label = labelled (0, 0);
  g_autoptr (Confusion) confusion = confuse (detections, 2, &label, 1);

  g_assert_cmpuint (confusion_count (confusion, 0, 0), ==, 1);
  g_assert_cmpuint (confusion_count (confusion, 1, BACKGROUND), ==, 1);
}

/* IoU of 4 px apart is 6/14. */
static void
unsure_far_and_crowded_ones_do_not_pair (void)
{
  const YvDetection detections[] = {found (4, 0.9f, 0), found (0, 0.25f, 0)};
  EvalLabel labels[] = {labelled (0, 0), labelled (4, 0)};

  labels[1].is_crowd = true;
  g_autoptr (Confusion) confusion = confuse (detections, 2, labels, 2);
  g_assert_cmpuint (confusion_count (confusion, BACKGROUND, 0), ==, 1);
  g_assert_cmpuint (confusion_count (confusion, 0, BACKGROUND), ==, 1);
  g_assert_cmpuint (count_all (confusion), ==, 2);
}

static void
a_square_beyond_memory_is_an_error (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (confusion_new (G_MAXUINT32 - 1, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/confusion/kinds", right_wrong_missed_and_imagined_are_told_apart);
  g_test_add_func ("/confusion/largest", the_largest_overlap_makes_the_pair);
  g_test_add_func ("/confusion/none", unsure_far_and_crowded_ones_do_not_pair);
  g_test_add_func ("/confusion/memory", a_square_beyond_memory_is_an_error);
  return g_test_run ();
}
