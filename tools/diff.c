/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/diff.c - prints what differs between two models: the most important first, long lists cut.
 */
#include "tools/diff.h"

#include <stdio.h>
#include <string.h>

#include "tools/json.h"

#define MAX_LISTED 12        /* of rows, tensors, names */
#define MAX_SETTING_CHARS 60 /* of a setting in the table */

static const char *const equality_names[] = {
    [YV_EQUAL] = "equal", [YV_EQUAL_ROUNDED] = "equal within rounding", [YV_UNEQUAL] = "different"};

/* Text. */

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

  printf ("\nAs deployed: %s\n", equality_names[diff->deployed]);
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

    if (strcmp (a_name, b_name) != 0 && n_other++ < MAX_LISTED)
      printf ("  class %-18u %s -> %s\n", i, a_name, b_name);
  }
  if (n_other > MAX_LISTED)
    printf ("  ... and %u more class names\n", n_other - MAX_LISTED);
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
  if (group->n < MAX_LISTED)
    g_string_append_printf (group->rows, "%s%u", group->n > 0 ? " " : "", layer->a->row);
  else if (group->n == MAX_LISTED)
    g_string_append (group->rows, " ...");
  group->n++;
}

static void
print_groups (const GArray *groups, bool same_network)
{
  guint n = 0;

  for (guint i = 0; i < groups->len; i++) {
    const Group *group = &g_array_index (groups, Group, i);

    if (group->same_network != same_network || n++ >= MAX_LISTED)
      continue;
    printf ("  row%s %s%s: %s\n", group->n == 1 ? "" : "s", group->rows->str,
            same_network ? "" : " (another network)", *group->text ? group->text : "other inputs");
  }
  if (n > MAX_LISTED)
    printf ("  ... and %u more kinds of changes\n", n - MAX_LISTED);
}

static void
print_one_sided (const YvModelDiff *diff, bool is_in_a)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < diff->n_layers; i++) {
    const YvLayerInfo *l = is_in_a ? diff->layers[i].a : diff->layers[i].b;
    const bool has_both = diff->layers[i].a && diff->layers[i].b;

    if (!l || has_both || n++ >= MAX_LISTED)
      continue;
    printf ("  only in %s: row %u %s: %s%s\n", is_in_a ? "A" : "B", l->row, l->module, l->trained,
            *l->deployed ? "" : " (not deployed)");
  }
  if (n > MAX_LISTED)
    printf ("  ... and %u more rows only in %s\n", n - MAX_LISTED, is_in_a ? "A" : "B");
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

/* Sorts the largest relative difference to the top. */
typedef struct {
  char *name; /* owned */
  const YvDifference *difference;
} Line;

static void
line_clear (gpointer line)
{
  g_free (((Line *) line)->name);
}

static int
compare_lines (gconstpointer a_pointer, gconstpointer b_pointer)
{
  const double a = ((const Line *) a_pointer)->difference->relative;
  const double b = ((const Line *) b_pointer)->difference->relative;

  return a > b ? -1 : a < b ? 1 : 0;
}

static GArray *
lines_new (void)
{
  GArray *lines = g_array_new (FALSE, FALSE, sizeof (Line));

  g_array_set_clear_func (lines, line_clear);
  return lines;
}

static void
add_line (GArray *lines, char *name, const YvDifference *difference)
{
  const Line line = {name, difference};

  g_array_append_val (lines, line);
}

static void
print_lines (GArray *lines)
{
  int name_w = 4;

  g_array_sort (lines, compare_lines);
  for (guint i = 0; i < MIN (lines->len, MAX_LISTED); i++)
    name_w = MAX (name_w, (int) strlen (g_array_index (lines, Line, i).name));
  if (lines->len > 0)
    printf ("  %-*s  %9s  %10s  %12s  %s\n", name_w, "", "relative", "largest", "cosine",
            "elements that differ");
  for (guint i = 0; i < MIN (lines->len, MAX_LISTED); i++) {
    const Line *line = &g_array_index (lines, Line, i);
    const YvDifference *d = line->difference;

    printf ("  %-*s  %9.3g  %10.3g  %12.9f  %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "%s\n",
            name_w, line->name, d->relative, d->max_abs, d->cosine, d->n_unequal, d->n_elems,
            d->equality == YV_EQUAL_ROUNDED ? ", by rounding" : "");
  }
  if (lines->len > MAX_LISTED)
    printf ("  ... and %u more; --json lists all\n", lines->len - MAX_LISTED);
}

/* Then it is of no use to know which of the numbers differ most. */
static bool
is_rounding (const YvModelDiff *diff)
{
  return diff->weights.equality != YV_UNEQUAL;
}

static void
print_weights (const YvModelDiff *diff)
{
  g_autoptr (GArray) lines = lines_new ();
  uint32_t n_rows = 0;

  for (uint32_t i = 0; i < diff->n_layers; i++) {
    const YvLayerDiff *l = &diff->layers[i];

    n_rows += l->weights.n_elems > 0;
    if (l->weights.n_unequal > 0)
      add_line (lines, g_strdup_printf ("row %u %s", l->a->row, l->a->module), &l->weights);
  }
  printf ("\nweights as deployed: %u of %u rows differ%s\n", lines->len, n_rows,
          is_rounding (diff) ? ", all by rounding" : "");
  if (!is_rounding (diff))
    print_lines (lines);
}

