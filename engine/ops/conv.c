/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/conv.c - CONV: act (W * x + b). */
#include "engine/ops/conv.h"

#include "engine/align.h"
#include "engine/error.h"
#include "engine/plan/way.h"

static bool
check_residual (const YvNode *node, const YvShape *in, const YvShape *out, GError **error)
{
  if (node->n_inputs < 2 || (in[1].c == out->c && in[1].h == out->h && in[1].w == out->w))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: adds [%u,%u,%u] and [%u,%u,%u], which must be equal", node->name, out->c,
               out->h, out->w, in[1].c, in[1].h, in[1].w);
  return false;
}

/* The limit is that of UPSAMPLE. */
static bool
enlarge (const YvNode *node, YvShape *out, GError **error)
{
  if (!node->conv.is_doubled)
    return true;
  if (out->h > YV_MAX_SIDE_PX / 2 || out->w > YV_MAX_SIDE_PX / 2) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: %ux%u enlarged by 2 is more than %d px a side", node->name, out->h, out->w,
                 YV_MAX_SIDE_PX);
    return false;
  }
  out->h *= 2;
  out->w *= 2;
  return true;
}

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
    return check_residual (node, in, out, error) && enlarge (node, out, error);

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
  const uint64_t n_stored = (uint64_t) out->h * out->w;
  const uint64_t n_pixels = node->conv.is_doubled ? n_stored / 4 : n_stored;

  return 2 * out->c * n_pixels * (weight->c_in / weight->groups) * weight->kernel_h *
         weight->kernel_w;
}

YvShape
yv_conv_computed (const YvNode *node, const YvOperand *output)
{
  const uint32_t factor = node->conv.is_doubled ? 2 : 1;

  return (YvShape){output->c, output->h / factor, output->w / factor};
}

bool
yv_conv_has_epilogue (const YvNode *node)
{
  return node->n_inputs > 1 || node->conv.is_doubled;
}

uint32_t
yv_conv_epilogue (const YvNode *node, const YvStep *step)
{
  const bool is_f32 = step->dst.dtype == YV_DTYPE_F32 && step->dtype != YV_DTYPE_F32;

  return (is_f32 ? YV_EPILOGUE_F32 : 0) | (step->n_srcs > 1 ? YV_EPILOGUE_RESIDUAL : 0) |
         (step->n_srcs > 1 && node->conv.act_last ? YV_EPILOGUE_ACT_LAST : 0) |
         (node->conv.is_doubled ? YV_EPILOGUE_DOUBLED : 0);
}

bool
yv_conv_is_1x1 (const YvNode *node)
{
  const YvWeight *weight = node->conv.weight;

  return weight->kernel_h == 1 && weight->kernel_w == 1 && node->conv.stride_h == 1 &&
         node->conv.stride_w == 1 && node->conv.pad_h == 0 && node->conv.pad_w == 0;
}

/* ---- a step ---------------------------------------------------------------------------------- */

static struct YvConvParams
make_params (const YvNode *node, const YvStep *step)
{
  const YvWeight *weight = node->conv.weight;
  const YvOperand *src = &step->src[0], *dst = &step->dst;
  const YvShape computed = yv_conv_computed (node, dst);

  return (struct YvConvParams){
      .in_w = src->w,
      .in_h = src->h,
      .out_w = computed.w,
      .out_h = computed.h,
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
      .residual_cstride = step->n_srcs > 1 ? step->src[1].cstride : 0,
  };
}

bool
yv_conv_lower_step (const YvWay *way, const YvNode *node, YvLowering *lowering, YvConvFill fill,
                    GError **error)
{
  YvStep *step =
      yv_lowering_add (lowering, node, lowering->inputs, node->n_inputs, &lowering->output);
  const YvShape out = {step->dst.c, step->dst.h, step->dst.w};

  step->way = *way;
  step->act = node->act;
  step->weight_source = node->conv.weight;
  step->flops = lowering->n * flops (node, NULL, &out);
  if (lowering->caps->is_reference)
    return true;

  struct YvConvParams params = make_params (node, step);
  YvDispatch d = {
      .kernel = way->kernel,
      .push = &params,
      .n_push_bytes = sizeof params,
      .n_addresses = 4,
      .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_WEIGHT, YV_ADDRESS_DST,
                    step->n_srcs > 1 ? YV_ADDRESS_SRC1 : YV_ADDRESS_NONE},
  };
  const uint32_t n_parts = fill (way, lowering, step, &params, &d);
  if (n_parts > 1 && !yv_conv_has_epilogue (node)) /* conv_sum has none */
    return yv_split_lower (lowering, step, &d, n_parts, error);
  d.spec[1] = step->act.kind;
  d.spec[2] = yv_conv_epilogue (node, step);
  return yv_lowering_dispatch (lowering, step, &d, error);
}

/* ---- conv_tile ------------------------------------------------------------------------------- */

static YvWay
tile_way (uint32_t index G_GNUC_UNUSED)
{
  return (YvWay){.kernel = YV_KERNEL_CONV_TILE};
}

static bool
tile_can (const YvWay *way G_GNUC_UNUSED, const YvNode *node G_GNUC_UNUSED,
          const YvLowering *lowering G_GNUC_UNUSED)
{
  return true;
}

