/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/reparam.h - re-parameterisation by arithmetic of its own (spec 2.1 to 2.4).
 */
#pragma once

#include "engine/model/model.h"

G_BEGIN_DECLS

/* Folds batch-norms into their convolutions and branches of RepConvs into one. @dict: (dict.h) of
 * @model */
void fuse (GHashTable *dict, const YvModel *model);

/* Folds implicit vectors, and drops auxiliary rows, which stand before the head. */
void deploy (GHashTable *dict, const YvModel *model);

G_END_DECLS
