/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/affine.h - the step that fold_batchnorm and fold_implicit share. Internal to
 * engine/passes/.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/graph/graph.h"

G_BEGIN_DECLS

/* Folds @affine into the CONV that it reads, and frees @affine. False, and nothing is changed,
 * where its input is no CONV, has an activation, or is read by others, too. */
bool yv_affine_fold_into_conv (YvGraph *graph, const YvNode *affine);

G_END_DECLS
