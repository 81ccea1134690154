/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/classes.h - which classes a user means by "0,2,person".
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/**
 * yv_classes_parse:
 * @text: (nullable): indices and names in any case, separated by commas; spaces around them don't
 *   count; nothing at all means every class
 * @names: [n_classes]
 *
 * Digits alone are an index, whatever the names.
 *
 * Returns: false with YV_ERROR_INVALID, which lists the names there are. Else *wanted is
 * [n_classes], to be freed with g_free(), or NULL where every class is wanted.
 */
bool yv_classes_parse (const char *text, const char *const *names, uint32_t n_classes,
                       bool **wanted, GError **error);

G_END_DECLS
