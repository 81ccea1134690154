/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/random.c - splitmix64, and sums of its parts. */
#include "engine/graph/random.h"

/* FNV-1a, so that weights do not change when rows are added elsewhere. */
uint64_t
yv_random_seed (uint64_t seed, const char *name)
{
  uint64_t hash = 0xcbf29ce484222325 ^ seed;

  for (; *name; name++)
    hash = (hash ^ (uint8_t) *name) * 0x100000001b3;
  return yv_random_next (&hash);
}

/* Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014. */
uint64_t
yv_random_next (uint64_t *state)
{
  uint64_t z = *state += 0x9e3779b97f4a7c15;

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

/* The sum of the four 16-bit parts of one draw. In units of 2^16 its variance is 4 / 12, so a
 * factor of sqrt (3) makes it 1. */
double
yv_random_normal (uint64_t *state)
{
  const uint64_t bits = yv_random_next (state);
  const int64_t sum =
      (int64_t) ((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));

  return (double) (sum - 2 * 0xffff) / 65536 * 1.7320508075688772;
}
