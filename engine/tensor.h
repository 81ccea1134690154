/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/tensor.h - element types, and a view of a tensor that lies in somebody else's memory.
 *
 * Readers of files make views after checking that every element lies inside the file; everything
 * after them may read without a check. Shapes are slowest first, e.g. [n, c, h, w].
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

#define YV_MAX_DIMS 8

typedef enum {
  YV_DTYPE_F32,
  YV_DTYPE_F16,
  YV_DTYPE_BF16,
  YV_DTYPE_F64,
  YV_DTYPE_U8,
  YV_DTYPE_I8,
  YV_DTYPE_I16,
  YV_DTYPE_I32,
  YV_DTYPE_I64,
  YV_DTYPE_BOOL,
  YV_N_DTYPES
} YvDType;

size_t yv_dtype_size_bytes (YvDType dtype);
const char *yv_dtype_name (YvDType dtype); /* "f32", "f16", ... */

/* A view: where each element of a tensor is. Elements are little-endian and may be unaligned. */
typedef struct {
  YvDType dtype;
  uint32_t n_dims; /* 0: a scalar; at most YV_MAX_DIMS */
  uint64_t shape[YV_MAX_DIMS];
  uint64_t stride_elems[YV_MAX_DIMS]; /* arbitrary where shape is 1; 0 for an expanded dimension */
  const uint8_t *data;                /* borrowed: the first element */
} YvTensor;

/* Product of the shape, 1 for a scalar. Cannot overflow for a view made by a reader. */
uint64_t yv_tensor_n_elems (const YvTensor *tensor);

/* The element at a position counted in row-major order, whatever the strides; any dtype. */
double yv_tensor_get (const YvTensor *tensor, uint64_t index);

/* Copies elements [first, first + n_elems) in row-major order to @dst as floats. */
void yv_tensor_read_f32 (const YvTensor *tensor, uint64_t first, uint64_t n_elems, float *dst);

/* "[64,32,3,3]". Free with g_free(). */
char *yv_tensor_shape_to_string (const YvTensor *tensor);

/* True where the tensor has exactly this shape. */
bool yv_tensor_has_shape (const YvTensor *tensor, uint32_t n_dims, const uint64_t *shape);

G_END_DECLS
