/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/changes.c - walks two trees of modules side by side. */
#include "engine/diff/changes.h"

#include <string.h>

/* "cv1" and "conv" -> "cv1.conv" */
static char *
join_path (const char *path, const char *name)
{
  return *path ? g_strconcat (path, ".", name, NULL) : g_strdup (name);
}

static char *
values_text (const YvAttr *attr)
{
  GString *text = g_string_new (NULL);

  for (uint32_t i = 0; i < attr->n_values; i++)
    g_string_append_printf (text, "%s%.9g", i > 0 ? "," : "", attr->values[i]);
  return g_string_free (text, FALSE);
}

/* A setting of the model, or a number that follows from the convolution beside it. */
static bool
is_told_elsewhere (const YvModule *module, const char *key)
{
  if (strcmp (key, "num_features") == 0 || strcmp (key, "channel") == 0)
    return true;
  return g_str_has_suffix (module->class_name, "Detect") &&
         (strcmp (key, "anchors") == 0 || strcmp (key, "stride") == 0);
}

static void
compare_attr (const YvAttr *a, const YvAttr *b, const char *path, GPtrArray *changes)
{
  g_autofree char *name = join_path (path, a->key);
  g_autofree char *a_text = values_text (a);
  g_autofree char *b_text = values_text (b);

  if (strcmp (a_text, b_text) != 0)
    g_ptr_array_add (changes, g_strdup_printf ("%s %s -> %s", name, a_text, b_text));
}

static void
add_one_sided (const char *path, const char *name, const char *side, GPtrArray *changes)
{
  g_autofree char *full = join_path (path, name);

  g_ptr_array_add (changes, g_strdup_printf ("%s only in %s", full, side));
}

/* Attributes that only one has follow from its class, or are told by a part that it has, too. */
static void
compare_attrs (const YvModule *a, const YvModule *b, const char *path, GPtrArray *changes)
{
  for (guint i = 0; i < a->attrs->len; i++) {
    const YvAttr *attr = &g_array_index (a->attrs, YvAttr, i);
    const YvAttr *other = yv_module_attr (b, attr->key);

    if (other && !is_told_elsewhere (a, attr->key))
      compare_attr (attr, other, path, changes);
  }
}

static void
compare_modules (const YvModule *a, const YvModule *b, const char *path, GPtrArray *changes)
{
  if (strcmp (a->class_name, b->class_name) != 0)
    g_ptr_array_add (changes, g_strdup_printf ("%s%s%s -> %s", path, *path ? " " : "",
                                               a->class_name, b->class_name));
  compare_attrs (a, b, path, changes);
  for (guint i = 0; i < a->children->len; i++) {
    const YvModule *child = a->children->pdata[i];
    const YvModule *other = yv_module_child (b, child->name);
    g_autofree char *child_path = join_path (path, child->name);

    if (other)
      compare_modules (child, other, child_path, changes);
    else
      add_one_sided (path, child->name, "A", changes);
  }
  for (guint i = 0; i < b->children->len; i++) {
    const YvModule *child = b->children->pdata[i];

    if (!yv_module_child (a, child->name))
      add_one_sided (path, child->name, "B", changes);
  }
}

GPtrArray *
yv_module_changes (const YvModule *a, const YvModule *b)
{
  GPtrArray *changes = g_ptr_array_new_with_free_func (g_free);

  compare_modules (a, b, "", changes);
  return changes;
}
