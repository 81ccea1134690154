/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/blocks.h - builders of the module trees that the constructors of spec 1.4 make.
 *
 * Children come in the order in which PyTorch registers them. c1 and c2 are channels in and out.
 * None can fail: whether the numbers make sense is for check.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/model/args.h"
#include "engine/model/module.h"

G_BEGIN_DECLS

#define YV_AUTOPAD UINT32_MAX /* half of the kernel, rounded down */

typedef struct {
  uint32_t c1, c2;
  uint32_t kernel[2], stride[2], pad[2]; /* rows, columns */
  uint32_t groups;
} YvConvShape;

/* Where a new module hangs. */
typedef struct {
  const char *parent_path;
  const char *name;
} YvPlace;

YvModule *yv_block_conv2d (YvPlace place, const YvConvShape *shape, bool has_bias);
YvModule *yv_block_maxpool (YvPlace place, uint32_t kernel, uint32_t stride, uint32_t pad);

/* @act: an ACTIVATION, True for SiLU, anything else for none. */
YvModule *yv_block_conv (YvPlace place, const YvConvShape *shape, const YvArg *act);
YvModule *yv_block_repconv (YvPlace place, const YvConvShape *shape, const YvArg *act);

/* Adds a Conv with square kernel, automatic padding and SiLU under @name. */
void yv_block_add_conv (YvModule *module, const char *name, uint32_t c1, uint32_t c2,
                        uint32_t kernel, uint32_t stride, uint32_t groups);

#define YV_MAX_POOLS 8

/* Kernels of max-pools side by side, each of stride 1 and padded to keep the size. */
typedef struct {
  uint32_t n;
  uint32_t kernel[YV_MAX_POOLS];
} YvPools;

/* What the constructors of the residual and CSP families share. */
typedef struct {
  uint32_t c1, c2;
  uint32_t n;
  bool shortcut;
  uint32_t groups;
  double expansion;
} YvBlockShape;

YvModule *yv_block_bottleneck (YvPlace place, const YvBlockShape *shape);
YvModule *yv_block_res (YvPlace place, const char *class_name, const YvBlockShape *shape);

typedef enum {
  YV_CSP_A,
  YV_CSP_B,
  YV_CSP_C,
} YvCspWiring;

typedef struct {
  const char *class_name;
  YvCspWiring wiring;
  bool of_res;            /* Res instead of Bottleneck inside */
  double inner_expansion; /* of what is inside */
} YvCspKind;

YvModule *yv_block_csp (YvPlace place, const YvCspKind *kind, const YvBlockShape *shape);
YvModule *yv_block_sppcspc (YvPlace place, const YvBlockShape *shape, const YvPools *pools);
YvModule *yv_block_spp (YvPlace place, uint32_t c1, uint32_t c2, const YvPools *pools);
YvModule *yv_block_downc (YvPlace place, uint32_t c1, uint32_t c2, uint32_t kernel);
YvModule *yv_block_stem (YvPlace place, uint32_t c1, uint32_t c2);

typedef struct {
  const char *class_name;
  uint32_t n_classes;
  uint32_t n_anchors;
  const uint32_t *c_in;
  uint32_t n_in;
} YvHeadShape;

/* The last half of an IAuxDetect's sources are auxiliary. */
YvModule *yv_block_head (YvPlace place, const YvHeadShape *shape);

/* Adds ia and im, which makes an IDetect of a Detect (spec 2.3). */
void yv_block_add_implicits (YvModule *head);

G_END_DECLS
