/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/net.c - a description as an object and as yaml. */
#include "tests/model/net.h"

TestNet *
test_net_copy (const TestNet *net)
{
  TestNet *copy = g_memdup2 (net, sizeof *net);

  copy->rows = g_array_copy (net->rows);
  return copy;
}

void
test_net_free (TestNet *net)
{
  if (!net)
    return;
  g_array_unref (net->rows);
  g_free (net);
}

static void
print_from (GString *text, const int32_t *from, uint32_t n_from)
{
  if (n_from == 1) {
    g_string_append_printf (text, "%d", from[0]);
    return;
  }
  for (uint32_t i = 0; i < n_from; i++)
    g_string_append_printf (text, "%s%d", i ? ", " : "[", from[i]);
  g_string_append_c (text, ']');
}

static void
print_row (GString *text, const TestNetRow *row, uint32_t index)
{
  g_string_append (text, "  - [");
  print_from (text, row->from, row->n_from);
  g_string_append_printf (text, ", %u, %s, [", row->number, row->module);
  if (row->width)
    g_string_append_printf (text, "%u%s", row->width, *row->args ? ", " : "");
  g_string_append_printf (text, "%s]]  # %u\n", row->args, index);
}

/* Two numbers an anchor, larger from level to level. */
static void
print_anchors (GString *text, const TestNet *net)
{
  g_string_append (text, "anchors:\n");
  for (uint32_t level = 0; level < net->n_levels; level++) {
    g_string_append (text, "  - [");
    for (uint32_t i = 0; i < net->n_anchors; i++)
      g_string_append_printf (text, "%s%u,%u", i ? ", " : "", (10 + 3 * i) << level,
                              (16 + 5 * i) << level);
    g_string_append (text, "]\n");
  }
}

char *
test_net_print (const TestNet *net)
{
  const uint32_t n_from = net->n_levels * (g_str_equal (net->head, "IAuxDetect") ? 2 : 1);
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "# seed %" G_GUINT64_FORMAT ", %u of %ux%u px\n", net->seed, net->n,
                          net->w, net->h);
  g_string_append_printf (text, "nc: %u\ndepth_multiple: 1.0\nwidth_multiple: 1.0\n",
                          net->n_classes);
  print_anchors (text, net);
  g_string_append (text, "backbone:\n");
  for (uint32_t i = 0; i < net->rows->len; i++)
    print_row (text, &g_array_index (net->rows, TestNetRow, i), i);
  g_string_append (text, "head:\n  - [");
  print_from (text, net->heads_from, n_from);
  g_string_append_printf (text, ", 1, %s, [nc, anchors]]\n", net->head);
  return g_string_free (text, FALSE);
}
