/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/graph.h - the picture of a model, as trained and as deployed, side by side.
 */
#pragma once

#include "engine/yolov7-tools.h"

G_BEGIN_DECLS

/* Writes an SVG. False with YV_ERROR_IO, naming @path. */
bool graph_write (const YvModelInfo *info, const char *path, GError **error);

G_END_DECLS