static bool
tile_guess (const YvNode *node G_GNUC_UNUSED, const YvLowering *lowering G_GNUC_UNUSED, YvWay *out)
{
  *out = tile_way (0);
  return true;
}

static uint32_t
tile_steps (const struct YvConvParams *params)
{
  return (uint32_t) yv_pieces ((uint64_t) params->kernel_w * params->kernel_h * params->c_in,
                               YV_TILE_K);
}

static uint32_t
tile_fill (const YvWay *way G_GNUC_UNUSED, const YvLowering *lowering, YvStep *step,
           struct YvConvParams *params, YvDispatch *d)
{
  const YvWeight *weight = step->node->conv.weight;
  const uint32_t channels =
      weight->c_out <= YV_TILE_CHANNELS / 2 ? YV_TILE_CHANNELS / 2 : YV_TILE_CHANNELS;

  params->c_in = yv_tile_n_channels (weight);
  step->pack = YV_PACK_TILE;
  d->n_spec = 4;
  d->spec[0] = YV_TILE_LOCAL;
  d->spec[3] = channels;
  d->groups[0] = yv_pieces ((uint64_t) params->out_w * params->out_h, YV_TILE_OUTPUTS / channels);
  d->groups[1] = yv_pieces (weight->c_out, channels);
  d->groups[2] = lowering->n;
  return weight->groups > 1
             ? 1
             : yv_split_n_parts (lowering->caps, d->groups[0] * d->groups[1] * d->groups[2],
                                 tile_steps (params));
}

static bool
tile_lower (const YvWay *way, const YvNode *node, YvLowering *lowering, GError **error)
{
  return yv_conv_lower_step (way, node, lowering, tile_fill, error);
}

const YvConvFamily yv_conv_tile = {
    .n_ways = 1, .way = tile_way, .can = tile_can, .guess = tile_guess, .lower = tile_lower};

/* ---- the choice ------------------------------------------------------------------------------ */

/* Where nobody measured the first that guesses is taken; conv_tile always does. */
static const YvConvFamily *const families[] = {&yv_conv_winograd, &yv_conv_lanes, &yv_conv_coopmat2,
                                               &yv_conv_coopmat, &yv_conv_tile};

/* The family of the way at *@index, which is counted down to the family's own. */
static const YvConvFamily *
family_at (uint32_t *index)
{
  uint32_t i = 0;

  while (*index >= families[i]->n_ways) {
    *index -= families[i++]->n_ways;
    g_assert (i < G_N_ELEMENTS (families));
  }
  return families[i];
}

uint32_t
yv_conv_n_ways (void)
{
  uint32_t n = 0;

  for (size_t i = 0; i < G_N_ELEMENTS (families); i++)
    n += families[i]->n_ways;
  return n;
}

YvWay
yv_conv_way (uint32_t index)
{
  const YvConvFamily *family = family_at (&index);

  return family->way (index);
}

/* The family that has @way and can; NULL: none. */
static const YvConvFamily *
family_of (const YvWay *way, const YvNode *node, const YvLowering *lowering)
{
  for (uint32_t i = 0; i < yv_conv_n_ways (); i++) {
    uint32_t own = i;
    const YvConvFamily *family = family_at (&own);
    const YvWay other = family->way (own);

    if (yv_way_equal (way, &other))
      return family->can (way, node, lowering) ? family : NULL;
  }
  return NULL;
}

/* What the table of ways has for this shape, if that can be done here: another build, or another
 * place of the operands, may have been what was measured. */
static const YvConvFamily *
find_measured (const YvNode *node, const YvLowering *lowering, YvWay *out)
{
  if (!lowering->ways)
    return NULL;
  g_autofree char *shape = yv_way_shape (node, &lowering->inputs[0], &lowering->output);

  if (!yv_ways_find (lowering->ways, shape, lowering->n, out))
    return NULL;
  return family_of (out, node, lowering);
}

static const YvConvFamily *
guess (const YvNode *node, const YvLowering *lowering, YvWay *out)
{
  for (size_t i = 0; i < G_N_ELEMENTS (families); i++)
    if (families[i]->guess (node, lowering, out))
      return families[i];
  g_assert_not_reached ();
}

/* Was it found to compute something else, or to take the device down? Never so of conv_tile. */
static bool
is_refused (const YvNode *node, const YvLowering *lowering, const YvWay *way)
{
  if (!lowering->ways)
    return false;
  g_autofree char *shape = yv_way_shape (node, &lowering->inputs[0], &lowering->output);

  return yv_ways_refused (lowering->ways, shape, way);
}

static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  YvWay way = {0};

  if (lowering->caps->is_reference)
    return yv_conv_lower_step (&way, node, lowering, NULL, error);

  const YvConvFamily *family = find_measured (node, lowering, &way);
  if (!family)
    family = guess (node, lowering, &way);
  if (is_refused (node, lowering, &way)) {
    family = &yv_conv_tile;
    way = tile_way (0);
  }
  return family->lower (&way, node, lowering, error);
}

const YvOp yv_op_conv = {.shape = shape, .flops = flops, .lower = lower, .channel_align = 8};
