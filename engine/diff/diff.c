/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/diff.c - two models compared: settings, rows, tensors as stored, weights as deployed.
 *
 * Files of one model may hold it in different forms: batch-norms folded or not, auxiliary rows kept
 * or dropped, f32 or f16. So weights are compared as deployed, after the same passes, row by row;
 * what differs there decides. How the files store them is told besides.
 */
#include "engine/diff/pair.h"
#include "engine/diff/rows.h"
#include "engine/diff/settings.h"
#include "engine/diff/stored.h"

/* What the caller sees, and what it is made of. */
typedef struct {
  YvModelDiff diff; /* first: the caller's pointer is ours */
  YvPair pair;
  GStringChunk *strings;
  GArray *settings, *layers, *tensors;
} Diff;

static bool
has_same_classes (const Diff *diff)
{
  const YvSide *a = &diff->pair.a, *b = &diff->pair.b;

  if (!a->has_names || !b->has_names)
    return a->info->n_classes == b->info->n_classes;
  return g_strv_equal ((const char *const *) a->model->class_names,
                       (const char *const *) b->model->class_names);
}

static YvEquality
judge (const Diff *diff)
{
  if (!has_same_classes (diff) ||
      diff->pair.a.model->n_input_channels != diff->pair.b.model->n_input_channels)
    return YV_UNEQUAL;
  for (guint i = 0; i < diff->layers->len; i++)
    if (!g_array_index (diff->layers, YvLayerDiff, i).same_network)
      return YV_UNEQUAL;
  return diff->diff.weights.equality;
}

static void
publish (Diff *diff)
{
  diff->diff.a = diff->pair.a.info;
  diff->diff.b = diff->pair.b.info;
  diff->diff.n_settings = diff->settings->len;
  diff->diff.settings = (const YvSettingDiff *) (void *) diff->settings->data;
  diff->diff.n_layers = diff->layers->len;
  diff->diff.layers = (const YvLayerDiff *) (void *) diff->layers->data;
  diff->diff.n_tensors = diff->tensors->len;
  diff->diff.tensors = (const YvTensorDiff *) (void *) diff->tensors->data;
  diff->diff.deployed = judge (diff);
}

static Diff *
diff_new (void)
{
  Diff *diff = g_new0 (Diff, 1);

  diff->strings = g_string_chunk_new (4096);
  diff->settings = g_array_new (FALSE, FALSE, sizeof (YvSettingDiff));
  diff->layers = g_array_new (FALSE, FALSE, sizeof (YvLayerDiff));
  diff->tensors = g_array_new (FALSE, FALSE, sizeof (YvTensorDiff));
  return diff;
}

YvModelDiff *
yv_model_diff_new (const char *model_a, const char *config_a, const char *model_b,
                   const char *config_b, GError **error)
{
  Diff *made = diff_new ();
  g_autoptr (YvModelDiff) diff = &made->diff;

  if (!yv_pair_read (&made->pair, model_a, config_a, model_b, config_b, error))
    return NULL;
  yv_settings_compare (&made->pair, made->strings, made->settings);
  diff->weights = yv_rows_compare (&made->pair, made->strings, made->layers);
  yv_stored_compare (&made->pair, made->strings, made->tensors);
  publish (made);
  return g_steal_pointer (&diff);
}

void
yv_model_diff_free (YvModelDiff *diff)
{
  Diff *made = (Diff *) diff;

  if (!made)
    return;
  g_array_unref (made->tensors);
  g_array_unref (made->layers);
  g_array_unref (made->settings);
  g_string_chunk_free (made->strings);
  yv_pair_clear (&made->pair);
  g_free (made);
}
