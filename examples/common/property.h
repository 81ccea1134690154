/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/property.h - what no element tells of its properties: which are paths, and which
 * nobody may see. Pure. Threads: any.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* Whether @text, as the value of this property, is a path. */
bool property_is_path (const char *element, const char *property, const char *text);

/* Returns: (nullable): for a path that is read, what has to be there, "a PEM file" */
const char *property_wants_file (const char *element, const char *property, const char *text);

/* Whether its value is a password. */
bool property_is_secret (const char *property);

G_END_DECLS
