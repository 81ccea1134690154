/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/letterbox.c - INPUT: frames of any format become the network's input, or at once what
 * its first convolution makes of that. */
#include "engine/align.h"
#include "engine/ops/op.h"
#include "shaders/params.h"

#define LOCAL 128

/* The part of the batch's operand that is one image. */
static YvOperand
one_image (const YvOperand *batch, uint32_t image)
{
  const uint64_t image_bytes = yv_operand_image_bytes (batch);
  YvOperand one = *batch;

  one.n = 1;
  one.offset_bytes += image * image_bytes;
  one.size_bytes -= (batch->n - 1) * image_bytes;
  return one;
}

static bool
dispatch_letterbox (const YvLowering *lowering, YvStep *step, GError **error)
{
  const YvOperand *dst = &step->dst;
  const struct YvLetterboxParams params = {.net_w = dst->w, .net_h = dst->h};

  step->texel = yv_lowering_texel (lowering, step);
  return yv_lowering_dispatch (lowering, step,
                               &(YvDispatch){
                                   .kernel = YV_KERNEL_LETTERBOX,
                                   .n_spec = 1,
                                   .spec = {LOCAL},
                                   .groups = {yv_pieces ((uint64_t) dst->w * dst->h, LOCAL), 1, 1},
                                   .push = &params,
                                   .n_push_bytes = sizeof params,
                                   .n_addresses = 3,
                                   .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_FRAME, YV_ADDRESS_DST},
                               },
                               error);
}

static bool
dispatch_first (const YvLowering *lowering, YvStep *step, GError **error)
{
  const YvOperand *dst = &step->dst;
  const YvNode *conv = step->node;
  const uint32_t scale = yv_first_is_reorged (conv->conv.weight) ? 2 : 1;
  const struct YvFirstParams params = {
      .net_w = lowering->w,
      .net_h = lowering->h,
      .out_w = dst->w,
      .out_h = dst->h,
      .out_cstride = dst->cstride,
      .c_out = (uint32_t) yv_round_up (dst->c, 8),
      .pad = scale * conv->conv.pad_w,
      .slope = step->act.slope,
  };

  step->pack = YV_PACK_FIRST;
  return yv_lowering_dispatch (
      lowering, step,
      &(YvDispatch){
          .kernel = YV_KERNEL_CONV_FIRST,
          .n_spec = 4,
          .spec = {YV_FIRST_LOCAL, step->act.kind, scale * conv->conv.weight->kernel_w,
                   scale * conv->conv.stride_w},
          .groups = {yv_pieces (dst->w, YV_FIRST_TILE) * yv_pieces (dst->h, YV_FIRST_TILE), 1, 1},
          .push = &params,
          .n_push_bytes = sizeof params,
          .n_addresses = 4,
          .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_FRAME, YV_ADDRESS_WEIGHT, YV_ADDRESS_DST},
      },
      error);
}

/* Its source has the size of the picture that it stands for. */
static void
make_first (const YvLowering *lowering, YvStep *step)
{
  const YvNode *conv = lowering->first;
  const YvWeight *weight = conv->conv.weight;

  step->node = conv;
  step->part = YV_PART_FIRST;
  step->act = conv->act;
  step->weight_source = weight;
  step->src[0].c = 3;
  step->src[0].h = lowering->h;
  step->src[0].w = lowering->w;
  step->flops = 2 * (uint64_t) step->dst.c * step->dst.h * step->dst.w * weight->c_in *
                weight->kernel_h * weight->kernel_w;
}

static bool
lower_image (const YvNode *node, YvLowering *lowering, uint32_t image, GError **error)
{
  const YvOperand frame = {.memory = YV_MEMORY_STAGING, .dtype = YV_DTYPE_U8, .n = 1};
  const YvOperand dst = one_image (&lowering->output, image);
  YvStep *step = yv_lowering_add (lowering, node, &frame, 1, &dst);
  const YvNode *first = lowering->first;

  step->image = image;
  step->dtype = dst.dtype;
  g_free (step->name);
  step->name =
      g_strdup_printf ("letterbox.%u%s%s", image, first ? "+" : "", first ? first->name : "");
  if (first)
    make_first (lowering, step);
  if (lowering->caps->is_reference)
    return true;
  return first ? dispatch_first (lowering, step, error)
               : dispatch_letterbox (lowering, step, error);
}

static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  for (uint32_t i = 0; i < lowering->n && !lowering->tensor_input; i++)
    if (!lower_image (node, lowering, i, error))
      return false;
  return true;
}

const YvOp yv_op_input = {.lower = lower, .channel_align = 4};
