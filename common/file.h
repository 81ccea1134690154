/* SPDX-License-Identifier: LGPL-2.1-or-later
 * common/file.h - whether a path names what can be read to its end.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* Call it before a file is opened: a pipe would be waited for, and a device read, for ever.
 * @expected: "a checkpoint, such as ...", for the message.
 * Returns: false with YV_ERROR_IO where @path is missing, a directory, or no regular file. */
bool yv_check_is_file (const char *path, const char *expected, GError **error);

G_END_DECLS
