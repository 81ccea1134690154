/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/training.h - made-up weights, as if they had been trained.
 */
#pragma once

#include "engine/model/model.h"

G_BEGIN_DECLS

/* Adds a tensor for each that the model has, of values that floats hold. @dict: (dict.h) */
void train (GHashTable *dict, GRand *rand, const YvModel *model);

G_END_DECLS
