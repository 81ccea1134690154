/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/forward.h - what a module computes, by class (spec section 1.4).
 *
 * Internal to engine/graph/. A rule appends nodes for one module and gives the last, or NULL after
 * a failure (builder.h). forward.c has the table and YOLOv7's own blocks, leaf.c the modules of
 * PyTorch that they are made of, head.c the detection heads.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "engine/graph/builder.h"

G_BEGIN_DECLS

typedef YvNode *(*YvForward) (YvBuilder *builder, const YvModule *module, YvNode *const *in,
                              uint32_t n_in);

/* Looks the module's class up and runs its rule. "unsupported module X at row i" where there is
 * none. */
YvNode *yv_forward (YvBuilder *builder, const YvModule *module, YvNode *const *in, uint32_t n_in);

/* ---- leaf.c ---- */

YvNode *yv_forward_conv2d (YvBuilder *builder, const YvModule *module, YvNode *const *in,
                           uint32_t n_in);
YvNode *yv_forward_batchnorm (YvBuilder *builder, const YvModule *module, YvNode *const *in,
                              uint32_t n_in);
YvNode *yv_forward_activation (YvBuilder *builder, const YvModule *module, YvNode *const *in,
                               uint32_t n_in);
YvNode *yv_forward_maxpool (YvBuilder *builder, const YvModule *module, YvNode *const *in,
                            uint32_t n_in);
YvNode *yv_forward_upsample (YvBuilder *builder, const YvModule *module, YvNode *const *in,
                             uint32_t n_in);

/* A convolution with the numbers of the Conv2d @module and the tensors at @path. It has a bias
 * where there is such a tensor; without tensors where @random_bias says so. */
YvNode *yv_forward_conv_at (YvBuilder *builder, const YvModule *module, const char *path,
                            bool random_bias, YvNode *x);

/* The batch-norm @module after @conv; @conv itself where the tensors lack it, because it was folded
 * before they were saved (spec 2.6). */
YvNode *yv_forward_batchnorm_if_any (YvBuilder *builder, const YvModule *module, YvNode *conv);

/* ---- head.c ---- */

YvNode *yv_forward_detect (YvBuilder *builder, const YvModule *module, YvNode *const *in,
                           uint32_t n_in);

G_END_DECLS
