/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/align.h - sizes and counts, rounded up.
 */
#pragma once

#include <stdint.h>

/* The smallest multiple of @multiple (>= 1) that is not below @value; both far below 2^64. */
static inline uint64_t
yv_round_up (uint64_t value, uint64_t multiple)
{
  return (value + multiple - 1) / multiple * multiple;
}

/* How many pieces of @size (>= 1) it takes to cover @value; both far below 2^64. */
static inline uint64_t
yv_pieces (uint64_t value, uint64_t size)
{
  return (value + size - 1) / size;
}
