/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/predictions.h - every detection of a data set, to be written as COCO's results file.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/eval/dataset.h"

G_BEGIN_DECLS

typedef struct _Predictions Predictions;

Predictions *predictions_new (const Dataset *dataset); /* @dataset is borrowed */
void predictions_free (Predictions *predictions);      /* NULL ok */

/* Images may come in any order, each once. */
void predictions_add (Predictions *predictions, const EvalImage *image);

/* [{"image_id", "category_id", "bbox": [x, y, w, h], "score"}, ...] in the order of the data set;
 * px to 3 decimals, scores to 5, as test.py. False with YV_ERROR_IO. */
bool predictions_write (const Predictions *predictions, const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Predictions, predictions_free)

G_END_DECLS
