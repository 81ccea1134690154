/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/decode.c - DECODE: logits of one level -> rows; the reference's, before fuse_detect.
 */
#include "engine/error.h"
#include "engine/ops/op.h"

static bool
shape (const YvNode *node, const YvShape *in, YvShape *out, GError **error)
{
  const YvDetectSpec *spec = &node->detect;
  const uint32_t row_elems = 5 + spec->n_classes;

  if (in->c != spec->n_anchors * row_elems) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: a head has %u channels, expected %u anchors * (5 + %u classes)", node->name,
                 in->c, spec->n_anchors, spec->n_classes);
    return false;
  }
  *out = (YvShape){row_elems, spec->n_anchors * in->h, in->w};
  return true;
}

static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  if (!lowering->caps->is_reference) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "%s: %s decodes only as part of detect; run the pass fuse_detect", node->name,
                 lowering->caps->name);
    return false;
  }
  yv_lowering_add (lowering, node, lowering->inputs, 1, &lowering->output);
  return true;
}

const YvOp yv_op_decode = {.shape = shape, .lower = lower, .channel_align = 1};
