/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/track/confidence.c - powers and ranks. */
#include "tools/track/confidence.h"

#include <math.h>
#include <stdbool.h>

static bool
are_probabilities (const GArray *values)
{
  for (guint i = 0; i < values->len; i++) {
    const double value = g_array_index (values, double, i);
    if (value < 0 || value > 1)
      return false;
  }
  return true;
}

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

static void
replace_by_ranks (GArray *values)
{
  g_autoptr (GArray) sorted = g_array_copy (values);

  g_array_sort (sorted, compare);
  for (guint i = 0; i < values->len; i++) {
    double *value = &g_array_index (values, double, i);
    *value = (double) rank_of (sorted, *value) / sorted->len;
  }
}

void
confidences_convert (GArray *values, double power)
{
  if (!are_probabilities (values)) {
    replace_by_ranks (values);
    power = YV_CONFIDENCE_RANK_POWER;
  }
  for (guint i = 0; i < values->len; i++) {
    double *value = &g_array_index (values, double, i);
    *value = pow (*value, power);
  }
}
