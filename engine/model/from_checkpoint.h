/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/from_checkpoint.h - a pickled model -> layers, tensors and class names (spec 5.4).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/checkpoint/object.h"
#include "engine/model/model.h"

G_BEGIN_DECLS

/**
 * yv_model_from_modules:
 * @root: the Model instance
 * @model: (inout): layers, tensors, n_input_channels, n_classes and class_names are filled in
 *
 * Returns: false with YV_ERROR_MALFORMED or _UNSUPPORTED, without the name of the file.
 */
bool yv_model_from_modules (const YvObject *root, YvModel *model, GError **error);

/* "class0", "class1" ...; NULL-terminated. */
char **yv_default_class_names (uint32_t n_classes);

G_END_DECLS
