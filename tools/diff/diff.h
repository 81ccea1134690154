/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/diff/diff.h - `yolov7 inspect --diff`: what differs between two models, as text or JSON.
 */
#pragma once

#include "engine/yolov7-tools.h"

G_BEGIN_DECLS

/* Of rows, tensors, names in the text; JSON has all. */
#define DIFF_MAX_LISTED 12

void diff_print_text (const YvModelDiff *diff);
void diff_print_json (const YvModelDiff *diff);

/* Parts of the text. */
void diff_print_weights (const YvModelDiff *diff);
void diff_print_tensors (const YvModelDiff *diff);

const char *diff_equality_name (YvEquality equality);

G_END_DECLS
