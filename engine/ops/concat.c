/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/concat.c - CONCAT: inputs that elide_concat did not place are copied to their place.
 */
#include "engine/align.h"
#include "engine/error.h"
#include "engine/ops/op.h"

static bool
shape (const YvNode *node, const YvShape *in, YvShape *out, GError **error)
{
  uint64_t channels = 0;

  for (uint32_t i = 0; i < node->n_inputs; i++) {
    if (in[i].h != in[0].h || in[i].w != in[0].w) {
      g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                   "%s: input 0 is %ux%u, input %u is %ux%u; a concat wants equal sizes",
                   node->name, in[0].h, in[0].w, i, in[i].h, in[i].w);
      return false;
    }
    channels += in[i].c;
  }
  if (channels != node->c_out) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: its inputs have %" G_GUINT64_FORMAT " channels, expected %u", node->name,
                 channels, node->c_out);
    return false;
  }
  *out = (YvShape){node->c_out, in[0].h, in[0].w};
  return true;
}

/* Channels [c_first, c_first + c) of the output. */
static YvOperand
slice (const YvOperand *output, uint32_t c_first, uint32_t c)
{
  const uint64_t elem_bytes = yv_dtype_size_bytes (output->dtype);
  const uint64_t last_pixel = (uint64_t) output->n * output->h * output->w - 1;
  const uint32_t end = MIN (c_first + (uint32_t) yv_round_up (c, 8), output->cstride);
  YvOperand part = *output;

  part.c = c;
  part.offset_bytes += c_first * elem_bytes;
  part.size_bytes = MIN (output->size_bytes - c_first * elem_bytes,
                         (last_pixel * output->cstride + (end - c_first)) * elem_bytes);
  return part;
}

static bool
starts_at_8_channels (const YvOperand *operand)
{
  return operand->offset_bytes % (8 * yv_dtype_size_bytes (operand->dtype)) == 0 &&
         operand->cstride % 8 == 0;
}

/* May the copy go by 8 channels? Then it writes up to the next multiple of 8, which must not be
 * the place of the next input. */
static bool
is_aligned (const YvStep *step, bool is_last)
{
  return starts_at_8_channels (&step->src[0]) && starts_at_8_channels (&step->dst) &&
         (step->dst.c % 8 == 0 || is_last);
}

static bool
lower_copy (YvLowering *lowering, YvStep *step, bool is_last, GError **error)
{
  return yv_lowering_resample (lowering, step,
                               &(YvResample){
                                   .kernel = YV_KERNEL_COPY,
                                   .walked = &step->dst,
                                   .unaligned = !is_aligned (step, is_last),
                               },
                               error);
}

static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  uint32_t c_first = 0;

  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const YvOperand *src = &lowering->inputs[i];
    const YvOperand dst = slice (&lowering->output, c_first, src->c);

    c_first += src->c;
    if (src->offset_bytes == dst.offset_bytes && src->cstride == dst.cstride)
      continue; /* its producer wrote it here */

    YvStep *step = yv_lowering_add (lowering, node, src, 1, &dst);
    g_free (step->name);
    step->name = g_strdup_printf ("%s[%u]", node->name, i);
    if (!lower_copy (lowering, step, i + 1 == node->n_inputs, error))
      return false;
  }
  return true;
}

const YvOp yv_op_concat = {.shape = shape, .lower = lower, .channel_align = 8};
