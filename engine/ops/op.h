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

G_BEGIN_DECLS

typedef struct {
  uint32_t c, h, w;
} YvShape;

/* What an op needs to lower a node. */
typedef struct {
  const YvCaps *caps;
  YvDType dtype;
  uint32_t n;              /* images */
  const YvOperand *inputs; /* one for each input of the node, placed */
  YvOperand output;        /* placed; cstride, dtype and offset are set */
  GArray *steps;           /* of YvStep: append here */
} YvLowering;

typedef struct {
  /* The output's shape; @in has one for each input. False, with YV_ERROR_MALFORMED, where the
   * inputs don't fit (a concat of different sizes, a kernel larger than its padded input). */
  bool (*shape) (const YvNode *node, const YvShape *in, YvShape *out, GError **error);

  /* 2 * multiply-adds of one image; NULL: none. */
  uint64_t (*flops) (const YvNode *node, const YvShape *in, const YvShape *out);

  /* Appends the node's steps (none for an elided CONCAT). Kernels as caps allow; for the reference
   * YV_KERNEL_NONE. False with YV_ERROR_UNSUPPORTED. */
  bool (*lower) (const YvNode *node, YvLowering *lowering, GError **error);

  /* Multiple of elements in which a pixel of the output is stored (8; 4 for the input). */
  uint32_t channel_align;
} YvOp;

const YvOp *yv_op (YvOpKind kind);

/* Appends a zeroed step with name, node, op, operands and dtype set; the caller fills the rest. */
YvStep *yv_lowering_add (YvLowering *lowering, const YvNode *node, const YvOperand *srcs,
                         uint32_t n_srcs, const YvOperand *dst);

/* May this step's operands be bound as texel and storage buffers? */
bool yv_lowering_texel (const YvLowering *lowering, const YvStep *step);

G_END_DECLS
