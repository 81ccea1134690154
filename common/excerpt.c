/* SPDX-License-Identifier: LGPL-2.1-or-later
 * common/excerpt.c - cuts between characters, never inside one. */
#include "common/excerpt.h"

#define MAX_CHARS 60

char *
yv_excerpt (const char *text)
{
  char kept[0x82] = {0}; /* what g_strescape() is to leave alone: UTF-8 beyond ASCII, quotes */

  if (!text)
    return g_strdup ("?");
  for (int i = 0; i < 0x80; i++)
    kept[i] = (char) (0x80 + i);
  kept[0x80] = '"';

  const char *end = text;
  for (int i = 0; i < MAX_CHARS && *end; i++)
    end = g_utf8_next_char (end);
  g_autofree char *start = g_strndup (text, (gsize) (end - text));
  g_autofree char *escaped = g_strescape (start, kept);
  return g_strconcat (escaped, *end ? "..." : "", NULL);
}
