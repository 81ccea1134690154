/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/wrongsum.h - a checkpoint with a wrong checksum.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Copies a zip to a file in @folder and spoils the checksum that the last row of its directory
 * states, on which nothing else depends. Returns: (transfer full): its path */
char *yv_test_write_wrong_sum (const char *good, const char *folder);

G_END_DECLS
