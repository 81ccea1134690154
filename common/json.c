/* SPDX-License-Identifier: LGPL-2.1-or-later
 * common/json.c - counts brackets outside of texts, and knows where a text ends as json-glib does.
 */
#include "common/json.h"

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

/* Of the escape at @at, both halves of a surrogate pair; 0 where it is broken. */
static size_t
escape_bytes (const char *at, const char *end)
{
  uint32_t unit, low;

  if (end - at < 2)
    return 0;
  if (at[1] != 'u')
    return 2;
  if (!read_unit (at, end, &unit) || (unit >= 0xdc00 && unit < 0xe000))
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
    else if (!is_quoted && (*at == '/' || *at == '\''))
      fault = "has a comment or a '...', which JSON has not,";
    else if (has_ended && !g_ascii_isspace (*at))
      fault = "goes on after its end";
    else if (!is_quoted && !count_bracket (*at, max_depth, &depth))
      fault = too_deep;
    has_ended |= !is_quoted && depth == 0 && (*at == ']' || *at == '}');
  }
  if (!fault)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s at byte %" G_GSIZE_FORMAT, fault,
               (gsize) (at - text));
  return false;
}
