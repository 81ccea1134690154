/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/letterbox.c - INPUT: frames of any format become the network's input. */
#include "engine/align.h"
#include "engine/ops/op.h"
#include "shaders/params.h"

#define LOCAL 128

/* The part of the batch's operand that is one image. */
static YvOperand
one_image (const YvOperand *batch, uint32_t image)
{
  const uint64_t image_bytes =
      (uint64_t) batch->h * batch->w * batch->cstride * yv_dtype_size_bytes (batch->dtype);
  YvOperand one = *batch;

  one.n = 1;
  one.offset_bytes += image * image_bytes;
  one.size_bytes = image_bytes;
  return one;
}

static bool
lower_image (const YvNode *node, YvLowering *lowering, uint32_t image, GError **error)
{
  const YvOperand frame = {.memory = YV_MEMORY_STAGING, .dtype = YV_DTYPE_U8, .n = 1};
  const YvOperand dst = one_image (&lowering->output, image);
  YvStep *step = yv_lowering_add (lowering, node, &frame, 1, &dst);

  step->image = image;
  step->dtype = dst.dtype;
  g_free (step->name);
  step->name = g_strdup_printf ("letterbox.%u", image);
  if (lowering->caps->is_reference)
    return true;

  step->texel = yv_lowering_texel (lowering, step);
  const struct YvLetterboxParams params = {.net_w = dst.w, .net_h = dst.h};
  return yv_lowering_dispatch (lowering, step,
                               &(YvDispatch){
                                   .kernel = YV_KERNEL_LETTERBOX,
                                   .n_spec = 1,
                                   .spec = {LOCAL},
                                   .groups = {yv_pieces ((uint64_t) dst.w * dst.h, LOCAL), 1, 1},
                                   .push = &params,
                                   .n_push_bytes = sizeof params,
                                   .n_addresses = 3,
                                   .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_FRAME, YV_ADDRESS_DST},
                               },
                               error);
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
