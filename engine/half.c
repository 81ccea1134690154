/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/half.c - 16-bit floats in plain integer arithmetic, the same on every machine. */
#include "engine/half.h"

#include <string.h>

static float
float_from_bits (uint32_t bits)
{
  float value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

static uint32_t
bits_from_float (float value)
{
  uint32_t bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

float
yv_half_to_float (uint16_t half)
{
  const uint32_t sign = (uint32_t) (half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 0x1f;
  const uint32_t mantissa = half & 0x3ff;
  /* Subnormal: mantissa * 2^-24, which a float holds exactly. */
  const uint32_t small = bits_from_float ((float) (int32_t) mantissa * 0x1p-24f);
  const uint32_t bias = exponent == 0x1f ? 0xff - 0x1f : 112;
  const uint32_t normal = (exponent + bias) << 23 | mantissa << 13;

  /* Both are computed and one is chosen, so that loops over this can be vectorised. */
  return float_from_bits (sign | (exponent == 0 ? small : normal));
}

void
yv_half_to_floats (const uint8_t *halves, size_t n, float *dst)
{
  for (size_t i = 0; i < n; i++) {
    uint16_t half;

    memcpy (&half, halves + i * sizeof half, sizeof half);
    dst[i] = yv_half_to_float (half);
  }
}

uint16_t
yv_half_from_float (float value)
{
  const uint32_t bits = bits_from_float (value);
  const uint16_t sign = (uint16_t) (bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;

  if (magnitude > 0x7f800000)
    return (uint16_t) (sign | 0x7e00); /* NaN */
  if (magnitude >= 0x477ff000)
    return (uint16_t) (sign | 0x7c00); /* 65520 and up round to infinity */
  if (magnitude < 0x33000001)
    return sign; /* up to 2^-25 rounds to zero (the tie goes to even) */

  const uint32_t exponent = magnitude >> 23;
  /* Normal numbers drop 13 bits, subnormal ones more; the hidden bit is made explicit for those. */
  const uint32_t shift = exponent < 113 ? 126 - exponent : 13;
  const uint32_t mantissa =
      exponent < 113 ? ((magnitude & 0x7fffff) | 0x800000) : magnitude - (112u << 23);
  const uint32_t kept = mantissa >> shift;
  const uint32_t rest = mantissa & ((1u << shift) - 1);
  const uint32_t half = 1u << (shift - 1);

  return (uint16_t) (sign | (kept + (rest > half || (rest == half && (kept & 1)))));
}

float
yv_bfloat16_to_float (uint16_t bits)
{
  return float_from_bits ((uint32_t) bits << 16);
}
