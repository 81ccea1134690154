/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/global.h - which names a pickle may mention.
 *
 * A pickle names the classes and functions that Python would import and call. Here a name is only
 * ever a text; but a file that names a way to run code was written to attack those who load it with
 * Python, and nothing else in it can be trusted either.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* False with YV_ERROR_MALFORMED, saying that the file is malicious or was tampered with. */
bool yv_global_check (const char *module, const char *name, GError **error);

G_END_DECLS
