/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/winograd.c - a convolution of 3 x 3 as input transform, 36 products, output transform
 * (winograd.h). */
#include "engine/winograd.h"

#include "engine/align.h"
#include "engine/ops/conv.h"

#define TRANSFORM_LOCAL 32

/* Scratch of a band: a whole map of yolov7-tiny, and far from what any device binds. Larger maps
 * and batches go band after band through the same memory. */
#define BAND_BYTES (16u << 20)

/* The transforms' time grows with c_in + c_out, what they save with c_in * c_out: with 40 channels
 * in and out they break even on Zen 3, with 64 the whole is 1.5 times as fast as the direct way. */
#define MIN_GAIN 24 /* of c_in * c_out / (c_in + c_out) */

/* What the steps of a convolution have in common. */
typedef struct {
  const YvNode *node;
  YvLowering *lowering;
  YvWay way;
  YvShape computed; /* of the output */
  uint32_t tiles_w, tiles_h, n_tiles;
  uint32_t c_in, c_out;    /* as stored: rounded up to 8 */
  const YvLanes *lanes;    /* of the products */
  uint32_t block_channels; /* of the weight, */
  uint64_t point_texels, block_texels;
  uint32_t band_tiles; /* done at once; their values at the points are the scratch */
  YvOperand in_points, out_points;
} Winograd;

static void
init (Winograd *w, const YvWay *way, const YvNode *node, const YvLowering *lowering)
{
  const YvWeight *weight = node->conv.weight;
  const YvShape computed = yv_conv_computed (node, &lowering->output);

  *w = (Winograd){
      .node = node,
      .way = *way,
      .computed = computed,
      .tiles_w = (uint32_t) yv_pieces (computed.w, YV_WINOGRAD_TILE),
      .tiles_h = (uint32_t) yv_pieces (computed.h, YV_WINOGRAD_TILE),
      .c_in = (uint32_t) yv_round_up (weight->c_in, 8),
      .c_out = (uint32_t) yv_round_up (weight->c_out, 8),
      .lanes = yv_lanes_of (way->kernel),
      .block_channels = yv_lanes_of (way->kernel)->channels,
  };
  w->n_tiles = lowering->n * w->tiles_w * w->tiles_h;
  w->point_texels = ((uint64_t) yv_round_up (weight->c_in, 4) + 1) * w->block_channels / 4;
  w->block_texels = YV_WINOGRAD_POINTS * w->point_texels + w->block_channels / 4;

  const uint32_t tile_bytes =
      YV_WINOGRAD_POINTS * MAX (w->c_in, w->c_out) * (uint32_t) sizeof (float);
  w->band_tiles = MIN (w->n_tiles, MAX (BAND_BYTES / tile_bytes, 1));
}

static bool
is_3x3 (const YvNode *node)
{
  const YvWeight *weight = node->conv.weight;

  return weight->kernel_h == 3 && weight->kernel_w == 3 && weight->groups == 1 &&
         node->conv.stride_h == 1 && node->conv.stride_w == 1 && node->conv.pad_h == 1 &&
         node->conv.pad_w == 1;
}

/* The pictures, the values at the points of a tile or more, and the weight, each in one buffer. */
static bool
all_bindable (const YvWay *way, const YvNode *node, const YvLowering *lowering)
{
  const YvCaps *caps = lowering->caps;
  Winograd w;

  init (&w, way, node, lowering);
  const uint64_t n_blocks = yv_pieces (w.c_out, w.block_channels);
  const uint64_t tile_texels = (uint64_t) YV_WINOGRAD_POINTS * MAX (w.c_in, w.c_out) / 4;
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (!yv_lowering_is_bindable (lowering, &lowering->inputs[i]))
      return false;
  return yv_lowering_is_bindable (lowering, &lowering->output) &&
         n_blocks * w.block_texels <= caps->max_texels &&
         MAX (BAND_BYTES / 16, tile_texels) <=
             MIN (caps->max_texels, caps->max_storage_range_bytes / 16);
}

static YvWay
winograd_way (uint32_t index)
{
  const YvLanes *lanes = yv_lanes_at (index);

  g_assert (lanes->winograd_pack != YV_PACK_NONE);
  return (YvWay){.kernel = lanes->kernel, .winograd = true};
}

