/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/kinds.h - kinds of rows, each with its colours.
 */
#pragma once

#include "engine/yolov7-tools.h"

G_BEGIN_DECLS

typedef enum {
  KIND_CONV,
  KIND_REPCONV,
  KIND_BLOCK,
  KIND_POOL,
  KIND_JOIN,
  KIND_RESHAPE,
  KIND_HEAD,
  N_KINDS
} Kind;

typedef struct {
  const char *name;
  uint32_t color, tint; /* 0xRRGGBB: of lines and text; of boxes */
} KindStyle;

extern const KindStyle kind_styles[N_KINDS];

Kind kind_of (const YvLayerInfo *layer);

/* Deployment leaves nothing of the row. */
bool is_dropped (const YvLayerInfo *layer);

/* The row costs nothing: others write where it is stored. */
bool is_in_place (const YvLayerInfo *layer);

G_END_DECLS
