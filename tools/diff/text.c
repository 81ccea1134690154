/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/diff/text.c - what differs between two models: the most important first, long lists cut. */
#include "tools/diff/diff.h"

#include <stdio.h>
#include <string.h>

#define MAX_SETTING_CHARS 60 /* of a setting in the table */

const char *
diff_equality_name (YvEquality equality)
{
  static const char *const names[] = {[YV_EQUAL] = "equal",
                                      [YV_EQUAL_ROUNDED] = "equal within rounding",
                                      [YV_UNEQUAL] = "different"};

  return names[equality];
}

static void
print_model (const char *letter, const YvModelInfo *info)
{
  printf ("%s: %s (%s, %s)\n", letter, info->source, info->format, info->weights_kind);
}

/* Rows that both have, but not as the same network. */
static uint32_t
count_other_rows (const YvModelDiff *diff)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < diff->n_layers; i++)
    n += diff->layers[i].a && diff->layers[i].b && !diff->layers[i].same_network;
  return n;
}

/* Rows that only one has, and that deployment keeps. */
static uint32_t
count_added_rows (const YvModelDiff *diff)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < diff->n_layers; i++)
    n += (!diff->layers[i].a || !diff->layers[i].b) && !diff->layers[i].same_network;
  return n;
}

/* False where one of the files has none. */
static bool
is_known (const YvSettingDiff *setting)
{
  return strcmp (setting->a, "not told") != 0 && strcmp (setting->b, "not told") != 0;
}

static bool
has_other_names (const YvModelDiff *diff)
{
  for (uint32_t i = 0; i < diff->n_settings; i++)
    if (strcmp (diff->settings[i].name, "class names") == 0)
      return !diff->settings[i].equal && is_known (&diff->settings[i]);
  return false;
}

static void
print_verdict (const YvModelDiff *diff)
{
  const YvDifference *w = &diff->weights;
  const uint32_t n_other = count_other_rows (diff), n_added = count_added_rows (diff);
  const char *of_rows = n_other + n_added > 0 ? " of rows of one shape" : "";

  printf ("\nAs deployed: %s\n", diff_equality_name (diff->deployed));
  if (n_other + n_added > 0)
    printf ("  network: %u rows compute something else, %u are only in one\n", n_other, n_added);
  if (has_other_names (diff))
    printf ("  class names: different\n");
  if (w->n_unequal > 0)
    printf ("  weights%s: relative difference %.3g, largest %.3g, cosine %.9f\n", of_rows,
            w->relative, w->max_abs, w->cosine);
  else if (w->n_elems > 0)
    printf ("  weights%s: all %" G_GUINT64_FORMAT " are equal\n", of_rows, w->n_elems);
}

static void
print_setting (const char *name, const char *a, const char *b)
{
  if (strlen (a) <= MAX_SETTING_CHARS)
    printf ("  %-24s %s -> %s\n", name, a, b);
  else
    printf ("  %-24s A: %s\n  %-24s B: %s\n", name, a, "", b);
}

/* Only those that differ at one place are told, not both lists. */
static void
print_names (const YvModelDiff *diff)
{
  const YvModelInfo *a = diff->a, *b = diff->b;
  const uint32_t n = MAX (a->n_classes, b->n_classes);
  uint32_t n_other = 0;

  for (uint32_t i = 0; i < n; i++) {
    const char *a_name = i < a->n_classes ? a->class_names[i] : "-";
    const char *b_name = i < b->n_classes ? b->class_names[i] : "-";

    if (strcmp (a_name, b_name) != 0 && n_other++ < DIFF_MAX_LISTED)
      printf ("  class %-18u %s -> %s\n", i, a_name, b_name);
  }
  if (n_other > DIFF_MAX_LISTED)
    printf ("  ... and %u more class names\n", n_other - DIFF_MAX_LISTED);
}

static void
print_settings (const YvModelDiff *diff)
{
  g_autoptr (GString) equal = g_string_new (NULL);

  printf ("\nsettings:\n");
  for (uint32_t i = 0; i < diff->n_settings; i++) {
    const YvSettingDiff *s = &diff->settings[i];

    if (s->equal)
      g_string_append_printf (equal, "%s%s", equal->len > 0 ? ", " : "", s->name);
    else if (strcmp (s->name, "class names") == 0 && is_known (s))
      print_names (diff);
    else
      print_setting (s->name, s->a, s->b);
  }
  if (equal->len > 0)
    printf ("  equal: %s\n", equal->str);
}

