/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/from_config.h - a model description -> layers, by the rules of spec 1.2.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/model/config.h"
#include "engine/model/model.h"

G_BEGIN_DECLS

/**
 * yv_layers_from_config:
 * @n_classes: what `nc` stands for; the config's own unless weights say otherwise
 *
 * Returns: (transfer full): of YvLayer *, or NULL with YV_ERROR_MALFORMED or _UNSUPPORTED,
 * "FILE:LINE: row N: ...".
 */
GPtrArray *yv_layers_from_config (const YvConfig *config, uint32_t n_classes, GError **error);

G_END_DECLS
