/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/detect/progress.h - how far a file is, and what was found in it.
 */
#pragma once

#include "tools/detect/job.h"

G_BEGIN_DECLS

/* On stderr: a line that stands in a terminal; in a file, one now and then. */
void print_progress (const Job *job, gboolean terminal);

/* When it is done. @out_path: (nullable): nothing was written */
void print_result (const Job *job, gboolean is_picture, const char *out_path);

G_END_DECLS
