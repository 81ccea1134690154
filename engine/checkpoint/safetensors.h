/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/safetensors.h - writing the safetensors container (reading is checkpoint.h's).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/tensor.h"

G_BEGIN_DECLS

typedef struct {
  const char *name; /* borrowed */
  YvTensor tensor;  /* contiguous, row-major */
} YvNamedTensor;

/**
 * yv_safetensors_write:
 *
 * Writes @tensors, in their order, to @path: to a temporary name beside it, then renamed, so that
 * no reader sees half a file.
 *
 * Returns: false with YV_ERROR_IO.
 */
bool yv_safetensors_write (const char *path, const YvNamedTensor *tensors, uint32_t n_tensors,
                           GError **error);

G_END_DECLS
