/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/safetensors.h - the safetensors container: a JSON header, then all tensors.
 *
 * Layout: the header's length as 64 bits; the header, {"name": {"dtype": "F16", "shape": [2, 3],
 * "data_offsets": [begin, end]}, ...}; then the bytes that those offsets count in.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/checkpoint/pool.h"
#include "engine/span.h"
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

/* True where the file begins as safetensors do: a header length and an opening brace. */
bool yv_safetensors_matches (YvSpan file);

/* A DICT of name to TENSOR, in the header's order, without the "__metadata__". The tensors must
 * cover the bytes behind the header without overlap or gap.
 *
 * Returns: (transfer none): the pool's; or NULL with YV_ERROR_MALFORMED or _UNSUPPORTED. The file
 * must outlive the pool. */
const YvObject *yv_safetensors_read (YvSpan file, YvPool *pool, GError **error);

G_END_DECLS
