/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/attributes.h - the attributes of a pickled module that matter, as numbers.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/checkpoint/object.h"
#include "engine/model/module.h"

G_BEGIN_DECLS

/* Whether a class may appear anywhere in a model; @class_path "torch.nn.modules.conv.Conv2d". */
bool yv_is_known_class (const char *class_name, const char *class_path);

/**
 * yv_read_attributes:
 *
 * Copies the numbers that module.h lists from @instance to @module, and refuses what would compute
 * something else: a padding mode, a dilation, another way to upsample.
 *
 * Returns: false with YV_ERROR_MALFORMED or _UNSUPPORTED, "model.12.conv (Conv2d): ...".
 */
bool yv_read_attributes (const YvObject *instance, YvModule *module, GError **error);

/* Up to @max_values numbers of an INT, BOOL, FLOAT, of a TUPLE or LIST of such, or of a TENSOR;
 * returns how many, 0 where it is something else or has more. */
uint32_t yv_object_numbers (const YvObject *object, double *values, uint32_t max_values);

G_END_DECLS
