/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/coopmat2.c - convolutions by the matrices of a whole workgroup: which, and in which
 * tiles. The driver cuts the matrices into fragments, so a tile is only its size. */
#include "engine/align.h"
#include "engine/ops/conv.h"
#include "shaders/params.h"
#include "shaders/slices.h"

typedef struct {
  uint32_t pixels, channels;
  uint32_t n_invocations;
} Tile;

/* Largest first: of equals the first is taken. Pixels are powers of two. */
static const Tile tiles[] = {
    {256, 128, 256}, {128, 256, 256}, {128, 128, 256}, {256, 64, 256}, {128, 64, 128},
    {64, 128, 128},  {64, 64, 128},   {128, 32, 128},  {32, 64, 128},  {32, 32, 128},
};

/* Constants of conv_coopmat2.comp; the others are those of any kernel. */
enum {
  SPEC_LOCAL = 0,
  SPEC_IS_1X1 = 3,
  SPEC_FOLDS = 4,
  SPEC_TILE_H = 5,
  SPEC_TILE_W = 6,
  SPEC_TILE_CHANNELS = 7,
  SPEC_K_STEP = 8,
  N_SPEC = 9,
};

/* Channels of a step of K: 32 or 64, see yv_coopmat2_k_step(). */
#define MAX_K_STEP 64

static bool
tile_fits (const Tile *tile, const YvCaps *caps)
{
  const YvMatrixUnit *unit = &caps->coopmat2[tile->n_invocations == 256];

  return unit->m > 0 && tile->pixels % unit->m == 0 && tile->channels % unit->n == 0 &&
         MAX_K_STEP / 2 % unit->k == 0 &&
         MAX (MAX (tile->pixels, tile->channels), MAX_K_STEP) <= caps->coopmat2_max_side;
}

/* The rectangle of so many pixels that covers images of this size with the fewest tiles; of equals
 * the squarest, which shares most pixels between taps, or one step wider. */
static uint32_t
best_width (const struct YvConvParams *picture, uint32_t n_pixels)
{
  uint32_t best = n_pixels, fewest = UINT32_MAX;

  for (uint32_t w = n_pixels; w > 0; w /= 2) {
    const uint32_t n_tiles = yv_n_pixel_tiles (*picture, n_pixels / w, w);

    if (n_tiles > fewest || (n_tiles == fewest && w * w < n_pixels))
      continue;
    best = w;
    fewest = n_tiles;
  }
  return best;
}

static struct YvConvParams
picture_of (const YvOperand *dst, bool is_1x1)
{
  const struct YvConvParams picture = {.out_w = dst->w, .out_h = dst->h, .n_images = dst->n};

  return is_1x1 ? yv_flattened (picture) : picture;
}

static YvMatrixWork
work_of (const Tile *tile, const YvNode *node, const YvOperand *dst)
{
  const YvWeight *weight = node->conv.weight;
  const struct YvConvParams picture = picture_of (dst, yv_conv_is_1x1 (node));
  const uint32_t w = best_width (&picture, tile->pixels);
  const uint32_t k_step = yv_coopmat2_k_step (weight);

  return (YvMatrixWork){
      .tile_pixels = tile->pixels,
      .tile_channels = tile->channels,
      .n_tiles =
          yv_n_pixel_tiles (picture, tile->pixels / w, w) * yv_pieces (dst->c, tile->channels),
      .n_outputs = (uint64_t) dst->n * dst->h * dst->w * dst->c,
      .n_steps = weight->kernel_h * weight->kernel_w * yv_coopmat2_n_channels (weight) / k_step,
      .k_step = k_step,
      .may_split = !yv_conv_has_epilogue (node),
  };
}

/* ---- the family ------------------------------------------------------------------------------ */

static YvWay
coopmat2_way (uint32_t index)
{
  return (YvWay){.kernel = YV_KERNEL_CONV_COOPMAT2,
                 .tile_pixels = tiles[index].pixels,
                 .tile_channels = tiles[index].channels};
}

static const Tile *
tile_of (const YvWay *way)
{
  for (size_t i = 0; i < G_N_ELEMENTS (tiles); i++)
    if (tiles[i].pixels == way->tile_pixels && tiles[i].channels == way->tile_channels)
      return &tiles[i];
  g_assert_not_reached ();
}

/* No device has run it yet, so it is neither guessed nor tried but where it is asked for. Tensors
 * start at multiples of 16 bytes, whatever the tap, so a pixel has 8 channels or more. A row must
 * not be shorter in memory than its pixels that a stride keeps. */
static bool
coopmat2_can (const YvWay *way, const YvNode *node, const YvLowering *lowering)
{
  const YvCaps *caps = lowering->caps;
  const YvOperand *src = &lowering->inputs[0];

  return caps->coopmat2_wanted && src->dtype == YV_DTYPE_F16 && caps->fp16_storage &&
         node->conv.weight->groups == 1 && src->cstride % 8 == 0 &&
         node->conv.stride_h == node->conv.stride_w && !yv_conv_has_epilogue (node) &&
         tile_fits (tile_of (way), caps);
}

static bool
coopmat2_guess (const YvNode *node, const YvLowering *lowering, YvWay *out)
{
  uint64_t least = UINT64_MAX;

  for (uint32_t i = 0; i < G_N_ELEMENTS (tiles); i++) {
    const YvWay way = coopmat2_way (i);
    const YvMatrixWork work = work_of (&tiles[i], node, &lowering->output);
    const uint64_t cost = yv_matrix_cost (lowering->caps, &work);

    if (cost >= least || !coopmat2_can (&way, node, lowering))
      continue;
    least = cost;
    *out = way;
  }
  return least < UINT64_MAX;
}

static uint32_t
coopmat2_fill (const YvWay *way, const YvLowering *lowering, YvStep *step,
               struct YvConvParams *params, YvDispatch *d)
{
  const Tile *tile = tile_of (way);
  const YvMatrixWork work = work_of (tile, step->node, &step->dst);
  const struct YvConvParams picture = picture_of (&step->dst, yv_conv_is_1x1 (step->node));
  const uint32_t w = best_width (&picture, tile->pixels);

  params->c_in = (uint32_t) yv_round_up (step->node->conv.weight->c_in, 8);
  step->pack = YV_PACK_COOPMAT2;
  d->n_spec = N_SPEC;
  d->spec[SPEC_LOCAL] = tile->n_invocations;
  d->spec[SPEC_IS_1X1] = yv_conv_is_1x1 (step->node);
  d->spec[SPEC_FOLDS] = 1;
  d->spec[SPEC_TILE_H] = tile->pixels / w;
  d->spec[SPEC_TILE_W] = w;
  d->spec[SPEC_TILE_CHANNELS] = tile->channels;
  d->spec[SPEC_K_STEP] = yv_coopmat2_k_step (step->node->conv.weight);
  d->groups[0] = yv_pieces (step->dst.c, tile->channels);
  d->groups[1] = yv_n_pixel_tiles (picture, tile->pixels / w, w);
  d->groups[2] = 1;
  d->pixel_dimension = 1;
  return yv_matrix_n_parts (lowering->caps, &work);
}

static bool
coopmat2_lower (const YvWay *way, const YvNode *node, YvLowering *lowering, GError **error)
{
  return yv_conv_lower_step (way, node, lowering, coopmat2_fill, error);
}

const YvConvFamily yv_conv_coopmat2 = {.n_ways = G_N_ELEMENTS (tiles),
                                       .way = coopmat2_way,
                                       .can = coopmat2_can,
                                       .guess = coopmat2_guess,
                                       .lower = coopmat2_lower};
