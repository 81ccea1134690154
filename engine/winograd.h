/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/winograd.h - Winograd's F(4 x 4, 3 x 3): a convolution of 3 x 3 with 36 products for
 * 16 outputs where the direct way needs 144.
 *
 * The picture is cut into tiles of 4 x 4 outputs, each with its window of 6 x 6 inputs d. With the
 * matrices below, for each pair of channels (Lavin and Gray, arXiv:1509.09308, equation 8):
 *
 *   output = At ((G w Gt) * (Bt d B)) A        * elementwise, summed over the input channels
 *
 * They come from Toom and Cook's scheme at the points 0, 3/4, -3/4, 3/2, -3/2 and infinity. These
 * points, not the usual 0, 1, -1, 2, -2, because their matrices amplify rounding less: 1.9 times
 * the error of a direct convolution in fp32 (tests/unit/test-winograd.c) instead of 3.4 times;
 * compare Barabasz et al., arXiv:1803.10986. All are exact in fp32, only G is rounded, in double.
 */
#pragma once

#include <glib.h>

#include "shaders/params.h"

G_BEGIN_DECLS

extern const double yv_winograd_bt[YV_WINOGRAD_WINDOW][YV_WINOGRAD_WINDOW];
extern const double yv_winograd_g[YV_WINOGRAD_WINDOW][3];
extern const double yv_winograd_at[YV_WINOGRAD_TILE][YV_WINOGRAD_WINDOW];

/* G w Gt; w: [ky][kx]; point i * 6 + j: i from ky, j from kx. */
void yv_winograd_weight (const double w[9], double points[YV_WINOGRAD_POINTS]);

/* As many weights as are transformed at once; a vector of GCC's and Clang's extensions, so that
 * they become instructions of whatever width the processor has. */
#define YV_WINOGRAD_LANES 8
typedef double YvWinogradLanes __attribute__ ((vector_size (YV_WINOGRAD_LANES * sizeof (double))));

/* The same of each lane, to the bit. */
void yv_winograd_weights (const YvWinogradLanes w[9], YvWinogradLanes points[YV_WINOGRAD_POINTS]);

G_END_DECLS