/* Rows with one text of changes are told in one line. */
typedef struct {
  const char *text;
  GString *rows;
  uint32_t n;
  bool same_network;
} Group;

static void
group_clear (gpointer group)
{
  g_string_free (((Group *) group)->rows, TRUE);
}

static void
add_to_group (GArray *groups, const YvLayerDiff *layer)
{
  guint i = 0;

  while (i < groups->len && (strcmp (g_array_index (groups, Group, i).text, layer->changes) != 0 ||
                             g_array_index (groups, Group, i).same_network != layer->same_network))
    i++;
  if (i == groups->len) {
    const Group first = {layer->changes, g_string_new (NULL), 0, layer->same_network};
    g_array_append_val (groups, first);
  }
  Group *group = &g_array_index (groups, Group, i);
  if (group->n < DIFF_MAX_LISTED)
    g_string_append_printf (group->rows, "%s%u", group->n > 0 ? " " : "", layer->a->row);
  else if (group->n == DIFF_MAX_LISTED)
    g_string_append (group->rows, " ...");
  group->n++;
}

static void
print_groups (const GArray *groups, bool same_network)
{
  guint n = 0;

  for (guint i = 0; i < groups->len; i++) {
    const Group *group = &g_array_index (groups, Group, i);

    if (group->same_network != same_network || n++ >= DIFF_MAX_LISTED)
      continue;
    printf ("  row%s %s%s: %s\n", group->n == 1 ? "" : "s", group->rows->str,
            same_network ? "" : " (another network)", *group->text ? group->text : "other inputs");
  }
  if (n > DIFF_MAX_LISTED)
    printf ("  ... and %u more kinds of changes\n", n - DIFF_MAX_LISTED);
}

static void
print_one_sided (const YvModelDiff *diff, bool is_in_a)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < diff->n_layers; i++) {
    const YvLayerInfo *l = is_in_a ? diff->layers[i].a : diff->layers[i].b;
    const bool has_both = diff->layers[i].a && diff->layers[i].b;

    if (!l || has_both || n++ >= DIFF_MAX_LISTED)
      continue;
    printf ("  only in %s: row %u %s: %s%s\n", is_in_a ? "A" : "B", l->row, l->module, l->trained,
            *l->deployed ? "" : " (not deployed)");
  }
  if (n > DIFF_MAX_LISTED)
    printf ("  ... and %u more rows only in %s\n", n - DIFF_MAX_LISTED, is_in_a ? "A" : "B");
}

static void
print_layers (const YvModelDiff *diff)
{
  g_autoptr (GArray) groups = g_array_new (FALSE, FALSE, sizeof (Group));
  uint32_t n_changed = 0, n_one_sided = 0;

  g_array_set_clear_func (groups, group_clear);
  for (uint32_t i = 0; i < diff->n_layers; i++) {
    const YvLayerDiff *layer = &diff->layers[i];

    if (!layer->a || !layer->b) {
      n_one_sided++;
    } else if (*layer->changes || !layer->same_network) {
      add_to_group (groups, layer);
      n_changed++;
    }
  }
  if (n_changed + n_one_sided == 0) {
    printf ("\nlayers: all %u are of one form\n", diff->a->n_layers);
    return;
  }
  printf ("\nlayers: %u in A, %u in B; %u changed, %u only in one\n", diff->a->n_layers,
          diff->b->n_layers, n_changed, n_one_sided);
  print_groups (groups, false);
  print_one_sided (diff, true);
  print_one_sided (diff, false);
  print_groups (groups, true);
}

void
diff_print_text (const YvModelDiff *diff)
{
  print_model ("A", diff->a);
  print_model ("B", diff->b);
  print_verdict (diff);
  print_settings (diff);
  print_layers (diff);
  if (diff->weights.n_unequal > 0)
    diff_print_weights (diff);
  diff_print_tensors (diff);
}
