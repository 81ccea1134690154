/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/got.c - what a reader got of numbered records. */
#include "tests/gst/got.h"

#include <string.h>

#define MEMBER "\"sequence\":"

void
got_add (Got *got, const char *text, size_t n_bytes, bool is_dup)
{
  g_autofree char *copy = g_strndup (text, n_bytes);
  const char *number = strstr (copy, MEMBER);

  if (!number || !g_ascii_isdigit (number[strlen (MEMBER)]))
    g_error ("no sequence in \"%s\"", copy);
  const uint64_t n = g_ascii_strtoull (number + strlen (MEMBER), NULL, 10);
  const bool is_marked = is_dup || strstr (copy, "\"redelivered\":true");
  if (n > got->last)
    got->n_different++;
  else if (is_marked)
    got->n_marked++;
  else
    got->n_unmarked++;
  got->n_marked_first += n > got->last && is_marked;
  got->last = MAX (got->last, n);
}

bool
got_wanted_records (const void *got)
{
  return ((const Got *) got)->n_different >= ((const Got *) got)->wanted;
}

bool
got_wanted_last (const void *got)
{
  return ((const Got *) got)->last >= ((const Got *) got)->wanted;
}
