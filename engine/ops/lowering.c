/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/lowering.c - how steps are made, whatever the op: operands, bindings, dispatch. */
#include <string.h>

#include "engine/align.h"
#include "engine/error.h"
#include "engine/ops/op.h"
#include "engine/plan/cstride.h"
#include "shaders/params.h"

/* Kernels go by 8 channels. */
#define CHANNELS_PER_INVOCATION 8
#define ELTWISE_LOCAL 32
#define RESAMPLE_LOCAL 32

#define FOLDS_CONSTANT 4 /* of tensor.glsl */

YvStep *
yv_lowering_add (YvLowering *lowering, const YvNode *node, const YvOperand *srcs, uint32_t n_srcs,
                 const YvOperand *dst)
{
  const YvStep zero = {0};

  g_assert (n_srcs <= YV_MAX_STEP_SRCS);
  g_array_append_val (lowering->steps, zero);

  YvStep *step = &g_array_index (lowering->steps, YvStep, lowering->steps->len - 1);
  step->node = node;
  step->op = node->op;
  step->name = g_strdup (node->name);
  for (uint32_t i = 0; i < n_srcs; i++)
    step->src[i] = srcs[i];
  step->n_srcs = n_srcs;
  step->dst = *dst;
  step->dtype = n_srcs ? srcs[0].dtype : dst->dtype;
  step->groups[0] = step->groups[1] = step->groups[2] = 1;
  return step;
}

YvOperand
yv_lowering_scratch (YvLowering *lowering, YvDType dtype, uint32_t n, uint32_t c, uint32_t w)
{
  const uint64_t value = lowering->first_scratch + lowering->scratch_bytes->len;
  const uint32_t cstride =
      yv_cstride (lowering->caps, c, CHANNELS_PER_INVOCATION, yv_dtype_size_bytes (dtype));
  const uint64_t size_bytes = (uint64_t) n * w * cstride * yv_dtype_size_bytes (dtype);

  g_array_append_val (lowering->scratch_bytes, size_bytes);
  return (YvOperand){
      .memory = YV_MEMORY_ARENA,
      .dtype = dtype,
      .offset_bytes = value << YV_VALUE_SHIFT,
      .size_bytes = size_bytes,
      .n = n,
      .c = c,
      .h = 1,
      .w = w,
      .cstride = cstride,
  };
}

static uint64_t
descriptor_align_bytes (const YvCaps *caps)
{
  return caps->slice_align_bytes ? caps->slice_align_bytes : caps->align_bytes;
}

/* Kernels read and write 8 elements at once, so a binding must start at a multiple of that. */
bool
yv_lowering_is_bindable (const YvLowering *lowering, const YvOperand *operand)
{
  const YvCaps *caps = lowering->caps;
  const uint64_t elem_bytes = yv_dtype_size_bytes (operand->dtype);
  const uint64_t align_bytes = MAX (descriptor_align_bytes (caps), 8 * elem_bytes);

  return operand->offset_bytes % align_bytes == 0 &&
         operand->size_bytes <= caps->max_storage_range_bytes &&
         operand->size_bytes / (4 * elem_bytes) <= caps->max_texels;
}

bool
yv_lowering_texel (const YvLowering *lowering, const YvStep *step)
{
  const YvCaps *caps = lowering->caps;

  if (!caps->texel_lanes)
    return false;
  for (uint32_t i = 0; i < step->n_srcs; i++)
    if (step->src[i].memory == YV_MEMORY_ARENA &&
        !yv_lowering_is_bindable (lowering, &step->src[i]))
      return false;

  /* What DETECT writes is an address in both modes (params.h). */
  return step->op == YV_OP_DETECT || yv_lowering_is_bindable (lowering, &step->dst);
}

/* Blocks of pixels that do not fit into their dimension go on in z; the shader puts them together
 * again (shaders/tensor.glsl). The last fold may have blocks too many: they lie behind the image.
 */
static void
fold_groups (YvStep *step, const YvDispatch *dispatch, const YvCaps *caps, uint64_t groups[3])
{
  const uint32_t most = caps->max_groups[dispatch->pixel_dimension];
  uint64_t *blocks = &groups[dispatch->pixel_dimension];

  if (*blocks <= most)
    return;

  const uint64_t n_folds = yv_pieces (*blocks, most);
  g_assert (n_folds <= UINT32_MAX);
  *blocks = yv_pieces (*blocks, n_folds);
  groups[2] *= n_folds;
  step->n_spec = MAX (step->n_spec, FOLDS_CONSTANT + 1);
  step->spec[FOLDS_CONSTANT] = (uint32_t) n_folds;
}

