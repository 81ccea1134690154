/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/expand.h - what the constructor of a YOLOv7 module makes: one yaml row -> one
 * module tree, equal to the one that a checkpoint trained from that row holds.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/model/args.h"
#include "engine/model/module.h"

G_BEGIN_DECLS

/* What training sets for every batch-norm, and what a state dict does not tell (spec 1.5). */
#define YV_BATCHNORM_EPS 1e-3

/* Repeats beyond this are no network that anybody trained. */
#define YV_MAX_REPEATS 128

typedef struct {
  uint32_t row;
  const char *module; /* as in the yaml: "Conv", "nn.Upsample" */
  const uint32_t *c_in;
  uint32_t n_in;
  const YvArg *args;
  uint32_t n_repeats; /* depth_multiple already applied */
  double width_multiple;
  uint32_t c_head;         /* anchors * (5 + classes): this number of channels is never scaled */
  const double *stride_in; /* [n_in]: input pixels per cell of each source */
} YvExpandRow;

typedef struct {
  YvModule *module; /* (transfer full) */
  uint32_t c_out;
  double stride; /* input pixels per cell of the output */
} YvExpanded;

/**
 * yv_expand_row:
 *
 * Applies the channel and repeat rules of spec 1.2 and the constructors of spec 1.4. A row repeated
 * n times becomes a Sequential, or hands n to a CSP block.
 *
 * Returns: false with YV_ERROR_UNSUPPORTED "unsupported module X ..." or YV_ERROR_MALFORMED that
 * names the argument; both without file and row, which the caller knows.
 */
bool yv_expand_row (const YvExpandRow *row, YvExpanded *out, GError **error);

/* Whether a row may be of this class (a class of module.h: "Upsample", not "nn.Upsample"). */
bool yv_is_row_class (const char *class_name);

/* "Conv, DWConv, ..."; for messages. Free with g_free(). */
char *yv_row_classes (void);

bool yv_is_head_class (const char *class_name); /* Detect, IDetect, IAuxDetect */

G_END_DECLS
