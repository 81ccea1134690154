/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/cstride.h - how far apart a value's pixels lie.
 */
#pragma once

#include "engine/plan/caps.h"

G_BEGIN_DECLS

/* Elements from one pixel to the next of a value of @c channels of @elem_bytes, a multiple of
 * @align (1 or 8) channels: @c rounded up, and with texel_lanes one cache line more where that is a
 * multiple of 1 KiB. Its kernels read the same channels of 40 pixels at once, and a first-level
 * cache of 8 ways keeps only 8 lines of each distance of 4 KiB. */
uint32_t yv_cstride (const YvCaps *caps, uint32_t c, uint32_t align, size_t elem_bytes);

G_END_DECLS
