/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/literal.h - numbers and texts as a pickle writes them.
 *
 * Binary integers of any length, and the text forms of protocol 0. All give NULL, and set no error,
 * where the bytes are not of that form; the reader of opcodes says where.
 */
#pragma once

#include <glib.h>

#include "engine/checkpoint/pool.h"
#include "engine/span.h"

G_BEGIN_DECLS

/* Two's complement, little-endian. FLOAT beyond 64 bits. */
YvObject *yv_literal_long (YvPool *pool, YvSpan bytes);

/* "12", "12L"; and, as INT opcodes spell bools, "00" and "01". */
YvObject *yv_literal_int_text (YvPool *pool, YvSpan line);

YvObject *yv_literal_float_text (YvPool *pool, YvSpan line);

/* A quoted Python string with its backslash escapes. */
YvObject *yv_literal_quoted_text (YvPool *pool, YvSpan line);

/* Latin-1 with \uXXXX escapes (Python's raw-unicode-escape). */
YvObject *yv_literal_unicode_text (YvPool *pool, YvSpan line);

G_END_DECLS
