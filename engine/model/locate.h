/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/locate.h - where in a checkpoint the weights are: a tree of modules, or a dict of
 * tensors (spec 5.1, 5.5).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/checkpoint/checkpoint.h"

G_BEGIN_DECLS

typedef struct {
  const YvObject *module;     /* the Model, wrappers taken off; or NULL and */
  const YvObject *state_dict; /* a DICT with tensors */
  const char *kind;           /* "ema", "model", "state dict" */
} YvLocated;

/* `ema` goes before `model`, whole modules and state dicts alike. False with YV_ERROR_MALFORMED or
 * _UNSUPPORTED that says what the file holds instead. */
bool yv_locate_weights (const YvCheckpoint *checkpoint, YvLocated *out, GError **error);

/* The modules under a module: a DICT of name to INSTANCE; NULL where it has none. */
const YvObject *yv_submodules (const YvObject *module);

G_END_DECLS
