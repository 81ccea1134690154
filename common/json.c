/* SPDX-License-Identifier: LGPL-2.1-or-later
 * common/json.c - counts brackets outside of texts, and knows where a text ends as json-glib does;
 * numbers and words are those of RFC 8259.
 */
#include "common/json.h"

#include <math.h>
#include <string.h>

#include "engine/error.h"

/* \uXXXX at @at. */
static bool
read_unit (const char *at, const char *end, uint32_t *out)
{
  *out = 0;
  if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
    return false;
  for (uint32_t i = 2; i < 6; i++) {
    if (!g_ascii_isxdigit (at[i]))
      return false;
    *out = *out * 16 + (uint32_t) g_ascii_xdigit_value (at[i]);
  }
  return true;
}

/* Of the escape at @at, both halves of a surrogate pair; 0 where it is broken, or U+0000, which
 * ends a string in C. */
static size_t
escape_bytes (const char *at, const char *end)
{
  uint32_t unit, low;

  if (end - at < 2)
    return 0;
  if (at[1] != 'u')
    return at[1] != '\0' && strchr ("\"\\/bfnrt", at[1]) ? 2 : 0;
  if (!read_unit (at, end, &unit) || unit == 0 || (unit >= 0xdc00 && unit < 0xe000))
    return 0;
  if (unit < 0xd800 || unit >= 0xe000)
    return 6;
  return read_unit (at + 6, end, &low) && low >= 0xdc00 && low < 0xe000 ? 12 : 0;
}

/* False where a bracket is one too many. */
static bool
count_bracket (char c, uint32_t max_depth, uint32_t *depth)
{
  if (c == '[' || c == '{')
    ++*depth;
  else if ((c == ']' || c == '}') && *depth > 0)
    --*depth;
  return *depth <= max_depth;
}

static const char *
skip_digits (const char *at, const char *end)
{
  while (at < end && g_ascii_isdigit (*at))
    at++;
  return at;
}

/* Returns: behind the number at @at, as RFC 8259 (6) has it; NULL where it is none. */
static const char *
skip_number (const char *at, const char *end, bool *is_whole)
{
  at += at < end && *at == '-' ? 1 : 0;
  const char *digits = at;
  at = skip_digits (at, end);
  if (at == digits || (*digits == '0' && at - digits > 1))
    return NULL;
  *is_whole = true;
  if (at < end && *at == '.') {
    digits = at + 1;
    at = skip_digits (digits, end);
    *is_whole = false;
    if (at == digits)
      return NULL;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    digits = at + 1;
    digits += digits < end && (*digits == '-' || *digits == '+') ? 1 : 0;
    at = skip_digits (digits, end);
    *is_whole = false;
    if (at == digits)
      return NULL;
  }
  return at;
}

/* Whether int64_t, or double, has room for it. */
static bool
fits (const char *number, size_t n_bytes, bool is_whole)
{
  g_autofree char *copy = g_strndup (number, n_bytes);

  return is_whole ? g_ascii_string_to_signed (copy, 10, G_MININT64, G_MAXINT64, NULL, NULL)
                  : isfinite (g_ascii_strtod (copy, NULL));
}

/* As large as no number of so few bytes. */
#define SURELY_FITS 18

static const char *
fault_of_number (const char *at, const char *end, size_t *n_bytes)
{
  bool is_whole;
  const char *behind = skip_number (at, end, &is_whole);

  if (!behind || (behind < end && (g_ascii_isalnum (*behind) || strchr ("+-._", *behind))))
    return "has no number of JSON";
  *n_bytes = (size_t) (behind - at);
  const bool is_short = is_whole && *n_bytes <= SURELY_FITS;
  return is_short || fits (at, *n_bytes, is_whole) ? NULL : "has a number that is too large";
}

static const char *
fault_of_word (const char *at, const char *end, size_t *n_bytes)
{
  static const char *const words[] = {"true", "false", "null"};

  for (*n_bytes = 0; at + *n_bytes < end && g_ascii_isalnum (at[*n_bytes]);)
    ++*n_bytes;
  for (uint32_t i = 0; i < G_N_ELEMENTS (words); i++)
    if (*n_bytes == strlen (words[i]) && memcmp (at, words[i], *n_bytes) == 0)
      return NULL;
  return "has a word that JSON has not";
}

/* What stands at @at outside of texts and is no bracket. */
static const char *
fault_of_token (const char *at, const char *end, size_t *n_bytes)
{
  if (g_ascii_isdigit (*at) || strchr ("+-.", *at))
    return fault_of_number (at, end, n_bytes);
  if (g_ascii_isalpha (*at))
    return fault_of_word (at, end, n_bytes);
  return NULL;
}

bool
yv_json_check (const char *text, size_t size_bytes, uint32_t max_depth, GError **error)
{
  g_autofree char *too_deep = g_strdup_printf ("nests more than %u deep", max_depth);
  const char *const end = text + size_bytes, *fault = NULL, *at = text;
  bool is_quoted = false, has_ended = false;
  uint32_t depth = 0;

  for (size_t n_bytes; !fault && at < end; at += fault ? 0 : n_bytes) {
    n_bytes = is_quoted && *at == '\\' ? escape_bytes (at, end) : 1;
    is_quoted ^= *at == '"';
    if (n_bytes == 0)
      fault = "has a broken escape";
    else if (is_quoted && (unsigned char) *at < ' ')
      fault = "has a control character in a text";
    else if (!is_quoted && (*at == '/' || *at == '\''))
      fault = "has a comment or a '...', which JSON has not,";
    else if (has_ended && !g_ascii_isspace (*at))
      fault = "goes on after its end";
    else if (!is_quoted && !count_bracket (*at, max_depth, &depth))
      fault = too_deep;
    else if (!is_quoted)
      fault = fault_of_token (at, end, &n_bytes);
    has_ended |= !is_quoted && depth == 0 && (*at == ']' || *at == '}');
  }
  if (!fault)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s at byte %" G_GSIZE_FORMAT, fault,
               (gsize) (at - text));
  return false;
}
