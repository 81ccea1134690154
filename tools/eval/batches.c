/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/batches.c - pictures of like shape together.
 */
#include "tools/eval/batches.h"

#include <math.h>

#define PADDING_STRIDES 0.5 /* test.py's pad */

static double
aspect (const Dataset *dataset, uint32_t index)
{
  const DatasetImage *image = g_ptr_array_index (dataset->images, index);

  return (double) image->height / image->width;
}

static gint
compare_aspects (gconstpointer a, gconstpointer b, gpointer dataset)
{
  const uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
  const double aspect_x = aspect (dataset, x), aspect_y = aspect (dataset, y);

  if (aspect_x != aspect_y)
    return aspect_x < aspect_y ? -1 : 1;
  return x < y ? -1 : x > y;
}

/* @part: of the long side. */
static uint32_t
padded_side (double part, uint32_t size, uint32_t stride)
{
  return (uint32_t) ceil (part * size / stride + PADDING_STRIDES) * stride;
}

/* All flat: as high as the highest. All tall: as wide as the widest. Else a square. */
static Batch
plan_batch (const Dataset *dataset, const uint32_t *order, uint32_t first, uint32_t n,
            uint32_t size, uint32_t stride)
{
  const double flattest = aspect (dataset, order[first]);
  const double tallest = aspect (dataset, order[first + n - 1]);

  return (Batch){
      .first = first,
      .n = n,
      .net_h = padded_side (tallest < 1 ? tallest : 1, size, stride),
      .net_w = padded_side (flattest > 1 ? 1 / flattest : 1, size, stride),
  };
}

GArray *
batches_plan (const Dataset *dataset, uint32_t size, uint32_t stride, uint32_t n_batch,
              uint32_t **order)
{
  const uint32_t n_images = dataset->images->len, step = MAX (stride, 32);
  GArray *batches = g_array_new (FALSE, FALSE, sizeof (Batch));
  uint32_t *sorted = g_new (uint32_t, n_images);

  for (uint32_t i = 0; i < n_images; i++)
    sorted[i] = i;
  g_qsort_with_data (sorted, (gint) n_images, sizeof *sorted, compare_aspects, (gpointer) dataset);
  for (uint32_t first = 0; first < n_images; first += n_batch) {
    const uint32_t n = MIN (n_batch, n_images - first);
    const Batch batch = plan_batch (dataset, sorted, first, n, size, step);

    g_array_append_val (batches, batch);
  }
  *order = sorted;
  return batches;
}
