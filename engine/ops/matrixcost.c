/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/matrixcost.c - what a convolution by matrices costs, by a model: which tile and how
 * many parts are best where nobody has measured. Its numbers are reasoned for an H200; they have
 * not been measured on any GPU yet. */
#include "engine/align.h"
#include "engine/ops/conv.h"

/* Time is counted in products of fp16 that one core makes meanwhile. */

/* A step of K has to wait for memory, so long for each of K: 450 cycles for 32 of them. */
#define STEP_WAIT 16384

/* What loading a row of a tile costs, for each of K. */
#define ROW_LOAD 32

/* The sums of so many outputs fill half of the registers of a core; other workgroups on it compute
 * while one waits. */
#define CORE_OUTPUTS 32768
#define MAX_RESIDENT 8

/* What conv_sum costs: to start at all (3 us), and for each element of a part, written and read. */
#define SUM_START 6000000
#define SUM_ELEM 500

/* For one of K. A core computes its tiles one after the other; meanwhile those that it can keep
 * resident wait for memory, together. The shorter of the two hides behind the other, but not all of
 * it. */
static uint64_t
cost_of_k (const YvCaps *caps, const YvMatrixWork *work, uint32_t n_parts)
{
  const uint64_t n_own = yv_pieces (work->n_tiles * n_parts, yv_caps_n_cores (caps));
  const uint32_t n_outputs = work->tile_pixels * work->tile_channels;
  const uint32_t n_resident = CLAMP (CORE_OUTPUTS / n_outputs, 1, MAX_RESIDENT);
  const uint64_t computing =
      n_own * (n_outputs + ROW_LOAD * (work->tile_pixels + work->tile_channels));
  const uint64_t waiting = yv_pieces (n_own, n_resident) * STEP_WAIT;

  return MAX (computing, waiting) + MIN (computing, waiting) / 8;
}

/* Parts must promise to save a fifth: it is only a model. */
static uint64_t
cost_in_parts (const YvCaps *caps, const YvMatrixWork *work, uint32_t n_parts)
{
  const uint64_t product =
      yv_pieces (work->n_steps, n_parts) * work->k_step * cost_of_k (caps, work, n_parts);
  const uint64_t n_elems = n_parts * work->n_outputs;

  if (n_parts == 1)
    return product;
  return (product + SUM_START + n_elems * SUM_ELEM / yv_caps_n_cores (caps)) / 4 * 5;
}

uint32_t
yv_matrix_n_parts (const YvCaps *caps, const YvMatrixWork *work)
{
  uint32_t best = 1;

  if (!work->may_split)
    return 1;
  if (caps->conv_parts || caps->is_cpu)
    return CLAMP (caps->conv_parts, 1, work->n_steps);
  for (uint32_t n = 2; n <= MIN (YV_SPLIT_MAX_PARTS, work->n_steps); n++)
    if (cost_in_parts (caps, work, n) < cost_in_parts (caps, work, best))
      best = n;
  return best;
}

uint64_t
yv_matrix_cost (const YvCaps *caps, const YvMatrixWork *work)
{
  return cost_in_parts (caps, work, yv_matrix_n_parts (caps, work));
}
