/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/coopmat.c - convolutions by cooperative matrices: which, and in which tiles. */
#include "engine/align.h"
#include "engine/ops/conv.h"

/* A workgroup is 4 subgroups, each of which makes its part of the tile. */
typedef struct {
  uint32_t pixels, channels;
  uint32_t own_pixels, own_channels;
} Tile;

#define N_SUBGROUPS 4

/* Largest first: of equals the first is taken. Sides are multiples of 16, the largest fragment. */
static const Tile tiles[] = {
    {128, 128, 64, 64}, {64, 128, 32, 64}, {128, 64, 64, 32}, {64, 64, 32, 32},
    {128, 32, 32, 32},  {32, 64, 16, 32},  {64, 32, 16, 32},  {32, 32, 16, 16},
};

/* Constants of conv_coopmat.comp; the others are those of any kernel. */
enum {
  SPEC_LOCAL = 0,
  SPEC_ACT = 1,
  SPEC_DST_F32 = 2,
  SPEC_SOURCE = 3,
  SPEC_FOLDS = 4,
  SPEC_M = 5,
  SPEC_N = 6,
  SPEC_K = 7,
  SPEC_TILE_PIXELS = 8,
  SPEC_TILE_CHANNELS = 9,
  SPEC_OWN_PIXELS = 10,
  SPEC_OWN_CHANNELS = 11,
  SPEC_SUBGROUP = 12,
  SPEC_STAGES = 13,
  N_SPEC = 14,
};

/* Rows of K, one for each pixel and channel of the tile, with 16 bytes between them so that
 * fragments meet no bank twice. */
static uint32_t
stage_bytes (const Tile *tile)
{
  return (tile->pixels + tile->channels) * (YV_COOPMAT_K + 8) * 2;
}

/* Loading while computing takes a second stage of memory. */
static uint32_t
n_stages (const Tile *tile, const YvCaps *caps)
{
  return 2 * stage_bytes (tile) <= caps->max_shared_bytes ? 2 : 1;
}

/* At the end a row of fragments of each subgroup is there as fp32, each row with 32 bytes more. */
static uint32_t
shared_bytes (const Tile *tile, const YvCaps *caps)
{
  const uint32_t sums_bytes = N_SUBGROUPS * caps->coopmat_m * (tile->own_channels + 8) * 4;

  return MAX (n_stages (tile, caps) * stage_bytes (tile), sums_bytes);
}

/* Each invocation loads 8 of K of as many rows as any other does. */
static bool
tile_fits (const Tile *tile, const YvCaps *caps)
{
  const uint32_t rows_at_once = N_SUBGROUPS * caps->subgroup_size * 8 / YV_COOPMAT_K;

  return tile->pixels % rows_at_once == 0 && tile->channels % rows_at_once == 0 &&
         shared_bytes (tile, caps) <= caps->max_shared_bytes;
}

static YvMatrixWork
work_of (const Tile *tile, const YvNode *node, const YvOperand *dst)
{
  const YvWeight *weight = node->conv.weight;
  const YvShape computed = yv_conv_computed (node, dst);
  const uint64_t n_pixels = (uint64_t) dst->n * computed.h * computed.w;
  const uint64_t k =
      (uint64_t) weight->kernel_h * weight->kernel_w * yv_coopmat_n_channels (weight);

  return (YvMatrixWork){
      .tile_pixels = tile->pixels,
      .tile_channels = tile->channels,
      .n_tiles = yv_pieces (n_pixels, tile->pixels) * yv_pieces (dst->c, tile->channels),
      .n_outputs = n_pixels * dst->c,
      .n_steps = (uint32_t) yv_pieces (k, YV_COOPMAT_K),
      .k_step = YV_COOPMAT_K,
      .may_split = !yv_conv_has_epilogue (node),
  };
}

/* A CPU has cooperative matrices for tests, and compiles large tiles of them for a minute. */
static uint64_t
cost (const Tile *tile, const YvNode *node, const YvLowering *lowering)
{
  const YvMatrixWork work = work_of (tile, node, &lowering->output);

  return lowering->caps->is_cpu ? (uint64_t) tile->own_pixels * tile->own_channels
                                : yv_matrix_cost (lowering->caps, &work);
}

