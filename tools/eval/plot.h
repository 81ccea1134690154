/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/plot.h - curves and the confusion matrix as SVG.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tools/eval/confusion.h"
#include "tools/eval/metric.h"

G_BEGIN_DECLS

/* Precision over recall at IoU 0.5: a line a class, and their mean. False with YV_ERROR_IO. */
bool plot_curves (const MetricResult *result, const char *const *class_names, const char *path,
                  GError **error);

/* Each column, the objects of one class, adds up to 1. False with YV_ERROR_IO. */
bool plot_confusion (const Confusion *confusion, const char *const *class_names, const char *path,
                     GError **error);

G_END_DECLS
