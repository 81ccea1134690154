/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/kernels.c - the table of SPIR-V arrays. */
#include "engine/vulkan/kernels.h"

/* Made by shaders/meson.build, but for those in shaders/spirv/; they define arrays and include
 * nothing. */
#include "shaders/conv_first_f16.spv.h"
#include "shaders/conv_first_f32.spv.h"
#include "shaders/conv_lanes16_f16_texel.spv.h"
#include "shaders/conv_lanes16_f32_texel.spv.h"
#include "shaders/conv_lanes32_f16_texel.spv.h"
#include "shaders/conv_lanes32_f32_texel.spv.h"
#include "shaders/conv_lanes32x16_f32_texel.spv.h"
#include "shaders/conv_lanes64_f16_texel.spv.h"
#include "shaders/conv_lanes64_f32_texel.spv.h"
#include "shaders/conv_lanes64x16_f32_texel.spv.h"
#include "shaders/conv_lanes8_f16_texel.spv.h"
#include "shaders/conv_lanes8_f32_texel.spv.h"
#include "shaders/conv_sum_f16.spv.h"
#include "shaders/conv_sum_f32.spv.h"
#include "shaders/conv_tile_f16.spv.h"
#include "shaders/conv_tile_f32.spv.h"
#include "shaders/copy_f16.spv.h"
#include "shaders/copy_f16_texel.spv.h"
#include "shaders/copy_f32.spv.h"
#include "shaders/copy_f32_texel.spv.h"
#include "shaders/decode_f16.spv.h"
#include "shaders/decode_f16_texel.spv.h"
#include "shaders/decode_f32.spv.h"
#include "shaders/decode_f32_texel.spv.h"
#include "shaders/eltwise_f16.spv.h"
#include "shaders/eltwise_f16_texel.spv.h"
#include "shaders/eltwise_f32.spv.h"
#include "shaders/eltwise_f32_texel.spv.h"
#include "shaders/head_tile_f16.spv.h"
#include "shaders/head_tile_f32.spv.h"
#include "shaders/letterbox_f16.spv.h"
#include "shaders/letterbox_f16_texel.spv.h"
#include "shaders/letterbox_f32.spv.h"
#include "shaders/letterbox_f32_texel.spv.h"
#include "shaders/maxpool_f16.spv.h"
#include "shaders/maxpool_f16_texel.spv.h"
#include "shaders/maxpool_f32.spv.h"
#include "shaders/maxpool_f32_texel.spv.h"
#include "shaders/maxpool_pyramid_f16.spv.h"
#include "shaders/maxpool_pyramid_f32.spv.h"
#include "shaders/reorg_f16.spv.h"
#include "shaders/reorg_f16_texel.spv.h"
#include "shaders/reorg_f32.spv.h"
#include "shaders/reorg_f32_texel.spv.h"
#include "shaders/spirv/conv_coopmat2_f16.spv.h"
#include "shaders/spirv/conv_coopmat_f16.spv.h"
#include "shaders/upsample_f16.spv.h"
#include "shaders/upsample_f16_texel.spv.h"
#include "shaders/upsample_f32.spv.h"
#include "shaders/upsample_f32_texel.spv.h"
#include "shaders/winograd_input_f32_texel.spv.h"
#include "shaders/winograd_output_f32_texel.spv.h"

/* f32, f16: operands are addresses; the others: texel buffers. */
typedef struct {
  YvSpirv f32, f16, f32_texel, f16_texel;
} Variants;

#define SPIRV(name)                                                                                \
  {                                                                                                \
    yv_spv_##name, sizeof yv_spv_##name                                                            \
  }
