/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/add.c - ADD: act (sum of the inputs), two at a time. */
#include "engine/error.h"
#include "engine/ops/op.h"

static bool
shape (const YvNode *node, const YvShape *in, YvShape *out, GError **error)
{
  for (uint32_t i = 1; i < node->n_inputs; i++) {
    if (in[i].c == in[0].c && in[i].h == in[0].h && in[i].w == in[0].w)
      continue;
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: adds [%u,%u,%u] and [%u,%u,%u], which must be equal", node->name, in[0].c,
                 in[0].h, in[0].w, in[i].c, in[i].h, in[i].w);
    return false;
  }
  *out = in[0];
  return true;
}

/* The sum so far lies in the output: a third input is added to it in place, which is safe because
 * each element is read and written by the same invocation. */
static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  const uint32_t n_inputs = node->n_inputs;

  for (uint32_t next = 1; next < MAX (n_inputs, 2); next++) {
    const YvOperand srcs[] = {
        next == 1 ? lowering->inputs[0] : lowering->output,
        lowering->inputs[MIN (next, n_inputs - 1)],
    };
    YvStep *step = yv_lowering_add (lowering, node, srcs, MIN (n_inputs, 2), &lowering->output);

    if (next + 1 >= n_inputs)
      step->act = node->act;
    if (!yv_lowering_eltwise (lowering, step, error))
      return false;
  }
  return true;
}

const YvOp yv_op_add = {.shape = shape, .lower = lower, .channel_align = 8};
