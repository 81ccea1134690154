/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/state_dict.h - bare tensors, and the model description they belong to (spec 5.5).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/checkpoint/object.h"
#include "engine/model/config.h"
#include "engine/model/model.h"

G_BEGIN_DECLS

/**
 * yv_model_from_state_dict:
 * @dict: a DICT of names to TENSORs
 * @model: (inout): layers, tensors, n_input_channels and n_classes are filled in
 *
 * The number of classes is what the head's tensors say, not the description. What was fused before
 * it was saved is found by its missing batch-norms and stays as it is (spec 2.6). The description
 * may be that of the deployed model while the tensors are as trained: auxiliary rows are then left
 * out, and implicits are kept for the passes to fold.
 *
 * Returns: false with YV_ERROR_MALFORMED or _UNSUPPORTED, naming tensors that are missing, of
 * another shape, or have no place in the description; all tensors have been checked.
 */
bool yv_model_from_state_dict (const YvObject *dict, const YvConfig *config, YvModel *model,
                               GError **error);

G_END_DECLS