static bool
winograd_can (const YvWay *way, const YvNode *node, const YvLowering *lowering)
{
  return is_3x3 (node) && lowering->inputs[0].dtype == YV_DTYPE_F32 &&
         yv_lanes_can (yv_lanes_of (way->kernel), lowering, node->conv.weight->c_out) &&
         all_bindable (way, node, lowering);
}

static bool
winograd_guess (const YvNode *node, const YvLowering *lowering, YvWay *out)
{
  const YvWeight *weight = node->conv.weight;
  const uint64_t gain = (uint64_t) weight->c_in * weight->c_out / (weight->c_in + weight->c_out);

  const YvLanes *lanes = yv_lanes_guess (lowering, weight->c_out, true);

  if (!lanes)
    return false;
  *out = (YvWay){.kernel = lanes->kernel, .winograd = true};
  return lowering->caps->winograd && gain >= MIN_GAIN && winograd_can (out, node, lowering);
}

/* Tiles done at once, and their values at the points. */
typedef struct {
  uint32_t first_tile, n_tiles;
  YvOperand in_points, out_points;
} Band;

static struct YvWinogradParams
transform_params (const Winograd *w, const Band *band, const YvOperand *picture,
                  const YvOperand *points, uint32_t channels)
{
  return (struct YvWinogradParams){
      .w = w->computed.w, /* of the input, too */
      .h = w->computed.h,
      .tiles_w = w->tiles_w,
      .tiles_h = w->tiles_h,
      .first_tile = band->first_tile,
      .n_tiles = band->n_tiles,
      .channels = channels,
      .cstride = picture->cstride,
      .point_cstride = points->cstride,
      .block_channels = w->block_channels,
      .weight_block = (uint32_t) w->block_texels,
      .weight_bias = (uint32_t) (w->block_texels - w->block_channels / 4),
  };
}

static YvStep *
add_step (const Winograd *w, YvPart part, const YvOperand *srcs, uint32_t n_srcs,
          const YvOperand *dst)
{
  YvStep *step = yv_lowering_add (w->lowering, w->node, srcs, n_srcs, dst);

  step->part = part;
  step->way = w->way;
  step->texel = true;
  return step;
}

static uint64_t
transform_groups (const Band *band, uint32_t channels)
{
  return yv_pieces ((uint64_t) band->n_tiles * channels / 8, TRANSFORM_LOCAL);
}

static bool
add_input (const Winograd *w, const Band *band, GError **error)
{
  const YvOperand *src = &w->lowering->inputs[0];
  const struct YvWinogradParams params = transform_params (w, band, src, &band->in_points, w->c_in);
  YvStep *step = add_step (w, YV_PART_WINOGRAD_INPUT, src, 1, &band->in_points);

  return yv_lowering_dispatch (w->lowering, step,
                               &(YvDispatch){
                                   .kernel = YV_KERNEL_WINOGRAD_INPUT,
                                   .n_spec = 1,
                                   .spec = {TRANSFORM_LOCAL},
                                   .groups = {transform_groups (band, w->c_in), 1, 1},
                                   .push = &params,
                                   .n_push_bytes = sizeof params,
                                   .n_addresses = 3,
                                   .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_NONE, YV_ADDRESS_DST},
                               },
                               error);
}

/* Those of the direct way; tiles at the border count as far as they lie in the picture. */
static uint64_t
flops_of_tiles (const Winograd *w, const Band *band)
{
  const YvWeight *weight = w->node->conv.weight;
  const YvOperand *dst = &w->lowering->output;
  const uint64_t of_all =
      2 * (uint64_t) dst->n * weight->c_out * w->computed.h * w->computed.w * weight->c_in * 9;
  const uint64_t end = band->first_tile + band->n_tiles;

  return of_all * end / w->n_tiles - of_all * band->first_tile / w->n_tiles;
}

