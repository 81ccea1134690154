/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/graph.h - what the network computes: nodes with one output each.
 *
 * A node is also its output value, [n, c_out, h, w]; h and w are known only once a plan is made for
 * a size. Nodes are kept in an order in which each comes after its inputs. Passes (engine/passes/)
 * rewrite a graph in place; nothing after them changes it, so a finished graph may be read by any
 * thread and by any number of plans.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/graph/weight.h"
#include "engine/model/limits.h"

G_BEGIN_DECLS

typedef enum {
  YV_OP_INPUT,    /* the letterboxed picture: RGB 0..1 */
  YV_OP_CONV,     /* act (W * x + b), zero padding */
  YV_OP_AFFINE,   /* x * scale + shift per channel: a batch-norm or an implicit not yet folded */
  YV_OP_ACT,      /* act (x) */
  YV_OP_MAXPOOL,  /* windows are cut at the border (padding takes no part) */
  YV_OP_UPSAMPLE, /* nearest, by an integer factor */
  YV_OP_CONCAT,   /* along c, in the order of the inputs */
  YV_OP_ADD,      /* act (sum of the inputs) */
  YV_OP_REORG,    /* space to depth by 2, block order of spec 1.4 */
  YV_OP_DECODE,   /* logits of one level -> rows x y w h obj cls... (spec 3.1): [n, 5 + nc, na * h,
                     w],   channels-last in memory, so that row (a, y, x) is contiguous */
  YV_OP_DETECT,   /* all levels -> candidates above the threshold (spec 4.2, steps 1 and 2);
                     c_out = 5 + nc */
  YV_N_OPS
} YvOpKind;

typedef enum {
  YV_ACT_NONE,
  YV_ACT_SILU,
  YV_ACT_LEAKY_RELU, /* x < 0: slope * x */
  YV_ACT_RELU,
  YV_ACT_RELU6,
  YV_ACT_HARDSWISH,
  YV_ACT_MISH,
  YV_ACT_SIGMOID,
  YV_N_ACTS
} YvActKind;

typedef struct {
  YvActKind kind;
  float slope; /* LEAKY_RELU only */
} YvAct;

typedef enum {
  YV_AFFINE_BATCHNORM,
  YV_AFFINE_IMPLICIT, /* added before, or multiplied after, a head's convolution (spec 2.3) */
} YvAffineRole;

/* Where fuse_pool_pyramid found three pools of 5 x 5, each of the one before, stored side by side
 * in a concat. The first of them computes all at once on GPUs, where the others have no steps. */
typedef enum {
  YV_PYRAMID_NONE,
  YV_PYRAMID_RISING,  /* the first; the second lies behind it, the third behind that */
  YV_PYRAMID_FALLING, /* the first; they lie before it */
  YV_PYRAMID_UPPER,   /* the second or third */
} YvPyramid;

typedef struct {
  uint32_t n_levels;  /* = n_inputs of the node; 1 for DECODE */
  bool decoded;       /* the inputs are DECODE nodes; false after fuse_detect: they are logits,
                         [n, na * (5 + nc), h, w], channel a * (5 + nc) + k */
  uint32_t n_anchors; /* per level */
  uint32_t n_classes;
  uint32_t stride[YV_MAX_LEVELS];                    /* network pixels per cell */
  float anchor_px[YV_MAX_LEVELS][YV_MAX_ANCHORS][2]; /* w, h in network pixels */
} YvDetectSpec;

#define YV_NO_PARENT UINT32_MAX

