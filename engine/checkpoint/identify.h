/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/identify.h - what a file is that is no checkpoint, and what to give instead.
 */
#pragma once

#include <glib.h>

#include "engine/span.h"

G_BEGIN_DECLS

/* Sets the error that helps most for a file of which no reader knows the beginning. */
void yv_identify_refuse (YvSpan file, GError **error);

G_END_DECLS
