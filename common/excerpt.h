/* SPDX-License-Identifier: LGPL-2.1-or-later
 * common/excerpt.h - texts from a file, fit for a message.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The first 60 characters of @text (valid UTF-8; NULL is "?"), with "..." where there were more;
 * control characters are escaped. Free with g_free(). */
char *yv_excerpt (const char *text);

G_END_DECLS
