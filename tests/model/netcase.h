/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/netcase.h - a small network with every op, on the Vulkan executor and the reference.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/graph/graph.h"
#include "engine/plan/executor.h"
#include "engine/vulkan/vulkan.h"

G_BEGIN_DECLS

#define NET_STRIDE 8 /* the largest of the small net */
#define NET_CLASSES 4
#define NET_MAX_BATCH 3

/* Sums of at most 9 * 72 products in fp32, ten layers deep. */
#define NET_FP32_BOUND 5e-6
/* Each of ten layers rounds to 11 bits, and a rounding may go the other way than the reference's.
 */
#define NET_FP16_BOUND 2e-3

/* ---- graphs ---------------------------------------------------------------------------------- */

/* 3 x h x w -> two heads at strides 4 and 8; channel counts that are no multiples of tiles. */
YvGraph *net_graph_new (void);

/* For other graphs: with random weights, and with anchors for as many levels. */
YvNode *net_add_conv (YvGraph *graph, uint32_t input, uint32_t c_out, uint32_t kernel,
                      uint32_t stride, YvActKind act);
void net_add_detect (YvGraph *graph, const uint32_t *inputs, uint32_t n_levels);

/* ---- pictures -------------------------------------------------------------------------------- */

/* A picture that owns its bytes. */
typedef struct {
  YvImage image;
  uint8_t *bytes;
} NetPicture;

/* RGB, random. Free its bytes with g_free(). */
NetPicture net_picture_new (uint32_t width, uint32_t height, uint32_t seed);

/* A batch of pictures of different sizes, all fitted into w x h. */
typedef struct {
  NetPicture pictures[NET_MAX_BATCH];
  YvImage images[NET_MAX_BATCH];
  YvLetterbox letterboxes[NET_MAX_BATCH];
  YvBatch batch;
} NetFrames;

void net_frames_init (NetFrames *frames, uint32_t n, uint32_t w, uint32_t h, uint32_t seed);
void net_frames_clear (NetFrames *frames);

/* ---- executors: none of these fails ---------------------------------------------------------- */

YvPlan *net_plan_new (YvDevice *device, const YvGraph *graph, const YvPlanOptions *options);
YvExecutor *net_executor_new (YvDevice *device, YvWeightStore *store, const YvPlan *plan,
                              uint32_t n_slots);
YvExecutor *net_reference_new (const YvPlan *plan);

/* Submits and waits. */
void net_submit (YvExecutor *executor, uint32_t slot, const YvBatch *batch,
                 const struct YvCandidate **lists, uint32_t *n);

uint64_t net_operand_n_elems (const YvOperand *operand);

/* Free with g_free(). */
float *net_operand_read (YvExecutor *executor, const YvOperand *operand);

/* ||a - b|| / ||b|| of both executors' values is at most @bound. */
void net_operand_assert_equal (YvExecutor *executor, YvExecutor *reference,
                               const YvOperand *operand, const char *name, double bound);

/* The same of all heads and, where the plan has them, dense rows. */
void net_heads_assert_equal (YvExecutor *executor, YvExecutor *reference, double bound);

/* One may be found here and not there where its confidence is at the threshold. */
void net_candidates_assert_close (const struct YvCandidate *got, uint32_t n_got,
                                  const struct YvCandidate *expected, uint32_t n_expected,
                                  float threshold, float bound);
void net_candidates_assert_identical (const struct YvCandidate *a, uint32_t n_a,
                                      const struct YvCandidate *b, uint32_t n_b);

/* What most tests need: one device, one net, one plan, one executor. */
typedef struct {
  YvDevice *device; /* NULL: skipped */
  YvGraph *graph;
  YvWeightStore *store;
  YvPlan *plan;
  YvExecutor *executor;
} NetRun;

extern const YvPlanOptions net_one_image; /* 64 x 64 px, fp32 */

/* False, after g_test_skip(), where there is no device; net_run_fill() does all but open it. */
bool net_run_init (NetRun *net, const YvPlanOptions *options, uint32_t n_slots);
void net_run_fill (NetRun *net, const YvPlanOptions *options, uint32_t n_slots);

/* Also asserts that no validation message has come. */
void net_run_clear (NetRun *net);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NetRun, net_run_clear)

G_END_DECLS
