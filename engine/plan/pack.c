/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/pack.c - a block of output channels at a time, computed, transposed, written.
 *
 * The layouts of convolutions are blocks of [k][channels], k = tap * c_in + channel in; they
 * differ in where the bias is and what k is rounded up to. COOPMAT turns each step of k around,
 * COOPMAT2 all of them; of HEAD the channels of each anchor start a block, and FIRST undoes REORG.
 */
#include "engine/plan/pack.h"

#include <string.h>

#include "engine/align.h"
#include "engine/half.h"
#include "engine/winograd.h"
#include "shaders/params.h"

#define MAX_BLOCK_CHANNELS 64
#define GROUP_ROWS YV_WINOGRAD_LANES /* divides the channels of every block */

/* How a convolution's weight is cut into blocks. */
typedef struct {
  uint32_t channels; /* of a block */
  uint32_t n_blocks;
  uint32_t run;     /* channels after which a new block starts: of HEAD an anchor's, else all */
  uint32_t c_in;    /* that a block has, rounded up */
  uint32_t first_c; /* the first of them, of the block being filled */
  size_t n_k;       /* rows of a block, padding included */
  size_t k_step;    /* so many of k of a channel lie side by side: 1, of COOPMAT* more */
  bool is_reorged;  /* of FIRST: k counts taps and channels of the picture before REORG */
} Blocks;

static const uint8_t block_channels[] = {
    [YV_PACK_LANES8] = 8,
    [YV_PACK_LANES16] = 16,
    [YV_PACK_LANES32] = 32,
    [YV_PACK_LANES64] = 64,
    [YV_PACK_WINOGRAD32] = 32,
    [YV_PACK_WINOGRAD64] = 64,
    [YV_PACK_TILE] = YV_TILE_CHANNELS,
    [YV_PACK_COOPMAT] = YV_TILE_CHANNELS,
    [YV_PACK_HEAD] = YV_HEAD_CHANNELS,
    [YV_PACK_COOPMAT2] = YV_TILE_CHANNELS,
    [YV_PACK_FIRST] = YV_FIRST_CHANNELS,
};

static bool
is_winograd (const YvStep *step)
{
  return step->pack == YV_PACK_WINOGRAD32 || step->pack == YV_PACK_WINOGRAD64;
}

static size_t
rows_of_block (const YvStep *step, uint32_t c_in)
{
  const YvWeight *weight = step->weight_source;
  const size_t n_k = (size_t) weight->kernel_h * weight->kernel_w * c_in;

  if (is_winograd (step))
    return YV_WINOGRAD_POINTS * ((size_t) c_in + 1);
  if (step->pack == YV_PACK_COOPMAT)
    return yv_round_up (n_k, YV_COOPMAT_K);
  return step->pack == YV_PACK_TILE || step->pack == YV_PACK_HEAD ? yv_round_up (n_k, YV_TILE_K)
                                                                  : n_k;
}

/* Input channels that a block has, with those that are padding. */
static uint32_t
padded_c_in (const YvStep *step)
{
  const YvWeight *weight = step->weight_source;

  if (step->pack == YV_PACK_TILE)
    return yv_tile_n_channels (weight);
  if (step->pack == YV_PACK_COOPMAT)
    return yv_coopmat_n_channels (weight);
  if (step->pack == YV_PACK_COOPMAT2)
    return yv_coopmat2_n_channels (weight);
  if (step->pack == YV_PACK_FIRST)
    return weight->c_in;
  return (uint32_t) yv_round_up (weight->c_in, 4);
}

/* Its bias lies before all blocks, as F32. */
static bool
has_bias_in_front (const YvStep *step)
{
  return step->pack == YV_PACK_TILE || step->pack == YV_PACK_COOPMAT ||
         step->pack == YV_PACK_COOPMAT2 || step->pack == YV_PACK_HEAD ||
         step->pack == YV_PACK_FIRST;
}

static size_t
k_side_by_side (YvPack pack, size_t n_k)
{
  return pack == YV_PACK_COOPMAT ? YV_COOPMAT_K : pack == YV_PACK_COOPMAT2 ? n_k : 1;
}

static uint32_t
n_anchors (const YvStep *step)
{
  return step->pack == YV_PACK_HEAD ? step->node->detect.n_anchors : 0;
}

static Blocks
blocks_of (const YvStep *step)
{
  const YvWeight *weight = step->weight_source;
  const uint32_t c_in = padded_c_in (step);
  const uint32_t channels = block_channels[step->pack];
  const uint32_t n_runs = MAX (n_anchors (step), 1);
  const uint32_t run = weight->c_out / n_runs;
  const size_t n_k = rows_of_block (step, c_in);

  g_assert (channels > 0 && channels <= MAX_BLOCK_CHANNELS);
  return (Blocks){
      .channels = channels,
      .n_blocks = n_runs * (uint32_t) yv_pieces (run, channels),
      .run = run,
      .c_in = c_in,
      .n_k = n_k,
      .k_step = k_side_by_side (step->pack, n_k),
      .is_reorged = step->pack == YV_PACK_FIRST && yv_first_is_reorged (weight),
  };
}

