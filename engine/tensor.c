/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/tensor.c - reading elements through a view. */
#include "engine/tensor.h"

#include <string.h>

#include "engine/half.h"

static const struct {
  const char *name;
  size_t size_bytes;
} dtypes[YV_N_DTYPES] = {
    [YV_DTYPE_F32] = {"f32", 4},   [YV_DTYPE_F16] = {"f16", 2}, [YV_DTYPE_BF16] = {"bf16", 2},
    [YV_DTYPE_F64] = {"f64", 8},   [YV_DTYPE_U8] = {"u8", 1},   [YV_DTYPE_I8] = {"i8", 1},
    [YV_DTYPE_I16] = {"i16", 2},   [YV_DTYPE_I32] = {"i32", 4}, [YV_DTYPE_I64] = {"i64", 8},
    [YV_DTYPE_BOOL] = {"bool", 1},
};

size_t
yv_dtype_size_bytes (YvDType dtype)
{
  return dtypes[dtype].size_bytes;
}

const char *
yv_dtype_name (YvDType dtype)
{
  return dtypes[dtype].name;
}

uint64_t
yv_tensor_n_elems (const YvTensor *tensor)
{
  uint64_t n_elems = 1;

  for (uint32_t i = 0; i < tensor->n_dims; i++)
    n_elems *= tensor->shape[i];
  return n_elems;
}

static uint64_t
elem_offset (const YvTensor *tensor, uint64_t index)
{
  uint64_t offset = 0;

  for (uint32_t i = tensor->n_dims; i-- > 0;) {
    offset += index % tensor->shape[i] * tensor->stride_elems[i];
    index /= tensor->shape[i];
  }
  return offset;
}

/* Elements may be unaligned, so each goes through memcpy. */
#define DEFINE_READ(name, type)                                                                    \
  static inline double name (const uint8_t *p)                                                     \
  {                                                                                                \
    type value;                                                                                    \
    memcpy (&value, p, sizeof value);                                                              \
    return (double) value;                                                                         \
  }
DEFINE_READ (read_f32, float)
DEFINE_READ (read_f64, double)
DEFINE_READ (read_i16, int16_t)
DEFINE_READ (read_i32, int32_t)
DEFINE_READ (read_i64, int64_t)
DEFINE_READ (read_u16, uint16_t)
#undef DEFINE_READ

static double
load (YvDType dtype, const uint8_t *p)
{
  switch (dtype) {
  case YV_DTYPE_F32:
    return read_f32 (p);
  case YV_DTYPE_F16:
    return (double) yv_half_to_float ((uint16_t) read_u16 (p));
  case YV_DTYPE_BF16:
    return (double) yv_bfloat16_to_float ((uint16_t) read_u16 (p));
  case YV_DTYPE_F64:
    return read_f64 (p);
  case YV_DTYPE_I8:
    return (int8_t) *p;
  case YV_DTYPE_I16:
    return read_i16 (p);
  case YV_DTYPE_I32:
    return read_i32 (p);
  case YV_DTYPE_I64:
    return read_i64 (p);
  case YV_DTYPE_U8:
  case YV_DTYPE_BOOL:
    return *p;
  case YV_N_DTYPES:
    break;
  }
  g_assert_not_reached ();
}

double
yv_tensor_get (const YvTensor *tensor, uint64_t index)
{
  const size_t size_bytes = yv_dtype_size_bytes (tensor->dtype);

  return load (tensor->dtype, tensor->data + elem_offset (tensor, index) * size_bytes);
}

static bool
is_contiguous (const YvTensor *tensor)
{
  uint64_t expected = 1;

  for (uint32_t i = tensor->n_dims; i-- > 0;) {
    if (tensor->shape[i] != 1 && tensor->stride_elems[i] != expected)
      return false;
    expected *= tensor->shape[i];
  }
  return true;
}

void
yv_tensor_read_f32 (const YvTensor *tensor, uint64_t first, uint64_t n_elems, float *dst)
{
  const size_t size_bytes = yv_dtype_size_bytes (tensor->dtype);
  const bool contiguous = is_contiguous (tensor);

  if (contiguous && tensor->dtype == YV_DTYPE_F32) {
    memcpy (dst, tensor->data + first * size_bytes, n_elems * sizeof *dst);
    return;
  }
  if (contiguous && tensor->dtype == YV_DTYPE_F16) {
    yv_half_to_floats (tensor->data + first * size_bytes, n_elems, dst);
    return;
  }
  for (uint64_t i = 0; i < n_elems; i++) {
    const uint64_t offset = contiguous ? first + i : elem_offset (tensor, first + i);
    dst[i] = (float) load (tensor->dtype, tensor->data + offset * size_bytes);
  }
}

char *
yv_tensor_shape_to_string (const YvTensor *tensor)
{
  GString *text = g_string_new ("[");

  for (uint32_t i = 0; i < tensor->n_dims; i++)
    g_string_append_printf (text, i ? ",%" G_GUINT64_FORMAT : "%" G_GUINT64_FORMAT,
                            tensor->shape[i]);
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

bool
yv_tensor_has_shape (const YvTensor *tensor, uint32_t n_dims, const uint64_t *shape)
{
  return tensor->n_dims == n_dims &&
         (n_dims == 0 || memcmp (tensor->shape, shape, n_dims * sizeof *shape) == 0);
}
