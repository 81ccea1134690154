/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/pixel.c - a pixel's channels as doubles, whatever they are stored as. */
#include "engine/half.h"
#include "engine/ref/refop.h"

void
yv_ref_load (const uint8_t *arena, const YvOperand *operand, uint64_t pixel, uint32_t c_first,
             uint32_t n_c, double *dst)
{
  const uint64_t first = pixel * operand->cstride + c_first;

  if (operand->dtype == YV_DTYPE_F32) {
    const float *src = (const float *) (arena + operand->offset_bytes) + first;
    for (uint32_t c = 0; c < n_c; c++)
      dst[c] = src[c];
  } else {
    const uint16_t *src = (const uint16_t *) (arena + operand->offset_bytes) + first;
    for (uint32_t c = 0; c < n_c; c++)
      dst[c] = yv_half_to_float (src[c]);
  }
}

void
yv_ref_store (uint8_t *arena, const YvOperand *operand, uint64_t pixel, uint32_t c_first,
              uint32_t n_c, const double *src)
{
  const uint64_t first = pixel * operand->cstride + c_first;

  if (operand->dtype == YV_DTYPE_F32) {
    float *dst = (float *) (arena + operand->offset_bytes) + first;
    for (uint32_t c = 0; c < n_c; c++)
      dst[c] = (float) src[c];
  } else {
    uint16_t *dst = (uint16_t *) (arena + operand->offset_bytes) + first;
    for (uint32_t c = 0; c < n_c; c++)
      dst[c] = yv_half_from_float ((float) src[c]);
  }
}
