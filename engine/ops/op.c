/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/op.c - the table of ops, and the shapes that several of them share. */
#include "engine/ops/op.h"

static const YvOp *const ops[YV_N_OPS] = {
    [YV_OP_INPUT] = &yv_op_input,     [YV_OP_CONV] = &yv_op_conv,
    [YV_OP_AFFINE] = &yv_op_affine,   [YV_OP_ACT] = &yv_op_act,
    [YV_OP_MAXPOOL] = &yv_op_maxpool, [YV_OP_UPSAMPLE] = &yv_op_upsample,
    [YV_OP_CONCAT] = &yv_op_concat,   [YV_OP_ADD] = &yv_op_add,
    [YV_OP_REORG] = &yv_op_reorg,     [YV_OP_DECODE] = &yv_op_decode,
    [YV_OP_DETECT] = &yv_op_detect,
};

const YvOp *
yv_op (YvOpKind kind)
{
  g_assert (kind < YV_N_OPS);
  return ops[kind];
}

bool
yv_op_shape_same (const YvNode *node, const YvShape *in, YvShape *out, GError **error)
{
  (void) node;
  (void) error;
  *out = in[0];
  return true;
}

bool
yv_op_window (uint32_t in, uint32_t kernel, uint32_t stride, uint32_t pad, uint32_t *out)
{
  const uint64_t padded = (uint64_t) in + 2 * (uint64_t) pad;

  g_assert (kernel > 0 && stride > 0);
  if (padded < kernel)
    return false;

  *out = (uint32_t) ((padded - kernel) / stride + 1);
  return true;
}
