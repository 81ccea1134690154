/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/cstride.c - how far apart a value's pixels lie: spread over the sets of a CPU's
 * cache.
 */
#include "engine/plan/cstride.h"

#include "engine/align.h"

uint32_t
yv_cstride (const YvCaps *caps, uint32_t c, uint32_t align, size_t elem_bytes)
{
  const uint32_t line_bytes = 64, period_bytes = 1024;
  const uint64_t cstride = yv_round_up (c, align);

  if (caps->texel_lanes && cstride * elem_bytes % period_bytes == 0)
    return (uint32_t) (cstride + line_bytes / elem_bytes);
  return (uint32_t) cstride;
}
