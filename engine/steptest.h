/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/steptest.h - one step of a plan on the device and on the reference, from the same random
 * input: does the driver compute what it was told to?
 *
 * Next: engine/selftest.c chooses the steps.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/plan/plan.h"
#include "engine/vulkan/vulkan.h"

G_BEGIN_DECLS

typedef struct {
  uint64_t n_elems; /* that were compared: of the step's output those that do not overflow on both;
                       0: the step is untested */
  uint64_t n_wrong; /* further from the reference than rounding explains, or not numbers */
  double max_error; /* the largest finite |device - reference| */
  double relative_error; /* ||device - reference|| / ||reference||, of what is finite */
  /* The largest |device - reference| / what rounding explains; at most 1 where nothing is wrong,
   * and YV_STEP_TEST_MOST where it is beyond all measure. */
  double share_of_bound;
} YvStepTest;

#define YV_STEP_TEST_MOST 1e9

/**
 * yv_step_test:
 * @store: the packed weights that the device reads; what it lacks is added
 * @plan: of one image, for @device
 *
 * What rounding explains is derived in steptest.c and told in docs/numerics.md.
 *
 * Returns: whether it ran, right or wrong; false with the codes of the executors.
 */
bool yv_step_test (YvDevice *device, YvWeightStore *store, const YvPlan *plan, uint32_t step_index,
                   uint64_t seed, YvStepTest *out, GError **error);

/* How far from exact sums a convolution in one step may be where its source, and the residual that
 * it adds, are even between -1 and 1: absolute[c_out]. The rounding of the result itself comes on
 * top. @dtype: of the kernel. */
void yv_step_test_bound_conv (const YvWeight *weight, YvDType dtype, bool has_residual,
                              double *absolute);

G_END_DECLS
