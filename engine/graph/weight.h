/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/weight.h - the weight and bias of one convolution, as a sum not yet carried out.
 *
 * Folding only ever scales output channels, adds kernels, and changes the bias. So a weight stays a
 * list of terms over tensors that still lie in the mapped file,
 *
 *     W[o] = sum over terms of scale[o] * centred (tensor[o]),
 *
 * and is computed once, in double, a row at a time, by whoever packs it: no folded copy of the
 * model is ever held, and nothing is rounded on the way. (spec section 2)
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/tensor.h"

G_BEGIN_DECLS

typedef enum {
  YV_TERM_TENSOR,   /* @tensor, [c_out, c_in / groups, kernel_h, kernel_w] */
  YV_TERM_IDENTITY, /* 1x1; output channel o passes input channel o (spec 2.2) */
  YV_TERM_RANDOM,   /* normal with the variance that keeps activations of order 1; from @seed */
} YvTermKind;

typedef struct {
  YvTermKind kind;
  YvTensor tensor;   /* TENSOR only */
  uint64_t seed;     /* RANDOM only */
  uint32_t kernel_h; /* of this term; odd where it differs from the weight's: it lies at the */
  uint32_t kernel_w; /*   centre of the weight's kernel */
  double *scale;     /* [c_out], owned */
} YvWeightTerm;

typedef struct YvWeight {
  uint32_t c_out;
  uint32_t c_in; /* all input channels, whatever the groups */
  uint32_t groups;
  uint32_t kernel_h, kernel_w;
  GArray *terms;                 /* of YvWeightTerm; at least one, but none of a stack */
  const struct YvWeight **parts; /* of a stack: whose rows these are, borrowed; else NULL */
  double *bias;                  /* [c_out], owned; zeros where there is none */
  bool
      has_bias; /* the model had a bias here, or a shift has been folded in: counts as parameters */
} YvWeight;

/* Zero bias, no terms. */
YvWeight *yv_weight_new (uint32_t c_out, uint32_t c_in, uint32_t groups, uint32_t kernel_h,
                         uint32_t kernel_w);
void yv_weight_free (YvWeight *weight); /* NULL ok */

/* Each appends a term with scale 1. The tensor's shape has been checked by the caller. */
void yv_weight_add_tensor (YvWeight *weight, const YvTensor *tensor);
void yv_weight_add_identity (YvWeight *weight);
void yv_weight_add_random (YvWeight *weight, uint64_t seed);

/* y := y * scale + shift per output channel, of everything so far (spec 2.1, 2.3). From then on the
 * weight has a bias. */
void yv_weight_scale (YvWeight *weight, const double *scale, const double *shift);

/* weight := weight + other, elementwise; @other has the same channels and groups and a kernel not
 * larger, which comes to lie in the centre. Takes @other's terms and frees it. */
void yv_weight_merge (YvWeight *weight, YvWeight *other);

/* The rows and biases of @parts, one after another, of which none has groups and all have the same
 * input channels and kernel. They must outlive it and not change; it can't be scaled or merged. */
YvWeight *yv_weight_stack (const YvWeight *const *parts, uint32_t n_parts);

/* One output channel: row[c_in / groups][kernel_h][kernel_w]. Pure; any thread. */
void yv_weight_row (const YvWeight *weight, uint32_t o, double *row);

/* Elements of W without the bias. */
uint64_t yv_weight_n_elems (const YvWeight *weight);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvWeight, yv_weight_free)

G_END_DECLS
