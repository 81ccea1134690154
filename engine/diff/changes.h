/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/changes.h - what differs between two trees of modules, in words.
 */
#pragma once

#include "engine/model/module.h"

G_BEGIN_DECLS

/* "conv.stride 1,1 -> 2,2", "bn only in A", "IDetect -> Detect": one string a difference, owned by
 * the array. Anchors and strides of heads are left out, which are settings of the model. */
GPtrArray *yv_module_changes (const YvModule *a, const YvModule *b);

G_END_DECLS
