/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/step.c - the names of kernels. */
#include "engine/plan/step.h"

static const char *const kernel_names[YV_N_KERNELS] = {
    [YV_KERNEL_NONE] = "none",
    [YV_KERNEL_LETTERBOX] = "letterbox",
    [YV_KERNEL_CONV_LANES32] = "conv_lanes32",
    [YV_KERNEL_CONV_LANES64] = "conv_lanes64",
    [YV_KERNEL_CONV_TILE] = "conv_tile",
    [YV_KERNEL_WINOGRAD_INPUT] = "winograd_input",
    [YV_KERNEL_WINOGRAD_OUTPUT] = "winograd_output",
    [YV_KERNEL_MAXPOOL] = "maxpool",
    [YV_KERNEL_UPSAMPLE] = "upsample",
    [YV_KERNEL_COPY] = "copy",
    [YV_KERNEL_ELTWISE] = "eltwise",
    [YV_KERNEL_REORG] = "reorg",
    [YV_KERNEL_DECODE] = "decode",
};

const char *
yv_kernel_name (YvKernel kernel)
{
  g_assert (kernel < YV_N_KERNELS);
  return kernel_names[kernel];
}
