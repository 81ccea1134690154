/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/net-shrink.c - the smallest description that still fails.
 *
 * Greedy: each change is tried at each place; one that leaves a failing net is kept, until none is
 * left. A change needs no care to leave a valid net: @fails is false for one that is not. */
#include <string.h>

#include "tests/model/net.h"

static TestNetRow *
row_at (const TestNet *net, uint32_t i)
{
  return &g_array_index (net->rows, TestNetRow, i);
}

/* Whoever reads row @dropped reads @instead. */
static void
rewire (int32_t *from, uint32_t n_from, int32_t dropped, int32_t instead)
{
  for (uint32_t i = 0; i < n_from; i++)
    from[i] = from[i] == dropped ? instead : from[i] - (from[i] > dropped);
}

/* ---- changes ---------------------------------------------------------------------------------
 * Each changes place @i and returns false where there is nothing to change, or no such place. */

static bool
reads_picture_late (const TestNet *net)
{
  for (uint32_t i = 1; i < net->rows->len; i++)
    for (uint32_t k = 0; k < row_at (net, i)->n_from; k++)
      if (row_at (net, i)->from[k] == TEST_NET_PICTURE)
        return true;
  for (uint32_t k = 0; k < 2 * net->n_levels; k++)
    if (net->heads_from[k] == TEST_NET_PICTURE)
      return true;
  return false;
}

static bool
drop_row (TestNet *net, uint32_t i)
{
  if (net->rows->len < 2)
    return false;

  const int32_t instead = row_at (net, i)->from[0];
  for (uint32_t k = i + 1; k < net->rows->len; k++)
    rewire (row_at (net, k)->from, row_at (net, k)->n_from, (int32_t) i, instead);
  rewire (net->heads_from, 2 * net->n_levels, (int32_t) i, instead);
  g_array_remove_index (net->rows, i);
  return !reads_picture_late (net);
}

static bool
drop_level (TestNet *net, uint32_t i)
{
  if (net->n_levels < 2 || i >= net->n_levels)
    return false;

  int32_t left[2 * TEST_NET_MAX_LEVELS];
  uint32_t n = 0;
  for (uint32_t k = 0; k < 2 * net->n_levels; k++)
    if (k % net->n_levels != i)
      left[n++] = net->heads_from[k];
  memcpy (net->heads_from, left, n * sizeof *left);
  net->n_levels--;
  return true;
}

static bool
drop_source (TestNet *net, uint32_t i)
{
  TestNetRow *row = row_at (net, i);

  if (row->n_from < 2)
    return false;
  row->n_from--;
  return true;
}

static bool
drop_repeats (TestNet *net, uint32_t i)
{
  TestNetRow *row = row_at (net, i);

  if (row->number == 1)
    return false;
  row->number = 1;
  return true;
}

/* The last one: those before it are needed to name it. */
static bool
drop_argument (TestNet *net, uint32_t i)
{
  char *args = row_at (net, i)->args, *comma = strrchr (args, ',');

  if (!*args)
    return false;
  *(comma ? comma : args) = '\0';
  return true;
}

static bool
plain_module (TestNet *net, uint32_t i)
{
  TestNetRow *row = row_at (net, i);

  if (!row->width || (g_str_equal (row->module, "Conv") && !*row->args))
    return false;
  row->module = "Conv";
  row->number = 1;
  *row->args = '\0';
  return true;
}

static bool
smallest_width (TestNet *net, uint32_t i)
{
  TestNetRow *row = row_at (net, i);

  if (row->width <= 8)
    return false;
  row->width = 8;
  return true;
}

static bool
smaller_width (TestNet *net, uint32_t i)
{
  TestNetRow *row = row_at (net, i);

  if (row->width <= 8)
    return false;
  row->width -= 8;
  return true;
}

static bool
plain_head (TestNet *net, uint32_t i)
{
  if (i > 0 || g_str_equal (net->head, "Detect"))
    return false;
  net->head = "Detect";
  return true;
}

static bool
reduce (uint32_t *value, uint32_t step)
{
  if (*value <= step)
    return false;
  *value -= step;
  return true;
}

static bool
smaller_head (TestNet *net, uint32_t i)
{
  return i < 2 && reduce (i == 0 ? &net->n_classes : &net->n_anchors, 1);
}

/* By the largest stride there may be, so that sizes stay multiples of it, and by less. */
static bool
smaller_input (TestNet *net, uint32_t i)
{
  if (i >= 6)
    return i == 6 && reduce (&net->n, 1);
  return reduce (i % 2 ? &net->w : &net->h, 32u >> (i / 2));
}

static bool (*const changes[]) (TestNet *net, uint32_t i) = {
    drop_row,   drop_level,     drop_source,   plain_module, drop_repeats,  drop_argument,
    plain_head, smallest_width, smaller_width, smaller_head, smaller_input,
};

/* ---- all of them ----------------------------------------------------------------------------- */

/* Places that a change may ask for: rows, or the few of smaller_input(). */
static uint32_t
n_places (const TestNet *net)
{
  return MAX (net->rows->len, 7);
}

/* Tries @change everywhere, from the end: what nobody reads goes first. */
static bool
try_change (TestNet **net, bool (*change) (TestNet *net, uint32_t i), bool per_row,
            bool (*fails) (const TestNet *net, void *data), void *data)
{
  bool changed = false;

  for (uint32_t i = n_places (*net); i > 0; i--) {
    if (per_row && i > (*net)->rows->len)
      continue;
    g_autoptr (TestNet) smaller = test_net_copy (*net);
    if (!change (smaller, i - 1) || !fails (smaller, data))
      continue;
    test_net_free (*net);
    *net = g_steal_pointer (&smaller);
    changed = true;
  }
  return changed;
}

static bool
is_per_row (bool (*change) (TestNet *net, uint32_t i))
{
  return change != drop_level && change != plain_head && change != smaller_head &&
         change != smaller_input;
}

TestNet *
test_net_shrink (const TestNet *net, bool (*fails) (const TestNet *net, void *data), void *data)
{
  TestNet *smallest = test_net_copy (net);
  bool changed = true;

  while (changed) {
    changed = false;
    for (uint32_t i = 0; i < G_N_ELEMENTS (changes); i++)
      changed |= try_change (&smallest, changes[i], is_per_row (changes[i]), fails, data);
  }
  return smallest;
}
