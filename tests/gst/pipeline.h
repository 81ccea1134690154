/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/pipeline.h - whole pipelines, as gst-launch-1.0 makes them.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* @format: a launch line, in the way of printf(); it must be right */
GstElement *launch_pipeline (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Plays until all of its sinks are at the end; an error fails. It is in PLAYING after that. */
void play_to_the_end (GstElement *pipeline);

G_END_DECLS
