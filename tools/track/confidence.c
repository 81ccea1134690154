/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/track/confidence.c - powers and ranks. */
#include "tools/track/confidence.h"

#include <math.h>
#include <stdbool.h>

/* The middle confidence of a detector that is sure of nearly all it finds: that of Faster R-CNN is
 * 0.93 to 0.99 on the sequences of MOTChallenge 2015. */
#define SURE 0.9

static gint
compare (gconstpointer a, gconstpointer b)
{
  const double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

/* Returns: how many of the sorted values are not above @value. */
static guint
rank_of (const GArray *sorted, double value)
{
  guint low = 0, high = sorted->len;

  while (low < high) {
    const guint middle = low + (high - low) / 2;
    if (g_array_index (sorted, double, middle) <= value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool
are_probabilities (const GArray *sorted)
{
  return g_array_index (sorted, double, 0) >= 0 &&
         g_array_index (sorted, double, sorted->len - 1) <= 1;
}

static double
power_for (const GArray *sorted)
{
  return g_array_index (sorted, double, sorted->len / 2) >= SURE ? YV_CONFIDENCE_POWER : 1;
}

static void
replace_by_ranks (GArray *values, const GArray *sorted)
{
  for (guint i = 0; i < values->len; i++) {
    double *value = &g_array_index (values, double, i);
    *value = (double) rank_of (sorted, *value) / sorted->len;
  }
}

void
confidences_convert (GArray *values, double power)
{
  g_autoptr (GArray) sorted = g_array_copy (values);

  g_assert (values->len > 0);
  g_array_sort (sorted, compare);
  if (!are_probabilities (sorted)) {
    replace_by_ranks (values, sorted);
    power = YV_CONFIDENCE_RANK_POWER;
  } else if (power == 0) {
    power = power_for (sorted);
  }
  for (guint i = 0; i < values->len; i++) {
    double *value = &g_array_index (values, double, i);
    *value = pow (*value, power);
  }
}
