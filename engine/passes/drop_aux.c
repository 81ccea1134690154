/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/drop_aux.c - removes what the output does not depend on. */
#include "engine/passes/passes.h"

/* Marks in one sweep from the end, which works because a node comes after its inputs. */
static GHashTable *
needed_ids (const YvGraph *graph)
{
  GHashTable *needed = g_hash_table_new (NULL, NULL);

  g_hash_table_add (needed, GUINT_TO_POINTER (yv_graph_output (graph)->id));
  for (uint32_t i = graph->nodes->len; i-- > 0;) {
    const YvNode *node = graph->nodes->pdata[i];
    if (!g_hash_table_contains (needed, GUINT_TO_POINTER (node->id)))
      continue;
    for (uint32_t j = 0; j < node->n_inputs; j++)
      g_hash_table_add (needed, GUINT_TO_POINTER (node->inputs[j]));
  }
  return needed;
}

uint32_t
yv_pass_drop_aux (YvGraph *graph)
{
  g_autoptr (GHashTable) needed = needed_ids (graph);
  uint32_t n_changes = 0;

  /* From the end, so that readers go before what they read. */
  for (uint32_t i = graph->nodes->len; i-- > 0;) {
    const YvNode *node = graph->nodes->pdata[i];
    if (node->op == YV_OP_INPUT || g_hash_table_contains (needed, GUINT_TO_POINTER (node->id)))
      continue;
    yv_graph_remove (graph, node->id);
    n_changes++;
  }
  return n_changes;
}
