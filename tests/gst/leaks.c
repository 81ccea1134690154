/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/leaks.c - counting GStreamer's objects. */
#include "tests/gst/leaks.h"

static GstTracer *
find_tracer (void)
{
  GList *tracers = gst_tracing_get_active_tracers ();
  GstTracer *found = NULL;

  for (GList *item = tracers; item; item = item->next)
    if (g_str_equal (G_OBJECT_TYPE_NAME (item->data), "GstLeaksTracer"))
      found = gst_object_ref (item->data);
  g_list_free_full (tracers, gst_object_unref);
  return found;
}

/* Adds @sign for each object of the list to its type's count. */
static void
count_types (GHashTable *counts, const GstStructure *s, const char *list_name, gint sign)
{
  const GValue *list = gst_structure_get_value (s, list_name);

  for (guint i = 0; list && i < gst_value_list_get_size (list); i++) {
    const GstStructure *item = gst_value_get_structure (gst_value_list_get_value (list, i));
    const char *type = gst_structure_get_string (item, "type-name");
    gint n = GPOINTER_TO_INT (g_hash_table_lookup (counts, type));
    g_hash_table_insert (counts, g_strdup (type), GINT_TO_POINTER (n + sign));
  }
}

/* Fails where more objects of a type were made since tracking began than are gone since. Threads
 * may still be on their way out; waiting for them replaces the pool that they came from. */
static void
assert_all_gone (GstTracer *tracer, const char *what)
{
  g_autoptr (GHashTable) counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GstStructure) s = NULL;
  GHashTableIter iter;
  gpointer type, n;

  gst_task_cleanup_all ();
  g_signal_emit_by_name (tracer, "activity-get-checkpoint", &s);
  count_types (counts, s, "objects-created-list", 1);
  g_assert_cmpuint (g_hash_table_size (counts), >, 10); /* else the tracer saw nothing */
  count_types (counts, s, "objects-removed-list", -1);
  g_hash_table_iter_init (&iter, counts);
  while (g_hash_table_iter_next (&iter, &type, &n))
    if (GPOINTER_TO_INT (n) != 0 && !g_str_equal (type, "GstTaskPool"))
      g_error ("%s: %d of %s are left", what, GPOINTER_TO_INT (n), (char *) type);
}

void
assert_leaves_nothing (void (*play) (gconstpointer data), gconstpointer data, const char *what)
{
  g_autoptr (GstTracer) tracer = find_tracer ();

  g_assert_nonnull (tracer);
  play (data); /* classes, pools and caps that live as long as the process */
  gst_task_cleanup_all ();
  g_signal_emit_by_name (tracer, "activity-start-tracking");
  play (data);
  assert_all_gone (tracer, what);
  g_signal_emit_by_name (tracer, "activity-stop-tracking");
}
