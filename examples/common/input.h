/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/input.h - one attempt to play a camera's source: source ! decoder ! appsink.
 *
 * In:    a CameraConfig.  Out: decoded frames at the appsink "frames".  Next: camera.c runs it.
 */
#pragma once

#include <gst/gst.h>

#include "examples/common/cameraconfig.h"

G_BEGIN_DECLS

/**
 * input_new:
 * @config: outlives the pipeline
 * @caps: (transfer none): raw video that the frames are converted to
 *
 * Returns: (transfer full): a pipeline in the state NULL; NULL with an error where GStreamer lacks
 * an element.
 */
GstElement *input_new (const CameraConfig *config, GstCaps *caps, GError **error);

G_END_DECLS