size_t
yv_pack_size_bytes (const YvStep *step)
{
  const size_t elem_bytes = yv_dtype_size_bytes (step->dtype);

  if (step->pack == YV_PACK_NONE)
    return 0;
  if (step->pack == YV_PACK_AFFINE)
    return 2 * yv_round_up (((const YvNode *) step->weight_source)->c_out, 8) * sizeof (float);

  const Blocks blocks = blocks_of (step);
  const size_t bias_bytes = has_bias_in_front (step) ? sizeof (float) : elem_bytes;
  return (size_t) blocks.n_blocks * blocks.channels * (blocks.n_k * elem_bytes + bias_bytes) +
         n_anchors (step) * blocks.n_k * elem_bytes;
}

/* Writes n_elems as dtype and returns where the next ones go. */
static uint8_t *
put (uint8_t *dst, YvDType dtype, const float *src, size_t n_elems)
{
  if (dtype == YV_DTYPE_F32) {
    memcpy (dst, src, n_elems * sizeof (float));
    return dst + n_elems * sizeof (float);
  }
  for (size_t i = 0; i < n_elems; i++) {
    const uint16_t half = yv_half_from_float (src[i]);

    memcpy (dst + i * sizeof half, &half, sizeof half);
  }
  return dst + n_elems * sizeof (uint16_t);
}

/* Rows of a few output channels side by side, as many as make a cache line of a block's row; those
 * beyond the last channel are zero. */
typedef struct {
  uint32_t first_o, n; /* output channels */
  size_t row_elems;
  double *elems; /* [GROUP_ROWS][row_elems] */
} Rows;

/* Where [k][column] is in a block. */
static size_t
element (const Blocks *blocks, size_t k, uint32_t column)
{
  if (blocks->k_step == 1)
    return k * blocks->channels + column;
  const size_t first_k = k / blocks->k_step * blocks->k_step;

  return first_k * blocks->channels + column * blocks->k_step + k % blocks->k_step;
}

/* Which row of a block input channel @i of a tap is. Block b of REORG's channels is the picture at
 * rows 2 y + b % 2 and columns 2 x + b / 2 (shaders/reorg.comp). */
static size_t
row_of (const YvWeight *weight, const Blocks *blocks, uint32_t tap, uint32_t i)
{
  if (!blocks->is_reorged)
    return (size_t) tap * blocks->c_in + i;

  const uint32_t c = weight->c_in / 4, b = i / c;
  const uint32_t y = tap / weight->kernel_w * 2 + b % 2, x = tap % weight->kernel_w * 2 + b / 2;
  return (size_t) (y * weight->kernel_w * 2 + x) * c + i % c;
}

static void
read_rows (const YvWeight *weight, uint32_t first_o, uint32_t end_o, Rows *rows)
{
  rows->first_o = first_o;
  rows->n = MIN (GROUP_ROWS, end_o - first_o);
  for (uint32_t q = 0; q < rows->n; q++)
    yv_weight_row (weight, first_o + q, rows->elems + q * rows->row_elems);
  memset (rows->elems + rows->n * rows->row_elems, 0,
          (GROUP_ROWS - rows->n) * rows->row_elems * sizeof *rows->elems);
}

/* As columns from @column on of [k][channels]; the channels of other groups stay 0. */
static void
fill_columns (const YvWeight *weight, const Blocks *blocks, const Rows *rows, uint32_t column,
              float *block)
{
  const uint32_t n_taps = weight->kernel_h * weight->kernel_w;
  const uint32_t c_in = weight->c_in / weight->groups;
  const uint32_t c_out = weight->c_out / weight->groups;
  uint32_t first_c[GROUP_ROWS];

  for (uint32_t q = 0; q < rows->n; q++)
    first_c[q] = (rows->first_o + q) / c_out * c_in - blocks->first_c;
  for (uint32_t tap = 0; tap < n_taps; tap++)
    for (uint32_t i = 0; i < c_in; i++) {
      const double *src = rows->elems + (size_t) i * n_taps + tap;
      const size_t k = row_of (weight, blocks, tap, i);

      for (uint32_t q = 0; q < rows->n; q++)
        block[element (blocks, first_c[q] + k, column + q)] = (float) src[q * rows->row_elems];
    }
}

