/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/detect/analyse.h - each frame that passes is analysed, told, and gets its detections.
 */
#pragma once

#include "tools/detect/job.h"

G_BEGIN_DECLS

/* From now on, at the source pad of the element "analyse". @job outlives the pipeline. */
void analyse_frames_of (GstElement *pipeline, Job *job);

G_END_DECLS
