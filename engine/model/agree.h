/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/agree.h - whether a model description tells of the model in a checkpoint.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/model/model.h"

G_BEGIN_DECLS

/* Compares the rows that inference runs: class, sources, and the channels, kernel and stride of the
 * first convolution. A training description of the deployed model and the other way round agree.
 * False with YV_ERROR_INVALID. */
bool yv_layers_agree (const GPtrArray *in_file, const GPtrArray *described, const char *config_file,
                      GError **error);

G_END_DECLS
