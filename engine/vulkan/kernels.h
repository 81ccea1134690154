/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/kernels.h - which SPIR-V a kernel is. The one place to add a row for a new kernel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "engine/plan/step.h"

G_BEGIN_DECLS

typedef struct {
  const uint32_t *words; /* NULL: there is no such variant */
  size_t size_bytes;
} YvSpirv;

/* @dtype: F32 or F16, the element type; @texel: operands as texel buffers, else as addresses. */
YvSpirv yv_kernel_spirv (YvKernel kernel, YvDType dtype, bool texel);

/* Of all of them: another build has another. */
uint64_t yv_kernels_hash (void);

G_END_DECLS
