/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/plan.h - a graph and a device's numbers -> everything decided, nothing executed.
 *
 * In:   a graph after its passes, a YvCaps, a batch and an input size.
 * Out:  steps in order with their levels, kernels, constants and byte offsets in one arena.
 * Next: engine/vulkan/ or engine/ref/ runs it (plan/executor.h).
 *
 * Pure: the same input gives the same plan, and yv_plan_print() the same text, on every machine.
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
  uint32_t n;        /* images in a batch, >= 1 */
  uint32_t h, w;     /* of the network's input, multiples of the largest stride */
  YvDType dtype;     /* of activations and weights: F32 or F16; heads are always F32 */
  bool tensor_input; /* the input operand is written by the host; else LETTERBOX steps fill it */
  bool dense_rows;   /* also DECODE all rows, for `forward` (YvPlan.rows) */
  bool multi_label;  /* lists have room for more than the best class of each row */
  bool keep_all;     /* every value stays alive to the end, so that tests can read each one */
  YvWays *ways;      /* (nullable): borrowed while the plan is made: how to convolve */
} YvPlanOptions;

typedef struct {
  YvPlanOptions options;
  GArray *steps;        /* of YvStep, by level */
  uint32_t n_levels;    /* barriers: n_levels - 1 */
  uint64_t arena_bytes; /* zeroed once by the executor: padding that no step writes stays finite */
  uint64_t flops;       /* of one run over the whole batch */

  YvOperand input; /* [n, 3, h, w], cstride 4, ARENA; memory NONE where it is never stored
                      (YV_PART_FIRST) */
  YvOperand heads[YV_MAX_LEVELS]; /* logits: F32, ARENA, alive to the end; where they are never
                                     stored (YV_PART_HEAD) only their shape, and memory NONE */
  YvOperand rows;                 /* dense_rows: F32, [n, 5 + nc, rows, 1], cstride 5 + nc */
  uint32_t n_rows;                /* of one image over all levels */
  YvDetectSpec detect;
  YvOperand *values; /* by node id, see yv_plan_value() */
  uint32_t n_values;
  uint32_t capacity;   /* candidates a list holds, n_rows or more: see layout.c */
  uint32_t list_bytes; /* of one image's candidate list, header included; a multiple of align */

  uint32_t first_network_step, first_decode_step; /* where LETTERBOX ends and DECODE begins */
} YvPlan;

/**
 * yv_plan_new:
 * @graph: borrowed, must outlive the plan
 *
 * Infers shapes, lowers each node through its op, schedules levels, places the arena.
 *
 * Returns: (transfer full): or NULL with YV_ERROR_INVALID (a size that is no multiple of the
 * stride, naming it) or YV_ERROR_UNSUPPORTED (an operand larger than the device can address).
 */
YvPlan *yv_plan_new (const YvGraph *graph, const YvCaps *caps, const YvPlanOptions *options,
                     GError **error);
void yv_plan_free (YvPlan *plan); /* NULL ok */

/* One step alone, its operands in an arena of their own, each with what memory it needs, and with
 * the weights, kernel and alignments that it has in @plan. @plan is no longer needed; the graph is.
 * Free with yv_plan_free(). */
YvPlan *yv_plan_isolate (const YvPlan *plan, uint32_t step_index);

/* The same of all steps of a node of the graph, one after the other; NULL where it has none. */
YvPlan *yv_plan_isolate_node (const YvPlan *plan, const YvNode *node);

/* "conv 3x3/2 silu [1,32,80,80] -> [1,64,40,40]": what a step computes. Free with g_free(). */
char *yv_plan_describe_step (const YvStep *step);

/* A line a step and a head with totals; for people and golden files. Free with g_free(). */
char *yv_plan_print (const YvPlan *plan);

/* Appends "conv 3x3/2 silu": what a step computes. */
void yv_step_print_what (GString *text, const YvStep *step);

/* The operand that a node's value has in a plan with keep_all, for tests; NULL where the node has
 * no value of its own (fused away). */
const YvOperand *yv_plan_value (const YvPlan *plan, uint32_t node_id);

/* FLOPs (2 * multiply-adds of convolutions) of one image at a size, before anything is chosen: for
 * inspect. Also per node where @node_flops is not NULL (array indexed by the node's place in the
 * graph: its id where the graph is sorted). 0 where the graph does not fit the size. */
uint64_t yv_graph_flops (const YvGraph *graph, uint32_t h, uint32_t w, uint64_t *node_flops);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvPlan, yv_plan_free)

G_END_DECLS
