/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/chart.h - the steps of a profile beside what the device does at best, and as bars.
 */
#pragma once

#include "engine/yolov7-tools.h"

G_BEGIN_DECLS

/* The highest rates that any step of a profile reaches: not what the device could do, but what it
 * was seen to do, in the same minute. */
typedef struct {
  double flops_per_ms, bytes_per_ms;
} Ceilings;

Ceilings ceilings_of (const YvProfile *profile);

/* How long a step would take at the ceiling that binds it, as a share of what it takes: 0..1, and 0
 * where its time is 0. */
double roofline_share (const Ceilings *ceilings, const YvProfileStep *step);

/* A bar for each step, in the order in which they run, as SVG. @title: what was measured and where.
 * False with YV_ERROR_IO. */
bool chart_profile (const YvProfile *profile, const char *title, const char *path, GError **error);

G_END_DECLS