/* NULL: none fits the device. */
static const Tile *
choose_tile (const YvNode *node, const YvLowering *lowering)
{
  const Tile *best = NULL;

  for (size_t i = 0; i < G_N_ELEMENTS (tiles); i++)
    if (tile_fits (&tiles[i], lowering->caps) &&
        (!best || cost (&tiles[i], node, lowering) < cost (best, node, lowering)))
      best = &tiles[i];
  return best;
}

/* ---- the family ------------------------------------------------------------------------------ */

static YvWay
way_of (const Tile *tile)
{
  return (YvWay){.kernel = YV_KERNEL_CONV_COOPMAT,
                 .tile_pixels = tile->pixels,
                 .tile_channels = tile->channels};
}

static YvWay
coopmat_way (uint32_t index)
{
  return way_of (&tiles[index]);
}

static const Tile *
tile_of (const YvWay *way)
{
  for (size_t i = 0; i < G_N_ELEMENTS (tiles); i++)
    if (tiles[i].pixels == way->tile_pixels && tiles[i].channels == way->tile_channels)
      return &tiles[i];
  g_assert_not_reached ();
}

static bool
suits (const YvNode *node, const YvLowering *lowering)
{
  const YvWeight *weight = node->conv.weight;
  const YvOperand *src = &lowering->inputs[0];

  return lowering->caps->coopmat_m > 0 && src->dtype == YV_DTYPE_F16 && weight->groups == 1 &&
         (weight->c_in <= 4 || src->cstride % 8 == 0);
}

static bool
coopmat_can (const YvWay *way, const YvNode *node, const YvLowering *lowering)
{
  return suits (node, lowering) && tile_fits (tile_of (way), lowering->caps);
}

static bool
coopmat_guess (const YvNode *node, const YvLowering *lowering, YvWay *out)
{
  const Tile *tile = suits (node, lowering) ? choose_tile (node, lowering) : NULL;

  if (tile)
    *out = way_of (tile);
  return tile != NULL;
}

static uint32_t
source_kind (const YvStep *step)
{
  if (step->node->conv.weight->c_in <= 4)
    return YV_COOPMAT_QUADS;
  return yv_conv_is_1x1 (step->node) ? YV_COOPMAT_1X1 : YV_COOPMAT_OCTS;
}

static uint32_t
coopmat_fill (const YvWay *way, const YvLowering *lowering, YvStep *step,
              struct YvConvParams *params, YvDispatch *d)
{
  const YvCaps *caps = lowering->caps;
  const YvOperand *dst = &step->dst;
  const Tile *tile = tile_of (way);
  const YvMatrixWork work = work_of (tile, step->node, dst);
  const uint64_t n_pixels = work.n_outputs / dst->c;

  params->c_in = yv_coopmat_n_channels (step->node->conv.weight);
  step->pack = YV_PACK_COOPMAT;
  d->n_spec = N_SPEC;
  d->spec[SPEC_LOCAL] = N_SUBGROUPS * caps->subgroup_size;
  d->spec[SPEC_SOURCE] = source_kind (step);
  d->spec[SPEC_FOLDS] = 1;
  d->spec[SPEC_M] = caps->coopmat_m;
  d->spec[SPEC_N] = caps->coopmat_n;
  d->spec[SPEC_K] = caps->coopmat_k;
  d->spec[SPEC_TILE_PIXELS] = tile->pixels;
  d->spec[SPEC_TILE_CHANNELS] = tile->channels;
  d->spec[SPEC_OWN_PIXELS] = tile->own_pixels;
  d->spec[SPEC_OWN_CHANNELS] = tile->own_channels;
  d->spec[SPEC_SUBGROUP] = caps->subgroup_size;
  d->spec[SPEC_STAGES] = n_stages (tile, caps);
  d->groups[0] = yv_pieces (dst->c, tile->channels);
  d->groups[1] = yv_pieces (n_pixels, tile->pixels);
  d->groups[2] = 1;
  d->pixel_dimension = 1;
  return yv_matrix_n_parts (caps, &work);
}

static bool
coopmat_lower (const YvWay *way, const YvNode *node, YvLowering *lowering, GError **error)
{
  return yv_conv_lower_step (way, node, lowering, coopmat_fill, error);
}

const YvConvFamily yv_conv_coopmat = {.n_ways = G_N_ELEMENTS (tiles),
                                      .way = coopmat_way,
                                      .can = coopmat_can,
                                      .guess = coopmat_guess,
                                      .lower = coopmat_lower};
