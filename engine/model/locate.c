/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/locate.c - tries the keys under which trainings keep their weights. */
#include "engine/model/locate.h"

#include "common/excerpt.h"
#include "engine/error.h"

#define MAX_WRAPPERS 8

static const char *const keys[] = {"ema", "model", "state_dict", "model_state_dict"};

const YvObject *
yv_submodules (const YvObject *module)
{
  if (!module || module->kind != YV_OBJECT_INSTANCE)
    return NULL;

  const YvObject *modules = yv_object_get (module, "_modules");
  return modules && modules->kind == YV_OBJECT_DICT ? modules : NULL;
}

/* DataParallel and DistributedDataParallel hold the model as `module`. */
static const YvObject *
unwrap (const YvObject *module)
{
  for (int i = 0; i < MAX_WRAPPERS; i++) {
    const YvObject *inner = yv_object_get (yv_submodules (module), "module");
    if (!inner)
      break;
    module = inner;
  }
  return module;
}

static bool
has_tensors (const YvObject *dict)
{
  if (!dict || dict->kind != YV_OBJECT_DICT)
    return false;
  for (uint32_t i = 1; i < dict->sequence.n_items; i += 2)
    if (dict->sequence.items[i]->kind == YV_OBJECT_TENSOR)
      return true;
  return false;
}

static bool
accept (const YvObject *candidate, const char *kind, YvLocated *out)
{
  const YvObject *module = unwrap (candidate);

  if (yv_submodules (module))
    *out = (YvLocated){.module = module, .kind = kind};
  else if (has_tensors (candidate))
    *out = (YvLocated){.state_dict = candidate, .kind = "state dict"};
  else
    return false;
  return true;
}

/* "a dict with the keys epoch, optimizer", "int": what there is instead. */
static char *
describe (const YvObject *root)
{
  if (root->kind == YV_OBJECT_INSTANCE) {
    g_autofree char *full_path = yv_object_class_path (root);
    g_autofree char *path = yv_excerpt (full_path);
    return g_strconcat ("an object of class ", path, NULL);
  }
  if (root->kind != YV_OBJECT_DICT)
    return g_strdup (yv_object_kind_name (root));

  g_autoptr (GString) text = g_string_new ("a dict with the keys");
  for (uint32_t i = 0; i < root->sequence.n_items && text->len < 200; i += 2) {
    g_autofree char *key = yv_excerpt (yv_object_get_string (root->sequence.items[i]));
    g_string_append_printf (text, "%s %s", i ? "," : "", key);
  }
  return g_strdup (text->str);
}

bool
yv_locate_weights (const YvCheckpoint *checkpoint, YvLocated *out, GError **error)
{
  const YvObject *root = yv_checkpoint_root (checkpoint);

  if (root->kind == YV_OBJECT_DICT)
    for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
      if (accept (yv_object_get (root, keys[i]), keys[i], out))
        return true;
  if (accept (root, "model", out))
    return true;

  g_autofree char *found = describe (root);
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: no model in it: found %s; expected what YOLOv7 training saves, a dict with "
               "`model` or `ema`, or a state dict",
               yv_checkpoint_path (checkpoint), found);
  return false;
}
