/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/literal.c - numbers and texts as a pickle writes them. */
#include "engine/checkpoint/literal.h"

#include <errno.h>
#include <string.h>

#define MAX_NUMBER_CHARS 4096

YvObject *
yv_literal_long (YvPool *pool, YvSpan bytes)
{
  const bool negative = bytes.size_bytes && bytes.data[bytes.size_bytes - 1] & 0x80;

  if (bytes.size_bytes <= 8) {
    uint64_t bits = negative ? UINT64_MAX : 0;
    for (size_t i = bytes.size_bytes; i-- > 0;)
      bits = bits << 8 | bytes.data[i];
    return yv_pool_int (pool, (int64_t) bits);
  }

  double value = negative ? -1 : 0;
  for (size_t i = bytes.size_bytes; i-- > 0;)
    value = value * 256 + bytes.data[i];
  return yv_pool_float (pool, value);
}

/* A NUL-terminated copy of a number's text, NULL where it is empty, too long or holds a NUL. */
static char *
copy_number (YvSpan line)
{
  if (line.size_bytes == 0 || line.size_bytes > MAX_NUMBER_CHARS ||
      memchr (line.data, 0, line.size_bytes))
    return NULL;
  return g_strndup ((const char *) line.data, line.size_bytes);
}

static YvObject *
parse_float (YvPool *pool, const char *text)
{
  char *end;
  const double value = g_ascii_strtod (text, &end);

  return *end == 0 && end != text ? yv_pool_float (pool, value) : NULL;
}

YvObject *
yv_literal_int_text (YvPool *pool, YvSpan line)
{
  g_autofree char *text = copy_number (line);
  char *end;

  if (!text)
    return NULL;
  if (strcmp (text, "00") == 0 || strcmp (text, "01") == 0) {
    YvObject *value = yv_pool_object (pool, YV_OBJECT_BOOL);
    value->boolean = text[1] == '1';
    return value;
  }
  if (g_str_has_suffix (text, "L"))
    text[strlen (text) - 1] = 0;
  errno = 0;
  const int64_t value = g_ascii_strtoll (text, &end, 10);
  if (errno == ERANGE)
    return parse_float (pool, text);
  return *end == 0 && end != text ? yv_pool_int (pool, value) : NULL;
}

YvObject *
yv_literal_float_text (YvPool *pool, YvSpan line)
{
  g_autofree char *text = copy_number (line);

  return text ? parse_float (pool, text) : NULL;
}

/* The byte that the escape behind a backslash means, taken off @rest; -1: no escape, as in Python
 * the backslash then stays. */
static int
take_escape (YvSpan *rest)
{
  static const char names[] = "\\\'\"abfnrtv";
  static const char bytes[] = "\\\'\"\a\b\f\n\r\t\v";
  uint8_t c = 0;

  if (rest->size_bytes == 0)
    return -1;
  const char *name = rest->data[0] ? strchr (names, rest->data[0]) : NULL;
  if (name) {
    yv_span_skip (rest, 1);
    return (uint8_t) bytes[name - names];
  }
  if (rest->size_bytes < 3 || rest->data[0] != 'x' || !g_ascii_isxdigit (rest->data[1]) ||
      !g_ascii_isxdigit (rest->data[2]))
    return -1;
  c = (uint8_t) (g_ascii_xdigit_value (rest->data[1]) << 4 | g_ascii_xdigit_value (rest->data[2]));
  yv_span_skip (rest, 3);
  return c;
}

YvObject *
yv_literal_quoted_text (YvPool *pool, YvSpan line)
{
  const size_t n = line.size_bytes;
  YvSpan rest;

  if (n < 2 || line.data[0] != line.data[n - 1] || (line.data[0] != '\'' && line.data[0] != '"') ||
      !yv_span_slice (line, 1, n - 2, &rest))
    return NULL;

  g_autoptr (GString) text = g_string_sized_new (n);
  uint8_t c;
  while (yv_span_take_u8 (&rest, &c)) {
    const int escaped = c == '\\' ? take_escape (&rest) : -1;
    g_string_append_c (text, (char) (escaped >= 0 ? escaped : c));
  }
  return yv_pool_string (pool, text->str, text->len);
}

/* The code point of "uXXXX" or "UXXXXXXXX" taken off @rest, 0 where there is none. */
static gunichar
take_code_point (YvSpan *rest)
{
  gunichar point = 0;

  if (rest->size_bytes == 0 || (rest->data[0] != 'u' && rest->data[0] != 'U'))
    return 0;
  const size_t n_digits = rest->data[0] == 'u' ? 4 : 8;
  if (rest->size_bytes < n_digits + 1)
    return 0;
  for (size_t i = 1; i <= n_digits; i++) {
    if (!g_ascii_isxdigit (rest->data[i]))
      return 0;
    point = point << 4 | (gunichar) g_ascii_xdigit_value (rest->data[i]);
  }
  if (!g_unichar_validate (point))
    return 0;
  yv_span_skip (rest, n_digits + 1);
  return point;
}

YvObject *
yv_literal_unicode_text (YvPool *pool, YvSpan line)
{
  g_autoptr (GString) text = g_string_sized_new (line.size_bytes);
  uint8_t c;

  while (yv_span_take_u8 (&line, &c)) {
    const gunichar point = c == '\\' ? take_code_point (&line) : 0;
    g_string_append_unichar (text, point ? point : c);
  }
  return yv_pool_string (pool, text->str, text->len);
}
