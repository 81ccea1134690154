/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/header.h - what stands above the rows of a picture: the model, totals, the legend.
 */
#pragma once

#include "tools/graph/picture.h"

G_BEGIN_DECLS

void draw_header (Picture *picture);

G_END_DECLS
