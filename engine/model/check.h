/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/check.h - that the tensors of a model are those that its modules call for.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/model/model.h"

G_BEGIN_DECLS

/**
 * yv_check_tensors:
 * @used: (nullable): gets the names of all tensors that a module calls for
 *
 * Checks existence, element type, shape, and that numbers are finite (running_var also >= 0).
 * Reads every element once.
 *
 * Returns: false with YV_ERROR_MALFORMED, "model.12.conv.weight: ...".
 */
bool yv_check_tensors (const YvModel *model, GHashTable *used, GError **error);

G_END_DECLS
