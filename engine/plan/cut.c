/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/cut.c - pieces by their FLOPs: what has none takes little beside them. */
#include "engine/plan/cut.h"

uint32_t
yv_plan_cut (const YvPlan *plan, uint64_t max_flops, uint32_t *ends)
{
  uint64_t flops = 0;
  uint32_t n = 0;

  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, i);

    if (flops > 0 && step->flops > max_flops - MIN (flops, max_flops)) {
      ends[n++] = i;
      flops = 0;
    }
    flops += step->flops;
  }
  ends[n++] = plan->steps->len;
  return n;
}

uint64_t
yv_plan_piece_flops (const YvPlan *plan, uint64_t device_ns)
{
  const double flops_per_ns = (double) plan->flops / (double) MAX (device_ns, 1);

  return (uint64_t) (flops_per_ns * (double) YV_PIECE_NS);
}