static bool
add_product (const Winograd *w, const Band *band, GError **error)
{
  const struct YvConvParams params = {
      .in_w = band->n_tiles,
      .in_h = 1,
      .out_w = band->n_tiles,
      .out_h = 1,
      .in_cstride = band->in_points.cstride,
      .out_cstride = band->out_points.cstride,
      .c_in = (uint32_t) yv_round_up (w->node->conv.weight->c_in, 4),
      .c_out = w->c_out,
      .kernel_w = 1,
      .kernel_h = 1,
      .stride_w = 1,
      .stride_h = 1,
      .weight_block = (uint32_t) w->block_texels,
      .weight_point = (uint32_t) w->point_texels,
      .n_images = 1,
  };
  YvStep *step = add_step (w, YV_PART_WINOGRAD_PRODUCT, &band->in_points, 1, &band->out_points);

  step->weight_source = w->node->conv.weight;
  step->pack = w->lanes->winograd_pack;
  step->flops = flops_of_tiles (w, band);
  return yv_lowering_dispatch (
      w->lowering, step,
      &(YvDispatch){
          .kernel = w->lanes->kernel,
          .n_spec = 4,
          .spec = {w->lanes->lanes, YV_ACT_NONE, false, true},
          .groups = {yv_pieces (w->c_out, w->lanes->channels),
                     yv_pieces (band->n_tiles, w->lanes->pixels), YV_WINOGRAD_POINTS},
          .pixel_dimension = 1,
          .push = &params,
          .n_push_bytes = sizeof params,
          .n_addresses = 3,
          .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_WEIGHT, YV_ADDRESS_DST},
      },
      error);
}

/* It reads the biases of the same weight. */
static bool
add_output (const Winograd *w, const Band *band, GError **error)
{
  const YvOperand *dst = &w->lowering->output;
  struct YvWinogradParams params = transform_params (w, band, dst, &band->out_points, w->c_out);
  const bool has_residual = w->node->n_inputs > 1;
  const YvOperand srcs[] = {band->out_points, w->lowering->inputs[has_residual]};
  YvStep *step = add_step (w, YV_PART_WINOGRAD_OUTPUT, srcs, w->node->n_inputs, dst);

  params.slope = w->node->act.slope;
  params.residual_cstride = has_residual ? srcs[1].cstride : 0;
  step->act = w->node->act;
  step->weight_source = w->node->conv.weight;
  step->pack = w->lanes->winograd_pack;
  return yv_lowering_dispatch (
      w->lowering, step,
      &(YvDispatch){
          .kernel = YV_KERNEL_WINOGRAD_OUTPUT,
          .n_spec = 3,
          .spec = {TRANSFORM_LOCAL, step->act.kind, yv_conv_epilogue (w->node, step)},
          .groups = {transform_groups (band, w->c_out), 1, 1},
          .push = &params,
          .n_push_bytes = sizeof params,
          .n_addresses = 4,
          .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_WEIGHT, YV_ADDRESS_DST,
                        has_residual ? YV_ADDRESS_SRC1 : YV_ADDRESS_NONE},
      },
      error);
}

/* The values of a band's tiles in the scratch that all bands share. */
static YvOperand
points_of_band (const YvOperand *points, uint32_t n_tiles)
{
  YvOperand of_band = *points;

  of_band.w = n_tiles;
  of_band.size_bytes = points->size_bytes / points->w * n_tiles;
  return of_band;
}

static bool
winograd_lower (const YvWay *way, const YvNode *node, YvLowering *lowering, GError **error)
{
  const YvWeight *weight = node->conv.weight;
  Winograd w;

  init (&w, way, node, lowering);
  w.lowering = lowering;
  w.in_points =
      yv_lowering_scratch (lowering, YV_DTYPE_F32, YV_WINOGRAD_POINTS, weight->c_in, w.band_tiles);
  w.out_points =
      yv_lowering_scratch (lowering, YV_DTYPE_F32, YV_WINOGRAD_POINTS, weight->c_out, w.band_tiles);
  for (uint32_t first = 0; first < w.n_tiles; first += w.band_tiles) {
    const uint32_t n_tiles = MIN (w.band_tiles, w.n_tiles - first);
    const Band band = {
        .first_tile = first,
        .n_tiles = n_tiles,
        .in_points = points_of_band (&w.in_points, n_tiles),
        .out_points = points_of_band (&w.out_points, n_tiles),
    };

    if (!add_input (&w, &band, error) || !add_product (&w, &band, error) ||
        !add_output (&w, &band, error))
      return false;
  }
  return true;
}

const YvConvFamily yv_conv_winograd = {.n_ways = YV_N_WINOGRAD_LANES,
                                       .way = winograd_way,
                                       .can = winograd_can,
                                       .guess = winograd_guess,
                                       .lower = winograd_lower};
