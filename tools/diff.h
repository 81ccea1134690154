/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/diff.h - `yolov7 inspect --diff`: what differs between two models, as text or JSON.
 */
#pragma once

#include "engine/yolov7-tools.h"

G_BEGIN_DECLS

void diff_print_text (const YvModelDiff *diff);
void diff_print_json (const YvModelDiff *diff);

G_END_DECLS
