/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/leaks.h - whether what a test made is gone, as GStreamer's own leaks tracer counts it,
 * which knows every GstObject and mini object. It is there where GST_TRACERS was "leaks" before
 * gst_init(). */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Calls @play twice, and fails with @what where objects of the second time are left. */
void assert_leaves_nothing (void (*play) (gconstpointer data), gconstpointer data,
                            const char *what);

G_END_DECLS
