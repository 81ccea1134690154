/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/detect.c - DETECT: all levels -> candidates above the threshold, a step a level, with
 * or without the convolution that makes its logits. */
#include "engine/align.h"
#include "engine/error.h"
#include "engine/ops/op.h"
#include "shaders/params.h"

#define LOCAL 64
#define MAX_ROWS (1u << 26) /* 32 bytes each: a candidate list of 2 GiB */

static bool
check_channels (const YvNode *node, uint32_t level, uint32_t channels, GError **error)
{
  const YvDetectSpec *spec = &node->detect;
  const uint32_t expected = (spec->decoded ? 1 : spec->n_anchors) * (5 + spec->n_classes);

  if (channels == expected && spec->n_classes > 0)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: head %u has %u channels, expected %u (%u anchors, %u classes)", node->name,
               level, channels, expected, spec->n_anchors, spec->n_classes);
  return false;
}

/* Rows of one image that come from a level. */
static uint64_t
level_rows (const YvDetectSpec *spec, uint32_t h, uint32_t w)
{
  return (uint64_t) h * w * (spec->decoded ? 1 : spec->n_anchors);
}

static bool
shape (const YvNode *node, const YvShape *in, YvShape *out, GError **error)
{
  uint64_t n_rows = 0;

  for (uint32_t i = 0; i < node->n_inputs; i++) {
    if (!check_channels (node, i, in[i].c, error))
      return false;
    n_rows += level_rows (&node->detect, in[i].h, in[i].w);
  }
  if (n_rows > MAX_ROWS) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "%s: %" G_GUINT64_FORMAT
                 " rows an image, the most is %u; use a smaller input size",
                 node->name, n_rows, MAX_ROWS);
    return false;
  }
  *out = (YvShape){5 + node->detect.n_classes, (uint32_t) n_rows, 1};
  return true;
}

static bool
dispatch (const YvLowering *lowering, YvStep *step, uint32_t first_row, uint32_t writes,
          GError **error)
{
  const YvDetectSpec *spec = &step->node->detect;
  const YvOperand *src = &step->src[0];

  step->texel = yv_lowering_texel (lowering, step);
  const struct YvDecodeParams params = {
      .grid_w = src->w,
      .grid_h = src->h,
      .cstride = src->cstride,
      .n_anchors = spec->n_anchors,
      .n_classes = spec->n_classes,
      .stride = spec->stride[step->head],
      .first_row = first_row,
      .list_bytes = lowering->list_bytes,
      .capacity = lowering->capacity,
      .anchors_offset = step->head * YV_MAX_ANCHORS * 2,
      .image_rows = lowering->output.h,
  };
  return yv_lowering_dispatch (
      lowering, step,
      &(YvDispatch){
          .kernel = YV_KERNEL_DECODE,
          .n_spec = 2,
          .spec = {LOCAL, writes},
          .groups = {yv_pieces (level_rows (spec, src->h, src->w), LOCAL), 1, lowering->n},
          .push = &params,
          .n_push_bytes = sizeof params,
          .n_addresses = 3,
          .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_THRESHOLDS, YV_ADDRESS_DST},
      },
      error);
}

static bool
dispatch_head (const YvLowering *lowering, YvStep *step, uint32_t first_row, GError **error)
{
  const YvDetectSpec *spec = &step->node->detect;
  const YvOperand *src = &step->src[0];
  const struct YvHeadParams params = {
      .grid_w = src->w,
      .grid_h = src->h,
      .cstride = src->cstride,
      .c_in = (uint32_t) yv_round_up (src->c, 4),
      .n_anchors = spec->n_anchors,
      .n_classes = spec->n_classes,
      .stride = spec->stride[step->head],
      .first_row = first_row,
      .list_bytes = lowering->list_bytes,
      .capacity = lowering->capacity,
      .anchors_offset = step->head * YV_MAX_ANCHORS * 2,
  };

  step->pack = YV_PACK_HEAD;
  return yv_lowering_dispatch (
      lowering, step,
      &(YvDispatch){
          .kernel = YV_KERNEL_HEAD_TILE,
          .n_spec = 1,
          .spec = {YV_HEAD_LOCAL},
          .groups = {yv_pieces ((uint64_t) src->h * src->w, YV_HEAD_PIXELS), spec->n_anchors,
                     lowering->n},
          .push = &params,
          .n_push_bytes = sizeof params,
          .n_addresses = 4,
          .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_WEIGHT, YV_ADDRESS_THRESHOLDS, YV_ADDRESS_DST},
      },
      error);
}

/* The candidates of a level, from what makes its logits. */
static bool
lower_head (const YvNode *node, YvLowering *lowering, uint32_t level, uint32_t first_row,
            GError **error)
{
  const YvWeight *weight = lowering->heads[level]->conv.weight;
  YvStep *step =
      yv_lowering_add (lowering, node, &lowering->inputs[level], 1, &lowering->candidates);

  step->part = YV_PART_HEAD;
  step->head = level;
  step->weight_source = weight;
  step->flops = 2 * (uint64_t) step->src[0].n * step->src[0].h * step->src[0].w * weight->c_in *
                weight->c_out;
  g_free (step->name);
  step->name = g_strdup_printf ("%s.candidates", lowering->heads[level]->name);
  return lowering->caps->is_reference || dispatch_head (lowering, step, first_row, error);
}

static bool
lower_level (const YvNode *node, YvLowering *lowering, uint32_t level, uint32_t first_row,
             const YvOperand *dst, GError **error)
{
  const bool dense = dst == lowering->rows;
  YvStep *step = yv_lowering_add (lowering, node, &lowering->inputs[level], 1, dst);

  step->head = level;
  g_free (step->name);
  step->name = g_strdup_printf ("%s.%s.%u", node->name, dense ? "rows" : "candidates", level);
  return lowering->caps->is_reference ||
         dispatch (lowering, step, first_row, dense ? YV_DECODE_ROWS : YV_DECODE_CANDIDATES, error);
}

static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  uint32_t first_row = 0;

  if (node->detect.decoded && !lowering->caps->is_reference) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "%s: %s takes logits, not decoded rows; run the pass fuse_detect", node->name,
                 lowering->caps->name);
    return false;
  }
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    if (!(lowering->heads
              ? lower_head (node, lowering, i, first_row, error)
              : lower_level (node, lowering, i, first_row, &lowering->candidates, error)))
      return false;
    if (lowering->rows && !lower_level (node, lowering, i, first_row, lowering->rows, error))
      return false;
    first_row +=
        (uint32_t) level_rows (&node->detect, lowering->inputs[i].h, lowering->inputs[i].w);
  }
  return true;
}

const YvOp yv_op_detect = {.shape = shape, .lower = lower, .channel_align = 8};
