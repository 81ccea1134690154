/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/ops/opcase.h - one op alone, on Vulkan and on the reference, from the same random memory.
 *
 * A case is lowered as in a plan, but into an arena of its own: guard, sources, guard, destination,
 * guard. The whole arena starts as random numbers, so a kernel that reads beside its operands gets
 * something wrong, and after the run every byte but the destination's must be what it was.
 *
 * Programs print TAP; with --bench they print times instead. Environment: YV_KERNELS=portable runs
 * the kernels for GPUs on lavapipe too; YV_VALIDATION=1 turns the validation layers on;
 * YV_TEST_FOLDS=1 lowers as for a device that takes only a few workgroups in a dimension.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/graph/graph.h"
#include "engine/plan/executor.h"
#include "engine/plan/way.h"
#include "engine/vulkan/vulkan.h"

G_BEGIN_DECLS

/* [n, c, h, w] inside pixels of @c_before + c rounded up to 8 + @c_behind channels. */
typedef struct {
  uint32_t c, h, w;
  uint32_t c_before, c_behind;
  bool is_input; /* as the network's input: pixels of 4 channels */
} OpTensor;

typedef struct {
  const char *name; /* of the case, for messages */
  YvNode node;      /* op, act and parameters; its weights are the caller's */
  uint32_t n;       /* images */
  YvDType dtype, dst_dtype;
  OpTensor src[YV_MAX_STEP_SRCS];
  uint32_t n_srcs;
  OpTensor dst;
  float amplitude;     /* the arena starts as random numbers of -amplitude..amplitude */
  const YvWay *way;    /* (nullable): of CONV, if the device can; NULL: what it takes by itself */
  uint32_t n_parts;    /* YvCaps.conv_parts */
  bool by_address;     /* as where an operand is too large for a texel buffer */
  bool exact_channels; /* the destination's pixels end with c, not with c rounded up to 8 */

  /* of INPUT: frames, and the convolution that reads them or NULL with the size of the picture
   * between (see YvLowering); of DETECT: rows as dense rows instead of candidates */
  const YvBatch *batch;
  const YvNode *first;
  uint32_t picture_h, picture_w;
  bool dense;
  const YvNode *const *heads; /* see YvLowering */
  uint32_t capacity;
} OpCase;

/* A case lowered, with its memory filled in both executors. */
typedef struct _OpRun OpRun;

/* NULL, after g_test_skip(), where there is no device or it lacks the case's dtype; silently where
 * it can't go the case's way. */
OpRun *op_run_new (const OpCase *c);
void op_run_free (OpRun *run); /* NULL ok */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (OpRun, op_run_free)

/* How many steps the device runs for it. */
uint32_t op_run_n_steps (const OpRun *run);

/* What the next submit hands over, to be changed; confidence is 0.5 at first. */
YvBatch *op_run_batch (OpRun *run);

/* Runs it on both. Lists and counts, NULL but for DETECT: candidates of each image. */
void op_run_submit (OpRun *run, const struct YvCandidate **got, uint32_t *n_got,
                    const struct YvCandidate **expected, uint32_t *n_expected);

/* The destination as plain [n, c, h, w]; free with g_free(). */
uint64_t op_run_n_elems (const OpRun *run);
float *op_run_got (OpRun *run);
float *op_run_expected (OpRun *run);

/* Every byte beside the destination is what it was, and no validation message has come. */
void op_run_assert_rest_untouched (OpRun *run);

/* How far an element may be from the reference's: @absolute + @relative * |expected|. */
typedef struct {
  double absolute, relative;
} OpBound;

/* All of it: runs, compares with @bound of the largest expected value, checks the rest. Returns:
 * whether it could run. */
bool op_case_check (const OpCase *c, OpBound (*bound) (const OpCase *c, double largest));

/* For ops that move elements or choose among them. */
OpBound op_bound_exact (const OpCase *c, double largest);

/* One rounding of the result to its dtype may go the other way than the reference's. */
double op_rounding (YvDType dtype);

/* Best of many: prints a line with ms, GFLOP/s and GB/s (sources, weight and destination once):
 * time on the device or, where that is a CPU, of one core. */
void op_case_bench (const OpCase *c, double gflop, double gbytes);
bool op_bench_wanted (int argc, char **argv);

/* The device of all cases, opened by the first; a reference of one's own. NULL: see
 * yv_test_open_device(). */
YvDevice *op_open_device (void);

/* g_test_run(), which then closes that device: what is left on it is a validation message, and
 * that the end. */
int op_run_tests (void);

/* c rounded up to 8. */
uint32_t op_round_up_8 (uint32_t c);

G_END_DECLS
