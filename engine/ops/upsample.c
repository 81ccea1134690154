/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/upsample.c - UPSAMPLE: nearest, by an integer factor. */
#include "engine/error.h"
#include "engine/ops/op.h"

static bool
shape (const YvNode *node, const YvShape *in, YvShape *out, GError **error)
{
  const uint64_t factor = node->upsample.factor;

  if (in->h * factor > YV_MAX_SIDE_PX || in->w * factor > YV_MAX_SIDE_PX) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: %ux%u enlarged by %u is more than %d px a side", node->name, in->h, in->w,
                 node->upsample.factor, YV_MAX_SIDE_PX);
    return false;
  }
  *out = (YvShape){in->c, (uint32_t) (in->h * factor), (uint32_t) (in->w * factor)};
  return true;
}

static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  YvStep *step = yv_lowering_add (lowering, node, lowering->inputs, 1, &lowering->output);

  return yv_lowering_resample (lowering, step,
                               &(YvResample){
                                   .kernel = YV_KERNEL_UPSAMPLE,
                                   .walked = &step->src[0],
                                   .factor = node->upsample.factor,
                               },
                               error);
}

const YvOp yv_op_upsample = {.shape = shape, .lower = lower, .channel_align = 8};
