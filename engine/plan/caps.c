/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/caps.c - what the reference can do: everything, slowly. */
#include "engine/plan/caps.h"

#include "engine/align.h"

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

uint32_t
yv_caps_cstride (const YvCaps *caps, uint32_t c, uint32_t align, size_t elem_bytes)
{
  const uint32_t line_bytes = 64, period_bytes = 1024;
  const uint64_t cstride = yv_round_up (c, align);

  if (caps->texel_lanes && cstride * elem_bytes % period_bytes == 0)
    return (uint32_t) (cstride + line_bytes / elem_bytes);
  return (uint32_t) cstride;
}
