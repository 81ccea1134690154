/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/conv.c - CONV: act (W * x + b). */
#include "engine/ops/conv.h"

#include "engine/align.h"
#include "engine/error.h"
#include "shaders/params.h"

static bool
shape (const YvNode *node, const YvShape *in, YvShape *out, GError **error)
{
  const YvWeight *weight = node->conv.weight;

  if (in->c != weight->c_in) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: weight is for %u input channels, its input has %u", node->name, weight->c_in,
                 in->c);
    return false;
  }
  out->c = weight->c_out;
  if (yv_op_window (in->h, weight->kernel_h, node->conv.stride_h, node->conv.pad_h, &out->h) &&
      yv_op_window (in->w, weight->kernel_w, node->conv.stride_w, node->conv.pad_w, &out->w))
    return true;

  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: a %ux%u kernel does not fit into its input of %ux%u with padding %u, %u; use a "
               "larger input size",
               node->name, weight->kernel_h, weight->kernel_w, in->h, in->w, node->conv.pad_h,
               node->conv.pad_w);
  return false;
}

static uint64_t
flops (const YvNode *node, const YvShape *in, const YvShape *out)
{
  const YvWeight *weight = node->conv.weight;

  (void) in;
  return 2 * (uint64_t) out->c * out->h * out->w * (weight->c_in / weight->groups) *
         weight->kernel_h * weight->kernel_w;
}

static bool
is_1x1 (const YvNode *node)
{
  const YvWeight *weight = node->conv.weight;

  return weight->kernel_h == 1 && weight->kernel_w == 1 && node->conv.stride_h == 1 &&
         node->conv.stride_w == 1 && node->conv.pad_h == 0 && node->conv.pad_w == 0;
}

/* 64 channels a workgroup only where they leave none idle. */
uint32_t
yv_lanes_channels (const YvCaps *caps, uint32_t c_out)
{
  return caps->wide_lanes && yv_round_up (c_out, 32) % 64 == 0 ? 64 : 32;
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

static struct YvConvParams
make_params (const YvNode *node, const YvStep *step)
{
  const YvWeight *weight = node->conv.weight;
  const YvOperand *src = &step->src[0], *dst = &step->dst;

  return (struct YvConvParams){
      .in_w = src->w,
      .in_h = src->h,
      .out_w = dst->w,
      .out_h = dst->h,
      .in_cstride = src->cstride,
      .out_cstride = dst->cstride,
      .c_in = (uint32_t) yv_round_up (weight->c_in, 4),
      .c_out = (uint32_t) yv_round_up (weight->c_out, 8),
      .kernel_w = weight->kernel_w,
      .kernel_h = weight->kernel_h,
      .stride_w = node->conv.stride_w,
      .stride_h = node->conv.stride_h,
      .pad_w = node->conv.pad_w,
      .pad_h = node->conv.pad_h,
      .slope = step->act.slope,
      .group_in = weight->c_in / weight->groups,
      .group_out = weight->c_out / weight->groups,
      .src_channels = (uint32_t) yv_round_up (weight->c_in, 4),
      .n_images = step->dst.n,
  };
}

static bool
dispatch (YvLowering *lowering, YvStep *step, const YvNode *node, GError **error)
{
  const YvWeight *weight = node->conv.weight;
  struct YvConvParams params = make_params (node, step);
  const uint64_t n_pixels = (uint64_t) params.out_w * params.out_h;
  const uint32_t channels = yv_lanes_channels (lowering->caps, weight->c_out);
  YvDispatch d = {
      .push = &params,
      .n_push_bytes = sizeof params,
      .n_addresses = 3,
      .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_WEIGHT, YV_ADDRESS_DST},
  };

  step->texel = yv_lowering_texel (lowering, step) && groups_fit_lanes (weight) &&
                weight_fits (lowering->caps, weight, channels);
  if (step->texel) {
    params.weight_block = channels / 4 * (1 + params.kernel_w * params.kernel_h * params.c_in);
    const uint32_t pixels = channels == 64 ? YV_LANES64_PIXELS : YV_LANES32_PIXELS;

    step->pack = channels == 64 ? YV_PACK_LANES64 : YV_PACK_LANES32;
    d.kernel = channels == 64 ? YV_KERNEL_CONV_LANES64 : YV_KERNEL_CONV_LANES32;
    d.n_spec = 4;
    d.spec[0] = YV_LANES_LOCAL;
    d.spec[3] = is_1x1 (node);
    d.groups[0] = yv_pieces (weight->c_out, channels);
    d.groups[1] = yv_pieces (n_pixels, pixels);
    d.groups[2] = lowering->n;
    d.pixel_dimension = 1;
  } else if (yv_coopmat_suits (lowering->caps, node, step)) {
    params.c_in = yv_coopmat_n_channels (weight);
    step->pack = YV_PACK_COOPMAT;
    yv_coopmat_dispatch (lowering->caps, step, is_1x1 (node), &d);
  } else {
    params.c_in = yv_tile_n_channels (weight);
    step->pack = YV_PACK_TILE;
    d.kernel = YV_KERNEL_CONV_TILE;
    d.n_spec = 3;
    d.spec[0] = YV_TILE_LOCAL;
    d.groups[0] = yv_pieces (n_pixels, YV_TILE_PIXELS);
    d.groups[1] = yv_pieces (weight->c_out, YV_TILE_CHANNELS);
    d.groups[2] = lowering->n;
  }
  d.spec[1] = step->act.kind;
  d.spec[2] = step->dst.dtype == YV_DTYPE_F32 && step->dtype != YV_DTYPE_F32;
  return yv_lowering_dispatch (lowering, step, &d, error);
}

static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  if (yv_winograd_suits (lowering, node))
    return yv_winograd_lower (node, lowering, error);

  YvStep *step = yv_lowering_add (lowering, node, lowering->inputs, 1, &lowering->output);
  const YvShape out = {step->dst.c, step->dst.h, step->dst.w};

  step->act = node->act;
  step->weight_source = node->conv.weight;
  step->flops = lowering->n * flops (node, NULL, &out);
  return lowering->caps->is_reference || dispatch (lowering, step, node, error);
}

const YvOp yv_op_conv = {.shape = shape, .flops = flops, .lower = lower, .channel_align = 8};
