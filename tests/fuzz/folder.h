/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/folder.h - a folder for the targets whose readers take files: one a process, removed
 * at its end.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Writes a file of at most 4 names in the folder, over what it held before. Returns: (transfer
 * none): its path, valid as long as the process. */
const char *fuzz_put (const char *name, const void *bytes, size_t size_bytes);

/* The smallest picture, under a name that a data set gives it. */
void fuzz_put_picture (const char *name);

/* Exactly one of the two is there, and the error is ours and can be printed. */
void fuzz_check_error (const void *made, const GError *error);

G_END_DECLS
