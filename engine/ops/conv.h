/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/conv.h - the ways to compute a convolution, by families: one for each kernel or
 * algorithm.
 *
 * A new kernel is a family more: its functions below, and its place in the list of conv.c.
 */
#pragma once

#include "engine/ops/op.h"
#include "shaders/params.h"

G_BEGIN_DECLS

typedef struct {
  /* All its ways, whatever the device can: the one at @index, below n_ways. */
  uint32_t n_ways;
  YvWay (*way) (uint32_t index);

  /* Can this way, one of the family's, compute @node on this device? @lowering has the operands. */
  bool (*can) (const YvWay *way, const YvNode *node, const YvLowering *lowering);

  /* Is the family what @node is computed by where nobody measured? Then sets the way, which it
   * can. */
  bool (*guess) (const YvNode *node, const YvLowering *lowering, YvWay *out);

  /* Appends the steps of a way that can. False with YV_ERROR_UNSUPPORTED. */
  bool (*lower) (const YvWay *way, const YvNode *node, YvLowering *lowering, GError **error);
} YvConvFamily;

extern const YvConvFamily yv_conv_lanes, yv_conv_tile; /* conv.c */
extern const YvConvFamily yv_conv_coopmat;             /* coopmat.c */
extern const YvConvFamily yv_conv_winograd;            /* winograd.c */

/* All ways of all families. A kernel that every device has, and that has nothing special, is
 * conv_tile: what others are compared with. */
uint32_t yv_conv_n_ways (void);
YvWay yv_conv_way (uint32_t index);

/* ---- what families share --------------------------------------------------------------------- */

/* Channels that a workgroup of conv_lanes makes as a rule: 32 or 64. */
uint32_t yv_lanes_channels (const YvCaps *caps, uint32_t c_out);

/* Is conv_lanes of so many channels a workgroup, 32 or 64, one that leaves none idle? */
bool yv_lanes_suit (uint32_t channels, uint32_t c_out);

/* 1 x 1 without stride and padding: a plain product. */
bool yv_conv_is_1x1 (const YvNode *node);

/* Completes @step, @params and @d, which have all that is the same for any kernel: the packing,
 * the kernel, its groups, its constants but 1 and 2, which are the activation and DST_F32. */
typedef void (*YvConvFill) (const YvWay *way, const YvLowering *lowering, YvStep *step,
                            struct YvConvParams *params, YvDispatch *d);

/* Appends a convolution of one step. False with YV_ERROR_UNSUPPORTED. */
bool yv_conv_lower_step (const YvWay *way, const YvNode *node, YvLowering *lowering,
                         YvConvFill fill, GError **error);

G_END_DECLS
