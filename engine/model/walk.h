/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/walk.h - a pickled module -> its tree, and its tensors by name.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/checkpoint/object.h"
#include "engine/model/module.h"

G_BEGIN_DECLS

/* One walk over all rows of a model. */
typedef struct {
  GHashTable *tensors; /* name -> const YvTensor *, as YvModel.tensors */
  uint32_t n_modules;  /* so far: a small file can share a module so that its tree is huge */
  uint32_t n_tensors;
  uint32_t row;
} YvWalk;

/**
 * yv_walk_module:
 *
 * The tree under @instance, without the numbers of heads, which are from_checkpoint.c's.
 *
 * Returns: (transfer full): or NULL with YV_ERROR_UNSUPPORTED "unsupported module X at row i" or
 * YV_ERROR_MALFORMED.
 */
YvModule *yv_walk_module (YvWalk *walk, const YvObject *instance, const char *parent_path,
                          const char *name, GError **error);

G_END_DECLS
