/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/half.h - IEEE 754 binary16 and bfloat16 to and from float, exact and
 * round-to-nearest-even.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Exact: every binary16 value (subnormals, infinities, NaN payloads' top bits) is a float. */
float yv_half_to_float (uint16_t half);

/* The same for @n of them, which need not be aligned. */
void yv_half_to_floats (const uint8_t *halves, size_t n, float *dst);

/* Round to nearest, ties to even; overflow becomes infinity, NaN stays NaN. */
uint16_t yv_half_from_float (float value);

/* bfloat16 is the upper half of a float: exact. */
float yv_bfloat16_to_float (uint16_t bits);

G_END_DECLS
