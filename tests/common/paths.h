/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/paths.h - where the tests find their files. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* <source root>/<path>. Free with g_free(). */
char *yv_test_source_path (const char *path);

/* The file in the folder of measurements beside the checkout ($YV_SHARED, else <source
 * root>/../shared), or NULL where that folder is not there. Tests then do without: g_test_skip()
 * says so, and what the test needs to be of use without it is in the repository. Free with
 * g_free(). */
char *yv_test_shared_path (const char *path);

G_END_DECLS
