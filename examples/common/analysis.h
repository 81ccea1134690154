/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/analysis.h - the part of a camera that stays: appsrc "in" ! yolov7 !
 * yolov7tracker ! ... ! appsink "out".
 *
 * In:    raw frames with PTS.  Out: the same with metadata.  Next: camera.c runs it.
 */
#pragma once

#include <gst/gst.h>

#include "examples/common/camera.h"

G_BEGIN_DECLS

/* Returns: (transfer full): a pipeline in the state NULL; NULL with an error that says what is
 * missing or wrong. */
GstElement *analysis_new (const CameraConfig *config, const CameraOptions *options, GError **error);

/* Returns: (transfer full): what frames should be converted to before they come in. */
GstCaps *analysis_caps (const CameraOptions *options);

G_END_DECLS