#define ADDRESSES(kernel) .f32 = SPIRV (kernel##_f32), .f16 = SPIRV (kernel##_f16)
#define TEXELS(kernel)                                                                             \
  .f32_texel = SPIRV (kernel##_f32_texel), .f16_texel = SPIRV (kernel##_f16_texel)

static const Variants kernel_variants[YV_N_KERNELS] = {
    [YV_KERNEL_LETTERBOX] = {ADDRESSES (letterbox), TEXELS (letterbox)},
    [YV_KERNEL_CONV_LANES8] = {TEXELS (conv_lanes8)},
    [YV_KERNEL_CONV_LANES16] = {TEXELS (conv_lanes16)},
    [YV_KERNEL_CONV_LANES32] = {TEXELS (conv_lanes32)},
    [YV_KERNEL_CONV_LANES64] = {TEXELS (conv_lanes64)},
    [YV_KERNEL_CONV_LANES32X16] = {.f32_texel = SPIRV (conv_lanes32x16_f32_texel)},
    [YV_KERNEL_CONV_LANES64X16] = {.f32_texel = SPIRV (conv_lanes64x16_f32_texel)},
    [YV_KERNEL_CONV_TILE] = {ADDRESSES (conv_tile)},
    [YV_KERNEL_CONV_FIRST] = {ADDRESSES (conv_first)},
    [YV_KERNEL_CONV_COOPMAT] = {.f16 = SPIRV (conv_coopmat_f16)},
    [YV_KERNEL_CONV_COOPMAT2] = {.f16 = SPIRV (conv_coopmat2_f16)},
    [YV_KERNEL_CONV_SUM] = {ADDRESSES (conv_sum)},
    [YV_KERNEL_WINOGRAD_INPUT] = {.f32_texel = SPIRV (winograd_input_f32_texel)},
    [YV_KERNEL_WINOGRAD_OUTPUT] = {.f32_texel = SPIRV (winograd_output_f32_texel)},
    [YV_KERNEL_MAXPOOL] = {ADDRESSES (maxpool), TEXELS (maxpool)},
    [YV_KERNEL_MAXPOOL_PYRAMID] = {ADDRESSES (maxpool_pyramid)},
    [YV_KERNEL_UPSAMPLE] = {ADDRESSES (upsample), TEXELS (upsample)},
    [YV_KERNEL_COPY] = {ADDRESSES (copy), TEXELS (copy)},
    [YV_KERNEL_ELTWISE] = {ADDRESSES (eltwise), TEXELS (eltwise)},
    [YV_KERNEL_REORG] = {ADDRESSES (reorg), TEXELS (reorg)},
    [YV_KERNEL_DECODE] = {ADDRESSES (decode), TEXELS (decode)},
    [YV_KERNEL_HEAD_TILE] = {ADDRESSES (head_tile)},
};

#undef SPIRV
#undef ADDRESSES
#undef TEXELS

YvSpirv
yv_kernel_spirv (YvKernel kernel, YvDType dtype, bool texel)
{
  const Variants *variants = &kernel_variants[kernel];

  g_assert (kernel < YV_N_KERNELS);
  if (dtype == YV_DTYPE_F32)
    return texel ? variants->f32_texel : variants->f32;
  if (dtype == YV_DTYPE_F16)
    return texel ? variants->f16_texel : variants->f16;
  return (YvSpirv){0};
}

/* FNV-1a, a word at a time. */
static uint64_t
hash_spirv (uint64_t hash, const YvSpirv *spirv)
{
  for (size_t i = 0; i < spirv->size_bytes / sizeof *spirv->words; i++)
    hash = (hash ^ spirv->words[i]) * UINT64_C (1099511628211);
  return (hash ^ spirv->size_bytes) * UINT64_C (1099511628211);
}

uint64_t
yv_kernels_hash (void)
{
  uint64_t hash = UINT64_C (14695981039346656037);

  for (size_t i = 0; i < YV_N_KERNELS; i++) {
    const Variants *variants = &kernel_variants[i];

    hash = hash_spirv (hash, &variants->f32);
    hash = hash_spirv (hash, &variants->f16);
    hash = hash_spirv (hash, &variants->f32_texel);
    hash = hash_spirv (hash, &variants->f16_texel);
  }
  return hash;
}
