/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/tunebands.h - what the ways to compute a convolution are compared by: the values of whole
 * images or, where that takes too long, of a few bands of rows.
 *
 * In:   a convolution alone, ready to run (engine/tune.c).
 * Out:  how far what it computes is from what conv_tile did, from the same random input.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/plan/plan.h"
#include "engine/vulkan/vulkan.h"

G_BEGIN_DECLS

#define YV_TUNE_MAX_BANDS 4

/* Of the convolution's steps; borrowed: the plan outlives them. */
typedef struct {
  const YvOperand *src, *dst;
  const YvOperand *residual; /* NULL: it adds none */
} YvTuneOperands;

/* Rows [first, first + n) of an operand. */
typedef struct {
  uint32_t first, n;
} YvTuneRows;

/* Rows of an image of the destination and those of the sources that they read, with their values
 * [c][rows][w]. */
typedef struct {
  uint32_t image;
  YvTuneRows dst, src, residual;
  float *source, *added; /* owned; random; added is NULL where there is no residual */
  float *expected;       /* owned; NULL until conv_tile ran */
} YvTuneBand;

/* Those of a convolution. Embedded; zeroed ok. */
typedef struct {
  const YvNode *node; /* borrowed: the graph outlives it */
  YvTuneBand bands[YV_TUNE_MAX_BANDS];
  uint32_t n_bands;
  bool has_expected; /* of all bands */
  double *absolute;  /* [c_out]: how far sums may be from exact ones */
} YvTuneBands;

/* @dtype: of the kernels. No bands yet. */
void yv_tune_bands_init (YvTuneBands *bands, const YvNode *node, YvDType dtype);
void yv_tune_bands_clear (YvTuneBands *bands);

/* Chooses the bands, and their input by @shape. False, with none, with YV_ERROR_OUT_OF_MEMORY. */
bool yv_tune_bands_fill (YvTuneBands *bands, const char *shape, const YvTuneOperands *operands,
                         bool is_whole, GError **error);

bool yv_tune_bands_write (const YvTuneBands *bands, YvExecutor *executor,
                          const YvTuneOperands *operands, GError **error);

/* Reads what came out: the first time of conv_tile, which is kept as what is expected.
 * @share: out: the largest difference / what rounding explains; 0 the first time. */
bool yv_tune_bands_compare (YvTuneBands *bands, YvExecutor *executor, const YvOperand *dst,
                            const YvWay *way, double *share, GError **error);

G_END_DECLS
