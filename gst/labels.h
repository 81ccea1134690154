/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/labels.h - class names from a text file, instead of those in the checkpoint.
 *
 * In:    a file with one name a line, in the order of the model's classes; UTF-8.
 * Out:   names that detections carry, and that the classes property understands.
 *
 * Pure: GLib only.
 */
#pragma once

#include "engine/yolov7.h"

G_BEGIN_DECLS

/* @n_classes: of the model; the file must have as many lines, not counting empty ones at its end.
 * Returns: (transfer full): ended by a NULL, free with g_strfreev(); or NULL with YV_ERROR_IO, or
 * YV_ERROR_INVALID where it is no text or the numbers differ. */
char **gst_yolov7_labels_read (const char *path, guint n_classes, GError **error);

/* Replaces each name in a list like "0,2,person" by its index in @labels. Indices and unknown names
 * stay, for the engine to judge. @labels, @classes: (nullable). Returns: (transfer full)
 * (nullable). */
char *gst_yolov7_labels_resolve (char *const *labels, const char *classes);

G_END_DECLS
