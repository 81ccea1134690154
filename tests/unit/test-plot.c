/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-plot.c - tools/eval/plot.h: drawings are written whole, or an error says why. */
#include "tools/eval/plot.h"

#include <string.h>

#include <glib/gstdio.h>

#include "tools/eval/metric.h"

static char **
make_names (uint32_t n)
{
  char **names = g_new0 (char *, n + 1);

  for (uint32_t i = 0; i < n; i++)
    names[i] = g_strdup_printf ("class %u: <lang> & s\303\266nderbar", i);
  return names;
}

static void
add_random (Metric *metric, Confusion *confusion, uint32_t n_classes)
{
  YvDetection detections[50];
  EvalLabel labels[50];

  for (uint32_t i = 0; i < G_N_ELEMENTS (labels); i++) {
    const uint32_t class_index = (uint32_t) g_test_rand_int_range (0, (gint32) n_classes);
    const float wrong = (float) g_test_rand_double_range (0, 30);

    labels[i] = (EvalLabel){.x = 100 * i, .w = 50, .h = 50, .class_index = class_index};
    detections[i] = (YvDetection){.x = 100 * (float) i + wrong,
                                  .w = 50,
                                  .h = 50,
                                  .confidence = 1 - (float) i / 50,
                                  .class_index = i % 5 ? class_index : 0};
  }
  const EvalImage image = {0, detections, 50, labels, 50};
  metric_add (metric, &image);
  confusion_add (confusion, &image);
}

static void
assert_svg (const char *path)
{
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "<svg"));
  g_assert_nonnull (strstr (text, "</svg>"));
  g_assert_cmpint (g_remove (path), ==, 0);
}

/* With $YV_KEEP_PLOTS they stay, for people to look at. */
static void
drawings_of_any_number_of_classes_are_whole (void)
{
  static const uint32_t numbers[] = {1, 2, 7, 80, 1203};
  g_autofree char *folder = g_dir_make_tmp ("yv-plot-XXXXXX", NULL);

  for (uint32_t i = 0; i < G_N_ELEMENTS (numbers); i++) {
    const uint32_t n = numbers[i];
    g_autofree char *curves = g_strdup_printf ("%s/curves-%u.svg", folder, n);
    g_autofree char *matrix = g_strdup_printf ("%s/matrix-%u.svg", folder, n);
    g_auto (GStrv) names = make_names (n);
    g_autoptr (Metric) metric = metric_new (n);
    g_autoptr (Confusion) confusion = confusion_new (n, NULL);
    g_autoptr (GError) error = NULL;

    add_random (metric, confusion, n);
    g_autoptr (MetricResult) result = metric_finish (metric);
    plot_curves (result, (const char *const *) names, curves, &error);
    g_assert_no_error (error);
    plot_confusion (confusion, (const char *const *) names, matrix, &error);
    g_assert_no_error (error);
    if (g_getenv ("YV_KEEP_PLOTS"))
      continue;
    assert_svg (curves);
    assert_svg (matrix);
  }
  g_test_message ("%s", folder);
  g_rmdir (folder);
}

static void
nothing_measured_is_drawn_too (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yv-plot-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "empty.svg", NULL);
  const char *const names[] = {"cat", NULL};
  g_autoptr (Metric) metric = metric_new (1);
  g_autoptr (Confusion) confusion = confusion_new (1, NULL);
  g_autoptr (MetricResult) result = metric_finish (metric);

  g_assert_true (plot_curves (result, names, path, NULL));
  g_assert_true (plot_confusion (confusion, names, path, NULL));
  assert_svg (path);
  g_rmdir (folder);
}

static void
a_file_that_cannot_be_written_is_an_error (void)
{
  const char *const names[] = {"cat", NULL};
  g_autoptr (Confusion) confusion = confusion_new (1, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (plot_confusion (confusion, names, "/nowhere/matrix.svg", &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "/nowhere/matrix.svg"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plot/classes", drawings_of_any_number_of_classes_are_whole);
  g_test_add_func ("/plot/nothing", nothing_measured_is_drawn_too);
  g_test_add_func ("/plot/unwritable", a_file_that_cannot_be_written_is_an_error);
  return g_test_run ();
}
