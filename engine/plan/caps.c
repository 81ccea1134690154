/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/caps.c - what the reference can do: everything, slowly; what drivers don't tell. */
#include "engine/plan/caps.h"

#define USUAL_CORES 64

uint32_t
yv_caps_n_cores (const YvCaps *caps)
{
  return caps->n_cores ? caps->n_cores : USUAL_CORES;
}

void
yv_caps_init_reference (YvCaps *caps)
{
  *caps = (YvCaps){
      .name = "reference",
      .is_reference = true,
      .fp16_storage = true,
      .subgroup_size = 1,
      .max_groups = {UINT32_MAX, UINT32_MAX, UINT32_MAX},
      .max_storage_range_bytes = UINT64_MAX,
      .max_texels = UINT64_MAX,
      .align_bytes = 64,
  };
}
