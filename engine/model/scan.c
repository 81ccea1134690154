/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/scan.c - the exponent of a float is all ones exactly where it is not finite. */
#include "engine/model/scan.h"

#include <math.h>
#include <string.h>

#define CHUNK_BYTES 4096 /* copied, since elements in a file may be unaligned */

static bool
any_non_finite_16 (const uint8_t *bytes, size_t size_bytes, uint16_t exponent)
{
  uint16_t words[CHUNK_BYTES / 2];
  unsigned found = 0;

  memcpy (words, bytes, size_bytes);
  for (size_t i = 0; i < size_bytes / 2; i++)
    found |= (words[i] & exponent) == exponent;
  return found != 0;
}

static bool
any_non_finite_32 (const uint8_t *bytes, size_t size_bytes)
{
  uint32_t words[CHUNK_BYTES / 4];
  unsigned found = 0;

  memcpy (words, bytes, size_bytes);
  for (size_t i = 0; i < size_bytes / 4; i++)
    found |= (words[i] & 0x7f800000u) == 0x7f800000u;
  return found != 0;
}

static bool
any_non_finite_64 (const uint8_t *bytes, size_t size_bytes)
{
  uint64_t words[CHUNK_BYTES / 8];
  unsigned found = 0;

  memcpy (words, bytes, size_bytes);
  for (size_t i = 0; i < size_bytes / 8; i++)
    found |= (words[i] & 0x7ff0000000000000u) == 0x7ff0000000000000u;
  return found != 0;
}

static bool
any_non_finite (YvDType dtype, const uint8_t *bytes, size_t size_bytes)
{
  if (dtype == YV_DTYPE_F16)
    return any_non_finite_16 (bytes, size_bytes, 0x7c00);
  if (dtype == YV_DTYPE_BF16)
    return any_non_finite_16 (bytes, size_bytes, 0x7f80);
  if (dtype == YV_DTYPE_F32)
    return any_non_finite_32 (bytes, size_bytes);
  return dtype == YV_DTYPE_F64 && any_non_finite_64 (bytes, size_bytes);
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
  bool suspect = n_elems > 0 && extent (tensor) != n_elems;

  for (uint64_t done = 0; !suspect && done < size_bytes; done += CHUNK_BYTES)
    suspect = any_non_finite (tensor->dtype, tensor->data + done,
                              (size_t) MIN (size_bytes - done, CHUNK_BYTES));
  return suspect && find_non_finite (tensor, n_elems, index);
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