typedef struct YvNode {
  uint32_t
      id; /* unique and never reused; the index into YvGraph.nodes only after yv_graph_sort() */
  YvOpKind op;
  char *name;       /* "model.24.cv1.conv", for people */
  uint32_t row;     /* the layer it came from */
  uint32_t *inputs; /* ids */
  uint32_t n_inputs;
  uint32_t c_out;
  YvAct act; /* CONV, ACT, ADD */

  union { /* by op */
    struct {
      YvWeight *weight; /* owned; has c_in, groups and the kernel size */
      uint32_t stride_h, stride_w, pad_h, pad_w;

      /* Set by merge_siblings: of the first of some convolutions that are stored side by side the
       * one that computes them all, owned and in no list: its weight stacks theirs in the order of
       * their channels, its name joins theirs, all else is the first's. The others have no steps.
       */
      struct YvNode *merged;
      bool by_sibling;

      /* Set by fuse_shortcut, which gives the node a second input, of the output's shape, to be
       * added: before the activation or after it. */
      bool act_last;
      /* Set by fuse_upsample: the output (with what is added) is enlarged by 2, nearest. */
      bool is_doubled;
    } conv;
    struct {
      YvAffineRole role;
      uint32_t n_params;     /* what training optimised: 2 c for a batch-norm, c for an implicit */
      double *scale, *shift; /* [c_out], owned */
    } affine;
    struct {
      uint32_t kernel, stride, pad;
      YvPyramid pyramid;
    } maxpool;
    struct {
      uint32_t factor;
    } upsample;
    YvDetectSpec detect; /* DECODE and DETECT */
  };

  /* Where the value is stored, set by elide_concat: channels [c_offset, c_offset + c_out) of the
   * CONCAT node @parent, whose own value may lie in a further parent. */
  uint32_t parent; /* an id, or YV_NO_PARENT */
  uint32_t c_offset;
} YvNode;

typedef struct {
  GPtrArray *nodes; /* of YvNode *; [0] is the INPUT, the last is the DETECT */
  uint32_t next_id;
  uint32_t n_rows; /* rows of the model it came from */
} YvGraph;

YvGraph *yv_graph_new (void);
void yv_graph_free (YvGraph *graph); /* NULL ok */

/* Appends a node; @name is copied. The op's own fields are left zero for the caller. */
YvNode *yv_graph_add (YvGraph *graph, YvOpKind op, const char *name, uint32_t row,
                      const uint32_t *inputs, uint32_t n_inputs, uint32_t c_out);

/* Linear search is fine here: passes run once a load. NULL where there is no such node. */
YvNode *yv_graph_node (const YvGraph *graph, uint32_t id);

YvNode *yv_graph_output (const YvGraph *graph); /* the DETECT node */

/* Of its levels, in network pixels: input sizes are multiples of it. */
uint32_t yv_graph_max_stride (const YvGraph *graph);

/* How many nodes read @id (a node that reads it twice counts twice). */
uint32_t yv_graph_n_readers (const YvGraph *graph, uint32_t id);

/* Does a head decode @id? Such a value is stored in float, alone, by a convolution. */
bool yv_graph_is_logits (const YvGraph *graph, uint32_t id);

/* Every reader of @old_id reads @new_id instead. */
void yv_graph_replace (YvGraph *graph, uint32_t old_id, uint32_t new_id);

/* Frees a node that nobody reads. */
void yv_graph_remove (YvGraph *graph, uint32_t id);

/* Puts @node, which was appended, right behind @other. */
void yv_graph_move_behind (YvGraph *graph, YvNode *node, const YvNode *other);

/* Orders the nodes so that each comes after its inputs, keeping the order otherwise, and gives them
 * new ids that equal their index (parents too). Call after the last pass. */
void yv_graph_sort (YvGraph *graph);

/* Checks every invariant told in this header; a failing one is a bug in a pass. */
void yv_graph_assert_valid (const YvGraph *graph);

/* One line a node, for people, tests and --json. Free with g_free(). */
char *yv_graph_print (const YvGraph *graph);

const char *yv_op_name (YvOpKind op);    /* "conv" */
const char *yv_act_name (YvActKind act); /* "silu" */

/* The value itself: what ACT nodes, epilogues and the reference compute, in double. */
double yv_act_apply (YvAct act, double x);

/* Parameters of a node as it stands (weights and bias of a CONV whose bias is counted if the model
 * had one or a batch-norm has been folded into it; see graph.c), for inspect. */
uint64_t yv_node_n_params (const YvNode *node);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvGraph, yv_graph_free)

G_END_DECLS
