/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/module.c - the module tree: making it, freeing it, looking things up in it. */
#include "engine/model/module.h"

static void
clear_attr (gpointer attr_pointer)
{
  YvAttr *attr = attr_pointer;

  g_free (attr->key);
  g_free (attr->values);
}

static void
free_child (gpointer child)
{
  yv_module_free (child);
}

YvModule *
yv_module_new (const char *class_name, const char *parent_path, const char *name)
{
  YvModule *module = g_new0 (YvModule, 1);

  module->class_name = g_strdup (class_name);
  module->name = g_strdup (name);
  module->path = parent_path ? g_strconcat (parent_path, ".", name, NULL) : g_strdup (name);
  module->attrs = g_array_new (FALSE, FALSE, sizeof (YvAttr));
  g_array_set_clear_func (module->attrs, clear_attr);
  module->children = g_ptr_array_new_with_free_func (free_child);
  return module;
}

void
yv_module_free (YvModule *module)
{
  if (!module)
    return;
  g_ptr_array_unref (module->children);
  g_array_unref (module->attrs);
  g_free (module->path);
  g_free (module->name);
  g_free (module->class_name);
  g_free (module);
}

YvModule *
yv_module_add (YvModule *module, YvModule *child)
{
  g_ptr_array_add (module->children, child);
  return child;
}

YvModule *
yv_module_child (const YvModule *module, const char *name)
{
  for (guint i = 0; i < module->children->len; i++) {
    YvModule *child = g_ptr_array_index (module->children, i);
    if (g_str_equal (child->name, name))
      return child;
  }
  return NULL;
}

bool
yv_module_is (const YvModule *module, const char *class_name)
{
  return module && g_str_equal (module->class_name, class_name);
}

const YvAttr *
yv_module_attr (const YvModule *module, const char *key)
{
  for (guint i = 0; i < module->attrs->len; i++) {
    const YvAttr *attr = &g_array_index (module->attrs, YvAttr, i);
    if (g_str_equal (attr->key, key))
      return attr;
  }
  return NULL;
}

void
yv_module_set_many (YvModule *module, const char *key, const double *values, uint32_t n_values)
{
  YvAttr *attr = (YvAttr *) yv_module_attr (module, key);

  if (!attr) {
    const YvAttr fresh = {.key = g_strdup (key)};
    g_array_append_val (module->attrs, fresh);
    attr = &g_array_index (module->attrs, YvAttr, module->attrs->len - 1);
  }
  g_free (attr->values);
  attr->values = g_memdup2 (values, n_values * sizeof *values);
  attr->n_values = n_values;
}

void
yv_module_set (YvModule *module, const char *key, double value)
{
  yv_module_set_many (module, key, &value, 1);
}

double
yv_module_number (const YvModule *module, const char *key, uint32_t index, double fallback)
{
  const YvAttr *attr = yv_module_attr (module, key);

  if (!attr || attr->n_values == 0)
    return fallback;
  if (attr->n_values == 1)
    return attr->values[0];
  return index < attr->n_values ? attr->values[index] : fallback;
}
