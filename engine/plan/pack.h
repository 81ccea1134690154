/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/pack.h - weights in the order in which kernels read them.
 *
 * K runs over taps (ky, kx), then input channels; c_in is padded to 4 with zeros, and grouped
 * weights are written out dense: LANES whole, TILE the input channels that a tile sees (step.h). E
 * is the element type of the step, F32 or F16 (round to nearest even).
 *
 *   LANES<P>  for conv_lanes: per block of P output channels (the last padded with zeros):
 *             P biases, then [tap][c_in / 4][4][P]; all E.
 *   WINOGRAD<P>  for conv_lanes between winograd_input and winograd_output: per block of P output
 *             channels, for each of the 36 points LANES<P> of a kernel of 1 x 1 with biases of
 *             zero; then the P biases (engine/winograd.h).
 *   TILE      for conv_tile: the bias as F32[c_out rounded up to 64], then per tile of 64 output
 *             channels [k_step][16][64] of E, K = taps * what it sees, rounded up to 16 with
 *             zeros.
 *   COOPMAT   for conv_coopmat: the bias as F32[c_out rounded up to 64], then per block of 64
 *             output channels [k_step][64][32] of E, K = taps * yv_coopmat_n_channels() of step.h,
 *             rounded up to 32 with zeros.
 *   COOPMAT2  for conv_coopmat2: the bias as F32[c_out rounded up to 64], then [c_out rounded up
 *             to 64][K] of E, K = taps * yv_coopmat2_n_channels() of step.h.
 *   HEAD      for head_tile: per anchor its 5 + nc channels, rounded up to 32 with zeros, are
 *             blocks of 32. First all biases as F32, [anchor][channel]; then of each anchor the
 *             row of its objectness, E[K], K = c_in rounded up to 16 with zeros; then the blocks,
 *             each [K][32] of E.
 *   FIRST     for conv_first: the bias as F32[c_out rounded up to 16], then per block of 16 output
 *             channels [tap][3][16] of E. A weight of 12 input channels is one of 3 x 3 after
 *             REORG: its taps are the 6 x 6 of the picture that it sees.
 *   AFFINE    scale[c8] then shift[c8] as F32, c8 = channels rounded up to 8, padded with zeros.
 */
#pragma once

#include <glib.h>
#include <stddef.h>

#include "engine/plan/step.h"

G_BEGIN_DECLS

/* Bytes of step's weight as packed; 0 where it has none. */
size_t yv_pack_size_bytes (const YvStep *step);

/* Packs it into @dst (yv_pack_size_bytes() of them; may be device memory, so is written front to
 * back, once, and never read). Uses a few rows of scratch. Pure; any thread. */
void yv_pack_weight (const YvStep *step, void *dst);

G_END_DECLS
