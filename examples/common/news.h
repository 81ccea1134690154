/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/news.h - changes of a camera's state, carried from its thread to its user's.
 *
 * Threads: news_add() from any; news_new() and news_free() from the one whose main context was the
 * default when it was made, which is where @tell is called.
 */
#pragma once

#include "examples/common/camera.h"

G_BEGIN_DECLS

typedef struct _News News;

typedef void (*NewsTell) (CameraState state, const char *reason, gpointer user_data);

News *news_new (NewsTell tell, gpointer user_data);
void news_free (News *news); /* NULL ok; what was not told yet is not told any more */

/* @reason: (nullable) */
void news_add (News *news, CameraState state, const char *reason);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (News, news_free)

G_END_DECLS
