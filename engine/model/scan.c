/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/scan.c - the exponent of a float is all ones exactly where it is not finite. */
#include "engine/model/scan.h"

#include <math.h>
#include <string.h>

#define CHUNK_BYTES 4096 /* copied, since elements in a file may be unaligned */

/* Loops of a known length over lanes of one width, which compilers turn into vector code. */
#define DEFINE_SCAN(name, type)                                                                    \
  static bool name (const uint8_t *chunk, type exponent)                                           \
  {                                                                                                \
    type lanes[CHUNK_BYTES / sizeof (type)];                                                       \
    type found = 0;                                                                                \
    memcpy (lanes, chunk, CHUNK_BYTES);                                                            \
    for (size_t i = 0; i < CHUNK_BYTES / sizeof (type); i++)                                       \
      found |= (type) ((lanes[i] & exponent) == exponent);                                         \
    return found != 0;                                                                             \
  }
DEFINE_SCAN (any_non_finite_16, uint16_t)
DEFINE_SCAN (any_non_finite_32, uint32_t)
DEFINE_SCAN (any_non_finite_64, uint64_t)
#undef DEFINE_SCAN

static bool
any_non_finite_in_chunk (YvDType dtype, const uint8_t *chunk)
{
  if (dtype == YV_DTYPE_F16)
    return any_non_finite_16 (chunk, 0x7c00);
  if (dtype == YV_DTYPE_BF16)
    return any_non_finite_16 (chunk, 0x7f80);
  if (dtype == YV_DTYPE_F32)
    return any_non_finite_32 (chunk, 0x7f800000u);
  return dtype == YV_DTYPE_F64 && any_non_finite_64 (chunk, 0x7ff0000000000000u);
}

/* The last, incomplete chunk is filled up with zeros, which are finite. */
static bool
any_non_finite (YvDType dtype, const uint8_t *bytes, uint64_t size_bytes)
{
  uint8_t last[CHUNK_BYTES] = {0};
  uint64_t done = 0;

  for (; size_bytes - done >= CHUNK_BYTES; done += CHUNK_BYTES)
    if (any_non_finite_in_chunk (dtype, bytes + done))
      return true;
  if (done < size_bytes)
    memcpy (last, bytes + done, (size_t) (size_bytes - done));
  return any_non_finite_in_chunk (dtype, last);
}

/* Elements from the first to the last in memory, both included. */
static uint64_t
extent (const YvTensor *tensor)
{
  uint64_t last = 0;

  for (uint32_t i = 0; i < tensor->n_dims; i++)
    if (tensor->shape[i] > 1)
      last += (tensor->shape[i] - 1) * tensor->stride_elems[i];
  return last + 1;
}

static bool
find_non_finite (const YvTensor *tensor, uint64_t n_elems, uint64_t *index)
{
  for (*index = 0; *index < n_elems; (*index)++)
    if (!isfinite (yv_tensor_get (tensor, *index)))
      return true;
  return false;
}

bool
yv_scan_non_finite (const YvTensor *tensor, uint64_t *index)
{
  const uint64_t n_elems = yv_tensor_n_elems (tensor);
  const uint64_t size_bytes = n_elems * yv_dtype_size_bytes (tensor->dtype);
  const bool has_gaps = n_elems > 0 && extent (tensor) != n_elems;

  return (has_gaps || any_non_finite (tensor->dtype, tensor->data, size_bytes)) &&
         find_non_finite (tensor, n_elems, index);
}

bool
yv_scan_negative (const YvTensor *tensor, uint64_t *index)
{
  const uint64_t n_elems = yv_tensor_n_elems (tensor);

  for (*index = 0; *index < n_elems; (*index)++)
    if (yv_tensor_get (tensor, *index) < 0)
      return true;
  return false;
}
