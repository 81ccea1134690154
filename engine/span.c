/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/span.c - a bounded run of bytes, read front to back with every read checked. */
#include "engine/span.h"

#include <string.h>

bool
yv_span_slice (YvSpan span, uint64_t offset, uint64_t size_bytes, YvSpan *out)
{
  if (offset > span.size_bytes || size_bytes > span.size_bytes - offset)
    return false;
  /* An empty span may have no data, and NULL + 0 is not defined in C. */
  out->data = offset ? span.data + offset : span.data;
  out->size_bytes = (size_t) size_bytes;
  return true;
}

bool
yv_span_skip (YvSpan *span, uint64_t size_bytes)
{
  return size_bytes <= span->size_bytes &&
         yv_span_slice (*span, size_bytes, span->size_bytes - size_bytes, span);
}

bool
yv_span_take (YvSpan *span, uint64_t size_bytes, YvSpan *out)
{
  YvSpan taken;

  if (!yv_span_slice (*span, 0, size_bytes, &taken) || !yv_span_skip (span, size_bytes))
    return false;
  *out = taken;
  return true;
}

/* The integer of the next @n_bytes bytes. Composed byte by byte: any alignment, any host. */
static bool
take_little_endian (YvSpan *span, uint32_t n_bytes, uint64_t *out)
{
  YvSpan bytes;

  if (!yv_span_take (span, n_bytes, &bytes))
    return false;
  *out = 0;
  for (uint32_t i = n_bytes; i-- > 0;)
    *out = *out << 8 | bytes.data[i];
  return true;
}

bool
yv_span_take_u8 (YvSpan *span, uint8_t *out)
{
  uint64_t value;

  if (!take_little_endian (span, 1, &value))
    return false;
  *out = (uint8_t) value;
  return true;
}

bool
yv_span_take_u16 (YvSpan *span, uint16_t *out)
{
  uint64_t value;

  if (!take_little_endian (span, 2, &value))
    return false;
  *out = (uint16_t) value;
  return true;
}

bool
yv_span_take_u32 (YvSpan *span, uint32_t *out)
{
  uint64_t value;

  if (!take_little_endian (span, 4, &value))
    return false;
  *out = (uint32_t) value;
  return true;
}

bool
yv_span_take_u64 (YvSpan *span, uint64_t *out)
{
  return take_little_endian (span, 8, out);
}

bool
yv_span_take_f64_be (YvSpan *span, double *out)
{
  uint64_t bits;

  if (!take_little_endian (span, 8, &bits))
    return false;
  bits = GUINT64_SWAP_LE_BE (bits);
  memcpy (out, &bits, sizeof *out);
  return true;
}

bool
yv_span_take_line (YvSpan *span, YvSpan *out)
{
  const uint8_t *end = span->size_bytes ? memchr (span->data, '\n', span->size_bytes) : NULL;

  return end && yv_span_take (span, (uint64_t) (end - span->data), out) && yv_span_skip (span, 1);
}

bool
yv_span_starts_with (YvSpan span, const void *bytes, size_t size_bytes)
{
  return size_bytes <= span.size_bytes && memcmp (span.data, bytes, size_bytes) == 0;
}