bool
yv_lowering_dispatch (const YvLowering *lowering, YvStep *step, const YvDispatch *dispatch,
                      GError **error)
{
  g_assert (dispatch->n_push_bytes <= YV_MAX_PUSH_BYTES && dispatch->n_spec <= YV_MAX_SPEC);
  g_assert (dispatch->n_addresses <= YV_MAX_ADDRESSES);

  uint64_t groups[3] = {dispatch->groups[0], dispatch->groups[1], dispatch->groups[2]};

  step->n_spec = dispatch->n_spec;
  memcpy (step->spec, dispatch->spec, sizeof step->spec);
  fold_groups (step, dispatch, lowering->caps, groups);
  for (int i = 0; i < 3; i++) {
    if (groups[i] > lowering->caps->max_groups[i]) {
      g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                   "%s: %" G_GUINT64_FORMAT " workgroups in dimension %d, %s takes %u; use a "
                   "smaller input or batch",
                   step->name, groups[i], i, lowering->caps->name, lowering->caps->max_groups[i]);
      return false;
    }
    step->groups[i] = (uint32_t) groups[i];
  }

  step->kernel = dispatch->kernel;
  memcpy (step->push, dispatch->push, dispatch->n_push_bytes);
  step->n_push_bytes = dispatch->n_push_bytes;
  step->n_addresses = dispatch->n_addresses;
  memcpy (step->addresses, dispatch->addresses, sizeof step->addresses);
  return true;
}

bool
yv_lowering_resample (const YvLowering *lowering, YvStep *step, const YvResample *resample,
                      GError **error)
{
  const YvOperand *src = &step->src[0], *dst = &step->dst, *walked = resample->walked;

  if (lowering->caps->is_reference)
    return true;

  step->texel = !resample->unaligned && yv_lowering_texel (lowering, step);
  const struct YvResampleParams params = {
      .in_w = src->w,
      .in_h = src->h,
      .out_w = dst->w,
      .out_h = dst->h,
      .in_cstride = src->cstride,
      .out_cstride = dst->cstride,
      .channels = src->c,
      .kernel = resample->window,
      .stride = resample->stride,
      .pad = resample->pad,
      .factor = resample->factor,
  };
  return yv_lowering_dispatch (
      lowering, step,
      &(YvDispatch){
          .kernel = resample->kernel,
          .n_spec = resample->kernel == YV_KERNEL_COPY ? 2 : 1,
          .spec = {RESAMPLE_LOCAL, !resample->unaligned},
          .groups = {yv_pieces ((uint64_t) walked->w * walked->h, RESAMPLE_LOCAL),
                     yv_pieces (dst->c, CHANNELS_PER_INVOCATION), lowering->n},
          .push = &params,
          .n_push_bytes = sizeof params,
          .n_addresses = 2,
          .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_DST},
      },
      error);
}

bool
yv_lowering_eltwise (const YvLowering *lowering, YvStep *step, GError **error)
{
  const YvOperand *dst = &step->dst;
  const bool has_src1 = step->n_srcs > 1, has_scale = step->weight_source != NULL;

  if (lowering->caps->is_reference)
    return true;

  step->texel = yv_lowering_texel (lowering, step);
  const struct YvEltwiseParams params = {
      .n_pixels = dst->n * dst->h * dst->w,
      .cstride0 = step->src[0].cstride,
      .cstride1 = has_src1 ? step->src[1].cstride : 0,
      .out_cstride = dst->cstride,
      .channels = dst->c,
      .slope = step->act.slope,
  };
  return yv_lowering_dispatch (
      lowering, step,
      &(YvDispatch){
          .kernel = YV_KERNEL_ELTWISE,
          .n_spec = 4,
          .spec = {ELTWISE_LOCAL, step->act.kind, has_src1, has_scale},
          .groups = {yv_pieces (params.n_pixels, ELTWISE_LOCAL),
                     yv_pieces (dst->c, CHANNELS_PER_INVOCATION), 1},
          .push = &params,
          .n_push_bytes = sizeof params,
          .n_addresses = 4,
          .addresses = {YV_ADDRESS_SRC0, has_src1 ? YV_ADDRESS_SRC1 : YV_ADDRESS_NONE,
                        has_scale ? YV_ADDRESS_WEIGHT : YV_ADDRESS_NONE, YV_ADDRESS_DST},
      },
      error);
}
