/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/step.c - the names of kernels, and which channels they see. */
#include "engine/plan/step.h"

#include "engine/align.h"
#include "shaders/params.h"

static const char *const kernel_names[YV_N_KERNELS] = {
    [YV_KERNEL_NONE] = "none",
    [YV_KERNEL_LETTERBOX] = "letterbox",
    [YV_KERNEL_CONV_LANES8] = "conv_lanes8",
    [YV_KERNEL_CONV_LANES16] = "conv_lanes16",
    [YV_KERNEL_CONV_LANES32] = "conv_lanes32",
    [YV_KERNEL_CONV_LANES64] = "conv_lanes64",
    [YV_KERNEL_CONV_LANES32X16] = "conv_lanes32x16",
    [YV_KERNEL_CONV_LANES64X16] = "conv_lanes64x16",
    [YV_KERNEL_CONV_TILE] = "conv_tile",
    [YV_KERNEL_CONV_FIRST] = "conv_first",
    [YV_KERNEL_CONV_COOPMAT] = "conv_coopmat",
    [YV_KERNEL_CONV_COOPMAT2] = "conv_coopmat2",
    [YV_KERNEL_CONV_SUM] = "conv_sum",
    [YV_KERNEL_WINOGRAD_INPUT] = "winograd_input",
    [YV_KERNEL_WINOGRAD_OUTPUT] = "winograd_output",
    [YV_KERNEL_MAXPOOL] = "maxpool",
    [YV_KERNEL_MAXPOOL_PYRAMID] = "maxpool_pyramid",
    [YV_KERNEL_UPSAMPLE] = "upsample",
    [YV_KERNEL_COPY] = "copy",
    [YV_KERNEL_ELTWISE] = "eltwise",
    [YV_KERNEL_REORG] = "reorg",
    [YV_KERNEL_DECODE] = "decode",
    [YV_KERNEL_HEAD_TILE] = "head_tile",
};

const char *
yv_kernel_name (YvKernel kernel)
{
  g_assert (kernel < YV_N_KERNELS);
  return kernel_names[kernel];
}

/* Of the first group that a tile has a part of. */
static uint32_t
first_of_groups (const YvWeight *weight, uint32_t tile)
{
  const uint32_t group = tile * YV_TILE_CHANNELS / (weight->c_out / weight->groups);

  return group * (weight->c_in / weight->groups) / 4 * 4;
}

uint32_t
yv_tile_n_channels (const YvWeight *weight)
{
  const uint32_t c_out = weight->c_out / weight->groups, c_in = weight->c_in / weight->groups;
  uint32_t n_channels = 0;

  for (uint32_t tile = 0; tile * YV_TILE_CHANNELS < weight->c_out; tile++) {
    const uint32_t last = MIN ((tile + 1) * YV_TILE_CHANNELS, weight->c_out) - 1;
    const uint32_t end = (last / c_out + 1) * c_in;

    n_channels = MAX (n_channels, (uint32_t) yv_round_up (end, 4) - first_of_groups (weight, tile));
  }
  return n_channels;
}

uint32_t
yv_tile_first_channel (const YvWeight *weight, uint32_t tile)
{
  const uint32_t latest = (uint32_t) yv_round_up (weight->c_in, 4) - yv_tile_n_channels (weight);

  return MIN (first_of_groups (weight, tile), latest);
}

uint32_t
yv_coopmat_n_channels (const YvWeight *weight)
{
  return (uint32_t) yv_round_up (weight->c_in, weight->c_in <= 4 ? 4 : 8);
}

/* 64 is 128 bytes of a pixel; fewer channels would be mostly padding. */
uint32_t
yv_coopmat2_k_step (const YvWeight *weight)
{
  return weight->c_in > 32 ? 64 : 32;
}

uint32_t
yv_coopmat2_n_channels (const YvWeight *weight)
{
  return (uint32_t) yv_round_up (weight->c_in, yv_coopmat2_k_step (weight));
}

bool
yv_first_is_reorged (const YvWeight *weight)
{
  return weight->c_in == 4 * 3;
}
