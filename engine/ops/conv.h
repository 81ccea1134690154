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

extern const YvConvFamily yv_conv_lanes;    /* lanes.c */
extern const YvConvFamily yv_conv_tile;     /* conv.c */
extern const YvConvFamily yv_conv_coopmat;  /* coopmat.c */
extern const YvConvFamily yv_conv_coopmat2; /* coopmat2.c */
extern const YvConvFamily yv_conv_winograd; /* winograd.c */

/* All ways of all families. A kernel that every device has, and that has nothing special, is
 * conv_tile: what others are compared with. */
uint32_t yv_conv_n_ways (void);
YvWay yv_conv_way (uint32_t index);

/* ---- what families share --------------------------------------------------------------------- */

/* A tile of conv_lanes: what a workgroup makes, and the lanes of the one subgroup it is. */
typedef struct {
  YvKernel kernel;
  YvPack pack, winograd_pack;
  uint32_t channels, pixels;
  uint32_t lanes; /* 8, or 16 where lavapipe was told to use vectors of 512 bits */
} YvLanes;

#define YV_N_WINOGRAD_LANES 4 /* the first of them, which have a winograd_pack */
#define YV_N_LANES 6
const YvLanes *yv_lanes_at (uint32_t index); /* below YV_N_LANES */
const YvLanes *yv_lanes_of (YvKernel kernel);

/* Has the device its lanes, and would it leave none of its channels idle? */
bool yv_lanes_can (const YvLanes *lanes, const YvLowering *lowering, uint32_t c_out);

/* The best as a rule, of a convolution or of Winograd's products; NULL: none can. */
const YvLanes *yv_lanes_guess (const YvLowering *lowering, uint32_t c_out, bool is_product);

/* What is computed of the output: a quarter of its pixels where they are doubled. */
YvShape yv_conv_computed (const YvNode *node, const YvOperand *output);

/* Does the step that stores the output do more with the sums than add the bias and activate? */
bool yv_conv_has_epilogue (const YvNode *node);

/* The constant EPILOGUE of that step. */
uint32_t yv_conv_epilogue (const YvNode *node, const YvStep *step);

/* 1 x 1 without stride and padding: a plain product. */
bool yv_conv_is_1x1 (const YvNode *node);

/* Completes @step, @params and @d, which have all that is the same for any kernel: the packing,
 * the kernel, its groups, its constants but 1 and 2, which are the activation and DST_F32.
 * Returns: into how many parts the sum over K is cut (split.c); 1: it is not. */
typedef uint32_t (*YvConvFill) (const YvWay *way, const YvLowering *lowering, YvStep *step,
                                struct YvConvParams *params, YvDispatch *d);

/* Appends a convolution of one step. False with YV_ERROR_UNSUPPORTED. */
bool yv_conv_lower_step (const YvWay *way, const YvNode *node, YvLowering *lowering,
                         YvConvFill fill, GError **error);

/* ---- matrixcost.c: what cooperative matrices cost -------------------------------------------- */

typedef struct {
  uint32_t tile_pixels, tile_channels;
  uint64_t n_tiles;
  uint64_t n_outputs;       /* elements */
  uint32_t n_steps, k_step; /* of K */
  bool may_split;           /* the sum over K may be cut: conv_sum has no epilogue */
} YvMatrixWork;

/* Into how many parts the sum over K is cut, 1 to YV_SPLIT_MAX_PARTS: the best by the model, or
 * what @caps ask for; 1 where it may not be. */
uint32_t yv_matrix_n_parts (const YvCaps *caps, const YvMatrixWork *work);

/* So cut, by the model, in a unit of its own. */
uint64_t yv_matrix_cost (const YvCaps *caps, const YvMatrixWork *work);

/* ---- split.c: the sum over K in parts -------------------------------------------------------- */

#define YV_SPLIT_MAX_PARTS 8

/* Into how many parts @n_steps of K should be cut where the output is made by @n_groups workgroups:
 * 1, where they are enough for all cores, to YV_SPLIT_MAX_PARTS; or what @caps ask for. Never more
 * than steps. */
uint32_t yv_split_n_parts (const YvCaps *caps, uint64_t n_groups, uint32_t n_steps);

/* Lowers @step, the last one of @lowering, as @whole would, but with the parts of K in z of its
 * groups, and appends the step that adds them: a kernel that takes parts (params.h), a YvConvParams
 * as push block, a weight without groups. False with YV_ERROR_UNSUPPORTED. */
bool yv_split_lower (YvLowering *lowering, YvStep *step, const YvDispatch *whole, uint32_t n_parts,
                     GError **error);

G_END_DECLS
