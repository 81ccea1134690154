/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/op.h - one row an op: its shape, its cost, and its steps.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/graph/graph.h"
#include "engine/plan/caps.h"
#include "engine/plan/step.h"
#include "engine/plan/way.h"

G_BEGIN_DECLS

typedef struct {
  uint32_t c, h, w;
} YvShape;

/* What an op needs to lower a node. */
typedef struct {
  const YvCaps *caps;
  YvWays *ways; /* (nullable): borrowed: which way was found best for what */
  YvDType dtype;
  uint32_t n;              /* images */
  const YvOperand *inputs; /* one for each input of the node, placed */
  YvOperand output;        /* placed; cstride, dtype and offset are set */
  GArray *steps;           /* of YvStep: append here */
  GArray *scratch_bytes;   /* of uint64_t, see yv_lowering_scratch() */
  uint32_t first_scratch;  /* the number of the first one as a value */

  /* of INPUT */
  bool tensor_input;   /* the host writes it: no steps */
  const YvNode *first; /* NULL, or the convolution that reads it: then output is what that makes,
                          and steps are FIRSTs of */
  uint32_t h, w;       /* pixels of a picture that is stored nowhere */

  /* of DETECT */
  const YvNode *const *heads; /* NULL, or for each input the convolution of 1 x 1 that makes its
                                 logits: then inputs are what that reads, and steps are HEADs */
  YvOperand candidates;       /* where the lists are */
  const YvOperand *rows;      /* dense rows, or NULL */
  uint32_t list_bytes, capacity;
} YvLowering;

typedef struct {
  /* The output's shape; @in has one for each input. False, with YV_ERROR_MALFORMED, where the
   * inputs don't fit (a concat of different sizes, a kernel larger than its padded input). Of
   * DETECT: {5 + nc, rows of one image, 1}. INPUT has none: its shape is the caller's. */
  bool (*shape) (const YvNode *node, const YvShape *in, YvShape *out, GError **error);

  /* 2 * multiply-adds of one image; NULL: none. */
  uint64_t (*flops) (const YvNode *node, const YvShape *in, const YvShape *out);

  /* Appends the node's steps (none for an elided CONCAT). Kernels as caps allow; for the reference
   * YV_KERNEL_NONE. False with YV_ERROR_UNSUPPORTED. */
  bool (*lower) (const YvNode *node, YvLowering *lowering, GError **error);

  /* Multiple of elements in which a pixel of the output is stored: 8; 4 for the input; 1 for
   * DECODE, whose pixels are rows. */
  uint32_t channel_align;
} YvOp;

const YvOp *yv_op (YvOpKind kind);

extern const YvOp yv_op_input;    /* letterbox.c */
extern const YvOp yv_op_conv;     /* conv.c */
extern const YvOp yv_op_affine;   /* affine.c */
extern const YvOp yv_op_act;      /* act.c */
extern const YvOp yv_op_maxpool;  /* maxpool.c */
extern const YvOp yv_op_upsample; /* upsample.c */
extern const YvOp yv_op_concat;   /* concat.c */
extern const YvOp yv_op_add;      /* add.c */
extern const YvOp yv_op_reorg;    /* reorg.c */
extern const YvOp yv_op_decode;   /* decode.c */
extern const YvOp yv_op_detect;   /* detect.c */

/* ---- what the ops share (op.c, lowering.c) -------------------------------------------------- */

/* shape() of an op that keeps it. */
bool yv_op_shape_same (const YvNode *node, const YvShape *in, YvShape *out, GError **error);

/* Of what is enlarged: far beyond any picture; keeps products of a hostile factor small. */
#define YV_MAX_SIDE_PX 65536

/* Pixels along one side of the output of a window that slides over a padded input; false where the
 * window is larger than that. */
bool yv_op_window (uint32_t in, uint32_t kernel, uint32_t stride, uint32_t pad, uint32_t *out);

/* Appends a zeroed step with name, node, op, operands and dtype set; the caller fills the rest. */
YvStep *yv_lowering_add (YvLowering *lowering, const YvNode *node, const YvOperand *srcs,
                         uint32_t n_srcs, const YvOperand *dst);

/* [n, c, 1, w] in memory that only this node's steps use, not yet placed. Pixels of c
 * rounded up to 8 elements. */
YvOperand yv_lowering_scratch (YvLowering *lowering, YvDType dtype, uint32_t n, uint32_t c,
                               uint32_t w);

/* May an operand of the arena be bound as a texel or storage buffer? */
bool yv_lowering_is_bindable (const YvLowering *lowering, const YvOperand *operand);

/* May this step's operands be bound as texel and storage buffers? */
bool yv_lowering_texel (const YvLowering *lowering, const YvStep *step);

/* What runs a step. */
typedef struct {
  YvKernel kernel;
  uint32_t n_spec, spec[YV_MAX_SPEC];
  uint64_t groups[3];
  uint32_t pixel_dimension; /* of groups, 0 or 1: goes on in z where the device takes fewer */
  const void *push;         /* copied */
  uint32_t n_push_bytes;
  uint32_t n_addresses;
  uint8_t addresses[YV_MAX_ADDRESSES]; /* YvAddress */
} YvDispatch;

/* False with YV_ERROR_UNSUPPORTED where there are more groups than the device takes. */
bool yv_lowering_dispatch (const YvLowering *lowering, YvStep *step, const YvDispatch *dispatch,
                           GError **error);

/* What maxpool, upsample, reorg and copy have of their own (YvResampleParams). */
typedef struct {
  YvKernel kernel;
  const YvOperand *walked; /* of the step: an invocation for each of its pixels and 8 channels */
  bool unaligned;          /* COPY: an operand does not start at a multiple of 8 channels */
  uint32_t window, stride, pad, factor;
} YvResample;

/* Lowers @step to the kernel that @resample names; not where it is for the reference. */
bool yv_lowering_resample (const YvLowering *lowering, YvStep *step, const YvResample *resample,
                           GError **error);

/* Lowers @step to eltwise: dst = act ((src0 + src1) * scale + shift), by what the step has. */
bool yv_lowering_eltwise (const YvLowering *lowering, YvStep *step, GError **error);

G_END_DECLS
