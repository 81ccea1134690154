/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/lanes.c - convolutions on lavapipe: conv_lanes, and which of its tiles. */
#include "engine/align.h"
#include "engine/ops/conv.h"

static const YvLanes all_lanes[YV_N_LANES] = {
    {YV_KERNEL_CONV_LANES32, YV_PACK_LANES32, YV_PACK_WINOGRAD32, 32, YV_LANES32_PIXELS, 8},
    {YV_KERNEL_CONV_LANES64, YV_PACK_LANES64, YV_PACK_WINOGRAD64, 64, YV_LANES64_PIXELS, 8},
    {YV_KERNEL_CONV_LANES32X16, YV_PACK_LANES32, YV_PACK_WINOGRAD32, 32, YV_LANES32X16_PIXELS, 16},
    {YV_KERNEL_CONV_LANES64X16, YV_PACK_LANES64, YV_PACK_WINOGRAD64, 64, YV_LANES64X16_PIXELS, 16},
    {YV_KERNEL_CONV_LANES8, YV_PACK_LANES8, YV_PACK_NONE, 8, YV_LANES8_PIXELS, 8},
    {YV_KERNEL_CONV_LANES16, YV_PACK_LANES16, YV_PACK_NONE, 16, YV_LANES16_PIXELS, 8},
};

const YvLanes *
yv_lanes_at (uint32_t index)
{
  g_assert (index < G_N_ELEMENTS (all_lanes));
  return &all_lanes[index];
}

const YvLanes *
yv_lanes_of (YvKernel kernel)
{
  for (size_t i = 0; i < G_N_ELEMENTS (all_lanes); i++)
    if (all_lanes[i].kernel == kernel)
      return &all_lanes[i];
  g_assert_not_reached ();
}

/* A tile of 64 channels leaves none idle, one of 16 or 8 is for where one of 32 would have at least
 * half of its last block idle. */
static bool
suits_channels (const YvLanes *lanes, uint32_t c_out)
{
  const uint32_t of_last_block = (c_out - 1) % 32 + 1;

  if (lanes->channels == 64)
    return yv_round_up (c_out, 32) % 64 == 0;
  if (lanes->channels == 8)
    return c_out <= 8;
  return lanes->channels == 32 || (of_last_block <= 16 && c_out > 8);
}

bool
yv_lanes_can (const YvLanes *lanes, const YvLowering *lowering, uint32_t c_out)
{
  const YvCaps *caps = lowering->caps;

  return caps->texel_lanes && lanes->lanes <= caps->subgroup_size &&
         (lanes->lanes == 8 || lowering->inputs[0].dtype == YV_DTYPE_F32) &&
         suits_channels (lanes, c_out);
}

static bool
is_narrow (const YvLanes *lanes)
{
  return lanes->channels < 32;
}

/* What was measured: a tile with few channels is best where it suits; with 8 lanes 64 channels are
 * better where registers are many, with 16 lanes 32 are; but Winograd's products have few pixels,
 * and the tile of 64 is the one with few. */
const YvLanes *
yv_lanes_guess (const YvLowering *lowering, uint32_t c_out, bool is_product)
{
  const YvCaps *caps = lowering->caps;
  const uint32_t n_lanes =
      caps->subgroup_size >= 16 && lowering->inputs[0].dtype == YV_DTYPE_F32 ? 16 : 8;
  const bool prefers_64 = n_lanes == 16 ? is_product : caps->wide_lanes;
  const YvLanes *best = NULL;

  for (size_t i = 0; i < G_N_ELEMENTS (all_lanes); i++) {
    const YvLanes *lanes = &all_lanes[i];

    if (lanes->lanes != n_lanes || !yv_lanes_can (lanes, lowering, c_out) ||
        (is_product && lanes->winograd_pack == YV_PACK_NONE))
      continue;
    if (!best || prefers_64 || is_narrow (lanes))
      best = lanes;
  }
  return best;
}

/* The weight is one texel buffer of 4 elements a texel (layout: plan/pack.h). */
static bool
weight_fits (const YvCaps *caps, const YvWeight *weight, uint32_t channels)
{
  const uint64_t k = (uint64_t) weight->kernel_h * weight->kernel_w * yv_round_up (weight->c_in, 4);

  return yv_round_up (weight->c_out, channels) / 4 * (1 + k) <= caps->max_texels;
}

/* conv_lanes takes grouped weights dense. conv_tile leaves out the channels of other groups, but on
 * a CPU a product takes it 50 times as long (docs/performance.md). */
#define DENSE_LIMIT 48

static bool
groups_fit_lanes (const YvWeight *weight)
{
  return weight->c_in < DENSE_LIMIT * yv_tile_n_channels (weight);
}

static YvWay
lanes_way (uint32_t index)
{
  return (YvWay){.kernel = yv_lanes_at (index)->kernel};
}

static bool
lanes_can (const YvWay *way, const YvNode *node, const YvLowering *lowering)
{
  const YvWeight *weight = node->conv.weight;
  const YvLanes *lanes = yv_lanes_of (way->kernel);

  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (!yv_lowering_is_bindable (lowering, &lowering->inputs[i]))
      return false;
  return yv_lanes_can (lanes, lowering, weight->c_out) &&
         yv_lowering_is_bindable (lowering, &lowering->output) && groups_fit_lanes (weight) &&
         weight_fits (lowering->caps, weight, lanes->channels);
}

static bool
lanes_guess (const YvNode *node, const YvLowering *lowering, YvWay *out)
{
  const YvLanes *lanes = yv_lanes_guess (lowering, node->conv.weight->c_out, false);

  if (!lanes)
    return false;
  *out = (YvWay){.kernel = lanes->kernel};
  return lanes_can (out, node, lowering);
}

static uint32_t
lanes_fill (const YvWay *way, const YvLowering *lowering, YvStep *step, struct YvConvParams *params,
            YvDispatch *d)
{
  const YvLanes *lanes = yv_lanes_of (way->kernel);

  step->texel = true;
  step->pack = lanes->pack;
  params->weight_block =
      lanes->channels / 4 * (1 + params->kernel_w * params->kernel_h * params->c_in);
  d->n_spec = 4;
  d->spec[0] = lanes->lanes;
  d->spec[3] = yv_conv_is_1x1 (step->node);
  d->groups[0] = yv_pieces (step->node->conv.weight->c_out, lanes->channels);
  params->n_images = lowering->n;
  d->groups[1] = yv_pieces ((uint64_t) params->out_w * params->out_h * lowering->n, lanes->pixels);
  d->groups[2] = 1;
  d->pixel_dimension = 1;
  return 1;
}

static bool
lanes_lower (const YvWay *way, const YvNode *node, YvLowering *lowering, GError **error)
{
  return yv_conv_lower_step (way, node, lowering, lanes_fill, error);
}

const YvConvFamily yv_conv_lanes = {.n_ways = YV_N_LANES,
                                    .way = lanes_way,
                                    .can = lanes_can,
                                    .guess = lanes_guess,
                                    .lower = lanes_lower};
