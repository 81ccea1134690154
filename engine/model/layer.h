/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/layer.h - what both ways to a list of layers need: making one, resolving `from`.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/model/model.h"

G_BEGIN_DECLS

GPtrArray *yv_layers_new (void); /* of YvLayer *, owned by the array */

/* Makes YvLayer.from. @from: as a yaml or a pickle has it, -1 the previous row, other negative ones
 * so many rows back, else absolute. False with YV_ERROR_MALFORMED where it is no earlier row, a
 * message without the row, which the caller knows. */
bool yv_layer_resolve_from (YvLayer *layer, const int32_t *from, uint32_t n_from, uint32_t n_rows,
                            GError **error);

/* The head is the last row, there is no other, and it has the sources it needs. Messages name the
 * row. */
bool yv_layers_check_head (const GPtrArray *layers, GError **error);

G_END_DECLS
