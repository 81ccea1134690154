/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/walk.c - recursion over _modules, _parameters and _buffers, within limits. */
#include "engine/model/walk.h"

#include <string.h>

#include "common/excerpt.h"
#include "engine/error.h"
#include "engine/model/attributes.h"
#include "engine/model/expand.h"
#include "engine/model/locate.h"

/* The deepest module of YOLOv7 is at depth 6 (model.4.m.0.cv1.conv), the largest model has some
 * 2000 modules. A tree may share modules and may, in a hostile file, contain itself: limits end
 * both. */
#define MAX_DEPTH 16
#define MAX_MODULES 20000
#define MAX_TENSORS 100000
#define MAX_ENTRIES 1024 /* of one dict of a module */
#define MAX_NAME_BYTES 64

static bool
fail (GError **error, YvError code, const char *path, const char *problem)
{
  g_set_error (error, YV_ERROR, code, "%s: %s", path, problem);
  return false;
}

static bool
is_name (const char *name)
{
  const size_t length = name ? strlen (name) : 0;

  return length > 0 && length <= MAX_NAME_BYTES && !strchr (name, '.');
}

static bool
is_small_dict (const YvObject *object)
{
  return !object || object->kind != YV_OBJECT_DICT || object->sequence.n_items <= 2 * MAX_ENTRIES;
}

/* Looking things up in a module and walking it takes time for each entry, for each of its uses. */
static bool
check_size (const YvObject *instance, const YvModule *module, GError **error)
{
  if (is_small_dict (instance->instance.state) &&
      is_small_dict (yv_object_get (instance, "_parameters")) &&
      is_small_dict (yv_object_get (instance, "_buffers")) &&
      is_small_dict (yv_object_get (instance, "_modules")))
    return true;
  return fail (error, YV_ERROR_MALFORMED, module->path,
               "more than " G_STRINGIFY (MAX_ENTRIES) " attributes, tensors or parts");
}

static bool
collect_tensors (YvWalk *walk, const YvObject *dict, const YvModule *module, GError **error)
{
  if (!dict || dict->kind != YV_OBJECT_DICT)
    return true;
  for (uint32_t i = 0; i + 1 < dict->sequence.n_items; i += 2) {
    const char *name = yv_object_get_string (dict->sequence.items[i]);
    const YvObject *value = dict->sequence.items[i + 1];
    if (value->kind != YV_OBJECT_TENSOR)
      continue;
    if (!is_name (name))
      return fail (error, YV_ERROR_MALFORMED, module->path, "a tensor without a proper name");
    if (++walk->n_tensors > MAX_TENSORS)
      return fail (error, YV_ERROR_MALFORMED, module->path,
                   "more than " G_STRINGIFY (MAX_TENSORS) " tensors");
    char *full = g_strconcat (module->path, ".", name, NULL);
    g_hash_table_replace (walk->tensors, full, (gpointer) &value->tensor);
  }
  return true;
}

static bool
refuse_class (const YvWalk *walk, const char *class_name, const char *class_path,
              const YvModule *module, GError **error)
{
  g_autofree char *supported = yv_row_classes ();
  g_autofree char *name = yv_excerpt (class_name);
  g_autofree char *path = yv_excerpt (class_path);

  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "unsupported module %s at row %u (%s at %s); supported are %s", name, walk->row,
               path, module->path, supported);
  return false;
}

static YvModule *walk_module (YvWalk *walk, const YvObject *instance, const char *parent_path,
                              const char *name, uint32_t depth, GError **error);

static bool
walk_children (YvWalk *walk, const YvObject *instance, YvModule *module, uint32_t depth,
               GError **error)
{
  const YvObject *children = yv_submodules (instance);

  for (uint32_t i = 0; children && i + 1 < children->sequence.n_items; i += 2) {
    const char *name = yv_object_get_string (children->sequence.items[i]);
    const YvObject *child = children->sequence.items[i + 1];
    if (child->kind == YV_OBJECT_NONE)
      continue;
    if (!is_name (name) || child->kind != YV_OBJECT_INSTANCE)
      return fail (error, YV_ERROR_MALFORMED, module->path,
                   "a part of it is not a module with a proper name");
    YvModule *walked = walk_module (walk, child, module->path, name, depth + 1, error);
    if (!walked)
      return false;
    yv_module_add (module, walked);
  }
  return true;
}

static YvModule *
walk_module (YvWalk *walk, const YvObject *instance, const char *parent_path, const char *name,
             uint32_t depth, GError **error)
{
  const char *class_name = yv_object_class_name (instance);
  g_autofree char *class_path = yv_object_class_path (instance);
  const bool is_sync = g_strcmp0 (class_name, "SyncBatchNorm") == 0;
  g_autoptr (YvModule) module =
      yv_module_new (is_sync ? "BatchNorm2d" : class_name, parent_path, name);

  if (depth > MAX_DEPTH || ++walk->n_modules > MAX_MODULES) {
    fail (error, YV_ERROR_MALFORMED, module->path,
          depth > MAX_DEPTH ? "modules are nested more than " G_STRINGIFY (MAX_DEPTH) " deep"
                            : "more than " G_STRINGIFY (MAX_MODULES) " modules");
    return NULL;
  }
  if (!yv_is_known_class (class_name, class_path)) {
    refuse_class (walk, class_name, class_path, module, error);
    return NULL;
  }
  if (!check_size (instance, module, error) || !yv_read_attributes (instance, module, error) ||
      !collect_tensors (walk, yv_object_get (instance, "_parameters"), module, error) ||
      !collect_tensors (walk, yv_object_get (instance, "_buffers"), module, error) ||
      !walk_children (walk, instance, module, depth, error))
    return NULL;
  return g_steal_pointer (&module);
}

YvModule *
yv_walk_module (YvWalk *walk, const YvObject *instance, const char *parent_path, const char *name,
                GError **error)
{
  return walk_module (walk, instance, parent_path, name, 1, error);
}
