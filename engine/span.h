/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/span.h - a bounded run of bytes, read front to back with every read checked.
 *
 * A read past the end leaves the span untouched and returns false; the caller says in its own error
 * what was being read.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
  const uint8_t *data; /* borrowed: the file mapping */
  size_t size_bytes;   /* what is left */
} YvSpan;

/* [offset, offset + size_bytes) of @span, false where that is not inside it. */
bool yv_span_slice (YvSpan span, uint64_t offset, uint64_t size_bytes, YvSpan *out);

/* Each takes bytes off the front. Integers are little-endian unless the name says be. */
bool yv_span_take (YvSpan *span, uint64_t size_bytes, YvSpan *out);
bool yv_span_take_u8 (YvSpan *span, uint8_t *out);
bool yv_span_take_u16 (YvSpan *span, uint16_t *out);
bool yv_span_take_u32 (YvSpan *span, uint32_t *out);
bool yv_span_take_u64 (YvSpan *span, uint64_t *out);
bool yv_span_take_f64_be (YvSpan *span, double *out);
bool yv_span_skip (YvSpan *span, uint64_t size_bytes);

/* A line up to, without, and past the next '\n'. */
bool yv_span_take_line (YvSpan *span, YvSpan *out);

bool yv_span_starts_with (YvSpan span, const void *bytes, size_t size_bytes);

G_END_DECLS