/* The same for WINOGRAD: each point is [1 + c_in][channels], the first row its biases of zero. */
static void
fill_winograd_columns (const YvWeight *weight, const Blocks *blocks, const Rows *rows,
                       uint32_t column, float *block)
{
  const size_t point_elems = (blocks->c_in + 1) * (size_t) blocks->channels;

  for (uint32_t i = 0; i < weight->c_in; i++) {
    float *dst = block + (i + 1) * (size_t) blocks->channels + column;
    const double *src = rows->elems + (size_t) i * 9;
    YvWinogradLanes w[9], points[YV_WINOGRAD_POINTS];

    for (uint32_t q = 0; q < GROUP_ROWS; q++)
      for (uint32_t k = 0; k < 9; k++)
        w[k][q] = src[q * rows->row_elems + k];
    yv_winograd_weights (w, points);
    for (uint32_t point = 0; point < YV_WINOGRAD_POINTS; point++)
      for (uint32_t q = 0; q < GROUP_ROWS; q++)
        dst[point * point_elems + q] = (float) points[point][q];
  }
}

/* The output channels of a block. */
static uint32_t
first_channel (const Blocks *blocks, uint32_t block)
{
  const uint32_t n_of_run = (uint32_t) yv_pieces (blocks->run, blocks->channels);

  return block / n_of_run * blocks->run + block % n_of_run * blocks->channels;
}

static uint32_t
end_channel (const Blocks *blocks, uint32_t first_o)
{
  return MIN (first_o + blocks->channels, (first_o / blocks->run + 1) * blocks->run);
}

static uint8_t *
put_bias (uint8_t *dst, YvDType dtype, const YvWeight *weight, const Blocks *blocks,
          uint32_t first_o)
{
  float bias[MAX_BLOCK_CHANNELS] = {0};

  for (uint32_t o = first_o; o < end_channel (blocks, first_o); o++)
    bias[o - first_o] = (float) weight->bias[o];
  return put (dst, dtype, bias, blocks->channels);
}

static uint8_t *
put_objectness (uint8_t *dst, const YvStep *step, const Blocks *blocks, Rows *rows)
{
  g_autofree float *row = g_new0 (float, blocks->n_k);

  for (uint32_t a = 0; a < n_anchors (step); a++) {
    const uint32_t o = a * blocks->run + 4;

    read_rows (step->weight_source, o, o + 1, rows);
    for (size_t i = 0; i < rows->row_elems; i++)
      row[i] = (float) rows->elems[i];
    dst = put (dst, step->dtype, row, blocks->n_k);
  }
  return dst;
}

static void
pack_conv (const YvStep *step, uint8_t *dst)
{
  const YvWeight *weight = step->weight_source;
  Blocks blocks = blocks_of (step);
  const size_t block_elems = blocks.n_k * blocks.channels;
  const size_t row_elems =
      (size_t) weight->c_in / weight->groups * weight->kernel_h * weight->kernel_w;
  g_autofree double *elems = g_new (double, GROUP_ROWS *row_elems);
  Rows rows = {.row_elems = row_elems, .elems = elems};
  g_autofree float *block = g_new (float, block_elems);

  for (uint32_t b = 0; b < blocks.n_blocks && has_bias_in_front (step); b++)
    dst = put_bias (dst, YV_DTYPE_F32, weight, &blocks, first_channel (&blocks, b));
  dst = put_objectness (dst, step, &blocks, &rows);

  for (uint32_t b = 0; b < blocks.n_blocks; b++) {
    const uint32_t first_o = first_channel (&blocks, b);
    const uint32_t end_o = end_channel (&blocks, first_o);

    if (step->pack == YV_PACK_TILE)
      blocks.first_c = yv_tile_first_channel (weight, b);

    memset (block, 0, block_elems * sizeof *block);
    for (uint32_t q = 0; first_o + q < end_o; q += GROUP_ROWS) {
      read_rows (weight, first_o + q, end_o, &rows);
      (is_winograd (step) ? fill_winograd_columns : fill_columns) (weight, &blocks, &rows, q,
                                                                   block);
    }
    if (!has_bias_in_front (step) && !is_winograd (step))
      dst = put_bias (dst, step->dtype, weight, &blocks, first_o);
    dst = put (dst, step->dtype, block, block_elems);
    if (is_winograd (step))
      dst = put_bias (dst, step->dtype, weight, &blocks, first_o);
  }
}

static void
pack_affine (const YvNode *node, uint8_t *dst)
{
  const size_t n_elems = yv_round_up (node->c_out, 8);
  g_autofree float *values = g_new0 (float, 2 * n_elems);

  for (uint32_t c = 0; c < node->c_out; c++) {
    values[c] = (float) node->affine.scale[c];
    values[n_elems + c] = (float) node->affine.shift[c];
  }
  put (dst, YV_DTYPE_F32, values, 2 * n_elems);
}

void
yv_pack_weight (const YvStep *step, void *dst)
{
  g_assert (step->pack != YV_PACK_NONE);
  if (step->pack == YV_PACK_AFFINE)
    pack_affine (step->weight_source, dst);
  else
    pack_conv (step, dst);
}
