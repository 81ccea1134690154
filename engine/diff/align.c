/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/align.c - edit distance over rows. */
#include "engine/diff/align.h"

#include <string.h>

/* A row that only one model has costs more than a changed one: a wider model is not the same one
 * moved by a few rows, though these may happen to be equal. */
#define COST_OTHER_WIDTH 1
#define COST_OTHER_OPERATIONS 2
#define COST_ONE_SIDED 3

#define CANNOT_PAIR UINT16_MAX /* any sum of costs is less: models have at most 10000 rows each */

static bool
is_one_kind (const YvLayerInfo *a, const YvLayerInfo *b)
{
  if (g_str_has_suffix (a->module, "Detect") && g_str_has_suffix (b->module, "Detect"))
    return true;
  return strcmp (a->module, b->module) == 0;
}

/* What it costs to call the two the same row. */
static uint16_t
pair_cost (const YvLayerInfo *a, const YvLayerInfo *b)
{
  if (!is_one_kind (a, b) || (*a->deployed == '\0') != (*b->deployed == '\0'))
    return CANNOT_PAIR;
  if (strcmp (a->deployed, b->deployed) != 0)
    return COST_OTHER_OPERATIONS;
  return a->c_out == b->c_out && a->n_params_deployed == b->n_params_deployed ? 0
                                                                              : COST_OTHER_WIDTH;
}

/* cost[i][j]: of aligning what follows rows i of a and j of b. */
static void
fill_costs (uint16_t *cost, const YvLayerInfo *a, uint32_t n_a, const YvLayerInfo *b, uint32_t n_b)
{
  const gsize width = (gsize) n_b + 1;

  for (uint32_t i = n_a + 1; i-- > 0;)
    for (uint32_t j = n_b + 1; j-- > 0;) {
      uint16_t *here = &cost[i * width + j];
      const uint16_t pair = i < n_a && j < n_b ? pair_cost (&a[i], &b[j]) : CANNOT_PAIR;

      *here = i == n_a && j == n_b ? 0 : CANNOT_PAIR;
      if (i < n_a)
        *here = MIN (*here, (uint16_t) (here[width] + COST_ONE_SIDED));
      if (j < n_b)
        *here = MIN (*here, (uint16_t) (here[1] + COST_ONE_SIDED));
      if (pair != CANNOT_PAIR)
        *here = MIN (*here, (uint16_t) (here[width + 1] + pair));
    }
}

bool
yv_align_rows (const YvLayerInfo *a, uint32_t n_a, const YvLayerInfo *b, uint32_t n_b,
               int32_t *b_of_a, GError **error)
{
  const gsize width = (gsize) n_b + 1;
  g_autofree uint16_t *cost = g_try_new (uint16_t, ((gsize) n_a + 1) * width);

  if (!cost) {
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY, "no memory to align %u rows with %u", n_a,
                 n_b);
    return false;
  }
  fill_costs (cost, a, n_a, b, n_b);
  for (uint32_t i = 0, j = 0; i < n_a;) {
    const uint16_t *here = &cost[i * width + j];
    const uint16_t pair = j < n_b ? pair_cost (&a[i], &b[j]) : CANNOT_PAIR;

    if (pair != CANNOT_PAIR && *here == here[width + 1] + pair)
      b_of_a[i++] = (int32_t) j++;
    else if (*here == here[width] + COST_ONE_SIDED)
      b_of_a[i++] = YV_NO_ROW;
    else
      j++;
  }
  return true;
}
