/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/detect/run.h - a pipeline runs until its end, an error, Ctrl-C, or nothing comes any more.
 */
#pragma once

#include "tools/detect/job.h"

G_BEGIN_DECLS

/* False with an error that names the file and the frame. */
gboolean run_pipeline (GstElement *pipeline, Job *job, gboolean is_picture, GError **error);

/* From now on Ctrl-C ends the pipeline in order, and was_interrupted() tells. */
void catch_signals (void);
gboolean was_interrupted (void);

G_END_DECLS
