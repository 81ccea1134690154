/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/settings.h - what is true of a model as a whole: classes, anchors, strides, sizes.
 */
#pragma once

#include "engine/diff/pair.h"

G_BEGIN_DECLS

/* Appends all that are compared, equal ones, too. @settings: (out) (element-type YvSettingDiff);
 * @strings: keeps their texts */
void yv_settings_compare (const YvPair *pair, GStringChunk *strings, GArray *settings);

G_END_DECLS