static void
print_missing (const YvModelDiff *diff, bool is_in_a, uint32_t n_missing)
{
  uint32_t n = 0;

  if (n_missing == 0)
    return;
  printf ("  only in %s (%u):", is_in_a ? "A" : "B", n_missing);
  for (uint32_t i = 0; i < diff->n_tensors && n < 3; i++) {
    const YvTensorDiff *t = &diff->tensors[i];

    if (!(is_in_a ? t->shape_b : t->shape_a))
      printf ("%s %s", n++ > 0 ? "," : "", t->name);
  }
  printf ("%s\n", n_missing > n ? ", ..." : "");
}

static void
print_tensors (const YvModelDiff *diff)
{
  g_autoptr (GArray) lines = lines_new ();
  uint32_t n_common = 0, n_only_a = 0, n_only_b = 0, n_reshaped = 0;

  for (uint32_t i = 0; i < diff->n_tensors; i++) {
    const YvTensorDiff *t = &diff->tensors[i];

    n_only_a += !t->shape_b;
    n_only_b += !t->shape_a;
    n_common += t->shape_a && t->shape_b;
    if (t->shape_a && t->shape_b && strcmp (t->shape_a, t->shape_b) != 0 &&
        n_reshaped++ < MAX_LISTED)
      printf ("%s  %s: %s -> %s\n", n_reshaped == 1 ? "\ntensors of other shapes:\n" : "", t->name,
              t->shape_a, t->shape_b);
    if (t->difference.n_unequal > 0)
      add_line (lines, g_strdup (t->name), &t->difference);
  }
  if (n_reshaped > MAX_LISTED)
    printf ("  ... and %u more of other shapes\n", n_reshaped - MAX_LISTED);
  printf ("\ntensors as stored: %u in both, of which %u differ in values\n", n_common, lines->len);
  if (!is_rounding (diff))
    print_lines (lines);
  print_missing (diff, true, n_only_a);
  print_missing (diff, false, n_only_b);
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
    print_weights (diff);
  print_tensors (diff);
}

/* JSON. */

static void
add_difference (JsonBuilder *json, const YvDifference *difference)
{
  json_add_text (json, "equality", equality_names[difference->equality]);
  json_add_count (json, "elements", difference->n_elems);
  json_add_count (json, "unequal", difference->n_unequal);
  json_add_number (json, "relative", difference->relative);
  json_add_number (json, "max_abs", difference->max_abs);
  json_add_number (json, "cosine", difference->cosine);
}

static void
add_model (JsonBuilder *json, const char *name, const YvModelInfo *info)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  json_add_text (json, "source", info->source);
  json_add_text (json, "format", info->format);
  json_add_text (json, "weights", info->weights_kind);
  json_builder_end_object (json);
}

static void
add_settings (JsonBuilder *json, const YvModelDiff *diff)
{
  json_builder_set_member_name (json, "settings");
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < diff->n_settings; i++) {
    const YvSettingDiff *s = &diff->settings[i];

    json_builder_begin_object (json);
    json_add_text (json, "name", s->name);
    json_add_text (json, "a", s->a);
    json_add_text (json, "b", s->b);
    json_add_flag (json, "equal", s->equal);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
add_row (JsonBuilder *json, const char *name, const YvLayerInfo *layer)
{
  json_builder_set_member_name (json, name);
  if (layer)
    json_builder_add_int_value (json, layer->row);
  else
    json_builder_add_null_value (json);
}

static void
add_layers (JsonBuilder *json, const YvModelDiff *diff)
{
  json_builder_set_member_name (json, "layers");
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < diff->n_layers; i++) {
    const YvLayerDiff *l = &diff->layers[i];

    json_builder_begin_object (json);
    add_row (json, "row_a", l->a);
    add_row (json, "row_b", l->b);
    json_add_text (json, "module", (l->a ? l->a : l->b)->module);
    json_add_text (json, "changes", l->changes);
    json_add_flag (json, "same_network", l->same_network);
    add_difference (json, &l->weights);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
add_shape (JsonBuilder *json, const char *name, const char *shape)
{
  json_builder_set_member_name (json, name);
  if (shape)
    json_builder_add_string_value (json, shape);
  else
    json_builder_add_null_value (json);
}

static void
add_tensors (JsonBuilder *json, const YvModelDiff *diff)
{
  json_builder_set_member_name (json, "tensors");
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < diff->n_tensors; i++) {
    const YvTensorDiff *t = &diff->tensors[i];

    json_builder_begin_object (json);
    json_add_text (json, "name", t->name);
    add_shape (json, "shape_a", t->shape_a);
    add_shape (json, "shape_b", t->shape_b);
    add_difference (json, &t->difference);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

void
diff_print_json (const YvModelDiff *diff)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  add_model (json, "a", diff->a);
  add_model (json, "b", diff->b);
  json_add_text (json, "deployed", equality_names[diff->deployed]);
  json_builder_set_member_name (json, "deployed_weights");
  json_builder_begin_object (json);
  add_difference (json, &diff->weights);
  json_builder_end_object (json);
  add_settings (json, diff);
  add_layers (json, diff);
  add_tensors (json, diff);
  json_builder_end_object (json);

  g_autofree char *text = json_finish (json, TRUE);
  printf ("%s\n", text);
}
