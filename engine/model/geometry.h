/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/geometry.h - checks that the numbers of a module tree can be computed with.
 *
 * Whatever comes later casts them to integers and divides by them; a file may have put anything
 * there.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/model/module.h"

G_BEGIN_DECLS

/**
 * yv_geometry_check:
 *
 * Checks every module of the tree: channels, kernels, strides and paddings are whole and in range,
 * groups divide the channels, eps is positive, a head's numbers agree with its convolutions.
 *
 * Returns: false with YV_ERROR_MALFORMED or _UNSUPPORTED, "model.12.conv: ...".
 */
bool yv_geometry_check (const YvModule *module, GError **error);

G_END_DECLS
