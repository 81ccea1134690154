/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/barcode.c - draws blocks, and reads the middle of each. */
#include "tests/examples/barcode.h"

#define N_BITS 40u
#define ROWS 16u

uint32_t
barcode_now_ms (void)
{
  return (uint32_t) (g_get_monotonic_time () / 1000);
}

/* So that a picture of one colour is no code. */
static uint64_t
with_check (uint32_t ms)
{
  const uint8_t check = (uint8_t) (0x5a ^ ms ^ (ms >> 8) ^ (ms >> 16) ^ (ms >> 24));

  return ((uint64_t) ms << 8) | check;
}

void
barcode_draw (uint8_t *luma, uint32_t w, uint32_t h, uint32_t stride, uint32_t ms)
{
  const uint64_t code = with_check (ms);

  for (uint32_t y = h - ROWS; y < h; y++)
    for (uint32_t x = 0; x < w; x++)
      luma[y * stride + x] = (code >> (x * N_BITS / w)) & 1 ? 235 : 16;
}

bool
barcode_read (const uint8_t *luma, uint32_t w, uint32_t h, uint32_t stride, uint32_t *ms)
{
  const uint8_t *row = luma + (h - ROWS / 2) * stride;
  uint64_t code = 0;

  for (uint32_t bit = 0; bit < N_BITS; bit++)
    if (row[(2 * bit + 1) * w / (2 * N_BITS)] > 125)
      code |= (uint64_t) 1 << bit;
  *ms = (uint32_t) (code >> 8);
  return with_check (*ms) == code;
}
