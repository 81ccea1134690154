/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/draft.h - what yv_plan_new() knows on its way to a plan; nobody else sees it.
 *
 * Steps are made before it is known where values lie, because where depends on when they are
 * needed, and only steps know that. Until then each value has a terabyte of its own: an operand's
 * offset is value << 40 | the offset inside it. yv_draft_place() replaces the upper part.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/ops/op.h"
#include "engine/plan/arena.h"
#include "engine/plan/plan.h"

G_BEGIN_DECLS

#define YV_VALUE_MAX_BYTES (1ull << YV_VALUE_SHIFT)

/* How a node's output is stored. */
typedef struct {
  YvShape shape;
  YvDType dtype;
  uint32_t root;    /* the value it lies in: its own index, or that of a (grand) parent */
  uint32_t c_first; /* its first channel there */
  bool is_logits;   /* read by DETECT or DECODE */
} YvLayout;

/* Values are numbered like the nodes, by their place in the graph; then come the dense rows, then
 * what lowering asked for as scratch. */
typedef struct {
  const YvGraph *graph;
  const YvCaps *caps;
  const YvPlanOptions *options;
  const YvNode *output;               /* the DETECT */
  const YvNode *heads[YV_MAX_LEVELS]; /* see YvLowering; heads[0] NULL: logits are stored */
  const YvNode *first;                /* see YvLowering; NULL: the picture is stored */
  const YvNode *first_reorg;          /* what lies between the picture and first, or NULL */
  uint32_t n_nodes;
  uint32_t *index_of_id; /* [next_id] */
  YvLayout *layouts;     /* [n_nodes] */
  YvArenaSlot *slots;    /* [n_values] */
  uint32_t n_values;     /* n_nodes + 1, and after lowering the scratch too */
  bool *is_pinned;       /* [n_nodes + 1]: alive from the first level to the last */
  YvPlan *plan;          /* borrowed: what is being made */
} YvDraft;

static inline const YvNode *
yv_draft_node (const YvDraft *draft, uint32_t index)
{
  return g_ptr_array_index (draft->graph->nodes, index);
}

/* Of a node; NONE where its levels are computed one after the other: lavapipe has no fast shared
 * memory. */
static inline YvPyramid
yv_draft_pyramid (const YvDraft *draft, const YvNode *node)
{
  return node->op == YV_OP_MAXPOOL && !draft->caps->texel_lanes ? node->maxpool.pyramid
                                                                : YV_PYRAMID_NONE;
}

/* fuse.c: sets heads, first and first_reorg where kernels and options allow it. */
void yv_draft_fuse (YvDraft *draft);

/* fuse.c: is it computed by the steps of another node? */
bool yv_draft_is_fused (const YvDraft *draft, const YvNode *node);

/* fuse.c: is its value ever stored? */
bool yv_draft_is_stored (const YvDraft *draft, const YvNode *node);

/* shapes.c: [next_id]: the place of each id in the graph. Free with g_free(). */
uint32_t *yv_draft_index_nodes (const YvGraph *graph);

/* shapes.c: sets the shape of all layouts. */
bool yv_draft_shapes (YvDraft *draft, GError **error);

/* layout.c: sets the rest of all layouts, the sizes of slots, and the plan's values, input, heads
 * and rows. */
bool yv_draft_lay_out (YvDraft *draft, GError **error);

/* layout.c: a node's output, not yet placed. */
YvOperand yv_draft_operand (const YvDraft *draft, uint32_t index);

/* layout.c: what a node's steps write, not yet placed: its output; of merged siblings
 * and of the levels of a pyramid all. */
YvOperand yv_draft_output (const YvDraft *draft, uint32_t index);

/* lower.c: makes the plan's steps, with operands that are not yet placed. */
bool yv_draft_lower (YvDraft *draft, GError **error);

/* place.c: gives steps their levels and operands their places, and orders the steps. */
void yv_draft_place (YvDraft *draft);

G_END_DECLS
