/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/diff/numbers.c - which weights and tensors differ, those that differ most first. */
#include "tools/diff/diff.h"

#include <stdio.h>
#include <string.h>

/* Sorts the largest relative difference to the top. */
typedef struct {
  char *name; /* owned */
  const YvDifference *difference;
} Line;

static void
line_clear (gpointer line)
{
  g_free (((Line *) line)->name);
}

static int
compare_lines (gconstpointer a_pointer, gconstpointer b_pointer)
{
  const double a = ((const Line *) a_pointer)->difference->relative;
  const double b = ((const Line *) b_pointer)->difference->relative;

  return a > b ? -1 : a < b ? 1 : 0;
}

static GArray *
lines_new (void)
{
  GArray *lines = g_array_new (FALSE, FALSE, sizeof (Line));

  g_array_set_clear_func (lines, line_clear);
  return lines;
}

static void
add_line (GArray *lines, char *name, const YvDifference *difference)
{
  const Line line = {name, difference};

  g_array_append_val (lines, line);
}

static void
print_lines (GArray *lines)
{
  int name_w = 4;

  g_array_sort (lines, compare_lines);
  for (guint i = 0; i < MIN (lines->len, DIFF_MAX_LISTED); i++)
    name_w = MAX (name_w, (int) strlen (g_array_index (lines, Line, i).name));
  if (lines->len > 0)
    printf ("  %-*s  %9s  %10s  %12s  %s\n", name_w, "", "relative", "largest", "cosine",
            "elements that differ");
  for (guint i = 0; i < MIN (lines->len, DIFF_MAX_LISTED); i++) {
    const Line *line = &g_array_index (lines, Line, i);
    const YvDifference *d = line->difference;

    printf ("  %-*s  %9.3g  %10.3g  %12.9f  %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "%s\n",
            name_w, line->name, d->relative, d->max_abs, d->cosine, d->n_unequal, d->n_elems,
            d->equality == YV_EQUAL_ROUNDED ? ", by rounding" : "");
  }
  if (lines->len > DIFF_MAX_LISTED)
    printf ("  ... and %u more; --json lists all\n", lines->len - DIFF_MAX_LISTED);
}

/* Then it is of no use to know which of the numbers differ most. */
static bool
is_rounding (const YvModelDiff *diff)
{
  return diff->weights.equality != YV_UNEQUAL;
}

void
diff_print_weights (const YvModelDiff *diff)
{
  g_autoptr (GArray) lines = lines_new ();
  uint32_t n_rows = 0;

  for (uint32_t i = 0; i < diff->n_layers; i++) {
    const YvLayerDiff *l = &diff->layers[i];

    n_rows += l->weights.n_elems > 0;
    if (l->weights.n_unequal > 0)
      add_line (lines, g_strdup_printf ("row %u %s", l->a->row, l->a->module), &l->weights);
  }
  printf ("\nweights as deployed: %u of %u rows differ%s\n", lines->len, n_rows,
          is_rounding (diff) ? ", all by rounding" : "");
  if (!is_rounding (diff))
    print_lines (lines);
}

static void
print_missing (const YvModelDiff *diff, bool is_in_a, uint32_t n_missing)
{
  uint32_t n = 0;

  if (n_missing == 0)
    return;
  printf ("  only in %s (%u):", is_in_a ? "A" : "B", n_missing);
  for (uint32_t i = 0; i < diff->n_tensors && n < 3; i++) {
    const YvTensorDiff *t = &diff->tensors[i];

    if (!(is_in_a ? t->shape_b : t->shape_a))
      printf ("%s %s", n++ > 0 ? "," : "", t->name);
  }
  printf ("%s\n", n_missing > n ? ", ..." : "");
}

void
diff_print_tensors (const YvModelDiff *diff)
{
  g_autoptr (GArray) lines = lines_new ();
  uint32_t n_common = 0, n_only_a = 0, n_only_b = 0, n_reshaped = 0;

  for (uint32_t i = 0; i < diff->n_tensors; i++) {
    const YvTensorDiff *t = &diff->tensors[i];

    n_only_a += !t->shape_b;
    n_only_b += !t->shape_a;
    n_common += t->shape_a && t->shape_b;
    if (t->shape_a && t->shape_b && strcmp (t->shape_a, t->shape_b) != 0 &&
        n_reshaped++ < DIFF_MAX_LISTED)
      printf ("%s  %s: %s -> %s\n", n_reshaped == 1 ? "\ntensors of other shapes:\n" : "", t->name,
              t->shape_a, t->shape_b);
    if (t->difference.n_unequal > 0)
      add_line (lines, g_strdup (t->name), &t->difference);
  }
  if (n_reshaped > DIFF_MAX_LISTED)
    printf ("  ... and %u more of other shapes\n", n_reshaped - DIFF_MAX_LISTED);
  printf ("\ntensors as stored: %u in both, of which %u differ in values\n", n_common, lines->len);
  if (!is_rounding (diff))
    print_lines (lines);
  print_missing (diff, true, n_only_a);
  print_missing (diff, false, n_only_b);
}
