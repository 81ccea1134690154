/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/settings.h - what a camera's settings say of one element, set on it.
 */
#pragma once

#include <gst/gst.h>

#include "examples/common/cameraconfig.h"

G_BEGIN_DECLS

/* Sets all that @config has of @factory on @element. Returns: false with an error of YV_ERROR,
 * "FILE:LINE: ...", where the element refuses one. */
bool settings_apply (const CameraConfig *config, const char *factory, GstElement *element,
                     GError **error);

G_END_DECLS
