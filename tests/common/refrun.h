/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/refrun.h - small networks, made by hand and run on the reference. */
#pragma once

#include <glib.h>

#include "engine/plan/executor.h"

G_BEGIN_DECLS

#define YV_TEST_NC 1
#define YV_TEST_ROW (5 + YV_TEST_NC) /* channels of a head with one anchor */

/* A DETECT of the logits of @head: one level, one anchor of 10 x 20 px, one class. */
void yv_test_add_detect (YvGraph *graph, uint32_t head, uint32_t stride);

/* Takes @weight. */
YvNode *yv_test_add_conv (YvGraph *graph, uint32_t input, YvWeight *weight, uint32_t stride,
                          uint32_t pad);

/* [c_out, c_in / groups, k, k] over @data, which must outlive it. */
YvWeight *yv_test_tensor_weight (const float *data, uint32_t c_out, uint32_t c_in, uint32_t groups,
                                 uint32_t k);

/* From -1 to 1. Free with g_free(). */
float *yv_test_random_floats (GRand *rand, size_t n);

/* A graph that was planned and run. */
typedef struct {
  YvPlan *plan;
  YvExecutor *executor;
  const struct YvCandidate *candidates;
  uint32_t n_candidates;
} YvTestRun;

void yv_test_run_clear (YvTestRun *run);

/* One tensor [1, 3, h, w] through @graph, with rows, every value kept, and confidence .25. */
YvTestRun yv_test_run_graph (const YvGraph *graph, YvDType dtype, uint32_t h, uint32_t w,
                             const float *input);

/* The same with the steps that are for a device. */
YvTestRun yv_test_run_graph_for (const YvGraph *graph, const YvCaps *caps, YvDType dtype,
                                 uint32_t h, uint32_t w, const float *input);

/* [n, c, h, w]. Free with g_free(). */
float *yv_test_read_value (const YvTestRun *run, const YvOperand *operand);

/* INPUT and the least that a plan wants behind it: a 1x1 head of stride 32. */
YvGraph *yv_test_picture_graph (const float *weight);

/* What the reference makes of @image, which has to be sound: [3, net_h, net_w] in 0..255; sides of
 * the input are multiples of 32. Free with g_free(). */
float *yv_test_letterbox (const YvImage *image, const YvLetterbox *letterbox);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (YvTestRun, yv_test_run_clear)

G_END_DECLS
