/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/object.c - looking into the inert values of a checkpoint. */
#include "engine/checkpoint/object.h"

#include <string.h>

static const char *const kind_names[] = {
    [YV_OBJECT_NONE] = "none",         [YV_OBJECT_BOOL] = "bool",     [YV_OBJECT_INT] = "int",
    [YV_OBJECT_FLOAT] = "float",       [YV_OBJECT_STRING] = "string", [YV_OBJECT_BYTES] = "bytes",
    [YV_OBJECT_LIST] = "list",         [YV_OBJECT_TUPLE] = "tuple",   [YV_OBJECT_SET] = "set",
    [YV_OBJECT_DICT] = "dict",         [YV_OBJECT_TENSOR] = "tensor", [YV_OBJECT_CLASS] = "class",
    [YV_OBJECT_INSTANCE] = "instance",
};

static const YvObject *
find_in_dict (const YvObject *dict, const char *key)
{
  /* From the back: where a file sets a key twice, Python keeps the later value. */
  for (uint32_t i = dict->sequence.n_items; i >= 2; i -= 2) {
    const char *text = yv_object_get_string (dict->sequence.items[i - 2]);
    if (text && strcmp (text, key) == 0)
      return dict->sequence.items[i - 1];
  }
  return NULL;
}

const YvObject *
yv_object_get (const YvObject *object, const char *key)
{
  if (object && object->kind == YV_OBJECT_INSTANCE) {
    object = object->instance.state;
    if (object && object->kind == YV_OBJECT_TUPLE && object->sequence.n_items == 2)
      object = object->sequence.items[0];
  }
  return object && object->kind == YV_OBJECT_DICT ? find_in_dict (object, key) : NULL;
}

const char *
yv_object_class_name (const YvObject *object)
{
  if (!object || object->kind != YV_OBJECT_INSTANCE)
    return NULL;

  const char *name = object->instance.class_name->class_name.name;
  const char *dot = strrchr (name, '.');
  return dot ? dot + 1 : name;
}

char *
yv_object_class_path (const YvObject *object)
{
  if (object && object->kind == YV_OBJECT_INSTANCE)
    object = object->instance.class_name;
  if (!object || object->kind != YV_OBJECT_CLASS)
    return g_strdup (object ? yv_object_kind_name (object) : "nothing");
  return g_strdup_printf ("%s.%s", object->class_name.module, object->class_name.name);
}

bool
yv_object_get_number (const YvObject *object, double *out)
{
  if (!object)
    return false;
  if (object->kind == YV_OBJECT_BOOL)
    *out = object->boolean;
  else if (object->kind == YV_OBJECT_INT)
    *out = (double) object->integer;
  else if (object->kind == YV_OBJECT_FLOAT)
    *out = object->real;
  else
    return false;
  return true;
}

const char *
yv_object_get_string (const YvObject *object)
{
  return object && object->kind == YV_OBJECT_STRING ? object->string.text : NULL;
}

const char *
yv_object_kind_name (const YvObject *object)
{
  return kind_names[object->kind];
}
