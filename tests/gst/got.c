/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/got.c - what a reader got of numbered records. */
#include "tests/gst/got.h"

#include <stdio.h>
#include <string.h>

void
got_add (Got *got, const char *text, size_t n_bytes, bool is_dup)
{
  g_autofree char *copy = g_strndup (text, n_bytes);
  uint64_t n = 0;

  g_assert_cmpint (sscanf (copy, "{\"n\":%" G_GUINT64_FORMAT, &n), ==, 1);
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
