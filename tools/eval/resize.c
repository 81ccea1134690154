/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/resize.c - one axis after the other, each output a weighted sum of few inputs.
 */
#include "tools/eval/resize.h"

#include <math.h>

/* One output: inputs first .. first + n - 1, weights [offset ..]. */
typedef struct {
  uint32_t first, n, offset;
} Tap;

typedef struct {
  Tap *taps;       /* [n_out] */
  GArray *weights; /* of float */
} Axis;

static void
axis_clear (Axis *axis)
{
  g_free (axis->taps);
  g_array_unref (axis->weights);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Axis, axis_clear)

/* What input @i has of the output that covers from .. to. */
static float
covered (double from, double to, uint32_t i)
{
  return (float) ((MIN (to, i + 1.0) - MAX (from, i)) / (to - from));
}

static void
add_area (Axis *axis, Tap *tap, uint32_t index, uint32_t n_in, uint32_t n_out)
{
  const double scale = (double) n_in / n_out;
  const double from = index * scale, to = MIN ((index + 1) * scale, n_in);

  tap->first = (uint32_t) from;
  for (uint32_t i = tap->first; i < n_in && i < to - 1e-6; i++) {
    const float weight = covered (from, to, i);

    g_array_append_val (axis->weights, weight);
    tap->n++;
  }
}

static void
add_line (Axis *axis, Tap *tap, uint32_t index, uint32_t n_in, uint32_t n_out)
{
  const double centre = (index + 0.5) * n_in / n_out - 0.5;
  const double inside = CLAMP (centre, 0, n_in - 1.0);
  const float weights[] = {(float) (1 - (inside - floor (inside))),
                           (float) (inside - floor (inside))};

  tap->first = (uint32_t) inside;
  tap->n = MIN (2, n_in - tap->first);
  g_array_append_vals (axis->weights, weights, tap->n);
}

static void
axis_init (Axis *axis, uint32_t n_in, uint32_t n_out)
{
  *axis = (Axis){g_new0 (Tap, n_out), g_array_new (FALSE, FALSE, sizeof (float))};
  for (uint32_t i = 0; i < n_out; i++) {
    axis->taps[i].offset = axis->weights->len;
    if (n_out < n_in)
      add_area (axis, &axis->taps[i], i, n_in, n_out);
    else
      add_line (axis, &axis->taps[i], i, n_in, n_out);
  }
}

/* A row of the source at the width of the destination. */
static void
resize_row (const ResizeSource *src, uint32_t y, const Axis *axis, uint32_t width, float *dst)
{
  const uint8_t *row = src->pixels + (gsize) y * src->stride_bytes;

  for (uint32_t x = 0; x < width; x++, dst += 3) {
    const Tap *tap = &axis->taps[x];
    const float *weights = &g_array_index (axis->weights, float, tap->offset);
    const uint8_t *pixel = row + (gsize) tap->first * src->pixel_bytes;

    dst[0] = dst[1] = dst[2] = 0;
    for (uint32_t i = 0; i < tap->n; i++, pixel += src->pixel_bytes)
      for (int c = 0; c < 3; c++)
        dst[c] += weights[i] * pixel[c];
  }
}

static void
add_row (float *sum, const float *row, float weight, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    sum[i] += weight * row[i];
}

static void
round_row (const float *sum, uint8_t *dst, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    dst[i] = (uint8_t) CLAMP (lrintf (sum[i]), 0, 255);
}

void
resize_rgb (const ResizeSource *src, uint8_t *dst, uint32_t width, uint32_t height)
{
  const uint32_t n = 3 * width;
  g_autofree float *row = g_new (float, n);
  g_autofree float *sum = g_new (float, n);
  g_auto (Axis) across, down;

  axis_init (&across, src->width, width);
  axis_init (&down, src->height, height);
  for (uint32_t y = 0; y < height; y++) {
    const Tap *tap = &down.taps[y];
    const float *weights = &g_array_index (down.weights, float, tap->offset);

    for (uint32_t i = 0; i < n; i++)
      sum[i] = 0;
    for (uint32_t i = 0; i < tap->n; i++) {
      resize_row (src, tap->first + i, &across, width, row);
      add_row (sum, row, weights[i], n);
    }
    round_row (sum, dst + (gsize) y * n, n);
  }
}
