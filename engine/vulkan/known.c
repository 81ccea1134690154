/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/known.c - the table of devices that were measured. */
#include "engine/vulkan/known.h"

typedef struct {
  VkDriverId driver_id;
  bool needs_avx512;
  bool wide_lanes, winograd;
} KnownRow;

/* The first row that fits. With conv_lanes on YOLOv7-tiny Zen 4 (AVX-512) gains 8 % with 64
 * channels, Zen 3 (AVX2) loses 20 %; both gain with Winograd. */
static const KnownRow known_rows[] = {
    {.driver_id = VK_DRIVER_ID_MESA_LLVMPIPE,
     .needs_avx512 = true,
     .wide_lanes = true,
     .winograd = true},
    {.driver_id = VK_DRIVER_ID_MESA_LLVMPIPE, .winograd = true},
};

/* 32 vector registers: see YvCaps.wide_lanes. */
static bool
cpu_has_avx512 (void)
{
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_cpu_supports ("avx512vl");
#else
  return false;
#endif
}

void
yv_known_apply (YvCaps *caps, VkDriverId driver_id)
{
  for (size_t i = 0; i < G_N_ELEMENTS (known_rows); i++) {
    const KnownRow *row = &known_rows[i];

    if (row->driver_id != driver_id || (row->needs_avx512 && !cpu_has_avx512 ()))
      continue;
    caps->wide_lanes = row->wide_lanes;
    caps->winograd = row->winograd;
    return;
  }
}
